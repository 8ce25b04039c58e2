"""Days that end when a test says so, and what their statements say."""

import datetime as dt

from tests.store.conftest import Books

from makegood.domain.statement import Statement
from makegood.store import settlement
from makegood.store.ledger import Ledger
from makegood.store.pool import in_house
from makegood.store.settlement_invariants import INVARIANTS

THIRDS = (("ann", 3_333), ("ben", 3_333), ("cat", 3_334))
HALVES = (("ann", 5_000), ("dan", 5_000))
DAY = dt.date(2027, 2, 1)


class Days:
    """Days of a house that end when the test says so: what is settled is what was booked before that moment."""

    def __init__(self, books: Books) -> None:
        self.books, self.day = books, DAY - dt.timedelta(days=1)
        self.until = dt.datetime.now(dt.UTC)

    async def end(self) -> None:
        """The next day is over. It is settled by `settle`."""
        self.day += dt.timedelta(days=1)
        self.until = await settlement.now(self.books.pool, self.books.house.id)

    async def settle(self) -> dict[str, Statement]:
        """The statements of the day that ended last."""
        pool, house = self.books.pool, self.books.house.id
        assert (await settlement.open_day(pool, house, "CNY", self.day, "UTC", self.until))["outcome"] == "done"
        for campaign in await settlement.unsettled(pool, house, "CNY", self.day):
            await settlement.settle_campaign(pool, house, "makegood", "CNY", self.day, campaign)
        assert await settlement.close_day(pool, house, "makegood", "CNY", self.day)
        return {one.funder: one for one in await settlement.statements_of_day(pool, house, "CNY", self.day)}

    async def next(self) -> dict[str, Statement]:
        """End a day and settle it."""
        await self.end()
        return await self.settle()


async def grant(
    books: Books, payment: str, campaign: str, revision: str, discount: int, ledger: Ledger | None = None
) -> None:
    """A payment of 100.00 that was granted `discount` and made; `ledger` takes it from another share of the budget."""
    request = books.request(payment, {campaign: (revision, discount)})
    (outcome,) = await (ledger or books.ledger).reserve(books.house.id, "till", [request])
    assert outcome["outcome"] == "reserved", outcome
    assert (await books.capture(f"qte_{payment}"))["outcome"] == "done"


def amounts(statements: dict[str, Statement]) -> dict[str, int]:
    """What each funder was billed."""
    return {funder: one.closing - one.opening for funder, one in statements.items()}


async def settled_balances(books: Books) -> dict[str, int]:
    async with in_house(books.pool, books.house.id) as connection:
        rows = await connection.fetch(
            "select funder, sum(balance)::bigint as balance from accounts where kind = 'settled' group by 1"
        )
    return {row["funder"]: row["balance"] for row in rows if row["balance"]}


async def assert_settlement_holds(books: Books) -> None:
    await books.balanced()
    async with in_house(books.pool, books.house.id, read_only=True) as connection:
        for name, query in INVARIANTS.items():
            assert await connection.fetch(query) == [], name
        assert [one async for one in settlement.broken_statements(connection)] == []

"""Settlement against a model: any grants, refunds, revisions, shares and days are billed as sums of integers say."""

import random
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest
from tests.store.conftest import Books
from tests.store.settling import HALVES, THIRDS, Days, amounts, assert_settlement_holds, grant

from makegood.domain.settlement import Funding, bill_between, billed_for
from makegood.domain.statement import hash_of
from makegood.store.ledger import Ledger
from makegood.store.pool import call

SHARES = 3


class Model:
    """The same books as sums of integers: a running total for each campaign and funding, and what was told of it."""

    def __init__(self) -> None:
        self.total: Counter[tuple[str, Funding]] = Counter()
        self.told: Counter[tuple[str, Funding]] = Counter()
        self.today = Counter[tuple[str, Funding]]()

    def end(self) -> dict[str, int]:
        """What the day that ends now bills, by funder; funders without a line are left out."""
        billed: Counter[str] = Counter()
        for key, total in self.total.items():
            funding = key[1]
            if total != self.told[key]:
                for funder, amount in zip(funding.funders, bill_between(self.told[key], total, funding), strict=True):
                    billed[funder] += amount
            self.told[key] = total
        return dict(billed)

    def closing(self) -> dict[str, int]:
        billed: Counter[str] = Counter()
        for (_, funding), total in self.told.items():
            for funder, part in zip(funding.funders, billed_for(total, funding), strict=True):
                billed[funder] += part
        return dict(billed)


FUNDINGS: tuple[tuple[tuple[str, int], ...], ...] = (
    THIRDS,
    HALVES,
    (("ann", 1), ("ben", 9_999)),
    (("cat", 6_000), ("ann", 2_500), ("dan", 750), ("ben", 750)),
)


@pytest.mark.parametrize("seed", range(1, 4))
async def test_any_days_are_billed_as_the_model_bills_them(books: Books, seed: int) -> None:
    days = Days(books)
    ledgers = [Ledger(books.pool, lane=n) for n in range(SHARES)]
    chance = random.Random(seed)
    model = Model()
    live: dict[str, tuple[str, Funding]] = {}
    paid: dict[str, tuple[str, Funding, int, int]] = {}

    async def publish() -> None:
        campaign, shares = chance.choice("ab"), chance.choice(FUNDINGS)
        ordered = sorted(shares)
        funding = Funding(tuple(f for f, _ in ordered), tuple(w for _, w in ordered))
        live[campaign] = (await books.live(campaign, 10_000_000, funders=shares), funding)
        told = await call(books.pool, "split_budget", books.house.id, "bob", campaign, SHARES)
        assert told["outcome"] == "done"

    async def pay() -> None:
        campaign = chance.choice(sorted(live))
        revision, funding = live[campaign]
        payment, discount = f"p{len(paid)}", chance.choice([1, 2, 99, 100, 3_333, 10_000])
        await grant(books, payment, campaign, revision, discount, chance.choice(ledgers))
        paid[payment] = (campaign, funding, discount, 0)
        model.total[campaign, funding] += discount

    async def refund() -> None:
        if not paid:
            return
        payment = chance.choice(sorted(paid))
        campaign, funding, discount, refunded = paid[payment]
        amount = chance.choice([10_000 - refunded, chance.randint(1, 10_000)])
        if not 0 < amount <= 10_000 - refunded:
            return
        assert (await books.refund(payment, f"r{refunded}", amount))["outcome"] == "done"
        back = discount * (refunded + amount) // 10_000 - discount * refunded // 10_000
        paid[payment] = (campaign, funding, discount, refunded + amount)
        model.total[campaign, funding] -= back

    async def some(most: int) -> None:
        works: list[Callable[[], Awaitable[None]]] = [pay, pay, refund, refund]
        for _ in range(chance.randint(0, most)):
            await chance.choice(works)()

    await publish()
    for _ in range(6):
        if chance.random() < 0.5:
            await publish()
        await some(6)
        await days.end()
        expected = model.end()
        await some(3)  # Booked after the day's end, before it is settled.
        statements = await days.settle()
        assert amounts(statements) == expected
        closing = model.closing()
        assert all(one.closing == closing[funder] for funder, one in statements.items())
        assert all(hash_of(one) == one.hash and one.adds_up for one in statements.values())
    await assert_settlement_holds(books)

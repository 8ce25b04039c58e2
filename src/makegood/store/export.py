"""Every entry of a house in one snapshot of the store, row by row: as many as there are, in a few megabytes."""

import datetime as dt
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from makegood.store.pool import Connection, Pool, in_house
from makegood.store.verify import Violation

_ROWS_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Account:
    """Whose money an account holds; `share` is the part of a campaign's budget."""

    kind: str
    campaign: str
    share: int
    funder: str | None
    currency: str
    balance: int


@dataclass(frozen=True, slots=True)
class Entry:
    """Money that moved: `amount` minor units from one account to another of the same campaign and currency."""

    entry_id: int
    line: int
    batch: int
    kind: str
    subject: str
    amount: int
    at: dt.datetime
    from_id: int
    to_id: int
    from_account: Account
    to_account: Account


@dataclass(slots=True)
class Totals:
    """What has been read so far. After the last entry `violations` says which account is not the sum of its entries."""

    accounts: int = 0
    entries: int = 0
    violations: tuple[Violation, ...] = ()
    _sums: Counter[int] = field(default_factory=Counter)

    @property
    def balanced(self) -> bool:
        """Whether every account's balance is the sum of its entries."""
        return not self.violations

    def add(self, entry: Entry) -> None:
        """Count one entry."""
        self.entries += 1
        self._sums[entry.from_id] -= entry.amount
        self._sums[entry.to_id] += entry.amount

    def compare(self, accounts: dict[int, Account]) -> None:
        """Compare what was summed with the balances of the same moment."""
        self.accounts = len(accounts)
        self.violations = tuple(
            Violation(
                "balance_is_the_sum_of_entries", f"{a.kind} of {a.campaign}", str(self._sums[name]), str(a.balance)
            )
            for name, a in accounts.items()
            if a.balance != self._sums[name]
        )


async def entries(pool: Pool, house: int, totals: Totals) -> AsyncIterator[Entry]:
    """Every entry, oldest first. `totals` is whole once the last one was taken."""
    async with in_house(pool, house, read_only=True) as connection:
        accounts = await _accounts(connection)
        async for row in connection.cursor(
            """select entry_id, line, batch, kind, subject, amount, at, from_account as from_id, to_account as to_id
               from entries where house_id = $1 order by entry_id, line""",
            house, prefetch=_ROWS_AT_ONCE, timeout=600,
        ):  # fmt: skip
            entry = Entry(**row, from_account=accounts[row["from_id"]], to_account=accounts[row["to_id"]])
            totals.add(entry)
            yield entry
        totals.compare(accounts)


async def _accounts(connection: Connection) -> dict[int, Account]:
    rows = await connection.fetch(
        "select account_id, kind, campaign_id as campaign, share, funder, currency, balance from accounts"
    )
    return {row["account_id"]: Account(**{k: row[k] for k in row.keys() if k != "account_id"}) for row in rows}  # noqa: SIM118

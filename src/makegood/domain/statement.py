"""A funder's statement: what was billed on which day, for which campaign, and the balance before and after."""

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from makegood.money import format_money, format_rate

NO_STATEMENT = bytes(32)  # What the first statement of a funder names as the one before it.

COLUMNS = (
    *("record", "house", "funder", "currency", "zone", "day", "number", "campaign", "share"),
    *("granted", "granted_minor", "amount", "amount_minor", "balance", "balance_minor", "batch", "hash"),
)

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


@dataclass(frozen=True, slots=True)
class Line:
    """One campaign's day. Running totals of its funding before and after it, and the funder's part of each.

    All are minor units; `weight` is the funder's share in basis points, `batch` the ledger's batch that booked it.
    """

    campaign: str
    funding: int
    weight: int
    total_before: int
    total: int
    billed_before: int
    billed: int
    batch: int

    @property
    def granted(self) -> int:
        """Granted less returned on the day by the campaign, for all of its funders."""
        return self.total - self.total_before

    @property
    def amount(self) -> int:
        """What the funder bears of it; below zero is a credit."""
        return self.billed - self.billed_before


@dataclass(frozen=True, slots=True)
class Statement:
    """A funder's day in one currency: opening plus lines is closing, and `previous` is the hash of the one before."""

    house: str
    funder: str
    currency: str
    zone: str
    day: dt.date
    number: int
    opening: int
    closing: int
    batch: int
    previous: bytes
    hash: bytes
    lines: tuple[Line, ...]

    @property
    def adds_up(self) -> bool:
        """Whether the lines lead from the opening to the closing balance."""
        return self.opening + sum(line.amount for line in self.lines) == self.closing


def hash_of(statement: Statement) -> bytes:
    """SHA-256 over everything that a statement says but its own hash, as docs/concepts/settlement.md spells it."""
    lines = ";".join(
        _counted(x.campaign, x.funding, x.weight, x.total_before, x.total, x.billed_before, x.billed)
        for x in sorted(statement.lines, key=lambda line: (line.campaign, line.funding))
    )
    head = (statement.house, statement.funder, statement.currency, statement.zone, statement.day.isoformat())
    balances = (statement.number, statement.opening, statement.closing, statement.batch)
    said = _counted(*head, *balances, statement.previous.hex(), lines)
    return hashlib.sha256(said.encode()).digest()


def rows_of(statements: Sequence[Statement]) -> Iterator[tuple[str, ...]]:
    """The rows of a statement file, below `COLUMNS`: of each day its opening balance, its lines, its closing balance.

    Every row says whose it is, so that rows of several files may be put together. Texts are safe to open in a
    spreadsheet: none can be a formula.
    """
    for one in statements:
        yield _row(one, "opening", balance=one.opening)
        balance = one.opening
        for line in one.lines:
            balance += line.amount
            yield _row(one, "line", line=line, balance=balance)
        yield _row(one, "closing", amount=one.closing - one.opening, balance=one.closing)


def plain(minor: int, currency: str) -> str:
    """An amount with the currency's own digits after the point and without its name: 12.34, or 1234 of a yen."""
    return format_money(minor, currency).removesuffix(f" {currency}")


def safe(text: str) -> str:
    """`text` as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text


def _row(
    one: Statement, record: str, *, line: Line | None = None, amount: int | None = None, balance: int
) -> tuple[str, ...]:
    head = (
        record,
        safe(one.house),
        safe(one.funder),
        one.currency,
        safe(one.zone),
        one.day.isoformat(),
        str(one.number),
    )
    about = ("", "") if line is None else (safe(line.campaign), format_rate(line.weight))
    granted = _both(None if line is None else line.granted, one.currency)
    billed = _both(amount if line is None else line.amount, one.currency)
    batch = one.batch if line is None else line.batch
    return (*head, *about, *granted, *billed, *_both(balance, one.currency), str(batch), one.hash.hex())


def _both(minor: int | None, currency: str) -> tuple[str, str]:
    return ("", "") if minor is None else (plain(minor, currency), str(minor))


def _counted(*parts: object) -> str:
    """Each part behind its length: no two lists of parts make the same text."""
    return ",".join(f"{len(text)}:{text}" for text in map(str, parts))

"""Pricing the rows of a payment file, one after the other, each payment's own time being the clock."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from makegood.domain.limit import Balances
from makegood.domain.payment import Payment, parse_payment
from makegood.domain.quote import REFUSAL_ORDER, Considered, Priced, Refusal
from makegood.engine.book import Book
from makegood.engine.explain import explain
from makegood.engine.price import price
from makegood.engine.snapshot import Snapshot
from makegood.errors import FieldError, Problem
from makegood.files.rows import Row, file_problem
from makegood.limits import FILE_PAYMENTS_MAX

_NO_BALANCES: Balances = {}


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that is no completed purchase."""

    number: int


@dataclass(frozen=True, slots=True)
class Invalid:
    """A row that does not fit the policy's schema."""

    number: int
    errors: tuple[FieldError, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A payment with its answer. `seconds` is what pricing it took, without reading it or explaining it."""

    number: int
    payment: Payment
    priced: Priced
    explanation: tuple[Considered, ...]
    seconds: float

    @property
    def refusal(self) -> Refusal | None:
        """Why it got nothing: of all refusals the one that came furthest; None where it got something."""
        if self.priced.grants:
            return None
        refusals = [one.refusal for one in self.explanation if one.refusal is not None]
        return max(refusals, key=REFUSAL_ORDER.__getitem__, default=None)


def price_rows(
    rows: Iterable[Row], snapshot: Snapshot, *, limits: bool, stopwatch: Callable[[], float]
) -> Iterator[Skipped | Invalid | Outcome]:
    """Every row, priced. With `limits` budgets and limits are carried along: all stages open, each quote
    captured at once; rows must then be ordered by time, and a payment id that comes again is invalid.
    """
    book = Book(snapshot.policy, snapshot.campaigns.values()) if limits else None
    seen: set[str] = set()
    for count, row in enumerate(rows, 1):
        if count > FILE_PAYMENTS_MAX:
            raise file_problem(f"the file has more than {FILE_PAYMENTS_MAX:,} rows", hint="price it in parts")
        if row.raw is None:
            yield Skipped(row.number) if row.error is None else _invalid(row.number, row.error)
            continue
        try:
            payment = parse_payment(row.raw, snapshot.policy.schema)
        except Problem as problem:
            yield Invalid(row.number, problem.errors)
            continue
        if book is not None:
            if payment.payment_id in seen:
                yield _invalid(row.number, "was priced before, in another row", "/payment_id")
                continue
            seen.add(payment.payment_id)
        yield _price_one(row.number, payment, snapshot, book, stopwatch)


def _price_one(
    number: int, payment: Payment, snapshot: Snapshot, book: Book | None, stopwatch: Callable[[], float]
) -> Outcome:
    now = payment.occurred_at
    begun = stopwatch()
    balances = _NO_BALANCES if book is None else book.balances(payment, now)
    priced = price(payment, snapshot, balances, now)
    seconds = stopwatch() - begun
    explanation = explain(payment, snapshot, balances, now)
    if book is not None and priced.grants:
        begun = stopwatch()
        refused = book.settle(payment, priced.grants, now)
        seconds += stopwatch() - begun
        assert not refused, "what was priced with a balance fits that balance"
    return Outcome(number, payment, priced, explanation, seconds)


def _invalid(number: int, message: str, path: str = "") -> Invalid:
    return Invalid(number, (FieldError(path, message),))

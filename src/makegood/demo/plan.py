"""What a demo does: how many payments, from when, and what becomes of each. The same seed plans the same fates."""

import random
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from pathlib import Path

from makegood.clock import Instant
from makegood.domain.payment import Payment

DEADLINE_MS = 10_000  # Client, server and PostgreSQL share two cores here; the default of 50 ms is for a payment node.
CAPTURE_GRACE_SECONDS = 7 * 86_400  # A week of payments passes in seconds, so a hold outlasts that week.
CLIENTS = 16  # Concurrent checkouts.
BATCH_PAYMENTS = 25  # Payments in one call of the batch endpoint.
BATCH_EVERY = 8  # One stretch in so many goes as a batch.
DATA = Path(str(files("makegood").joinpath("data")))
PAYMENT_FILE = DATA / "completejourney_2017.parquet"
JOURNEY = DATA / "journey"
START = Instant.parse("2017-01-23T00:00:00-05:00")


class Fate(StrEnum):
    """What a shopper does with a quote that grants something."""

    CAPTURED = "captured"
    PARTLY_CAPTURED = "partly_captured"
    REFUNDED = "refunded"
    RELEASED = "released"
    ABANDONED = "abandoned"


_FATES = (
    (Fate.CAPTURED, 80),
    (Fate.PARTLY_CAPTURED, 4),
    (Fate.REFUNDED, 8),
    (Fate.RELEASED, 6),
    (Fate.ABANDONED, 2),
)
_RETRIED = 0.03  # Share of single quotes that are asked twice.


@dataclass(frozen=True, slots=True)
class Plan:
    """One run: `payments` consecutive ones of the file from `start`, and the seed of everything that is drawn."""

    payments: int = 3_000
    seed: int = 2017
    start: Instant = START


@dataclass(frozen=True, slots=True)
class Course:
    """What becomes of one payment: its fate, the shares of its amount (of 1,000), and whether it is asked twice."""

    fate: Fate
    parts: tuple[int, ...]
    retried: bool


def course_of(plan: Plan, payment_id: str) -> Course:
    """The course of a payment: drawn from the seed and its id, so it does not depend on the order of answers."""
    draw = random.Random(f"{plan.seed} {payment_id}")  # noqa: S311 - a simulation that can be repeated
    fate = draw.choices([fate for fate, _ in _FATES], [weight for _, weight in _FATES])[0]
    parts: tuple[int, ...] = ()
    if fate is Fate.PARTLY_CAPTURED:
        parts = (draw.randint(200, 900),)
    elif fate is Fate.REFUNDED:
        parts = tuple(draw.randint(80, 300) for _ in range(draw.choice((1, 2, 2, 3))))
    return Course(fate, parts, draw.random() < _RETRIED)


def part_of(amount: int, permille: int) -> int:
    """`permille` thousandths of an amount, at least one minor unit and never all of it unless it is one unit."""
    return min(max(1, amount * permille // 1_000), max(1, amount - 1))


def request_of(payment: Payment) -> dict[str, object]:
    """A payment as the HTTP API takes it: its fields flat, money in minor units, instants in RFC 3339."""
    fields: dict[str, object] = {}
    for name, value in payment.fields.items():
        fields[name] = value.text() if isinstance(value, Instant) else value
    return fields

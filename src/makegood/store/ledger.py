"""The money calls: each is one SQL function, one transaction, one answer that a retry gets again.

Every answer is a mapping with `outcome` and, where there is one, `quote` (see `quote_json` in migrations/) or `refund`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from makegood.domain.limit import Balance, Period, Subject, Used
from makegood.errors import StoreUnavailable
from makegood.store.pool import Pool, call


@dataclass(frozen=True, slots=True)
class Slots:
    """Whose limits a payment counts against, and the day and hour it counts on. References are keyed hashes."""

    payer: bytes | None
    device: bytes | None
    payee: bytes
    day: str
    hour: str


async def reserve(
    pool: Pool, house: int, principal: str, requests: Sequence[dict[str, Any]], patience_ms: int = 10_000
) -> list[dict[str, Any]]:
    """Reserve a batch, all in one transaction. One outcome a request, in order; see the function `reserve`.

    Raises StoreUnavailable, with nothing done, when a lock takes longer than `patience_ms`.
    """
    try:
        outcomes: list[dict[str, Any]] = await call(pool, "reserve", house, principal, list(requests), patience_ms)
    except asyncpg.LockNotAvailableError as error:
        raise StoreUnavailable("the store is too busy to decide in time") from error
    return outcomes


async def replay(pool: Pool, house: int, payments: Sequence[dict[str, str]]) -> list[dict[str, Any] | None]:
    """The first outcome of each payment, in order, or None. Each: {payment_id, content_hash (hex)}."""
    outcomes: list[dict[str, Any] | None] = await call(pool, "replay", house, list(payments))
    return outcomes


async def capture(
    pool: Pool,
    house: int,
    principal: str,
    quote: str,
    paid_at: datetime | None,
    captured: int | None,
    now: datetime | None,
) -> dict[str, Any]:
    """Turn a hold into a grant; `captured` minor units of the amount, None for all of it."""
    outcome: dict[str, Any] = await call(pool, "capture", house, principal, quote, paid_at, captured, now)
    return outcome


async def release(pool: Pool, house: int, principal: str, quote: str) -> dict[str, Any]:
    """End a hold; exactly what it took returns."""
    outcome: dict[str, Any] = await call(pool, "release", house, principal, quote)
    return outcome


async def disown(pool: Pool, house: int, principal: str, payment: str, quote: str, touched: bool) -> bool:
    """End what was or may yet be held for a payment whose caller was answered full price, unless somebody else was
    answered with it. `touched`: this caller's try is known to have got the hold. Whether the payment is closed now.
    """
    closed: bool = await call(pool, "disown", house, principal, payment, quote, touched)
    return closed


async def refund(pool: Pool, house: int, principal: str, payment: str, refund_id: str, amount: int) -> dict[str, Any]:
    """Refund `amount` minor units of a captured payment; the discount of that share returns to the budget."""
    outcome: dict[str, Any] = await call(pool, "refund", house, principal, payment, refund_id, amount)
    return outcome


async def expire(pool: Pool, house: int, now: datetime, most: int = 500) -> int:
    """Expire holds that ended before `now`, at most `most`. How many."""
    expired: int = await call(pool, "expire", house, now, most)
    return expired


async def balances(pool: Pool, house: int, campaigns: Sequence[str], slots: Slots) -> dict[str, Balance]:
    """What a payment with these slots sees of each campaign now."""
    stored: dict[str, dict[str, Any]] = await call(
        pool, "balances", house, list(campaigns), slots.payer, slots.device, slots.payee, slots.day, slots.hour
    )
    return read_balances(stored)


def read_balances(stored: Mapping[str, Mapping[str, Any]]) -> dict[str, Balance]:
    """Balances as the store tells them, and as they are kept beside an answer."""
    return {campaign: Balance(one["budget"], one["stage"], _used(one["used"])) for campaign, one in stored.items()}


def _used(rows: Sequence[Sequence[Any]]) -> dict[tuple[Subject, Period], Used]:
    return {(Subject(subject), Period(period)): Used(count, amount) for subject, period, count, amount in rows}

"""The money calls: each is one SQL function, one transaction, one answer that a retry gets again.

Every answer is a mapping with `outcome` and, where there is one, `quote` (see `quote_json` in migrations/) or `refund`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from makegood.domain.limit import Balance, Period, Subject, Used
from makegood.store.pool import Pool, call, in_house


@dataclass(frozen=True, slots=True)
class Slots:
    """Whose limits a payment counts against, and the day and hour it counts on. References are keyed hashes."""

    payer: bytes | None
    device: bytes | None
    payee: bytes
    day: str
    hour: str


async def reserve(pool: Pool, house: int, principal: str, requests: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Reserve a batch, all in one transaction. One outcome a request, in order; see the function `reserve`."""
    outcomes: list[dict[str, Any]] = await call(pool, "reserve", house, principal, list(requests))
    return outcomes


async def replay(pool: Pool, house: int, payments: Sequence[dict[str, str]]) -> dict[str, dict[str, Any]]:
    """First outcomes, by payment id, of those payments that have one. Each: {payment_id, content_hash (hex)}."""
    outcomes: dict[str, dict[str, Any]] = await call(pool, "replay", house, list(payments))
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


async def void_late(pool: Pool, house: int, principal: str, quote: str) -> bool:
    """End a hold that committed after its caller was answered full price. Whether it was ended."""
    ended: bool = await call(pool, "void_late", house, principal, quote)
    return ended


async def refund(pool: Pool, house: int, principal: str, payment: str, refund_id: str, amount: int) -> dict[str, Any]:
    """Refund `amount` minor units of a captured payment; the discount of that share returns to the budget."""
    outcome: dict[str, Any] = await call(pool, "refund", house, principal, payment, refund_id, amount)
    return outcome


async def expire(pool: Pool, house: int, now: datetime, most: int = 500) -> int:
    """Expire holds that ended before `now`, at most `most`. How many."""
    expired: int = await call(pool, "expire", house, now, most)
    return expired


_BALANCES = """
select c.campaign_id,
       (select coalesce(sum(balance), 0)::bigint from accounts a where a.house_id = c.house_id
           and a.campaign_id = c.campaign_id and a.kind in ('budget', 'stage')) as budget,
       (select coalesce(sum(balance), 0)::bigint from accounts a where a.house_id = c.house_id
           and a.campaign_id = c.campaign_id and a.kind = 'stage') as stage,
       (select json_agg(json_build_array(k.subject, k.period, k.count, k.amount)) from counters k
           where k.house_id = c.house_id and k.campaign_id = c.campaign_id
             and (k.subject, k.ref) in (('all', ''::bytea), ('payer', $2), ('device', $3), ('payee', $4))
             and (k.period, k.slot) in (('ever', ''), ('day', $5), ('hour', $6)))::text as used
from campaigns c where c.campaign_id = any ($1)
"""


async def balances(pool: Pool, house: int, campaigns: Sequence[str], slots: Slots) -> dict[str, Balance]:
    """What a payment with these slots sees of each campaign now."""
    async with in_house(pool, house) as connection:
        rows = await connection.fetch(
            _BALANCES, list(campaigns), slots.payer, slots.device, slots.payee, slots.day, slots.hour
        )
    return {row["campaign_id"]: Balance(row["budget"], row["stage"], _used(row["used"])) for row in rows}


def _used(text: str | None) -> dict[tuple[Subject, Period], Used]:
    rows = json.loads(text) if text else []
    return {(Subject(subject), Period(period)): Used(count, amount) for subject, period, count, amount in rows}

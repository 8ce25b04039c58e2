"""What is on record: quotes, refunds, audit rows, snapshots. Reads only, but for snapshots."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from makegood.store.pool import Pool, in_house

_QUOTE = """select quote_id, payment_id, currency, amount, discount, decided_at, valid_until, hold_until, snapshot, seen,
                   benefits, state, captured, paid_at, refunded, returned, content_hash
            from quotes where """
_REFUND = "select refund_id, payment_id, quote_id, amount, returned, refunded_after, benefits, at from refunds where "


async def quote(pool: Pool, house: int, quote_id: str) -> dict[str, Any] | None:
    """One quote by its id."""
    return await _one(pool, house, _QUOTE + "quote_id = $1 and state <> 'void'", quote_id)


async def quote_of_payment(pool: Pool, house: int, payment_id: str) -> dict[str, Any] | None:
    """The quote of a payment."""
    return await _one(pool, house, _QUOTE + "payment_id = $1 and state <> 'void'", payment_id)


async def refunds(pool: Pool, house: int, payment_id: str) -> list[dict[str, Any]]:
    """The refunds of a payment, oldest first."""
    async with in_house(pool, house) as connection:
        rows = await connection.fetch(_REFUND + "payment_id = $1 order by serial", payment_id)
    return [dict(row) for row in rows]


async def save_snapshot(pool: Pool, house: int, snapshot: str, policy: str, members: Sequence[dict[str, Any]]) -> None:
    """Keep what a snapshot hash stands for. Afterwards quotes may name it."""
    async with in_house(pool, house) as connection:
        await connection.execute(
            "insert into snapshots (house_id, snapshot, policy, members) values ($1, $2, $3, $4) on conflict do nothing",
            house, snapshot, policy, list(members),
        )  # fmt: skip


async def snapshot(pool: Pool, house: int, name: str) -> dict[str, Any] | None:
    """What a snapshot hash stands for: its policy revision and its members."""
    return await _one(pool, house, "select policy, members from snapshots where snapshot = $1", name)


@dataclass(frozen=True, slots=True)
class LiveSet:
    """The live set as stored: its version, the store's clock, policies and campaigns by revision, scenes that are stopped."""

    version: int
    now: datetime
    policies: dict[str, str]
    campaigns: list[dict[str, Any]]
    scenes: frozenset[str] = frozenset()


async def live_set(pool: Pool, house: int, known: int | None = None) -> LiveSet:
    """The live set of a house, read at one moment; without its members where `known` is still its version."""
    async with in_house(pool, house, read_only=True) as connection:
        head = await connection.fetchrow(
            "select coalesce((select version from live_sets where house_id = $1), 0) as version, clock_timestamp() as now",
            house,
        )
        if head["version"] == known:
            return LiveSet(head["version"], head["now"], {}, [])
        policies = {row["currency"]: row["revision"] for row in await connection.fetch("select * from policies")}
        rows = await connection.fetch(
            """select c.campaign_id, c.currency, c.live as revision, c.brief, b.stopped
               from campaigns c join budgets b on b.house_id = c.house_id and b.campaign_id = c.campaign_id and b.share = 0
               where c.live is not null order by 1"""
        )
        scenes = await connection.fetch("select substr(target, 7) as scene from stops where target like 'scene:%'")
    stopped = frozenset(row["scene"] for row in scenes)
    return LiveSet(head["version"], head["now"], policies, [dict(row) for row in rows], stopped)


async def latest_decision(pool: Pool, house: int) -> datetime | None:
    """The latest decision of a house: the clock of a test house."""
    row = await _one(pool, house, "select max(decided_at) as at from quotes where house_id + 0 = $1", house)
    return None if row is None else row["at"]


async def audits(pool: Pool, house: int, subject: str, limit: int) -> list[dict[str, Any]]:
    """The newest audit rows on a subject, newest first."""
    async with in_house(pool, house) as connection:
        rows = await connection.fetch(
            "select seq, at, principal, action, subject, detail from audits where subject = $1 order by seq desc limit $2",
            subject, limit,
        )  # fmt: skip
    return [dict(row) for row in rows]


async def _one(pool: Pool, house: int, text: str, *arguments: Any) -> dict[str, Any] | None:
    async with in_house(pool, house) as connection:
        row = await connection.fetchrow(text, *arguments)
    return None if row is None else dict(row)

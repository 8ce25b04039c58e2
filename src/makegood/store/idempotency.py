"""Answers kept for `Idempotency-Key`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from makegood.errors import Problem, ProblemCode
from makegood.store.pool import Pool, in_house

ABANDONED_SECONDS = 60  # A call takes a second; one that never answered died with its process.
KEPT_HOURS = 24
CLAIM_TRIES_MAX = 5  # Each one more needs somebody who frees the key between two statements of ours.

_CLAIM = f"""
insert into idempotency_keys as k (house_id, principal, key, content_hash) values ($1, $2, $3, $4)
on conflict (house_id, principal, key) do update set created_at = now(), content_hash = excluded.content_hash
    where k.status is null and k.created_at < now() - interval '{ABANDONED_SECONDS} seconds'
returning created_at
"""  # noqa: S608 - a constant of ours


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that is ours. Whoever takes it over after a minute has another `at`, and ours means nothing any more."""

    principal: str
    key: str
    at: datetime


async def claim(pool: Pool, house: int, principal: str, key: str, content_hash: bytes) -> Claim | dict[str, Any]:
    """Take a key: a Claim when it is ours now, else what is known of it. Raises Problem(IDEMPOTENCY_KEY_IS_BUSY)."""
    async with in_house(pool, house) as connection:
        for _ in range(CLAIM_TRIES_MAX):
            at = await connection.fetchval(_CLAIM, house, principal, key, content_hash)
            if at is not None:
                return Claim(principal, key, at)
            row = await connection.fetchrow(
                "select content_hash, status, body from idempotency_keys where principal = $1 and key = $2",
                principal,
                key,
            )
            if row is not None:
                return dict(row)
    raise Problem(ProblemCode.IDEMPOTENCY_KEY_IS_BUSY, "this idempotency key is used by several calls at once")


async def keep(pool: Pool, house: int, claim: Claim, status: int, body: str) -> None:
    """Keep the answer that a key got, unless somebody else has taken the key over."""
    async with in_house(pool, house) as connection:
        await connection.execute(
            """update idempotency_keys set status = $4, body = $5
               where principal = $1 and key = $2 and created_at = $3 and status is null""",
            claim.principal, claim.key, claim.at, status, body,
        )  # fmt: skip


async def forget(pool: Pool, house: int, claim: Claim) -> None:
    """Free a key whose call failed, unless somebody else has taken it over."""
    async with in_house(pool, house) as connection:
        await connection.execute(
            "delete from idempotency_keys where principal = $1 and key = $2 and created_at = $3 and status is null",
            claim.principal, claim.key, claim.at,
        )  # fmt: skip


async def purge(pool: Pool, house: int) -> int:
    """Drop answers older than a day, and sessions a day after their end. How many rows."""
    async with in_house(pool, house) as connection:
        keys = await connection.execute(
            "delete from idempotency_keys where created_at < now() - make_interval(hours => $1)", KEPT_HOURS
        )
        sessions = await connection.execute(
            "delete from sessions where least(expires_at, closed_at) < now() - make_interval(hours => $1)", KEPT_HOURS
        )
    return sum(int(done.rsplit(" ", 1)[1]) for done in (keys, sessions))

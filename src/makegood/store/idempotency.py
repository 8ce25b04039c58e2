"""Answers kept for `Idempotency-Key`."""

from typing import Any

from makegood.store.pool import Pool, in_house

ABANDONED_SECONDS = 60  # A call takes a second; one that never answered died with its process.

_CLAIM = f"""
insert into idempotency_keys as k (house_id, principal, key, content_hash) values ($1, $2, $3, $4)
on conflict (house_id, principal, key) do update set created_at = now(), content_hash = excluded.content_hash
    where k.status is null and k.created_at < now() - interval '{ABANDONED_SECONDS} seconds'
returning true
"""  # noqa: S608 - a constant of ours


async def claim(pool: Pool, house: int, principal: str, key: str, content_hash: bytes) -> dict[str, Any] | None:
    """Take a key; None when it is ours now, else what is known of it."""
    async with in_house(pool, house) as connection:
        if await connection.fetchval(_CLAIM, house, principal, key, content_hash):
            return None
        row = await connection.fetchrow(
            "select content_hash, status, body from idempotency_keys where principal = $1 and key = $2", principal, key
        )
    return dict(row)


async def keep(pool: Pool, house: int, principal: str, key: str, status: int, body: str) -> None:
    """Keep the answer that a key got."""
    async with in_house(pool, house) as connection:
        await connection.execute(
            "update idempotency_keys set status = $3, body = $4 where principal = $1 and key = $2",
            principal,
            key,
            status,
            body,
        )


async def forget(pool: Pool, house: int, principal: str, key: str) -> None:
    """Free a key whose call failed."""
    async with in_house(pool, house) as connection:
        await connection.execute("delete from idempotency_keys where principal = $1 and key = $2", principal, key)

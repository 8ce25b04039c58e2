"""Houses, principals, keys and sessions as rows. Secrets are stored as hashes only."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg

from makegood.errors import Problem, ProblemCode
from makegood.store.pool import Pool, call, in_house, translated


async def create_house(
    pool: Pool, name: str, live: bool, draw_secret: bytes, payer_key: bytes, guards_left_out: Sequence[str]
) -> int:
    """Make a house; guards that it does without are audited. Raises Problem(HOUSE_EXISTS)."""
    with translated():
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("select set_config('makegood.house_name', $1, true)", name)
            if await connection.fetchval("select true from houses where name = $1", name):
                raise Problem(ProblemCode.HOUSE_EXISTS, f"there is a house `{name}` already")
            house: int = await connection.fetchval(
                """insert into houses (name, live, draw_secret, payer_key, guards_left_out)
                   values ($1, $2, $3, $4, $5) returning house_id""",
                name, live, draw_secret, payer_key, list(guards_left_out),
            )  # fmt: skip
            await connection.execute("select set_config('makegood.house', $1, true)", str(house))
            await connection.execute("insert into live_sets (house_id) values ($1)", house)
            if guards_left_out:
                await connection.execute("select audit_guards_left_out($1, $2)", house, list(guards_left_out))
            return house


async def house(pool: Pool, name: str) -> dict[str, Any] | None:
    """A house by its name."""
    with translated():
        async with pool.acquire(timeout=5) as connection, connection.transaction():
            await connection.execute("select set_config('makegood.house_name', $1, true)", name)
            row = await connection.fetchrow("select * from houses where name = $1", name)
    return None if row is None else dict(row)


async def house_names(pool: Pool) -> list[str]:
    """Every house of the store, oldest first."""
    names: list[str] = await call(pool, "house_names")
    return names


async def create_key(
    pool: Pool,
    house_id: int,
    principal: str,
    kind: str,
    key_id: str,
    scopes: Sequence[str],
    secret_hash: bytes,
) -> None:
    """Keep a new key of a principal, who is made if new. Raises Problem(REQUEST_IS_INVALID) for a bad name."""
    async with in_house(pool, house_id) as connection:
        try:
            await connection.execute(
                "insert into principals values ($1, $2, $3, default) on conflict do nothing",
                house_id,
                principal,
                kind,
            )
            await connection.execute(
                "insert into keys (house_id, key_id, principal, scopes, secret_hash) values ($1, $2, $3, $4, $5)",
                house_id, key_id, principal, list(scopes), secret_hash,
            )  # fmt: skip
        except asyncpg.CheckViolationError as error:
            raise Problem(
                ProblemCode.REQUEST_IS_INVALID, f"`{principal}` is not a name a principal can have"
            ) from error


async def key(pool: Pool, house_id: int, key_id: str) -> dict[str, Any] | None:
    """A key that is not revoked."""
    async with in_house(pool, house_id) as connection:
        row = await connection.fetchrow("select * from keys where key_id = $1 and revoked_at is null", key_id)
    return None if row is None else dict(row)


async def open_session(pool: Pool, house_id: int, token_hash: bytes, key_id: str, csrf: str, until: datetime) -> None:
    """Keep a console session."""
    async with in_house(pool, house_id) as connection:
        await connection.execute(
            "insert into sessions (house_id, token_hash, key_id, csrf, expires_at) values ($1, $2, $3, $4, $5)",
            house_id, token_hash, key_id, csrf, until,
        )  # fmt: skip


async def session(pool: Pool, house_id: int, token_hash: bytes) -> dict[str, Any] | None:
    """An open session with the key it was opened with; None once either is over."""
    async with in_house(pool, house_id) as connection:
        row = await connection.fetchrow(
            """select s.csrf, s.expires_at, k.key_id, k.principal, k.scopes from sessions s join keys k using (house_id, key_id)
               where s.token_hash = $1 and s.closed_at is null and s.expires_at > now() and k.revoked_at is null""",
            token_hash,
        )
    return None if row is None else dict(row)


async def close_session(pool: Pool, house_id: int, token_hash: bytes) -> None:
    """End a session; afterwards its token opens nothing."""
    async with in_house(pool, house_id) as connection:
        await connection.execute("update sessions set closed_at = now() where token_hash = $1", token_hash)

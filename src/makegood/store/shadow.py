"""The real functions of the store, done and undone: what a drill asks of them.

Each question is a transaction that is rolled back, on a connection of its own. Nobody sees anything of it. Only its
locks are real: they are waited for shortly, held for one statement, and end by themselves where nothing is heard any
more of whoever took them.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from makegood.errors import MakegoodError
from makegood.limits import DRILL_IDLE_MS, DRILL_LOCK_MS, DRILL_STATEMENT_MS
from makegood.store.ledger import LEASE_IS_OVER
from makegood.store.packing import Request, columns_of
from makegood.store.pool import Connection, Pool, in_house, open_pool, translated

CLOSE_SECONDS_MAX = 5

_NOT_NOW = (
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
)
_BOUNDS = (
    "select set_config('makegood.house', $1, true), set_config('lock_timeout', $2, true),"
    " set_config('statement_timeout', $3, true), set_config('idle_in_transaction_session_timeout', $4, true)"
)


class NotNow(MakegoodError):  # noqa: N818 - reads as a word, as those of errors.py
    """Others held the locks for too long; nothing was done, and it may be tried again."""


@dataclass(frozen=True, slots=True)
class Who:
    """In whose name a drill asks: a house, a principal, and the lane of this process."""

    house: int
    principal: str
    lane: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What a function told, and why `reserve` then refused the payment its campaign's discount; None: it did not."""

    told: Any
    refusal: str | None


@asynccontextmanager
async def apart(url: str) -> AsyncIterator[Connection]:
    """A connection outside the pool, with the rights of the server. Raises StoreUnavailable."""
    pool = await open_pool(url, 1)
    try:
        with translated():
            async with pool.acquire(timeout=5) as connection:
                yield connection
    finally:
        try:
            async with asyncio.timeout(CLOSE_SECONDS_MAX):
                await pool.close()  # Once this returns, what it claimed is free.
        except TimeoutError:
            pool.terminate()


async def claim(connection: Connection, house: int) -> bool:
    """Whether the drill of this house is this connection's until it closes: one process at a time."""
    claimed: bool = await connection.fetchval("select pg_try_advisory_lock(hashtextextended('drill', $1))", house)
    return claimed


async def seen_after(
    connection: Connection, who: Who, function: str, arguments: Sequence[Any], request: Request
) -> Seen:
    """What `function` tells, and what `reserve` then says of a payment that nobody made. Raises NotNow.

    One statement does both, so that the locks of the first are held no longer than they must.
    """
    asked = [*arguments, *_reservation(who, request, None)]
    first, then = _places(1, len(arguments)), _places(len(arguments) + 1, len(asked))
    text = (
        f"with done as materialized (select {function}({first}) as told) select told, reserve({then}) as said from done"  # noqa: S608 - a function of ours
    )
    async with _undone(connection, who.house):
        row = await connection.fetchrow(text, *asked)
    refused = row["said"].get(request["quote_id"], {}).get("refused", {})
    return Seen(row["told"], next(iter(refused.values()), None))


async def is_written(connection: Connection, who: Who, target: str, reason: str) -> bool:
    """Whether a stop of `target` is on record once it was asked for. Raises NotNow."""
    async with _undone(connection, who.house):
        await connection.fetchval("select stop_target($1, $2, $3, $4)", who.house, who.principal, target, reason)
        found = "select exists (select from stops where target = $1 and reason = $2)"
        written: bool = await connection.fetchval(found, target, reason)
    return written


async def is_refused_without_lease(connection: Connection, who: Who, request: Request, lease: datetime) -> bool:
    """Whether `reserve` does nothing for whoever's lease was over at `lease`. Raises NotNow."""
    asked = _reservation(who, request, lease)
    async with _undone(connection, who.house):
        try:
            await connection.fetchval(f"select reserve({_places(1, len(asked))})", *asked)
        except asyncpg.PostgresError as error:
            if getattr(error, "sqlstate", None) == LEASE_IS_OVER:
                return True
            raise
    return False


async def leavings(pool: Pool, house: int, mark: str, requests: Sequence[Request]) -> list[str]:
    """Tables in which anything of a drill can still be seen: none, if all of it was undone."""
    payments, quotes = [one["payment_id"] for one in requests], [one["quote_id"] for one in requests]
    async with in_house(pool, house) as connection:
        rows = await connection.fetch(
            """select 'payments' as name where exists (select from payments where payment_id = any ($1))
               union all select 'quotes' where exists (select from quotes where quote_id = any ($2))
               union all select 'grants' where exists (select from grants where quote_id = any ($2))
               union all select 'entries' where exists (select from entries where subject = any ($2))
               union all select 'stops' where exists (select from stops where reason = $3)
               union all select 'trips' where exists (select from trips where what = $3)
               union all select 'campaigns' where exists (select from campaigns where strpos(stop_reason, $3) > 0)""",
            payments, quotes, mark,
        )  # fmt: skip
    return [row["name"] for row in rows]


async def ages(pool: Pool, house: int) -> tuple[float | None, float | None]:
    """Seconds since a house's newest drill, and since its newest that passed; None where there is none."""
    async with in_house(pool, house) as connection:
        row = await connection.fetchrow(
            """select extract(epoch from clock_timestamp() - max(at))::float8 as newest,
                      extract(epoch from clock_timestamp() - max(at) filter (where passed))::float8 as passed
               from drills"""
        )
    return row["newest"], row["passed"]


@asynccontextmanager
async def _undone(connection: Connection, house: int) -> AsyncIterator[None]:
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(_BOUNDS, str(house), str(DRILL_LOCK_MS), str(DRILL_STATEMENT_MS), str(DRILL_IDLE_MS))
        yield
    except _NOT_NOW as error:
        raise NotNow(f"others held what it needs: {error}") from error
    finally:
        await transaction.rollback()


def _reservation(who: Who, request: Request, lease: datetime | None) -> list[Any]:
    return [who.house, who.principal, who.lane, DRILL_LOCK_MS, lease, *columns_of([request])]


def _places(first: int, last: int) -> str:
    return ", ".join(f"${n}" for n in range(first, last + 1))

"""Connections to the store, and the one place where its errors become ours."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Literal, TypeVar

import asyncpg

from makegood.errors import Problem, ProblemCode, StoreUnavailable
from makegood.store.hosts import Hosts

APP_ROLE = "makegood_app"
COMMAND_SECONDS_MAX = 30  # No statement of the server takes a second; a hanging one must not hold a connection.
NEEDS_NEW_REVISION = "MG202"  # A breaker that a resume does not close, said by a trigger.
RETRIES_MAX = 3  # Of a transaction that PostgreSQL itself undid: a deadlock, or a failover.

Pool = asyncpg.Pool
Connection = Any  # asyncpg hands out proxies of connections; both have the same methods

T = TypeVar("T")

# A pool that tries to connect again says so with a trace each time; that the store is away is logged by us.
logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)

_GONE = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.QueryCanceledError,
    asyncpg.DiskFullError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidAuthorizationSpecificationError,
)
_UNDONE = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


async def open_pool(url: str, size: int, *, role: str | None = APP_ROLE, hosts: Hosts | None = None) -> Pool:
    """A pool whose connections act as `role` in the schema `makegood`, on the primary of the hosts that the URL names.

    Raises StoreUnavailable.
    """
    settings = {
        "search_path": "makegood",
        "application_name": "makegood",
        "timezone": "UTC",
        "synchronous_commit": "on",  # What was answered is on disk, whatever the database's default is.
        "plan_cache_mode": "force_generic_plan",  # Our statements are few and each has one good plan: it is made once.
        "default_transaction_isolation": "read committed",  # The functions read again what they have locked.
    }
    if role is not None:
        settings["role"] = role
    with translated():
        return await asyncpg.create_pool(
            url, min_size=1, max_size=size, server_settings=settings, command_timeout=COMMAND_SECONDS_MAX, init=_prepare,
            timeout=5, connect=(hosts or Hosts(url)).connect, reset=_keep_session,
        )  # fmt: skip


async def _keep_session(_: object) -> None:
    """Nothing to reset: whatever is set here is set for one transaction, and asyncpg itself ends one that was left open.

    Its own reset costs a round trip for each call. Whoever sets or locks something for a session connects apart.
    """


async def connect(url: str) -> Connection:
    """One connection, as whoever the URL names. Raises StoreUnavailable."""
    with translated():
        connection = await Hosts(url).connect(timeout=10)
        await _prepare(connection)
        return connection


class Encoded(str):
    """JSON text as it goes to the store: what is long is written elsewhere than in the loop that answers payments."""

    __slots__ = ()


async def _prepare(connection: Connection) -> None:
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=_encoded, decoder=json.loads)
    # Its binary form is its text, and rows within a row come in binary form only.
    await connection.set_type_codec(
        "json", schema="pg_catalog", encoder=lambda value: _encoded(value).encode(), decoder=json.loads, format="binary"
    )


def _encoded(value: Any) -> str:
    return value if isinstance(value, Encoded) else json.dumps(value)


class translated:  # noqa: N801 - reads as a word: `with translated():`
    """Turns the store's errors into StoreUnavailable or a Problem."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, _GONE):
            raise StoreUnavailable(f"the store is unavailable: {str(error) or type(error).__name__}") from error
        if isinstance(error, asyncpg.NumericValueOutOfRangeError):
            raise Problem(
                ProblemCode.MONEY_OVERFLOWS, "a sum of money does not fit 64 bits; nothing was done"
            ) from error
        if getattr(error, "sqlstate", None) == NEEDS_NEW_REVISION:
            raise revision_is_spent() from error


def revision_is_spent() -> Problem:
    """The problem of whoever lets a revision run again that guards stopped for good."""
    return Problem(
        ProblemCode.STATE_FORBIDS,
        "guards stopped this revision for good: after this trip only a new revision resumes",
        hint="mend what the trip shows, publish it and have it approved",
    )


@asynccontextmanager
async def in_house(pool: Pool, house: int, *, read_only: bool = False) -> AsyncIterator[Connection]:
    """A transaction that sees the rows of one house."""
    with translated():
        async with pool.acquire(timeout=5) as connection:
            isolation: Literal["repeatable_read"] | None = "repeatable_read" if read_only else None
            async with connection.transaction(isolation=isolation, readonly=read_only):
                await connection.execute("select set_config('makegood.house', $1, true)", str(house))
                yield connection


async def call(pool: Pool, function: str, *arguments: Any) -> Any:
    """The value of one SQL function, called in a transaction of its own; done again where PostgreSQL undid it."""
    places = ", ".join(f"${n}" for n in range(1, len(arguments) + 1))
    return await undone_again(lambda: _fetch(pool, f"select {function}({places})", arguments))


async def fetch(pool: Pool, function: str, *arguments: Any) -> Any:
    """The rows of one SQL function, called in a transaction of its own; done again where PostgreSQL undid it."""
    places = ", ".join(f"${n}" for n in range(1, len(arguments) + 1))
    return await undone_again(lambda: _rows(pool, f"select * from {function}({places})", arguments))  # noqa: S608 - a function of ours


async def undone_again(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """The result of `work`, repeated when PostgreSQL undid it for a deadlock. Nothing was done by a try that failed.

    Raises StoreUnavailable when the last repetition was undone, too.
    """
    for attempt in range(RETRIES_MAX + 1):
        try:
            return await work()
        except _UNDONE as error:
            if attempt == RETRIES_MAX:
                raise StoreUnavailable(f"the store undid this {attempt + 1} times: {error}") from error
    raise AssertionError("the last try returns or raises")


async def _fetch(pool: Pool, text: str, arguments: tuple[Any, ...]) -> Any:
    with translated():
        async with pool.acquire(timeout=5) as connection:
            return await connection.fetchval(text, *arguments)


async def _rows(pool: Pool, text: str, arguments: tuple[Any, ...]) -> Any:
    with translated():
        async with pool.acquire(timeout=5) as connection:
            return await connection.fetch(text, *arguments)

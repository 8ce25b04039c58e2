"""The store of a process: opened once, revived when an embedded server died."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from makegood.errors import StoreUnavailable
from makegood.settings import Settings
from makegood.store import embedded
from makegood.store.hosts import Hosts
from makegood.store.ledger import Ledger
from makegood.store.migrate import (
    OWNER_ROLE,
    SERVER_ROLE,
    check_role,
    check_version,
    make_server_role,
    may_migrate,
    migrate,
)
from makegood.store.pool import APP_ROLE, Pool, connect, open_pool, translated

DATABASE = "makegood"


@dataclass(slots=True)
class Store:
    """`pool` acts as the server's role and sees one house a transaction; `url` is the administrator's.

    A URL that was given serves for both: whether it may make houses and keys depends on whom it names. `watching` cuts
    connections to a host of that URL that is no longer the primary. `ledger` is where money moves.
    """

    url: str
    pool: Pool
    server: embedded.Embedded | None
    watching: asyncio.Task[None]
    ledger: Ledger

    async def administrator(self) -> Pool:
        """A small pool of the owner, for making houses and keys. The caller closes it."""
        return await open_pool(self.url, 1, role=OWNER_ROLE)

    async def revive(self) -> None:
        """Start an embedded server again if it died; the pool finds it by itself."""
        if self.server is not None:
            again = await asyncio.to_thread(embedded.start, self.server.data)
            again.let_go()

    async def close(self) -> None:
        """Close connections; the last process leaves the embedded server stopped."""
        self.watching.cancel()
        try:
            async with asyncio.timeout(5):
                await self.pool.close()
        except TimeoutError:
            self.pool.terminate()
        if self.server is not None:
            await asyncio.to_thread(self.server.close)


async def open_store(settings: Settings) -> Store:
    """The store that the settings name, migrated to this version. Raises StoreUnavailable."""
    server = None if settings.database else await _started(Path(settings.data))
    try:
        if server is None:
            url = login = str(settings.database)
        else:
            url, login = await _database_of(server), server.url(SERVER_ROLE, DATABASE)
        await _prepare(url, embedded=server is not None)
        hosts = Hosts(login)
        pool = await _open_checked(login, settings.pool_size, hosts, strict=server is not None)
    except BaseException:
        if server is not None:
            await asyncio.to_thread(server.close_if_ready)
        raise
    return Store(url, pool, server, asyncio.create_task(hosts.watch()), Ledger(pool, settings.lane))


async def _started(data: Path) -> embedded.Embedded:
    """A running embedded server. Whoever is told to stop meanwhile leaves none behind that nobody uses."""
    starting = asyncio.ensure_future(asyncio.to_thread(embedded.start, data))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        with suppress(StoreUnavailable):  # The thread goes on in any case.
            server = await starting
            await asyncio.to_thread(server.close_if_ready)
        raise


async def _database_of(server: embedded.Embedded | None) -> str:
    assert server is not None
    connection = await connect(server.url(embedded.SUPERUSER, "postgres"))
    try:
        await connection.execute("select pg_advisory_lock(1)")  # Two processes may come first together.
        if not await connection.fetchval("select true from pg_database where datname = $1", DATABASE):
            await connection.execute(f"create database {DATABASE}")
    finally:
        await connection.close()
    return server.url(embedded.SUPERUSER, DATABASE)


async def _prepare(url: str, *, embedded: bool) -> None:
    """Bring the database to this version, or make sure that it is. A superuser's URL is refused before it does anything:
    whoever runs a statement in the server's session could become it again."""
    connection = await connect(url)
    try:
        if not embedded:
            await check_role(connection, strict=False)
        if embedded or await may_migrate(connection):
            await migrate(connection)
        else:
            await check_version(connection)
        if embedded:
            await make_server_role(connection)
    finally:
        await connection.close()


async def _open_checked(login: str, size: int, hosts: Hosts, *, strict: bool) -> Pool:
    try:
        pool = await open_pool(login, size, hosts=hosts)
    except asyncpg.InsufficientPrivilegeError as error:
        raise StoreUnavailable(f"the database's user may not act as {APP_ROLE}: {error}") from error
    try:
        async with pool.acquire() as connection:
            await check_role(connection, strict=strict)
    except BaseException:
        pool.terminate()
        raise
    return pool


async def ping(store: Store) -> None:
    """Whether the store answers. Raises StoreUnavailable."""
    with translated():
        async with asyncio.timeout(2), store.pool.acquire() as connection:
            await connection.fetchval("select 1")

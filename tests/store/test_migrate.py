"""Migrations: whole or not at all, one process at a time, never over a schema of other hands."""

import asyncio

import asyncpg
import pytest

from makegood.errors import StoreUnavailable
from makegood.services.platform import Platform
from makegood.settings import Settings
from makegood.store.connection import open_store
from makegood.store.embedded import SUPERUSER
from makegood.store.migrate import OWNER_ROLE, SERVER_ROLE, Migration, check_role, migrate, migrations
from makegood.store.pool import APP_ROLE, connect


async def _fresh(platform: Platform, name: str) -> str:
    assert platform.store.server is not None
    connection = await connect(platform.store.url)
    await connection.execute(f"drop database if exists {name}")
    await connection.execute(f"create database {name}")
    await connection.close()
    return platform.store.server.url(SUPERUSER, name)


async def test_processes_that_come_together_migrate_once(platform: Platform) -> None:
    url = await _fresh(platform, "together")
    connections = [await connect(url) for _ in range(4)]
    counts = await asyncio.gather(*(migrate(connection) for connection in connections))
    assert sorted(counts) == [0, 0, 0, len(migrations())]
    for connection in connections:
        await connection.close()


async def test_a_migration_that_fails_half_way_leaves_nothing(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await _fresh(platform, "half")
    broken = Migration(len(migrations()) + 1, "broken", "create table half (x int); select 1 / 0;")
    whole = (*migrations(), broken)
    monkeypatch.setattr("makegood.store.migrate.migrations", lambda: whole)
    connection = await connect(url)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(connection)
    assert await connection.fetchval("select max(number) from makegood.migrations") == len(whole) - 1
    assert await connection.fetchval("select to_regclass('makegood.half')") is None
    monkeypatch.undo()
    assert await migrate(connection) == 0
    await connection.close()


async def test_a_newer_or_changed_schema_is_refused(platform: Platform) -> None:
    url = await _fresh(platform, "changed")
    connection = await connect(url)
    await migrate(connection)
    await connection.execute("update makegood.migrations set sha256 = 'x' where number = 1")
    with pytest.raises(StoreUnavailable, match="another text"):
        await migrate(connection)
    await connection.execute("delete from makegood.migrations where number = 1")
    await connection.execute("insert into makegood.migrations values (99, 'future', 'x')")
    with pytest.raises(StoreUnavailable, match="99"):
        await migrate(connection)
    await connection.close()


async def test_a_role_that_sees_all_houses_is_not_served_with(platform: Platform) -> None:
    connection = await connect(platform.store.url)
    with pytest.raises(StoreUnavailable, match="row-level security"):
        await check_role(connection, strict=False)
    await connection.execute(f"set role {APP_ROLE}")  # Whoever logged in can come back.
    with pytest.raises(StoreUnavailable, match="row-level security"):
        await check_role(connection, strict=False)
    await connection.close()


async def _login(platform: Platform, database: str, name: str, more: str) -> str:
    """A role that may log in, made afresh in a database of its own; gives its URL."""
    assert platform.store.server is not None
    administrator = await connect(await _fresh(platform, database))
    if await administrator.fetchval("select true from pg_roles where rolname = $1", name):
        await administrator.execute(f"drop owned by {name} cascade; drop role {name}")
    await administrator.execute(f"create role {name} login {more}")
    await administrator.close()
    return platform.store.server.url(name, database)


@pytest.mark.parametrize("more", ["superuser", "bypassrls", "in role makegood_admin"])
async def test_a_login_that_could_see_all_houses_is_refused_before_it_changes_anything(
    platform: Platform, more: str
) -> None:
    url = await _login(platform, "seen_past", "makegood_seer", more)
    with pytest.raises(StoreUnavailable, match="row-level security"):
        await open_store(Settings(database=url))
    connection = await connect(url)
    assert await connection.fetchval("select to_regnamespace('makegood')") is None
    await connection.close()


async def test_an_administrator_prepares_the_database_and_a_mere_server_serves_it(platform: Platform) -> None:
    assert platform.store.server is not None
    url = await _login(platform, "apart", "makegood_boss", "createrole")
    serving = platform.store.server.url(SERVER_ROLE, "apart")
    superuser = await connect(platform.store.server.url(SUPERUSER, "apart"))
    await superuser.execute("alter database apart owner to makegood_boss")
    await superuser.execute(f"grant {OWNER_ROLE}, {APP_ROLE} to makegood_boss with admin option")
    await superuser.close()
    with pytest.raises(StoreUnavailable, match="administrator's URL"):
        await open_store(Settings(database=serving))  # Nobody has prepared it.
    boss = await open_store(Settings(database=url))
    owner = await boss.administrator()
    assert await owner.fetchval("select current_user") == OWNER_ROLE
    await owner.close()
    async with boss.pool.acquire() as connection:
        with pytest.raises(StoreUnavailable):
            await check_role(connection, strict=True)
    await boss.close()
    server = await open_store(Settings(database=serving))
    async with server.pool.acquire() as connection:
        await check_role(connection, strict=True)
        assert await connection.fetchval("select session_user || ' ' || current_user") == f"{SERVER_ROLE} {APP_ROLE}"
    await server.close()


async def test_a_mere_server_does_not_serve_an_older_schema(platform: Platform) -> None:
    assert platform.store.server is not None
    connection = await connect(await _fresh(platform, "behind"))
    await migrate(connection)
    await connection.execute("delete from makegood.migrations where number = $1", len(migrations()))
    with pytest.raises(StoreUnavailable, match="not at this version"):
        await open_store(Settings(database=platform.store.server.url(SERVER_ROLE, "behind")))
    await connection.close()


async def test_a_login_without_rights_is_told_so(platform: Platform) -> None:
    url = await _login(platform, "barred", "makegood_nobody", "")
    with pytest.raises(StoreUnavailable, match=APP_ROLE):
        await open_store(Settings(database=url))


async def test_the_embedded_servers_pool_logs_in_as_somebody_who_owns_nothing(platform: Platform) -> None:
    async with platform.store.pool.acquire() as connection:
        assert await connection.fetchval("select session_user::text") == SERVER_ROLE
        roles = await connection.fetch("select rolname from pg_roles where pg_has_role(session_user, oid, 'member')")
    assert {row["rolname"] for row in roles} == {SERVER_ROLE, APP_ROLE}


async def test_a_database_that_is_not_there_is_told(platform: Platform) -> None:
    with pytest.raises(StoreUnavailable):
        await open_store(Settings(database="postgresql://nobody@127.0.0.1:1/none"))

"""Migrations: whole or not at all, one process at a time, never over a schema of other hands."""

import asyncio

import asyncpg
import pytest

from makegood.errors import StoreUnavailable
from makegood.services.platform import Platform
from makegood.store.connection import open_store
from makegood.store.embedded import SUPERUSER
from makegood.store.migrate import Migration, check_role, migrate, migrations
from makegood.store.pool import connect


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
        await check_role(connection)
    await connection.close()


async def test_a_database_that_is_not_there_is_told(platform: Platform) -> None:
    from makegood.settings import Settings

    with pytest.raises(StoreUnavailable):
        await open_store(Settings(database="postgresql://nobody@127.0.0.1:1/none"))

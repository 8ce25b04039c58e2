"""A synchronous standby beside an embedded server."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from makegood.store import embedded
from makegood.store.embedded import SUPERUSER
from makegood.store.pool import Connection, connect
from makegood.store.standby import synchronous_standby

NOT_ANSWERED_SECONDS = 1.0


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="mg"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


async def until_nobody_streams(boss: Connection) -> None:
    async with asyncio.timeout(30):
        while await boss.fetchval("select count(*) from pg_stat_replication"):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)


async def test_a_commit_is_on_the_standby_when_it_is_answered_and_waits_while_the_standby_is_stopped(
    folder: Path,
) -> None:
    primary = embedded.start(folder / "primary")
    try:
        boss = await connect(primary.url(SUPERUSER, "postgres"))
        await boss.execute("create table kept (number bigint primary key)")
        async with synchronous_standby(primary, folder / "standby") as url:
            # What is answered is flushed there; the standby may show it a moment later.
            await boss.execute("set synchronous_commit = remote_apply")
            await boss.execute("insert into kept values (1)")
            copy = await connect(url)
            assert await copy.fetchval("select count(*) from kept") == 1
            await copy.close()
            await boss.execute("set synchronous_commit = on")
            postmaster = int((folder / "standby" / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])
            os.kill(postmaster, signal.SIGQUIT)
            await until_nobody_streams(boss)
            waiting = asyncio.ensure_future(boss.execute("insert into kept values (2)"))
            done, _ = await asyncio.wait({waiting}, timeout=NOT_ANSWERED_SECONDS)
            assert done == set()
        await waiting  # The primary is alone again, and was told so.
        assert await boss.fetchval("select count(*) from kept") == 2
        assert await boss.fetchval("show synchronous_standby_names") == ""
        assert not (folder / "standby" / "postgres").exists()
        await boss.close()
    finally:
        primary.close()

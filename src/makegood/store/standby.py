"""A synchronous standby of an embedded server: a second PostgreSQL on this machine that has every commit, too.

It is what `bench` measures the price of. A standby that outlives its machine needs somebody to watch over both: see
docs/operations/high-availability.md.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from makegood.errors import StoreUnavailable
from makegood.store.embedded import SUPERUSER, Embedded
from makegood.store.embedded.folders import own_folder, socket_folder
from makegood.store.embedded.programs import run
from makegood.store.pool import Connection, connect

NAME = "makegood_standby"
ATTACH_SECONDS_MAX = 60  # A copy of a database of some gigabytes.
STOP_SECONDS_MAX = 60
LOOK_SECONDS = 0.1

_SYNCHRONOUS = "select count(*) from pg_stat_replication where sync_state = 'sync'"


@asynccontextmanager
async def synchronous_standby(primary: Embedded, data: Path) -> AsyncIterator[str]:
    """While inside, a commit on `primary` is answered only when a copy in `data` has it on disk, too. Gives the copy's
    URL, for the primary's superuser; it takes no writes.

    Afterwards the primary is alone again, and the copy stopped and removed. Raises StoreUnavailable.
    """
    # 1. Copy the primary, and start the copy: it streams what is committed from then on.
    # 2. Tell the primary to wait for it, and wait until it does.
    # 3. At the end tell the primary first: nobody is left waiting for a copy that has stopped.
    boss = await connect(primary.url(SUPERUSER, "postgres"))
    try:
        socket = await asyncio.to_thread(_copy, primary, data)
        try:
            await asyncio.to_thread(_start, data, socket)
            await _wait_for(boss, NAME)
            yield f"postgresql://{SUPERUSER}@/postgres?host={socket}"
        finally:
            try:
                await _wait_for(boss, "")
            finally:
                await asyncio.to_thread(_stop, data)
    finally:
        await boss.close()


def _copy(primary: Embedded, data: Path) -> Path:
    own_folder(data)
    socket = socket_folder(data)
    source = f"host={primary.socket} user={SUPERUSER} application_name={NAME}"
    done = run("pg_basebackup", "-d", source, "-D", str(data / "postgres"), "-R", "-X", "stream", "-c", "fast")
    if done.returncode != 0:
        raise StoreUnavailable(f"the standby could not be made: {done.stderr.strip()[-500:]}")
    return socket


def _start(data: Path, socket: Path) -> None:
    log = data / "postgres.log"
    done = run(
        "pg_ctl", "start", "-w", "-D", str(data / "postgres"), "-t", str(ATTACH_SECONDS_MAX), "-l", str(log),
        "-o", f"-k {socket} -c hot_standby=on",
    )  # fmt: skip
    if done.returncode != 0:
        said = log.read_text(errors="replace").splitlines()[-3:] if log.exists() else [done.stderr.strip()]
        raise StoreUnavailable(f"the standby did not start: {' / '.join(said)}")


def _stop(data: Path) -> None:
    run("pg_ctl", "stop", "-w", "-D", str(data / "postgres"), "-m", "fast", "-t", str(STOP_SECONDS_MAX))
    shutil.rmtree(data / "postgres", ignore_errors=True)


async def _wait_for(boss: Connection, names: str) -> None:
    """Afterwards commits of every session wait for the standbys of these names; with none, for nobody."""
    await boss.execute(f"alter system set synchronous_standby_names = '{names}'")
    await boss.execute("select pg_reload_conf()")
    wanted = int(bool(names))
    async with asyncio.timeout(ATTACH_SECONDS_MAX):
        while await boss.fetchval(_SYNCHRONOUS) != wanted:  # noqa: ASYNC110 - PostgreSQL tells nobody
            await asyncio.sleep(LOOK_SECONDS)

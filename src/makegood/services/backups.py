"""Backup and restore of the embedded store, and the check of every book after a restore."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from makegood.clock import Clock, system_clock
from makegood.errors import Problem, ProblemCode
from makegood.services.access import house_named
from makegood.services.platform import close_platform, open_platform
from makegood.settings import Settings
from makegood.store import access as rows
from makegood.store import backup, embedded, restore
from makegood.store.backup import Backup
from makegood.store.verify import Verified, verify

Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Restored:
    """A backup that was restored, and what the verification of each house's ledger found."""

    backup: Backup
    houses: dict[str, Verified]

    @property
    def balanced(self) -> bool:
        """Whether every book is in order."""
        return all(found.balanced for found in self.houses.values())


async def take_backup(settings: Settings, target: Path, tell: Tell, *, clock: Clock = system_clock) -> Backup:
    """A checked backup of the embedded store, which may be running and serving. Raises Problem, StoreUnavailable."""
    if settings.database is not None:
        raise Problem(
            ProblemCode.REQUEST_IS_INVALID,
            "this saves the embedded PostgreSQL; the store is a PostgreSQL of yours",
            hint="save it with what you use for other databases: docs/operations/backup.md",
        )
    server = await asyncio.to_thread(_running, Path(settings.data))
    try:
        migration = await backup.migration_of(server)
        return await asyncio.to_thread(backup.take, server, target, migration, clock().text(), tell)
    finally:
        await asyncio.to_thread(server.close)


def _running(data: Path) -> embedded.Embedded:
    """The server of a store that is there: a new one is not worth saving."""
    if not (data / "postgres" / "PG_VERSION").exists():
        raise Problem(ProblemCode.NOT_FOUND, f"there is no store in `{data}`", hint="name its folder with --data")
    return embedded.start(data)


async def restore_backup(settings: Settings, source: Path, tell: Tell, *, clock: Clock = system_clock) -> Restored:
    """A data folder from a backup, at this version, its books verified. Raises Problem, StoreUnavailable."""
    about = await asyncio.to_thread(restore.restore, source, Path(settings.data), tell)
    platform = await open_platform(settings, clock=clock)
    try:
        pool = platform.store.pool
        names = sorted(await rows.house_names(pool))
        return Restored(about, {name: await verify(pool, (await house_named(platform, name)).id) for name in names})
    finally:
        await close_platform(platform)

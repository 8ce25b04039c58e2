"""The line `standby`: what it costs that every commit is on a second server's disk before it is answered.

Both servers run on this machine and share its cores and its disk, so the standby's own work is part of the price. On
machines of their own it is not, and the way there and back between them takes its place.
"""

import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from makegood.bench.row import Lines, Row, Versus
from makegood.services.platform import Platform, close_platform, open_platform
from makegood.settings import Settings
from makegood.store.standby import synchronous_standby

ROUNDS = 2
POOL = 20

Load = Callable[[Platform], Awaitable[float]]
"""Puts load on a platform, and gives how many calls a second it answered."""


async def with_standby(load: Load, rounds: int = ROUNDS) -> tuple[float, float]:
    """Calls a second of one embedded server alone, and of the same one with a synchronous standby: the best of rounds
    that take turns. Afterwards nothing of either is left.
    """
    alone, together = [], []
    async with _server() as (platform, folder):
        assert platform.store.server is not None
        for _ in range(rounds):
            alone.append(await load(platform))
            async with synchronous_standby(platform.store.server, folder / "standby"):
                together.append(await load(platform))
    return max(alone), max(together)


def standby_lines(case: str, alone: float, together: float) -> Lines:
    """The row of two throughputs, in calls a second."""
    versus = Versus("the same server alone", 1e6 / alone)
    row = Row("standby", case, 1e6 / together, "µs a reservation", versus)
    return Lines(
        (row,), f"With a synchronous standby on the same machine {row.ratio:.2f} times the throughput is left."
    )


@asynccontextmanager
async def _server() -> AsyncIterator[tuple[Platform, Path]]:
    folder = _folder()
    try:
        platform = await open_platform(Settings(data=str(folder / "primary"), pool_size=POOL))
        try:
            yield platform, folder
        finally:
            await close_platform(platform)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="makegood-bench-"))
    folder.chmod(0o755)  # As root PostgreSQL runs as somebody else, who must get in.
    return folder

"""A server process of the ledger's lines: its own connections and lanes, on a store that others write to, too.

It runs as a process of its own. Its argument says which store it opens; each line on its input is a turn, and each line
on its output what was answered in it.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
import uvloop

from makegood.bench.ledger_load import by_ledger, closed
from makegood.bench.ledger_world import Budget, requests
from makegood.bench.row import AnswersDiffer
from makegood.services.platform import close_platform, open_platform
from makegood.settings import Settings
from makegood.telemetry import configure_logging

MODULE = "makegood.bench.ledger_writer"


class Turn(msgspec.Struct, frozen=True):
    """So many callers on a budget, for so long. `lane` is the process's share of it."""

    budget: Budget
    lane: int
    callers: int
    seconds: float
    warm_seconds: float
    seed: str


class Told(msgspec.Struct, frozen=True):
    """Calls a second."""

    rate: float


class Writers:
    """Server processes, ready for their turns."""

    def __init__(self, processes: "Sequence[asyncio.subprocess.Process]") -> None:
        self._processes = processes

    async def turn(self, turns: Sequence[Turn]) -> float:
        """Calls a second of all who have a turn now, together."""
        told = await asyncio.gather(*(_ask(p, turn) for p, turn in zip(self._processes, turns, strict=False)))
        return sum(one.rate for one in told)


@asynccontextmanager
async def writers(data: str, number: int) -> AsyncIterator[Writers]:
    """So many server processes on the store in this folder. Afterwards they have ended."""
    processes: list[asyncio.subprocess.Process] = []
    try:
        for _ in range(number):
            pipe = asyncio.subprocess.PIPE
            processes.append(
                await asyncio.create_subprocess_exec(sys.executable, "-P", "-m", MODULE, data, stdin=pipe, stdout=pipe)
            )
        yield Writers(processes)
    finally:
        for process in processes:
            assert process.stdin is not None
            process.stdin.close()
        await asyncio.gather(*(process.wait() for process in processes))


async def _ask(process: "asyncio.subprocess.Process", turn: Turn) -> Told:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(msgspec.json.encode(turn) + b"\n")
    line = await process.stdout.readline()
    if not line:
        raise AnswersDiffer("a server process ended in its turn; what went wrong is above")
    return msgspec.json.decode(line, type=Told)


async def _serve(data: str) -> None:
    platform = await open_platform(Settings(data=data))
    try:
        while line := await asyncio.to_thread(sys.stdin.readline):
            turn = msgspec.json.decode(line, type=Turn)
            platform.store.ledger.lane = turn.lane
            reserve = by_ledger(platform.store.ledger, turn.budget)
            asked = requests(turn.budget, turn.seed)
            load = await closed([reserve] * turn.callers, asked, turn.seconds, turn.warm_seconds)
            sys.stdout.write(msgspec.json.encode(Told(load.rate)).decode() + "\n")
            sys.stdout.flush()
    finally:
        await close_platform(platform)


if __name__ == "__main__":
    configure_logging("warning")  # To stderr: the output is for what was answered.
    uvloop.run(_serve(sys.argv[1]))

"""The line `quote_http`: quotes over HTTP beside an empty call, and money over HTTP beside the same without it.

Server, load and PostgreSQL are processes of their own. What is compared takes turns, and each has its best turn: a slow
moment of the machine meets all of them.
"""

import asyncio
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from shutil import rmtree
from urllib.parse import urlsplit

import msgspec
import uvloop

from makegood.bench.quote_http_inside import best_cycles
from makegood.bench.quote_http_load import MODULE as LOAD
from makegood.bench.quote_http_scripts import BATCH, Heard, Plan
from makegood.bench.quote_http_server import MODULE as SERVER
from makegood.bench.quote_http_world import open_bench_house
from makegood.bench.row import AnswersDiffer, Lines, Row, Versus
from makegood.demo.server import serving
from makegood.services.platform import close_platform, open_platform
from makegood.settings import Settings

_UNIT = "µs of wall time"
_BUSY = 0.9  # A load that has so much of a core itself may be what is measured.
_ROUND = 1_000_000
_PATIENCE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Effort:
    """How long each turn lasts, how many there are, and which shares of the top rate are offered in an open loop."""

    seconds: float = 1.0
    warm_seconds: float = 0.3
    turns: int = 8
    shares: Sequence[float] = (0.25, 0.5, 0.75)


def bench_quote_http(seed: int, effort: Effort = Effort()) -> Lines:
    """Rows for quotes, for reserve and capture singly and in batches, and for times at several offered rates.

    Raises AnswersDiffer where a call failed, or where a quote was not decided.
    """
    folder = Path(tempfile.mkdtemp(prefix="makegood-bench-"))
    folder.chmod(0o755)  # As root PostgreSQL runs as another user, who has to come this far.
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_bench(folder / "data", seed, effort))
    finally:
        rmtree(folder, ignore_errors=True)


async def _bench(data: Path, seed: int, effort: Effort) -> Lines:
    settings = Settings(data=str(data), port=0, log_level="warning", deadline_ms=1_000)
    platform = await open_platform(settings)
    try:
        key = await open_bench_house(platform)
        async with serving(settings, SERVER) as address:
            loads = Loads(address, key, seed, effort)
            found = await loads.in_turns(("empty", "quotes", "cycles", "batches"))
            offered = [await loads.offered(share * found["quotes"].rate) for share in effort.shares]
        inside = await best_cycles(platform, key, effort.seconds, effort.turns)
    finally:
        await close_platform(platform)
    return Lines((*_rows(found, inside), *(row for rows in offered for row in rows)), _summary(found))


class Loads:
    """Load on one server, a process for each run."""

    def __init__(self, address: str, key: str, seed: int, effort: Effort) -> None:
        at = urlsplit(address)
        self._plan = Plan(
            at.hostname or "", at.port or 0, key, "", "", seconds=effort.seconds, warm_seconds=effort.warm_seconds,
            seed=seed,
        )  # fmt: skip
        self._turns = effort.turns
        self._numbers = count()

    async def in_turns(self, scripts: Sequence[str]) -> Mapping[str, Heard]:
        """The best turn of each."""
        best: dict[str, Heard] = {}
        for _ in range(self._turns):
            for script in scripts:
                heard = await self._run(script, 0.0)
                if script not in best or heard.rate > best[script].rate:
                    best[script] = heard
        return best

    async def offered(self, rate: float) -> list[Row]:
        """Times of quotes that come at this rate whatever the server does, beside those of empty calls."""
        rows = []
        quotes, empty = await self._run("quotes", rate), await self._run("empty", rate)
        for words, share in (("p50", 0.5), ("p99", 0.99)):
            beside = Versus("empty calls at the same rate", empty.percentile(share))
            case = f"{_rounded(rate):,} quotes/s offered, {words}"
            rows.append(Row("quote_http", case, quotes.percentile(share), "ms from when it was due", beside))
        return rows

    async def _run(self, script: str, rate: float) -> Heard:
        """One run; a longer one where the machine was too busy for a single answer."""
        seconds = self._plan.seconds
        heard = await self._run_for(script, rate, seconds)
        while not heard.calls and seconds < _PATIENCE_SECONDS:
            seconds *= 4
            heard = await self._run_for(script, rate, seconds)
        if not heard.calls:
            raise AnswersDiffer(f"{script} over HTTP: no answer within {seconds:.0f} s")
        return heard

    async def _run_for(self, script: str, rate: float, seconds: float) -> Heard:
        plan = msgspec.structs.replace(
            self._plan, script=script, rate=rate, seconds=seconds, prefix=f"{script}-{next(self._numbers)}"
        )
        if script == "batches":
            plan = msgspec.structs.replace(plan, connections=8)
        told = msgspec.json.encode(plan).decode()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", LOAD, told, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        try:
            out, err = await process.communicate()
        except BaseException:
            process.kill()
            raise
        if process.returncode != 0:
            raise AnswersDiffer(f"{script} over HTTP failed: {err.decode(errors='replace').strip()[-300:]}")
        heard = msgspec.json.decode(out, type=Heard)
        if heard.undecided:
            raise AnswersDiffer(f"{heard.undecided:,} of {heard.calls:,} calls ({script}) were not decided in time")
        return heard


def _rows(found: Mapping[str, Heard], inside: Mapping[str, float]) -> list[Row]:
    def row(case: str, rate: float, versus: Versus) -> Row:
        return Row("quote_http", case, _ROUND / rate, _UNIT, versus)

    empty = Versus("an empty POST on the same server", _ROUND / found["empty"].rate)
    within = Versus(f"the cycle in process, {inside['callers']:,.0f} callers", _ROUND / inside["cycles"])
    return [
        row("quotes, 2 in 100 granted", found["quotes"].rate, empty),
        row("reserve + capture", found["cycles"].rate / 2, within),
        row(f"reserve + capture, {BATCH} a batch", found["batches"].rate / 2 * BATCH, within),
    ]


def _rounded(rate: float) -> int:
    return round(rate / 100) * 100


def _summary(found: Mapping[str, Heard]) -> str:
    quotes, empty = found["quotes"], found["empty"]
    said = f"{quotes.rate:,.0f} quotes a second over HTTP by one process, {empty.rate:,.0f} empty calls"
    busiest = max(found.values(), key=lambda heard: heard.cpu / heard.seconds)
    share = busiest.cpu / busiest.seconds
    said += f"; the load had {share:.0%} of a core at most"
    return said + (": it may be what was measured." if share > _BUSY else ", so it is not what was measured.")

"""The line `ledger_latency`: how long reserve and capture take at several offered rates, whatever the ledger does."""

from collections.abc import Sequence
from dataclasses import dataclass

import uvloop

from makegood.bench.ledger_load import Load, by_cycle, closed, opened
from makegood.bench.ledger_world import BIG, World, ledger_world, requests
from makegood.bench.row import Lines, Row, Versus

_PERCENTILES = (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999))


@dataclass(frozen=True, slots=True)
class Effort:
    """How long each load lasts, and which shares of the closed loop's throughput are offered in the open one."""

    seconds: float = 5.0
    warm_seconds: float = 1.0
    callers: int = 256
    shares: Sequence[float] = (0.1, 0.3, 0.6, 0.8)


def bench_ledger_latency(seed: int, effort: Effort = Effort()) -> Lines:
    """Rows of three percentiles for each offered rate, beside those of the closed loop that the rates are shares of."""
    return uvloop.run(_bench(seed, effort))


async def _bench(seed: int, effort: Effort) -> Lines:
    async with ledger_world([("hot", BIG)]) as world:
        return await measure(world, seed, effort)


async def measure(world: World, seed: int, effort: Effort) -> Lines:
    """The rows, on the first budget."""
    cycle = by_cycle(world.platform.store.ledger, world.budgets[0])
    asked = requests(world.budgets[0], str(seed))
    full = await closed([cycle] * effort.callers, asked, effort.seconds, effort.warm_seconds)
    rows: list[Row] = []
    for number, share in enumerate(effort.shares):
        load = await opened(cycle, asked, share * full.rate, effort.seconds, seed + number)
        rows += _rows(load, full, share, effort)
    await world.check()
    said = f"{full.rate:,.0f} payments a second are reserved and captured by {effort.callers} callers who wait."
    return Lines(tuple(rows), said)


def _rows(load: Load, full: Load, share: float, effort: Effort) -> list[Row]:
    beside = f"{effort.callers} callers as fast as they are answered"
    case = f"{share:.0%} of the closed loop ({_rounded(share * full.rate):,} payments/s)"
    return [
        Row(
            "ledger_latency",
            f"{case}, {words}",
            load.percentile(at),
            "ms from when it was due",
            Versus(beside, full.percentile(at)),
        )
        for words, at in _PERCENTILES
    ]


def _rounded(rate: float) -> int:
    return round(rate / 10) * 10

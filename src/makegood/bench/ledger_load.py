"""Load on a ledger in process: callers who each wait for their answer, or calls that come whatever the ledger does."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from random import Random
from time import perf_counter
from typing import Any

from makegood.bench.ledger_world import PRINCIPAL, Budget
from makegood.bench.row import AnswersDiffer
from makegood.store.ledger import Ledger
from makegood.store.packing import Request

Reserve = Callable[[Request], Awaitable[Any]]
"""One payment's call; raises where its outcome is not the one that was wanted."""

_LONG_ENOUGH = 30.0  # Seconds after which a call that was not answered is a fault of the run.


@dataclass(frozen=True, slots=True)
class Load:
    """What was answered in a while, and the seconds that each call took, in order of length."""

    seconds: float
    times: Sequence[float]

    @property
    def rate(self) -> float:
        """Calls a second."""
        return len(self.times) / self.seconds

    @property
    def each(self) -> float:
        """Microseconds a call."""
        return 1e6 / self.rate

    def percentile(self, share: float) -> float:
        """Milliseconds that this share of the calls stays below."""
        return self.times[min(len(self.times) - 1, ceil(share * len(self.times)) - 1)] * 1e3


async def closed(callers: Sequence[Reserve], asked: Iterator[Request], seconds: float, warm: float) -> Load:
    """Callers who call again as soon as they are answered. What is answered in the first `warm` seconds
    is not counted."""
    begun = perf_counter() + warm
    until = begun + seconds
    times: list[float] = []

    async def go(reserve: Reserve) -> None:
        at = perf_counter()
        while at < until:
            await reserve(next(asked))
            done = perf_counter()
            if begun <= done < until:
                times.append(done - at)
            at = done

    async with asyncio.timeout(seconds + warm + _LONG_ENOUGH):
        await asyncio.gather(*(go(reserve) for reserve in callers))
    return Load(seconds, sorted(times))


async def opened(cycle: Reserve, asked: Iterator[Request], rate: float, seconds: float, seed: int) -> Load:
    """Calls that are due at random moments, `rate` a second on average. The time of each counts from when it was due,
    so a ledger that keeps callers waiting cannot make them come later (coordinated omission: Tene 2013)."""
    draw = Random(seed)  # noqa: S311 - arrivals, not secrets
    times: list[float] = []
    calls: set[asyncio.Task[None]] = set()

    async def go(request: Request, due: float) -> None:
        await cycle(request)
        times.append(perf_counter() - due)

    begun = due = perf_counter()
    while (due := due + draw.expovariate(rate)) < begun + seconds:
        if due > perf_counter():
            await asyncio.sleep(due - perf_counter())
        task = asyncio.create_task(go(next(asked), due))
        calls.add(task)
    async with asyncio.timeout(_LONG_ENOUGH):
        await asyncio.gather(*calls)
    return Load(seconds, sorted(times))


def by_ledger(ledger: Ledger, budget: Budget) -> Reserve:
    """Reserving by the ledger: whoever comes meanwhile goes with the next batch."""

    async def reserve(request: Request) -> str:
        outcome = (await ledger.reserve(budget.house, PRINCIPAL, (request,)))[0]
        return wanted(outcome["outcome"], "reserved", outcome)

    return reserve


def by_cycle(ledger: Ledger, budget: Budget) -> Reserve:
    """Reserving, then capturing what was reserved."""
    first = by_ledger(ledger, budget)

    async def cycle(request: Request) -> None:
        await first(request)
        outcome = await ledger.capture(budget.house, PRINCIPAL, request["quote_id"], None, None, None)
        wanted(outcome["outcome"], "done", outcome)

    return cycle


def wanted(given: str, awaited: str, told: object) -> str:
    """The outcome, if it is the one that was wanted. Raises AnswersDiffer."""
    if given != awaited:
        raise AnswersDiffer(f"a payment was answered {told!r}")
    return given

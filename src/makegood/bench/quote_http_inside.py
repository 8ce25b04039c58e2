"""Reserve and capture in process: the same services on the same store, without HTTP."""

import asyncio
from collections.abc import Mapping
from itertools import count
from time import perf_counter

from makegood.bench.quote_http_payments import granted
from makegood.services.access import Caller, authenticate
from makegood.services.holds import capture
from makegood.services.platform import Platform
from makegood.services.quotes import quote

CALLERS = (32, 256)  # As many as the load has connections, and as many as fill a batch.
_WARM_SHARE = 0.25


async def best_cycles(platform: Platform, key: str, seconds: float, turns: int) -> Mapping[str, float]:
    """The best turn: `cycles` a second, and how many `callers` it took."""
    caller = await authenticate(platform, key)
    best = {"cycles": 0.0, "callers": 0.0}
    for turn in range(turns):
        for callers in CALLERS:
            rate = await _turn(platform, caller, callers, seconds, f"inside-{turn}-{callers}")
            best = max(best, {"cycles": rate, "callers": float(callers)}, key=lambda one: one["cycles"])
    return best


async def _turn(platform: Platform, caller: Caller, callers: int, seconds: float, prefix: str) -> float:
    begun = perf_counter() + seconds * _WARM_SHARE
    until = begun + seconds
    done = count()

    async def pay(number: int) -> None:
        for one in granted(f"{prefix}-{number}"):
            answer = await quote(platform, caller, one)
            if answer["quote_id"] is not None:
                await capture(platform, caller, answer["quote_id"], {})
                if perf_counter() >= begun:
                    next(done)
            if perf_counter() >= until:
                return

    await asyncio.gather(*(pay(number) for number in range(callers)))
    return next(done) / (perf_counter() - begun)

"""What a process shares: the store, the settings, the clock and the live sets."""

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from makegood.clock import Clock, system_clock
from makegood.limits import LATE_HOLDS_MAX
from makegood.settings import Settings
from makegood.store.connection import Store, open_store

if TYPE_CHECKING:
    from makegood.services.live import LiveSet


@dataclass(frozen=True, slots=True)
class Late:
    """A payment that was answered full price; `touched` when its hold is known to have been made or found."""

    house: int
    principal: str
    payment: str
    quote: str
    touched: bool


def _prover() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="makegood-prover")


@dataclass(slots=True)
class Platform:
    """One process. `late` are payments whose callers were answered full price while a hold may have been made.

    `prover` is the one thread that the solver has; `publishing` is held from a proof until what it allows is done, so
    that publishers of one process do not make each other's proofs old.
    """

    store: Store
    settings: Settings
    clock: Clock
    live: "dict[int, LiveSet]" = field(default_factory=dict)
    late: deque[Late] = field(default_factory=lambda: deque(maxlen=LATE_HOLDS_MAX))
    ending: asyncio.Lock = field(default_factory=asyncio.Lock)
    publishing: asyncio.Lock = field(default_factory=asyncio.Lock)
    prover: ThreadPoolExecutor = field(default_factory=_prover)
    tasks: "set[asyncio.Future[object]]" = field(default_factory=set)


async def open_platform(settings: Settings, *, clock: Clock = system_clock) -> Platform:
    """Open the store, bring it to this version. Raises StoreUnavailable."""
    return Platform(await open_store(settings), settings, clock)


async def close_platform(platform: Platform) -> None:
    """Let running work end, then close the store."""
    if platform.tasks:
        await asyncio.wait(platform.tasks, timeout=5)
    platform.prover.shutdown(wait=False, cancel_futures=True)
    await platform.store.close()

"""What a process shares: the store, the settings, the clock and the live sets."""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from makegood.clock import Clock, system_clock
from makegood.errors import Problem, ProblemCode
from makegood.limits import LATE_HOLDS_MAX, PUBLISHERS_WAITING_MAX
from makegood.services.deadlines import Deadlines
from makegood.settings import Settings
from makegood.store.connection import Store, open_store

if TYPE_CHECKING:
    from makegood.services.guarded import Guarded
    from makegood.services.live import LiveSet


@dataclass(frozen=True, slots=True)
class Late:
    """A payment that was answered full price; `touched` when its hold is known to have been made or found."""

    house: int
    principal: str
    payment: str
    quote: str
    touched: bool
    attempt: str


@dataclass(slots=True)
class Turns:
    """One publisher of a house at a time. `asked` are those who wait, and the one whose turn it is."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    asked: int = 0


def _prover() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="makegood-prover")


@dataclass(slots=True)
class Platform:
    """One process. `late` are payments whose callers were answered full price while a hold may have been made.

    `prover` is the one thread that the solver has; `publishing` is held, for each house, from a proof until what it
    allows is done, so that publishers of one process do not make each other's proofs old. Take it with `turn_of`.
    """

    store: Store
    settings: Settings
    clock: Clock
    live: "dict[int, LiveSet]" = field(default_factory=dict)
    late: deque[Late] = field(default_factory=lambda: deque(maxlen=LATE_HOLDS_MAX))
    ending: asyncio.Lock = field(default_factory=asyncio.Lock)
    guarded: "dict[int, Guarded]" = field(default_factory=dict)
    deadlines: Deadlines = field(default_factory=Deadlines)
    publishing: "defaultdict[int, Turns]" = field(default_factory=lambda: defaultdict(Turns))
    prover: ThreadPoolExecutor = field(default_factory=_prover)
    tasks: "set[asyncio.Future[object]]" = field(default_factory=set)


@asynccontextmanager
async def turn_of(platform: Platform, house: int) -> AsyncIterator[None]:
    """This publisher's turn in its house. Raises Problem(TOO_MANY_REQUESTS) where too many wait already.

    Houses do not wait for each other's turns, only for the solver. Each who waits holds a connection to the server,
    and payments need those.
    """
    turns = platform.publishing[house]
    if turns.asked > PUBLISHERS_WAITING_MAX:
        raise Problem(
            ProblemCode.TOO_MANY_REQUESTS,
            "too many wait for a proof in this house; what was published and approved is kept",
            hint="send it again in a minute: it is done once, however often you send it",
        )
    turns.asked += 1
    try:
        async with turns.lock:
            yield
    finally:
        turns.asked -= 1


async def open_platform(settings: Settings, *, clock: Clock = system_clock) -> Platform:
    """Open the store, bring it to this version. Raises StoreUnavailable."""
    return Platform(await open_store(settings), settings, clock)


async def close_platform(platform: Platform) -> None:
    """Let running work end, then close the store."""
    if platform.tasks:
        await asyncio.wait(platform.tasks, timeout=5)
    platform.prover.shutdown(wait=False, cancel_futures=True)
    await platform.store.close()

"""What a process shares: the store, the settings, the clock and the live sets."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from makegood.clock import Clock, system_clock
from makegood.settings import Settings
from makegood.store.connection import Store, open_store

if TYPE_CHECKING:
    from makegood.services.live import LiveSet

LATE_HOLDS_MAX = 10_000  # Holds to end once the store answers again; beyond it they expire by themselves.


@dataclass(slots=True)
class Platform:
    """One process. `late` are holds whose callers were answered full price: (house id, principal, quote id)."""

    store: Store
    settings: Settings
    clock: Clock
    live: "dict[int, LiveSet]" = field(default_factory=dict)
    late: deque[tuple[int, str, str]] = field(default_factory=lambda: deque(maxlen=LATE_HOLDS_MAX))
    tasks: "set[asyncio.Future[object]]" = field(default_factory=set)


async def open_platform(settings: Settings, *, clock: Clock = system_clock) -> Platform:
    """Open the store, bring it to this version. Raises StoreUnavailable."""
    return Platform(await open_store(settings), settings, clock)


async def close_platform(platform: Platform) -> None:
    """Let running work end, then close the store."""
    if platform.tasks:
        await asyncio.wait(platform.tasks, timeout=5)
    await platform.store.close()

"""Deadlines of many waits by one timer of the event loop: a timer for each would cost what a quote's pricing costs."""

import asyncio
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any


@dataclass(slots=True)
class Deadlines:
    """Ends waits that take too long, whichever is due first."""

    _waits: "list[tuple[float, int, asyncio.Future[Any]]]" = field(default_factory=list)
    _begun: int = 0
    _timer: asyncio.TimerHandle | None = None

    def end(self, work: "asyncio.Future[Any]", seconds: float) -> None:
        """Make `work` raise TimeoutError unless it is done within `seconds`."""
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        self._begun += 1
        heappush(self._waits, (due, self._begun, work))
        if self._timer is not None and due < self._timer.when():
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = loop.call_at(due, self._look)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now, waits = loop.time(), self._waits
        while waits and (waits[0][2].done() or waits[0][0] <= now):
            work = heappop(waits)[2]
            if not work.done():
                work.set_exception(TimeoutError())
        self._timer = loop.call_at(waits[0][0], self._look) if waits else None

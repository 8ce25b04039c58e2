"""Deadlines of many waits by one timer of the event loop: a timer for each would cost what a quote's pricing costs."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Deadlines:
    """Ends waits that take too long, in the order they began: each gets about the same time."""

    _waits: "deque[tuple[float, asyncio.Future[Any]]]" = field(default_factory=deque)
    _timer: asyncio.TimerHandle | None = None

    def end(self, work: "asyncio.Future[Any]", seconds: float) -> None:
        """Make `work` raise TimeoutError unless it is done within `seconds`, or within those of whoever came before."""
        loop = asyncio.get_running_loop()
        self._waits.append((loop.time() + seconds, work))
        if self._timer is None:
            self._timer = loop.call_later(seconds, self._look)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now, waits = loop.time(), self._waits
        while waits and (waits[0][1].done() or waits[0][0] <= now):
            work = waits.popleft()[1]
            if not work.done():
                work.set_exception(TimeoutError())
        self._timer = loop.call_at(waits[0][0], self._look) if waits else None

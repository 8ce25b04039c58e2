"""The line in which payments wait to be watched: in the order they came, whatever came of them.

What a detector counts must not be sorted by what it counts. A payment that is granted nothing is answered sooner than
one that waits for the store, and one commit answers many of those at once: watched as they are answered, ten grants in
a row would be nothing special, though each of them is one in twenty. So a payment takes its place before anything of it
is known, and the line goes on when its first is done.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
LINE_SECONDS_MAX = 1.0  # Who is not done by then leaves the line: nobody is watched late because one call hangs.


@dataclass(slots=True)
class Place(Generic[T]):
    """One payment's place. `seen` is what came of it, as far as it is to be watched; None is nothing to watch."""

    taken: float
    seen: T | None = None
    watched: T | None = None
    is_done: bool = False
    has_left: bool = False


class Line(Generic[T]):
    """Places in the order in which they were taken. Seconds are those of one monotonic clock."""

    __slots__ = ("_places",)

    def __init__(self) -> None:
        self._places: deque[Place[T]] = deque()

    def __len__(self) -> int:
        return len(self._places)

    def take(self, now: float) -> Place[T]:
        """The next place."""
        place: Place[T] = Place(now)
        self._places.append(place)
        return place

    def done(self, places: Iterable[Place[T]], now: float) -> list[T]:
        """What is to be watched now, in order. `places` are those of one call: what it came to is known.

        A call that left the line is watched as a whole and in its own order. What becomes of a place later is not.
        """
        ready: list[T] = []
        for place in places:
            place.is_done, place.watched = True, place.seen
            if place.has_left and place.watched is not None:
                ready.append(place.watched)
        waiting = self._places
        while waiting:
            first = waiting[0]
            if not first.is_done:
                if now - first.taken <= LINE_SECONDS_MAX:
                    break
                first.has_left = True
            elif first.watched is not None:
                ready.append(first.watched)
            waiting.popleft()
        return ready

"""What a campaign granted lately: slots of ten seconds, read from the ledger a part at a time.

Whoever looks pays for what is new since somebody last looked, and for a part of what is older, until half an hour is
known. So a look costs milliseconds, also where thousands of payments come in a second.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from makegood.clock import SECOND, Instant, stopwatch

SLOT_SECONDS = 10
SLOTS_A_MINUTE = 6
MINUTES_SHOWN = 30
SLOTS_SHOWN = MINUTES_SHOWN * SLOTS_A_MINUTE
LOOK_NANOS_MAX = 20_000_000  # Of one look at what is older; the part that is being read is read to its end.
_KEPT = SLOTS_SHOWN + SLOTS_A_MINUTE  # The minute before the first one shown, too.
_STILL_OPEN = 1  # Slots before the present one that somebody may yet commit to; those are read again.
_FRESH_NANOS = SECOND // 2  # Two who look within this time see the same.

Read = Callable[[Instant, Instant], Awaitable[Iterable[Mapping[str, Any]]]]


class Slot(NamedTuple):
    """Ten seconds of a campaign: granted and paid, minor units, and how many payments were granted something."""

    granted: int = 0
    grants: int = 0
    paid: int = 0


class Point(NamedTuple):
    """What was granted, and paid, in the minute before `until`: minor units."""

    until: Instant
    granted_minor: int
    grants: int
    paid_minor: int


_NOTHING = Slot()


@dataclass(slots=True)
class Lately:
    """What is known of one campaign: the slots from `since` to before `upto`, by their numbers from the epoch on."""

    slots: dict[int, Slot] = field(default_factory=dict)
    since: int = 0
    upto: int = 0
    looked: int = 0
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def look(self, read: Read, now: Instant) -> None:
        """Know what is new, and more of what is older; nothing where somebody looked a moment ago."""
        async with self.looking:
            began = stopwatch()
            if self.looked and began - self.looked < _FRESH_NANOS:
                return
            await self._look(read, slot_of(now), began + LOOK_NANOS_MAX)
            self.looked = began

    async def _look(self, read: Read, present: int, until: int) -> None:
        if not -1 <= present - self.upto < SLOTS_A_MINUTE:  # Nobody looked for long, or the clock was set back.
            self.slots, self.since, self.upto = {}, present - SLOTS_A_MINUTE, present - SLOTS_A_MINUTE
        await self._take(read, max(self.upto - 1 - _STILL_OPEN, self.since), present + 1)
        self.upto = present + 1
        oldest, part = self.upto - _KEPT, SLOTS_A_MINUTE
        while self.since > oldest and stopwatch() < until:
            start = max(self.since - part, oldest)
            await self._take(read, start, self.since)
            self.since, part = start, part * 2
        self.since = max(self.since, oldest)
        self.slots = {number: slot for number, slot in self.slots.items() if number >= self.since}

    async def _take(self, read: Read, start: int, end: int) -> None:
        rows = await read(instant_of(start), instant_of(end))
        found = {slot_of(Instant.of(row["slot"])): Slot(row["granted"], row["grants"], row["paid"]) for row in rows}
        self.slots |= {number: found.get(number, _NOTHING) for number in range(start, end)}

    def points(self) -> Sequence[Point]:
        """One a slot: the minute before its end. Oldest first; the newest minute is not over where it is the present one."""
        first = max(self.since + SLOTS_A_MINUTE - 1, self.upto - SLOTS_SHOWN)
        return [self._point(number) for number in range(first, self.upto)]

    def _point(self, last: int) -> Point:
        minute = [self.slots.get(number, _NOTHING) for number in range(last - SLOTS_A_MINUTE + 1, last + 1)]
        granted, grants, paid = (sum(one[n] for one in minute) for n in range(3))
        return Point(instant_of(last + 1), granted, grants, paid)

    def total(self) -> Slot:
        """All that is known of the time shown."""
        shown = [slot for number, slot in self.slots.items() if number >= self.upto - SLOTS_SHOWN]
        return Slot(*(sum(one[n] for one in shown) for n in range(3)))


def slot_of(moment: Instant) -> int:
    """The number of the slot that a moment falls in."""
    return int(moment) // (SLOT_SECONDS * SECOND)


def instant_of(slot: int) -> Instant:
    """When a slot begins."""
    return Instant(slot * SLOT_SECONDS * SECOND)

"""What a campaign granted lately: slots of ten seconds, read from the ledger a part at a time.

Whoever looks pays for what is new since somebody last looked, and for a part of what is older, until half an hour is
known. So a look costs milliseconds, also where thousands of payments come in a second. Entries get their number when
they get their time, so those that are new have the highest ones; of the last two seconds some may not be there yet, so
those are read again. One that commits later still is left out: the ledger has the exact sums.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from makegood.clock import SECOND, Instant, stopwatch

SLOT_SECONDS = 10
SLOTS_A_MINUTE = 6
MINUTES_SHOWN = 30
SLOTS_SHOWN = MINUTES_SHOWN * SLOTS_A_MINUTE
LOOK_NANOS_MAX = 20_000_000  # Of one look at what is older; the part that is being read is read to its end.
_KEPT = SLOTS_SHOWN + SLOTS_A_MINUTE  # The minute before the first one shown, too.
_OPEN_SECONDS = 2  # Whoever wrote an entry has committed by then.
_GAP_SECONDS_MAX = 60  # Whoever looks later than this after the one before begins anew.
_FRESH_NANOS = SECOND // 2  # Two who look within this time see the same.
_NO_ENTRY = 2**63 - 1


class Books(Protocol):
    """Where entries of the house are read, summed by slot, with what was granted and paid of one campaign.

    Each row has `slot`, `is_open` (from `open_from` on), `granted`, `grants`, `paid`, `entries`, `least` and `settled`:
    how many entries of the house there were, their lowest number, and the highest of those a second before `open_from`.
    """

    async def newer(self, above: int, since: Instant, open_from: Instant) -> Iterable[Mapping[str, Any]]:
        """Of the entries with a number above, not before `since`."""

    async def older(self, below: int, open_from: Instant) -> tuple[Iterable[Mapping[str, Any]], bool]:
        """Of a part of the entries with a number below, the newest of them; and whether there are more."""


class Slot(NamedTuple):
    """Ten seconds of a campaign: granted and paid, minor units, and how many payments were granted something."""

    granted: int = 0
    grants: int = 0
    paid: int = 0

    def plus(self, other: "Slot") -> "Slot":
        """Both together."""
        return Slot(*(a + b for a, b in zip(self, other, strict=True)))


@dataclass(frozen=True, slots=True)
class Point:
    """What was granted, and paid, in the minute before `until`: minor units."""

    until: Instant
    granted_minor: int
    grants: int
    paid_minor: int


_NOTHING = Slot()


@dataclass(slots=True)
class Lately:
    """What is known of one campaign, by the numbers of slots from the epoch on: from `since` to before `upto`.

    `still_open` is of entries not before `open_from`, which are read again: those with a number above `above`. Entries
    below `below` were not read yet; 0 where all of the time shown were.
    """

    slots: dict[int, Slot] = field(default_factory=dict)
    still_open: dict[int, Slot] = field(default_factory=dict)
    open_from: int = 0
    above: int = 0
    below: int = 0
    since: int = 0
    upto: int = 0
    looked: int = 0
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def look(self, books: Books, now: Instant) -> None:
        """Know what is new, and more of what is older; nothing where somebody looked a moment ago."""
        async with self.looking:
            began = stopwatch()
            if self.looked and began - self.looked < _FRESH_NANOS:
                return
            open_from = now.plus(-_OPEN_SECONDS)
            self.upto = slot_of(now) + 1
            if 0 <= open_from - self.open_from <= _GAP_SECONDS_MAX * SECOND:
                self._take(await books.newer(self.above, Instant(self.open_from), open_from))
                self.open_from = open_from
            else:
                await self._begin(books, open_from)
            while self.below and stopwatch() - began < LOOK_NANOS_MAX:
                await self._look_back(books)
            oldest = self.upto - _KEPT
            self.since = max(self.since, oldest)
            self.slots = {number: slot for number, slot in self.slots.items() if number >= oldest}
            self.looked = began

    async def _begin(self, books: Books, open_from: Instant) -> None:
        self.slots, self.above, self.below, self.open_from = {}, 0, _NO_ENTRY, open_from
        await self._look_back(books)

    async def _look_back(self, books: Books) -> None:
        """One part more. What is open in it is of the first part only, and is read again."""
        is_first, oldest = self.below == _NO_ENTRY, self.upto - _KEPT
        found, is_more = await books.older(self.below, Instant(self.open_from))
        rows = list(found)
        if is_first:
            least = min((row["least"] for row in rows), default=1)
            self.above = least - 1
            self.still_open = {}
        self._take(rows, keep_open=not is_first)
        first = min((slot_of(Instant.of(row["slot"])) for row in rows), default=oldest)
        if is_more and first >= oldest:
            self.below, self.since = min(row["least"] for row in rows), first + 1
        else:
            self.below, self.since = 0, oldest

    def _take(self, rows: Iterable[Mapping[str, Any]], *, keep_open: bool = False) -> None:
        """Add what is settled; what is open takes the place of what was, unless it is kept."""
        still_open: dict[int, Slot] = {}
        for row in rows:
            number, slot = slot_of(Instant.of(row["slot"])), Slot(row["granted"], row["grants"], row["paid"])
            known = still_open if row["is_open"] else self.slots
            known[number] = known.get(number, _NOTHING).plus(slot)
            self.above = max(self.above, row["settled"] or 0)
        if not keep_open:
            self.still_open = still_open

    def slot(self, number: int) -> Slot:
        """What is known of one slot."""
        return self.slots.get(number, _NOTHING).plus(self.still_open.get(number, _NOTHING))

    def points(self) -> Sequence[Point]:
        """One a slot: the minute before its end. Oldest first; the newest minute is not quite over."""
        first = max(self.since + SLOTS_A_MINUTE - 1, self.upto - SLOTS_SHOWN)
        return [self._point(number) for number in range(first, self.upto)]

    def _point(self, last: int) -> Point:
        minute = _sum(self.slot(number) for number in range(last - SLOTS_A_MINUTE + 1, last + 1))
        return Point(instant_of(last + 1), minute.granted, minute.grants, minute.paid)

    def total(self) -> Slot:
        """All that is known of the time shown."""
        return _sum(self.slot(number) for number in range(self.upto - SLOTS_SHOWN, self.upto))


def _sum(slots: Iterable[Slot]) -> Slot:
    granted = grants = paid = 0
    for one in slots:
        granted, grants, paid = granted + one.granted, grants + one.grants, paid + one.paid
    return Slot(granted, grants, paid)


def slot_of(moment: Instant) -> int:
    """The number of the slot that a moment falls in."""
    return int(moment) // (SLOT_SECONDS * SECOND)


def instant_of(slot: int) -> Instant:
    """When a slot begins."""
    return Instant(slot * SLOT_SECONDS * SECOND)

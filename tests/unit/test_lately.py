"""What charts know of the last half hour is exact, in whatever parts and whenever it is read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from makegood.clock import SECOND, Instant
from makegood.services.lately import SLOT_SECONDS, SLOTS_SHOWN, Lately, Slot, instant_of, slot_of

START = Instant(2_000_000_000 * SECOND)
PART = 4


@dataclass
class ListBooks:
    """Entries in a list: when, how much, and whether it was granted or paid. Their numbers are their places."""

    entries: list[tuple[int, int, bool]]
    now: Instant = START

    async def newer(self, above: int, since: Instant, open_from: Instant) -> Iterable[Mapping[str, Any]]:
        """Of the entries with a number above, not before `since`."""
        found = [number for number in self._there() if number > above and self.entries[number - 1][0] >= since]
        return self._rows(found, open_from)

    async def older(self, below: int, open_from: Instant) -> tuple[Iterable[Mapping[str, Any]], bool]:
        """Of a part of the entries with a number below, the newest of them."""
        found = [number for number in self._there() if number < below][-PART:]
        return self._rows(found, open_from), len(found) == PART

    def _there(self) -> list[int]:
        return [number for number, (at, _, _) in enumerate(self.entries, 1) if at <= self.now]

    def _rows(self, numbers: list[int], open_from: Instant) -> list[dict[str, Any]]:
        rows: dict[tuple[int, bool], dict[str, Any]] = {}
        for number in numbers:
            at, amount, is_granted = self.entries[number - 1]
            key = slot_of(Instant(at)), at >= open_from
            row = rows.setdefault(
                key, {"least": number, "settled": None, "entries": 0, "granted": 0, "grants": 0, "paid": 0}
            )
            row |= {"slot": instant_of(key[0]).datetime(), "is_open": key[1]}
            row["granted" if is_granted else "paid"] += amount
            row["grants"] += is_granted
            row["entries"] += 1
            if at < open_from - SECOND:
                row["settled"] = number
        return list(rows.values())

    def exactly(self, first: int, end: int) -> Slot:
        """What was granted and paid in slots from `first` to before `end`."""
        seen = [self.entries[n - 1] for n in self._there() if first <= slot_of(Instant(self.entries[n - 1][0])) < end]
        granted = [amount for _, amount, is_granted in seen if is_granted]
        return Slot(sum(granted), len(granted), sum(amount for _, amount, is_granted in seen if not is_granted))


def looked_anew(lately: Lately) -> None:
    """Time enough has passed that the next look is not the same one."""
    lately.looked = 0


ENTRIES = st.lists(
    st.tuples(
        (st.integers(-2_400, 60) | st.integers(-6, 30)).map(lambda s: START + s * SECOND),
        st.integers(1, 5_000),
        st.booleans(),
    ),
    max_size=60,
).map(sorted)
PAUSES = st.lists(st.sampled_from([0, 1, 2, 7, 9, 30, 61, 300]), min_size=1, max_size=8)


@given(ENTRIES, PAUSES)
async def test_whenever_somebody_looks_each_entry_counts_once(
    entries: list[tuple[int, int, bool]], pauses: list[int]
) -> None:
    books, lately, now = ListBooks(entries), Lately(), START
    for pause in pauses:
        now = now.plus(pause)
        books.now = now
        looked_anew(lately)
        await lately.look(books, now)
        end = slot_of(now) + 1
        assert lately.total() == books.exactly(end - SLOTS_SHOWN, end)
        for point in lately.points():
            last = slot_of(point.until)
            assert (point.granted_minor, point.grants, point.paid_minor) == books.exactly(last - 6, last)
    assert len(lately.points()) == SLOTS_SHOWN


async def test_a_clock_that_is_set_back_begins_anew_and_invents_nothing() -> None:
    books, lately = ListBooks([(START, 700, True)], now=START.plus(40)), Lately()
    await lately.look(books, START.plus(40))
    looked_anew(lately)
    await lately.look(books, START.plus(-600))
    assert lately.total() == Slot()
    looked_anew(lately)
    await lately.look(books, START.plus(40))
    assert lately.total() == Slot(700, 1, 0)


async def test_nothing_is_forgotten_within_the_time_shown_and_everything_after_it() -> None:
    books, lately, last = ListBooks([(START, 700, True)], now=START.plus(7_200)), Lately(), 30 * 60 - SLOT_SECONDS
    for second in range(0, last + 1, 30):
        looked_anew(lately)
        await lately.look(books, START.plus(second))
        assert lately.total().granted == 700
    looked_anew(lately)
    await lately.look(books, START.plus(last + 2 * SLOT_SECONDS))
    assert lately.total().granted == 0

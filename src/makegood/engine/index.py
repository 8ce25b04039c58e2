"""Which campaigns a payment can be eligible for at all, found without looking at the others.

Campaigns are put in tables by the set of fields for which their condition requires certain values. A table
maps each combination of values to the campaigns that accept it, so a payment looks once into each table,
whatever the number of campaigns. Within a bucket campaigns are sorted by the smallest amount that they
accept, and a bisection cuts off those that ask for more.

Leaving a campaign out this way is exact: its condition is a chain of `&&`, and where one link is false or an
error the chain is never true.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from operator import itemgetter
from typing import Any

from makegood.domain.payment import Payment
from makegood.engine.entry import Entry
from makegood.engine.lane import NOBODY, Stretch, build_stretch, turning_points
from makegood.limits import MONEY_MINOR_MAX, STRETCH_ENTRIES_MAX

_Getter = Callable[[Mapping[str, Any]], Any]
_Fields = tuple[str, ...]
_Table = tuple[_Getter, Callable[[Any], "Bucket | None"]]


class Bucket:
    """Campaigns that accept one combination of values, by the smallest amount they accept."""

    __slots__ = ("closes_first", "entries", "lows", "opens_last", "points", "stretches")

    def __init__(self, entries: Iterable[Entry]) -> None:
        ordered = sorted(entries, key=lambda entry: (entry.amount_low, entry.rank))
        self.entries = tuple(ordered)
        self.lows = [entry.amount_low for entry in ordered]
        self.opens_last = max(entry.opens for entry in ordered)
        self.closes_first = min(entry.closes for entry in ordered)
        self.points = turning_points(ordered, STRETCH_ENTRIES_MAX // len(ordered) + 1)
        # By how many points an amount has reached. Below the first nobody accepts it; the others are made when needed.
        self.stretches: list[Stretch | None] = [NOBODY, *(None for _ in self.points)]

    def open_at(self, now: int, amount: int) -> Sequence[Entry]:
        """Those that accept the amount and whose window is open."""
        reached = self.entries[: bisect_right(self.lows, amount)]
        if self.opens_last <= now < self.closes_first:  # Nearly always: nothing begins or ends today.
            return reached
        return [entry for entry in reached if entry.opens <= now < entry.closes]

    def at(self, amount: int, now: int) -> Stretch:
        """The lanes for the amount."""
        reached = bisect_right(self.points, amount)
        stretch = self.stretches[reached] or self._build(reached)
        return stretch if self.opens_last <= now < self.closes_first else stretch.open_at(now)

    def _build(self, reached: int) -> Stretch:
        """The lanes for amounts that have reached so many points, kept for the next payment."""
        end = self.points[reached] - 1 if reached < len(self.points) else MONEY_MINOR_MAX
        stretch = self.stretches[reached] = build_stretch(self.entries, self.points[reached - 1], end)
        return stretch


class Index:
    """The running campaigns of a snapshot."""

    __slots__ = ("_by_code", "_only", "_plain")

    def __init__(self, entries: Iterable[Entry], optional: frozenset[str]) -> None:
        """`optional` names the fields that a payment may lack."""
        by_code: defaultdict[str | None, list[Entry]] = defaultdict(list)
        for entry in entries:
            by_code[entry.code].append(entry)
        self._plain = _tables(by_code.pop(None, ()), optional)
        self._by_code = {code: _tables(found, optional) for code, found in by_code.items()}
        # Nearly always campaigns of a house ask for the same fields: then there is one place to look.
        self._only = self._plain[0] if len(self._plain) == 1 and not self._by_code else None

    def candidates(self, seen: Payment, now: int) -> Sequence[Entry]:
        """Campaigns whose window is open, whose code the payment has and whose indexed conditions hold, each
        once, in no particular order.
        """
        found: list[Entry] = []
        for key_of, bucket_of in self._tables(seen):
            bucket = bucket_of(key_of(seen.fields))
            if bucket is not None:
                found.extend(bucket.open_at(now, seen.amount))
        return found

    def stretch(self, seen: Payment, now: int) -> Stretch:
        """The same campaigns by group, those first that may take off most.

        Some may ask for a larger amount than the payment's: their contenders are careful ones.
        """
        if self._only is None:
            return self._of_tables(seen, now)
        key_of, bucket_of = self._only
        bucket = bucket_of(key_of(seen.fields))
        return NOBODY if bucket is None else bucket.at(seen.amount, now)

    def _of_tables(self, seen: Payment, now: int) -> Stretch:
        found = NOBODY
        for key_of, bucket_of in self._tables(seen):
            bucket = bucket_of(key_of(seen.fields))
            if bucket is not None:
                stretch = bucket.at(seen.amount, now)
                found = stretch if found is NOBODY else found.beside(stretch)
        return found

    def _tables(self, seen: Payment) -> Sequence[_Table]:
        if not self._by_code:
            return self._plain
        return [*self._plain, *(table for code in set(seen.codes) for table in self._by_code.get(code, ()))]


def _tables(entries: Iterable[Entry], optional: frozenset[str]) -> Sequence[_Table]:
    tables: defaultdict[_Fields, defaultdict[Any, list[Entry]]] = defaultdict(lambda: defaultdict(list))
    for entry in entries:
        names = tuple(sorted(entry.keys))
        for values in product(*(entry.keys[name] for name in names)):
            tables[names][values[0] if len(values) == 1 else values].append(entry)
    return tuple(
        (_getter(names, optional), {key: Bucket(found) for key, found in table.items()}.get)
        for names, table in sorted(tables.items())
    )


def _getter(names: _Fields, optional: frozenset[str]) -> _Getter:
    if not names:
        return lambda _: ()
    if optional.isdisjoint(names):
        return itemgetter(*names)
    # An absent field reads None here, which is the value of no condition.
    if len(names) == 1:
        name = names[0]
        return lambda fields: fields.get(name)
    return lambda fields: tuple([fields.get(name) for name in names])

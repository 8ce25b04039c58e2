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

from makegood.engine.entry import Entry

_Getter = Callable[[Mapping[str, Any]], Any]
_Fields = tuple[str, ...]


class Bucket:
    """Campaigns that accept one combination of values, by the smallest amount they accept."""

    __slots__ = ("closes_first", "entries", "lows", "opens_last")

    def __init__(self, entries: Iterable[Entry]) -> None:
        ordered = sorted(entries, key=lambda entry: (entry.amount_low, entry.rank))
        self.entries = tuple(ordered)
        self.lows = [entry.amount_low for entry in ordered]
        self.opens_last = max(entry.opens for entry in ordered)
        self.closes_first = min(entry.closes for entry in ordered)

    def open_at(self, now: int, amount: int) -> Sequence[Entry]:
        """Those that accept the amount and whose window is open."""
        reached = self.entries[: bisect_right(self.lows, amount)]
        if self.opens_last <= now < self.closes_first:  # Nearly always: nothing begins or ends today.
            return reached
        return [entry for entry in reached if entry.opens <= now < entry.closes]


class Index:
    """Running campaigns of one code (or of none)."""

    __slots__ = ("_tables",)

    def __init__(self, entries: Iterable[Entry], optional: frozenset[str]) -> None:
        """`optional` names the fields that a payment may lack."""
        tables: defaultdict[_Fields, defaultdict[Any, list[Entry]]] = defaultdict(lambda: defaultdict(list))
        for entry in entries:
            names = tuple(sorted(entry.keys))
            for values in product(*(entry.keys[name] for name in names)):
                tables[names][values[0] if len(values) == 1 else values].append(entry)
        self._tables: tuple[tuple[_Getter, dict[Any, Bucket]], ...] = tuple(
            (_getter(names, optional), {key: Bucket(found) for key, found in table.items()})
            for names, table in sorted(tables.items())
        )

    def candidates(self, fields: Mapping[str, Any], amount: int, now: int) -> Sequence[Entry]:
        """Campaigns whose window is open and whose indexed conditions hold, each once, in no particular
        order.
        """
        found: Sequence[Entry] = ()
        for key_of, table in self._tables:
            bucket = table.get(key_of(fields))
            if bucket is not None and amount >= bucket.lows[0]:
                more = bucket.open_at(now, amount)
                found = (*found, *more) if found else more
        return found


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

"""Lists as solver terms: slots in order, each with the condition under which it is an entry at all.

A list of at most ten entries is ten slots; the first is an entry where the length is above 0, and so on. What `filter`
leaves is the same slots under narrower conditions, and the sum of two lists is the slots of both: nothing ever moves.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from makegood.rules.smt_terms import Flag, Terms, Whole
from makegood.rules.types import CelType

Choose = Callable[[CelType, Flag, Any, Any], Any]
Equal = Callable[[CelType, Any, Any], Flag]


@dataclass(frozen=True, slots=True)
class Entries:
    """A list. `slots` are pairs of condition and value.

    `packed`: no slot is an entry unless the one before it is, so that the position of an entry is that of its slot.
    `unordered`: only which values are entries is known, not where and how often.
    """

    slots: tuple[tuple[Flag, Any], ...]
    packed: bool = False
    size: Whole | None = None
    unordered: bool = False


def fixed(values: Iterable[Any]) -> Entries:
    """A list of just these values."""
    slots = tuple((True, value) for value in values)
    return Entries(slots, True, len(slots))


def size_of(terms: Terms, entries: Entries) -> Whole:
    """How many entries there are."""
    assert not entries.unordered, "the size of a list of which only the values are known"
    return terms.count(flag for flag, _ in entries.slots) if entries.size is None else entries.size


def positions(terms: Terms, entries: Entries) -> Sequence[Whole]:
    """For every slot the index that its entry has."""
    assert not entries.unordered, "an index in a list of which only the values are known"
    if entries.packed:
        return range(len(entries.slots))
    found: list[Whole] = []
    count: Whole = 0
    for flag, _ in entries.slots:
        found.append(count)
        count = terms.add(count, terms.pick(flag, 1, 0))
    return found


def narrowed(terms: Terms, entries: Entries, conditions: Sequence[Flag]) -> Entries:
    """The entries whose condition is true."""
    pairs = zip(entries.slots, conditions, strict=True)
    return Entries(tuple((terms.both(flag, condition), value) for (flag, value), condition in pairs))


def joined(left: Entries, right: Entries) -> Entries:
    """The entries of the one list and then of the other."""
    slots = left.slots + right.slots
    if all(flag is True for flag, _ in left.slots):
        size = len(left.slots) + right.size if isinstance(right.size, int) else None
        return Entries(slots, right.packed, size)
    return Entries(slots)


def picked(terms: Terms, flag: Flag, then: Entries, otherwise: Entries) -> Entries:
    """The one list or the other."""
    if isinstance(flag, bool):
        return then if flag else otherwise
    no = terms.negate(flag)
    slots = [(terms.both(flag, own), value) for own, value in then.slots]
    return Entries((*slots, *((terms.both(no, own), value) for own, value in otherwise.slots)))


def has_entry(terms: Terms, kind: CelType, entries: Entries, value: Any, equal: Equal) -> Flag:
    """Whether one entry equals the value."""
    return terms.some(terms.both(flag, equal(kind, each, value)) for flag, each in entries.slots if flag is not False)


def at(terms: Terms, kind: CelType, entries: Entries, index: Whole, choose: Choose) -> tuple[Any, Flag]:
    """The entry at an index, and the error where there is none. The value is None where there never is one."""
    found, value = [], None
    for (flag, each), position in zip(entries.slots, positions(terms, entries), strict=True):
        here = terms.both(flag, terms.equal(position, index))
        if here is False:
            continue
        found.append(here)
        value = each if value is None else choose(kind, here, each, value)
    return value, terms.negate(terms.some(found))


def equal_lists(terms: Terms, kind: CelType, left: Entries, right: Entries, equal: Equal) -> Flag:
    """Whether two lists have equal entries in the same order."""
    parts = [terms.equal(size_of(terms, left), size_of(terms, right))]
    if parts == [False]:
        return False
    there = tuple(zip(right.slots, positions(terms, right), strict=True))
    for (flag, value), place in zip(left.slots, positions(terms, left), strict=True):
        for (condition, other), position in there:
            meet = terms.both(flag, condition, terms.equal(place, position))
            if meet is not False:
                parts.append(terms.either(terms.negate(meet), equal(kind, value, other)))
    return terms.every(parts)

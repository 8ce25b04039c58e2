"""Time zones as SQL: the offsets of a zone, looked up in the same tables that everything else reads.

A database's own zone functions follow its own copy of the tables. Once only rules are left the offsets repeat with
the calendar, every 400 years, so one such cycle stands for all that follow.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from makegood.clock import SECOND
from makegood.limits import PAYMENT_YEAR_MAX, PAYMENT_YEAR_MIN
from makegood.rules.civil import Offset, days_of, offset_of
from makegood.rules.columns_scope import Scope

_DAY: Final = 86_400
_STEP: Final = 3 * _DAY  # No zone has ever changed its offset twice within so many days.
_CYCLE: Final = 146_097 * _DAY
_FIRST: Final = days_of(1800, 1, 1) * _DAY  # No table begins before.
_RULED: Final = days_of(2100, 1, 1) * _DAY  # No table goes on so long; from here only rules are left.
_REPEATS: Final = _RULED + _CYCLE
_BEGINNING: Final = -(10**12)  # Seconds; before the year 1.
_USUAL: Final = (days_of(PAYMENT_YEAR_MIN, 1, 1) * _DAY, days_of(PAYMENT_YEAR_MAX + 1, 1, 1) * _DAY)

Change = tuple[int, int]  # From this second on, this offset.


def zone_offset(scope: Scope, instant: str, second: str, zone: str | None) -> str:
    """Seconds east of UTC at an instant, which is given in nanoseconds and in seconds."""
    changes = zone_changes(zone)
    if len(changes) == 1:
        return str(changes[0][1])
    anywhere = scope.bind(second, lambda bound: _lookup(scope, changes, bound), always=True)
    if scope.is_bound(instant):
        return anywhere
    # A column: comparisons find its offset faster than lists do, so they serve the years that payments have.
    low, high = (each * SECOND for each in _USUAL)
    tree = _tree(_between(changes, *_USUAL), instant)
    return f"(CASE WHEN {instant} >= {low} AND {instant} < {high} THEN {tree} ELSE {anywhere} END)"


@lru_cache(maxsize=64)
def zone_changes(zone: str | None) -> tuple[Change, ...]:
    """Every change of offset in the order of time, up to the end of the first cycle of rules."""
    offset = offset_of(zone)
    second, current = _FIRST, offset(_FIRST)
    changes = [(_BEGINNING, current)]
    if zone is None or ":" in zone:
        return tuple(changes)
    while second < _REPEATS:
        ahead = offset(second + _STEP)
        if ahead != current:
            changes.append((_moment(offset, second, second + _STEP), ahead))
        second, current = second + _STEP, ahead
    return tuple(changes)


def _moment(offset: Offset, low: int, high: int) -> int:
    """The first second of the new offset, which is not yet there at `low` and is there at `high`."""
    before = offset(low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset(middle) == before else (low, middle)
    return high


def _between(changes: Sequence[Change], low: int, high: int) -> list[Change]:
    """The changes that matter between two seconds; the first is the one in force at the beginning."""
    begun = max(number for number, change in enumerate(changes) if change[0] <= low)
    return [change for change in changes[begun:] if change[0] < high]


def _tree(changes: Sequence[Change], instant: str) -> str:
    """The offset as a binary search, written out."""
    if len(changes) == 1:
        return str(changes[0][1])
    half = len(changes) // 2
    earlier, later = _tree(changes[:half], instant), _tree(changes[half:], instant)
    return f"(CASE WHEN {instant} < {changes[half][0] * SECOND} THEN {earlier} ELSE {later} END)"


def _lookup(scope: Scope, changes: Sequence[Change], second: str) -> str:
    """The offset from lists, in two steps of about the root of all changes each."""
    if changes[-1][0] > _REPEATS - _CYCLE // 2:
        again = f"{_RULED} + ({second} - {_RULED}) % {_CYCLE}"
        within = f"(CASE WHEN {second} < {_REPEATS} THEN {second} ELSE {again} END)"
        return scope.bind(within, lambda bound: _in_blocks(scope, changes, bound), always=True)
    return _in_blocks(scope, changes, second)


def _in_blocks(scope: Scope, changes: Sequence[Change], second: str) -> str:
    size = math.isqrt(len(changes)) + 1
    blocks = [changes[start : start + size] for start in range(0, len(changes), size)]
    starts = _numbers(scope, [block[0][0] for block in blocks])
    moments = _lists(scope, [_numbers(scope, [moment for moment, _ in block]) for block in blocks])
    offsets = _lists(scope, [_numbers(scope, [offset for _, offset in block]) for block in blocks])
    at = scope.dialect.at

    def found(block: str) -> str:
        return at(at(offsets, block), _last(scope, at(moments, block), second))

    return scope.bind(_last(scope, starts, second), found, always=True)


def _last(scope: Scope, moments: str, second: str) -> str:
    """The place of the last moment that is not after the second; -1 where there is none."""
    name = scope.name()
    return f"({scope.dialect.size(scope.dialect.filter(moments, name, None, f'{name} <= {second}'))} - 1)"


def _numbers(scope: Scope, numbers: Sequence[int]) -> str:
    return _lists(scope, [str(number) for number in numbers])


def _lists(scope: Scope, entries: Sequence[str]) -> str:
    return scope.dialect.list(entries, None)

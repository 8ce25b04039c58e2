"""Time zones as solver terms: the offset at an instant is a tree of the zone's changes between two bounds."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

from makegood.clock import Instant
from makegood.rules.civil import TIMESTAMP_MAX, TIMESTAMP_MIN, offset_of
from makegood.rules.smt_terms import Terms, Whole, high_of, low_of

SECOND: Final = 1_000_000_000
_STEP: Final = 2 * 86_400  # No zone changes twice within two days.
_FIRST: Final = int(Instant.parse("1800-01-01T00:00:00Z")) // SECOND  # Before it every zone keeps its mean time.
_REGULAR: Final = int(Instant.parse("2040-01-01T00:00:00Z")) // SECOND  # After it every zone follows one rule.
_ERA: Final = 146_097 * 86_400  # Seconds of 400 years, after which the calendar and such a rule repeat.

Change = tuple[int, int]


@lru_cache(maxsize=256)
def changes(zone: str | None, low: int, high: int) -> tuple[Change, ...]:
    """From which second on which offset holds, seconds east of UTC; the first is the offset at `low`."""
    offset = offset_of(zone)
    found = [(low, offset(low))]
    if zone is None or ":" in zone:
        return tuple(found)
    start = max(low, min(_FIRST, high))
    while start < high:
        end = min(start + _STEP, high)
        after = offset(end)
        if after != found[-1][1]:
            found.append((_moment(offset, start, end), after))
        start = end
    return tuple(found)


def _moment(offset: Callable[[int], int], before: int, after: int) -> int:
    """The second at which the offset changes."""
    old = offset(before)
    while after - before > 1:
        middle = (before + after) // 2
        if offset(middle) == old:
            before = middle
        else:
            after = middle
    return after


def local_seconds(terms: Terms, instant: Whole, zone: str | None) -> Whole:
    """Seconds since 1970 on the clocks of a zone."""
    seconds = terms.floor(instant, SECOND)
    low, high = max(low_of(seconds), TIMESTAMP_MIN // SECOND), min(high_of(seconds), TIMESTAMP_MAX // SECOND)
    if low > high:
        return 0
    where = seconds
    if high >= _REGULAR + _ERA and zone is not None and ":" not in zone:
        late = terms.add(terms.rest(terms.add(seconds, -_REGULAR), _ERA), _REGULAR)
        where = terms.pick(terms.less(seconds, _REGULAR), seconds, late)
        low, high = min(low, _REGULAR), _REGULAR + _ERA
    return terms.add(seconds, step_tree(terms, where, changes(zone, low, high)))


def step_tree(terms: Terms, value: Whole, steps: Sequence[tuple[int, Any]]) -> Whole:
    """What the last step at or below the value says, as a balanced tree; the first says it for all below, too."""
    if len(steps) == 1:
        return steps[0][1]
    middle = len(steps) // 2
    below = terms.less(value, steps[middle][0])
    if below is True:
        return step_tree(terms, value, steps[:middle])
    if below is False:
        return step_tree(terms, value, steps[middle:])
    return terms.pick(below, step_tree(terms, value, steps[:middle]), step_tree(terms, value, steps[middle:]))

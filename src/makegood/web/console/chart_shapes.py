"""The live chart's geometry: a scale that always holds what is expected and the collar's bound, and shapes for SVG.

Lines and labels are placed in per cent, so that they stay readable however wide the page is; only the curve is
stretched. The scale is straight up to half as much again as is expected, and compressed from there to the bound of the
collar, which is twenty times as far.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from makegood.clock import Instant
from makegood.services.lately import MINUTES_SHOWN, SLOT_SECONDS, Point
from makegood.services.live_chart import LiveChart

WIDE, HIGH = 1_000, 1_000  # Of the curve's own coordinates.
_KNEE, _BOUND = 700, 880  # How high, of `HIGH`, the straight part ends and the breaker's begins.
_TICK_MINUTES = 10
_MARKS_MAX = 9  # One digit each.
_EDGE = 450  # A number at the very edge of a narrow screen would be cut: hundredths of a per cent.
_APART = 900  # Numbers nearer than this would cover each other there.


@dataclass(frozen=True, slots=True)
class Scale:
    """Minor units to heights. `knee` ends the straight part, `bound` is the collar's, `top` the end of the scale."""

    knee: int
    bound: int
    top: int

    def height(self, minor: int) -> int:
        """How high, of `HIGH`, an amount is. What is beyond the scale is at its end."""
        steps = ((0, 0), (self.knee, _KNEE), (self.bound, _BOUND), (self.top, HIGH))
        for (low, bottom), (high, top) in pairwise(steps):
            if minor <= high and high > low:
                return bottom + (max(minor, low) - low) * (top - bottom) // (high - low)
        return HIGH


@dataclass(frozen=True, slots=True)
class Numbered:
    """The numbers of marks that are too near each other for one each: `1`, or `1–3`. `x` is where none is cut."""

    x: str
    text: str


@dataclass(frozen=True, slots=True)
class Shapes:
    """What the chart draws. `x` and `y` are SVG percentages of the plot, `line` and `area` paths of `WIDE` × `HIGH`.

    `limit_y`, `knee_y` and `bound_y` are None where the brief's numbers are not known.
    """

    line: str
    area: str
    knee_minor: int
    limit_y: str | None
    knee_y: str | None
    bound_y: str | None
    times: tuple[tuple[str, Instant], ...]
    stopped: tuple[tuple[str, str, bool], ...]
    marks: tuple[str, ...]
    numbers: tuple[Numbered, ...]


def shapes_of(chart: LiveChart) -> Shapes:
    """The shapes of a chart."""
    scale, end = scale_of(chart.limit_minor, chart.breaker_minor, chart.busiest_minor), end_of(chart)
    heights = [(_x(one.until, end), HIGH - scale.height(one.granted_minor)) for one in chart.points]
    line = "M" + "L".join(f"{x * WIDE // 10_000} {y}" for x, y in heights) if heights else ""
    places = [_x(one.at, end) for one in chart.marks[-_MARKS_MAX:]]
    first, last = (heights[0][0], heights[-1][0]) if heights else (0, 0)
    known = chart.limit_minor is not None and chart.breaker_minor is not None
    return Shapes(
        line=line,
        area=f"{line}L{last * WIDE // 10_000} {HIGH}L{first * WIDE // 10_000} {HIGH}Z" if line else "",
        knee_minor=scale.knee,
        limit_y=_down(scale.height(chart.limit_minor)) if known and chart.limit_minor is not None else None,
        knee_y=_down(_KNEE) if known else None,
        bound_y=_down(_BOUND) if known else None,
        times=_times(end, chart.timezone),
        stopped=tuple(_stopped(one.since, one.until, end) for one in chart.stopped),
        marks=tuple(map(_percent, places)),
        numbers=_numbers(places),
    )


def scale_of(limit: int | None, bound: int | None, busiest: int) -> Scale:
    """The scale for what is expected, the collar's bound and the busiest minute."""
    if limit is None or bound is None:
        knee = max(busiest, 1)
        return Scale(knee, knee + 1, knee + 2)
    knee = max(limit * 3 // 2, 1)
    bound = max(bound, knee + 1)
    return Scale(knee, bound, max(bound * 2, busiest))


def end_of(chart: LiveChart) -> Instant:
    """The right end of the time axis: of the newest ten seconds."""
    return chart.points[-1].until if chart.points else chart.as_of


def minutes_of(points: Sequence[Point]) -> list[Point]:
    """One point a minute, newest first: the chart as a table."""
    return list(points[:: -60 // SLOT_SECONDS])


def _x(moment: Instant, end: Instant) -> int:
    """Hundredths of a per cent from the left, within the plot."""
    span = end - end.plus(-60 * MINUTES_SHOWN)
    return min(max((moment - end.plus(-60 * MINUTES_SHOWN)) * 10_000 // span, 0), 10_000)


def _times(end: Instant, zone: str) -> tuple[tuple[str, Instant], ...]:
    """Every ten minutes of the zone's clock, but none so near the edge that its label is cut."""
    found = []
    local = end.local(zone)
    newest = end.plus(-(local.minute % _TICK_MINUTES * 60 + local.second))
    for number in range(MINUTES_SHOWN // _TICK_MINUTES + 1):
        moment = Instant(newest.plus(-60 * _TICK_MINUTES * number))
        place = (moment - end.plus(-60 * MINUTES_SHOWN)) * 10_000 // (end - end.plus(-60 * MINUTES_SHOWN))
        if 600 <= place <= 9_400:
            found.append((_percent(place), moment))
    return tuple(found)


def _stopped(since: Instant, until: Instant | None, end: Instant) -> tuple[str, str, bool]:
    """Left edge, width, and whether a word has room in it."""
    left, right = _x(since, end), _x(until or end, end)
    return _percent(left), _percent(max(right - left, 20)), right - left > 2_500


def _numbers(places: Sequence[int]) -> tuple[Numbered, ...]:
    """Numbers of marks, by their places from the left. Those that would cover each other stand together."""
    groups: list[tuple[int, int, int]] = []  # first number, last number, place of the last
    for number, place in enumerate(places, 1):
        if groups and place - groups[-1][2] < _APART:
            groups[-1] = (groups[-1][0], number, place)
        else:
            groups.append((number, number, place))
    return tuple(
        Numbered(_percent(min(max(place, _EDGE), 10_000 - _EDGE)), f"{first}–{last}" if last > first else f"{first}")
        for first, last, place in groups
    )


def _down(height: int) -> str:
    return _percent((HIGH - height) * 10_000 // HIGH)


def _percent(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02d}%"

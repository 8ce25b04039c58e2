"""The plot that is understood at a glance: money granted wrongly over time, with fewer and fewer guards."""

from collections.abc import Sequence

from makegood.replay.outcome import Outcome
from makegood.replay.replayed import Replayed
from makegood.replay.report.svg import Drawing, Scale, thinned
from makegood.replay.report.words import Reader

_SIZE = (700, 330)
_LEFT, _RIGHT, _TOP, _BREAK, _ZERO = 66, 430, 30, 246, 280  # Pixels; below the break is nothing but zero.
_APART = 34  # Labels of two lines need so much.
_ONE = 100  # Minor units of one unit of money, the lowest value above the break.
_COLOURS = ("good", "c2", "c1", "c3", "bad")


def ladder(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The runs in which guards were taken away from the outside, the most guards first."""
    every = max((outcome.run.guards for outcome in outcomes), key=len, default=())
    return sorted(
        (one for one in outcomes if one.run.guards == every[len(every) - len(one.run.guards) :]),
        key=lambda one: -len(one.run.guards),
    )


def plot(replayed: Replayed, reader: Reader) -> str:
    """An SVG: zero, a dozen grants, a first stage and all of it can be told apart on one scale."""
    scenario, shown = replayed.scenario, ladder(replayed.outcomes)
    title = scenario.title[reader.language]
    drawing = Drawing(*_SIZE, reader("h_plot"), reader("plot_says", title=title), f"plot-{scenario.id}")
    top = max((scenario.brief.stage_first_max, _ONE * 10, *(outcome.wrong_minor for outcome in shown)))
    y = Scale(_ONE, _decades(top)[-1], _BREAK, _TOP, log=True)
    x = Scale(0, scenario.seconds, _LEFT, _RIGHT)
    _axes(drawing, replayed, reader, x, y)
    labels: list[tuple[float, str, str, str]] = []
    zero = [outcome for outcome in shown if not outcome.grants]
    if zero:
        drawing.line(x.start, _ZERO, x.end, _ZERO, "curve good")
        labels.append((_ZERO, "0", " · ".join(map(reader.run, zero)), "good"))
    for index, outcome in enumerate(one for one in shown if one.grants):
        kind = "bad" if not outcome.run.guards else _COLOURS[1 + index % 3]
        points = thinned(_cumulated(outcome, x, y))
        drawing.steps(points, f"curve {kind}")
        drawing.marks(_stop(outcome, x, y), 3, f"mark {kind}", 4)
        labels.append((points[-1][1], _granted(outcome, replayed, reader), reader.run(outcome), kind))
    _label(drawing, labels)
    return drawing.render()


def _granted(outcome: Outcome, replayed: Replayed, reader: Reader) -> str:
    money = reader.money(outcome.wrong_minor, replayed.scenario.currency)
    return reader("so_much", money=money, count=f"{len(outcome.grants):,}")


def _stop(outcome: Outcome, x: Scale, y: Scale) -> list[tuple[float, float]]:
    """Where a guard refused the wrong campaign."""
    seconds = outcome.seconds_to_stop
    if seconds is None:
        return []
    return [(x(seconds), y(sum(grant.minor for grant in outcome.grants if grant.seconds <= seconds)))]


def _decades(top: int) -> list[int]:
    """1, 10, 100 … units of money, up to the first at or above `top`, in minor units."""
    found = [_ONE]
    while found[-1] < top:
        found.append(found[-1] * 10)
    return found


def _axes(drawing: Drawing, replayed: Replayed, reader: Reader, x: Scale, y: Scale) -> None:
    scenario = replayed.scenario
    quarters = [scenario.seconds * part // 4 for part in range(5)]
    clock = "%H:%M" if scenario.seconds % 240 == 0 or scenario.seconds > 3_600 else "%H:%M:%S"
    across = [(float(s), scenario.opens.plus(s).local(scenario.timezone).strftime(clock)) for s in quarters]
    up = [(float(value), f"{value // _ONE:,}") for value in _decades(int(y.high))]
    for value, words in up:
        drawing.line(x.start, y(value), x.end, y(value), "grid")
        drawing.text(x.start - 8, y(value) + 4, words, "tick", "end")
    drawing.frame(x, Scale(0, 1, _ZERO, _ZERO - 1), across, [(0.0, "0")])
    middle = (_BREAK + _ZERO) / 2
    for at in (middle - 3, middle + 3):  # The break of the axis.
        drawing.line(x.start - 6, at + 3, x.start + 6, at - 3, "axis")
    drawing.text(0, 14, f"↑ {scenario.currency}", "small")
    stage = y(scenario.brief.stage_first_max)
    drawing.line(x.start, stage, x.end, stage, "limit")
    drawing.text(x.end - 4, stage - 5, reader("first_stage"), "limit-t halo", "end")


def _cumulated(outcome: Outcome, x: Scale, y: Scale) -> list[tuple[float, float]]:
    total, points = 0, [(x(0), float(_ZERO))]
    for grant in outcome.grants:
        total += grant.minor
        points.append((x(grant.seconds), y(total)))
    points.append((x.end, points[-1][1]))
    return points


def _label(drawing: Drawing, labels: Sequence[tuple[float, str, str, str]]) -> None:
    """Two lines beside the end of each curve, pushed upwards where they would overlap."""
    floor = _ZERO - 12.0  # The words of the time axis stand below.
    for end, value, words, kind in sorted(labels, key=lambda one: -one[0]):
        at = min(end, floor)
        floor = at - _APART
        drawing.line(_RIGHT + 2, end, _RIGHT + 12, at, f"curve {kind}")
        drawing.text(_RIGHT + 18, at + 1, value, "value")
        drawing.text(_RIGHT + 18, at + 16, words, "small")

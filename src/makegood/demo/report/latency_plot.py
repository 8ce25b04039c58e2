"""The plots of the replay and of the answer times."""

from makegood.demo.report.figures import latencies, quantile
from makegood.demo.report.reader import Reader
from makegood.demo.run import Result
from makegood.replay.outcome import Outcome
from makegood.replay.report.svg import Drawing, Scale, thinned, ticks

_WIDTH = 700
_ZOOM_SECONDS = 30


def replay(result: Result, reader: Reader) -> str:
    """Yuan granted over the event: the whole of it, and its beginning enlarged until the first stage is used up."""
    seconds = result.replayed.scenario.seconds
    drawing = Drawing(_WIDTH, 360, reader("h_replay"), reader("replay_says"), "replay")
    free, capped = result.replayed.named("unguarded"), result.replayed.named("staged")
    _curves(drawing, result, reader, (free, capped), Scale(0, seconds, 54, 446), free.wrong_minor, whole=True)
    top = min(free.wrong_minor, result.replayed.scenario.brief.stage_first_max * 3)
    _curves(drawing, result, reader, (free, capped), Scale(0, _ZOOM_SECONDS, 538, _WIDTH - 8), top, whole=False)
    return drawing.render()


def _curves(
    drawing: Drawing,
    result: Result,
    reader: Reader,
    pair: tuple[Outcome, Outcome],
    x: Scale,
    top: float,
    *,
    whole: bool,
) -> None:
    currency = result.replayed.scenario.currency
    high = ticks(top * 1.02 / 100, 4)
    y = Scale(0, high[-1] * 100, 312, 56)
    every = 60 if whole else 10
    across = [(float(s), str(s)) for s in range(0, int(x.high) + 1, every)]
    drawing.text(x.start - 54, 18, reader("whole" if whole else "zoom"), "name")
    drawing.text(x.start - 54, 36, f"↑ {currency}", "small")
    drawing.text(x.end, 350, f"{reader('seconds')} →", "small", "end")
    drawing.frame(x, y, across, [(v * 100, reader.whole(v)) for v in high])
    free, capped = pair
    stage = result.replayed.scenario.brief.stage_first_max
    at = y(stage)
    drawing.line(x.start, at, x.end, at, "limit")
    for outcome, kind in ((free, "bad"), (capped, "good")):
        points = thinned(_cumulated(outcome, x, y))
        if whole or kind == "good":  # The enlarged panel does not hold the other to its end.
            drawing.steps(points, f"area {kind}", y.start)
        drawing.steps(points, f"curve {kind}")
    if whole:
        _ends(drawing, reader, pair, x, y)
    elif capped.seconds_to_stop is not None and capped.seconds_to_stop <= x.high:
        drawing.marks([(x(capped.seconds_to_stop), at)], 3, "mark good", 5)
    if not whole:
        drawing.text(x.end, at + 17, f"{reader('stage')} {reader.money(stage, currency)}", "small", "end")


def _ends(drawing: Drawing, reader: Reader, pair: tuple[Outcome, Outcome], x: Scale, y: Scale) -> None:
    free, capped = pair
    currency = reader.replay_currency
    end = y(free.wrong_minor)
    drawing.marks([(x.end, end)], 1, "mark bad", 4)
    drawing.text(x.end - 4, end - 29, reader.money(free.wrong_minor, currency), "value", "end")
    drawing.text(x.end - 4, end - 12, reader("unguarded"), "small", "end")
    at = y(capped.wrong_minor)
    if capped.seconds_to_stop is not None:
        drawing.marks([(x(capped.seconds_to_stop), at)], 3, "mark good", 5)
    drawing.text(x.end - 4, at - 26, reader.money(capped.wrong_minor, currency), "value halo", "end")
    words = reader("stop_note", seconds=f"{capped.seconds_to_stop:.1f}") if capped.seconds_to_stop is not None else ""
    drawing.text(x.end - 4, at - 9, words or reader("end_note"), "small halo", "end")


def _cumulated(outcome: Outcome, x: Scale, y: Scale) -> list[tuple[float, float]]:
    total, points = 0, [(x(0), y(0))]
    for grant in outcome.grants:
        if grant.seconds > x.high:
            break
        total += grant.minor
        points.append((x(grant.seconds), max(y(total), y.end)))
        if total > y.high:
            return points  # The enlarged panel ends where the line leaves it.
    points.append((x.end, points[-1][1]))
    return points


def latency(result: Result, reader: Reader) -> str:
    """A histogram of the answer times of single quotes, up to the 99th percentile and a little."""
    ordered = latencies(result)
    drawing = Drawing(_WIDTH, 250, reader("h_latency"), reader("latency_says"), "latency")
    high = ticks(max(1.0, quantile(ordered, 0.99) * 1.15), 6)
    bins = histogram(ordered, high[-1])
    x = Scale(0, high[-1], 50, _WIDTH - 8)
    up = ticks(max(1, *(count for _, count in bins)), 4)
    y = Scale(0, up[-1], 206, 40)
    drawing.frame(x, y, [(v, f"{v:g}") for v in high], [(v, reader.count(int(v))) for v in up])
    width = (x.end - x.start) / len(bins)
    for edge, count in bins:
        drawing.rect(x(edge) + 0.7, y(count), width - 1.4, y.start - y(count), "bar plain", 1)
    drawing.text(0, 18, f"↑ {reader('count')}", "small")
    drawing.text(x.end, 244, "ms →", "small", "end")
    for share, word, top in ((0.5, "median", 40), (0.95, "p95", 58)):
        value = quantile(ordered, share)
        drawing.line(x(value), top, x(value), y.start, "limit")
        drawing.text(x(value) + 6, top + 9, reader(word, ms=f"{value:.1f} ms"), "t halo")
    return drawing.render()


def histogram(ordered: list[float], high: float, count: int = 48) -> list[tuple[float, int]]:
    """Left edges and counts of equal bins up to `high`; what is above is in the last."""
    bins = [0] * count
    for value in ordered:
        bins[min(count - 1, int(value / high * count))] += 1
    return [(index * high / count, value) for index, value in enumerate(bins)]


def per_half_minute(result: Result) -> list[tuple[str, list[int]]]:
    """The table twin: yuan granted so far by the end of each half minute, minor units, run by run."""
    scenario = result.replayed.scenario
    rows = []
    for end in range(30, scenario.seconds + 1, 30):
        moment = scenario.opens.plus(end).local(scenario.timezone)
        so_far = [sum(g.minor for g in o.grants if g.seconds <= end) for o in result.replayed.outcomes]
        rows.append((moment.strftime("%H:%M:%S"), so_far))
    return rows

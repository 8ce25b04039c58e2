"""The plots of the money: over time, by budget, by outcome, by amount."""

from collections.abc import Sequence
from datetime import timedelta

from makegood.clock import Instant
from makegood.demo.report.figures import Course, courses
from makegood.demo.report.reader import Reader
from makegood.demo.report.words import refusal_words
from makegood.demo.run import Result
from makegood.replay.report.svg import Drawing, Scale, thinned, ticks

_PANEL = (330, 214)  # One campaign of the small multiples.
_GAP = 40
_WIDTH = 2 * _PANEL[0] + _GAP
_MINOR_STEPS = [float(m * 10**p) for p in range(7) for m in (1, 2, 5)]  # Ticks of a logarithmic axis, minor units.


def money_over_time(result: Result, reader: Reader) -> str:
    """Small multiples: kept discount of each campaign below its open stage and its budget."""
    panels = courses(result)
    rows = (len(panels) + 1) // 2
    drawing = Drawing(_WIDTH, rows * _PANEL[1], reader("h_money"), reader("p_money"), "money")
    for index, course in enumerate(panels):
        _panel(drawing, result, reader, course, index)
    return drawing.render()


def _panel(drawing: Drawing, result: Result, reader: Reader, course: Course, index: int) -> None:
    left = (index % 2) * (_PANEL[0] + _GAP)
    top = (index // 2) * _PANEL[1]
    high = ticks(course.budget * 1.04 / 100, 4)
    x = Scale(course.kept[0][0], course.kept[-1][0], left + 46, left + _PANEL[0] - 4)
    y = Scale(0, high[-1] * 100, top + _PANEL[1] - 34, top + 34)
    drawing.text(left, top + 15, reader.campaign(course.campaign), "name")
    drawing.frame(x, y, _days(course, result.timezone), [(v * 100, reader.whole(v)) for v in high])
    drawing.line(x.start, y(course.budget), x.end, y(course.budget), "limit")
    drawing.text(x.end, y(course.budget) - 5, f"{reader('budget')} {reader.money(course.budget)}", "limit-t", "end")
    drawing.steps(_pixels(x, y, course.stages), "stage")
    if len(course.stages) == 2 or course.stages[0][1] < course.budget:
        drawing.text(x.start + 4, y(course.stages[0][1]) - 4, reader("stage"), "small")
    points = thinned(_pixels(x, y, course.kept))
    drawing.steps(points, f"area c{index}", y.start)
    drawing.steps(points, f"curve c{index}")
    for moment in course.opened:
        drawing.marks([(x(moment), y(_open_before(course, moment)))], 2, "opened", 4)
    last = course.kept[-1][1]
    drawing.marks([points[-1]], 0, f"mark c{index}", 3)
    # Above the curve, unless the words of the budget stand there.
    room = points[-1][1] - y(course.budget)
    drawing.text(x.end - 8, points[-1][1] + (-10 if room > 22 else 26), reader.money(last), "value halo", "end")


def _open_before(course: Course, moment: Instant) -> int:
    return max(amount for since, amount in course.stages if since < moment)


def _pixels(x: Scale, y: Scale, points: Sequence[tuple[Instant, int]]) -> list[tuple[float, float]]:
    return [(x(moment), y(minor)) for moment, minor in points]


def _days(course: Course, zone: str) -> list[tuple[float, str]]:
    """Local midnights within the course, at most about seven, as `01-24`."""
    first, last = course.kept[0][0], course.kept[-1][0]
    day = first.local(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    days = []
    while Instant.of(day) <= last:
        if Instant.of(day) >= first:
            days.append((float(Instant.of(day)), day.strftime("%m-%d")))
        day = day + timedelta(days=1)
    return days[:: len(days) // 7 + 1]


def budgets(result: Result, reader: Reader) -> str:
    """A bar for each budget: kept, reserved, open and closed rest, all to one scale."""
    row, label = 54, 150
    drawing = Drawing(_WIDTH, row * len(result.lines) + 30, reader("h_budget"), reader("p_budget"), "budgets")
    high = ticks(max(line.view["budget_minor"] for line in result.lines) / 100)
    x = Scale(0, high[-1] * 100, label, _WIDTH - 12)
    bottom = row * len(result.lines)
    for value in high:
        drawing.line(x(value * 100), 4, x(value * 100), bottom, "grid")
        drawing.text(x(value * 100), bottom + 18, reader.whole(value), "tick", "middle")
    for index, line in enumerate(result.lines):
        top = index * row + 10
        view, granted = line.view, line.ledger_granted
        drawing.text(0, top + 12, reader.campaign(line.campaign), "name")
        drawing.text(0, top + 29, f"{reader('left')} {reader.money(view['left_minor'])}", "small")
        drawing.rect(x.start, top, x(view["budget_minor"]) - x.start, 18, "empty", 2)
        drawing.rect(x.start, top, x(granted) - x.start, 18, f"bar c{index}", 2)
        drawing.rect(x(granted), top, x(granted + line.ledger_reserved) - x(granted), 18, "held", 0)
        drawing.line(x(view["stage_minor"]), top - 4, x(view["stage_minor"]), top + 22, "limit")
        share = 100 * granted // view["budget_minor"]
        words = f"{reader('kept')} {reader.money(granted)} / {reader.money(view['budget_minor'])} · {share}%"
        drawing.text(x.start + 2, top + 33, words, "small halo")
    return drawing.render()


def outcomes(result: Result, reader: Reader) -> str:
    """Horizontal bars: payments that were granted something, then each reason for nothing."""
    counts = [(reader("granted"), result.granted, "bar good")]
    counts += [(refusal_words(reader.language, r), n, "bar plain") for r, n in result.journal.refused().items()]
    row, label = 30, 190
    drawing = Drawing(_WIDTH, row * len(counts) + 6, reader("h_outcomes"), reader("p_outcomes"), "outcomes")
    x = Scale(0, max(1, *(count for _, count, _ in counts)), label, _WIDTH - 110)
    for index, (words, count, kind) in enumerate(counts):
        top = index * row + 5
        drawing.text(label - 12, top + 14, words, "t", "end")
        drawing.rect(x.start, top, max(1.5, x(count) - x.start), 19, kind, 2)
        share = 100 * count / len(result.journal.records)
        drawing.text(x(count) + 8, top + 14, f"{reader.count(count)} · {share:.1f}%", "value")
    return drawing.render()


def amounts(result: Result, reader: Reader) -> str:
    """Each benefit as a mark: the payment's amount and the discount, both by their logarithm."""
    height = 330
    drawing = Drawing(_WIDTH, height, reader("h_scatter"), reader("p_scatter"), "amounts")
    records = [record for record in result.journal.records if record.benefits]
    given = [minor for record in records for minor in record.benefits.values()]
    highest = max((record.amount for record in records), default=10_000)
    lowest = min((record.amount for record in records), default=100)
    x = Scale(lowest * 0.9, max(highest * 1.1, lowest * 10), 50, _WIDTH - 8, log=True)
    y = Scale(min(given, default=10) * 0.8, max(given, default=100) * 1.25, height - 56, 44, log=True)
    across = [(v, reader.whole(v / 100)) for v in _MINOR_STEPS if x.low <= v <= x.high]
    drawing.line(x.start, y.start, x.end, y.start, "axis")
    drawing.frame(x, y, across, [(v, reader.decimal(v / 100)) for v in _MINOR_STEPS if y.low <= v <= y.high])
    drawing.text(x.end, height - 16, f"{reader('amount')}, {result.currency} →", "small", "end")
    drawing.text(0, 24, f"↑ {reader('discount')}, {result.currency}", "small")
    for index, line in enumerate(result.lines):
        points = [(x(r.amount), y(r.benefits[line.campaign])) for r in records if line.campaign in r.benefits]
        drawing.marks(points, index, f"dot c{index}", 2.8)
    _legend(drawing, [reader.campaign(line.campaign) for line in result.lines])
    return drawing.render()


def _legend(drawing: Drawing, names: Sequence[str]) -> None:
    """Shapes and words in one line, from the right."""
    at = float(drawing.width - 8)
    for index, name in reversed(list(enumerate(names))):
        wide = sum(13 if ord(char) > 0x2E80 else 7 for char in name)
        drawing.text(at - wide, 24, name, "t")
        drawing.marks([(at - wide - 10, 20)], index, f"dot c{index}", 4)
        at -= wide + 30

"""The plot of the answer times."""

from makegood.demo.report.figures import latencies, quantile
from makegood.demo.report.reader import Reader
from makegood.demo.run import Result
from makegood.replay.report.svg import Drawing, Scale, ticks

_WIDTH = 700


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

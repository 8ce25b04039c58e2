"""Plain SVG: scales, ticks, axes and marks as text. Colours are classes, so a style sheet themes them."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps [low, high] to [start, end] in pixels; `log` by the logarithm (low above 0)."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high, at = (self.low, self.high, value)
        if self.log:
            low, high, at = math.log10(low), math.log10(high), math.log10(max(value, self.low))
        return self.start + (at - low) / (high - low) * (self.end - self.start) if high > low else self.start


def ticks(high: float, about: int = 5) -> list[float]:
    """Round steps of 1, 2 or 5 from 0 to the first at or above `high`."""
    if high <= 0:
        return [0.0, 1.0]
    rough = high / about
    power = 10 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
    return [step * n for n in range(math.ceil(high / step - 1e-9) + 1)]


@dataclass(slots=True)
class Drawing:
    """An SVG of `width` by `height` units, read out as `title` and `says`. Methods add to it in painting order."""

    width: int
    height: int
    title: str
    says: str
    name: str
    _parts: list[str] = field(default_factory=list)

    def add(self, markup: str) -> None:
        """Markup that is already safe."""
        self._parts.append(markup)

    def text(self, x: float, y: float, words: str, kind: str = "t", anchor: str = "start") -> None:
        """Words at a point; `kind` is a class of the style sheet."""
        self.add(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>')

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
        """A straight line."""
        self.add(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>')

    def rect(self, x: float, y: float, width: float, height: float, kind: str, radius: float = 0) -> None:
        """A rectangle; nothing where it would be empty."""
        if width > 0 and height > 0:
            self.add(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
                f' rx="{radius:.1f}" class="{kind}"/>'
            )

    def steps(self, points: Sequence[tuple[float, float]], kind: str, floor: float | None = None) -> None:
        """A line that holds its value until the next point; filled down to `floor` where one is given."""
        if not points:
            return
        path = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
        path += [f"H{x:.1f}V{y:.1f}" for x, y in points[1:]]
        if floor is not None:
            path.append(f"V{floor:.1f}H{points[0][0]:.1f}Z")
        self.add(f'<path d="{"".join(path)}" class="{kind}"/>')

    def marks(self, points: Iterable[tuple[float, float]], shape: int, kind: str, size: float = 3.0) -> None:
        """Marks of one shape: 0 circle, 1 square, 2 triangle, 3 diamond."""
        path = "".join(_mark(x, y, shape, size) for x, y in points)
        if path:
            self.add(f'<path d="{path}" class="{kind}"/>')

    def frame(self, x: Scale, y: Scale, across: Sequence[tuple[float, str]], up: Sequence[tuple[float, str]]) -> None:
        """Horizontal grid lines with words at their left, and words below the bottom line."""
        for value, words in up:
            at = y(value)
            self.line(x.start, at, x.end, at, "axis" if value == y.low else "grid")
            if words:
                self.text(x.start - 8, at + 4, words, "tick", "end")
        for value, words in across:
            at = x(value)
            self.line(at, y.start, at, y.start + 5, "axis")
            self.text(at, y.start + 19, words, "tick", "middle")

    def render(self) -> str:
        """The SVG element, to be put into a page."""
        return (
            f'<svg viewBox="0 0 {self.width} {self.height}" role="img" aria-labelledby="{self.name}-t {self.name}-d"'
            f' xmlns="http://www.w3.org/2000/svg"><title id="{self.name}-t">{escape(self.title)}</title>'
            f'<desc id="{self.name}-d">{escape(self.says)}</desc>{"".join(self._parts)}</svg>'
        )


def thinned(points: Sequence[tuple[float, float]], apart: float = 0.7) -> list[tuple[float, float]]:
    """The points of a step line without those that no eye could tell apart, in pixels. First and last stay."""
    kept: list[tuple[float, float]] = []
    for point in points:
        if not kept or abs(point[0] - kept[-1][0]) + abs(point[1] - kept[-1][1]) >= apart:
            kept.append(point)
    if points and kept[-1] != points[-1]:
        kept.append(points[-1])
    return kept


def _mark(x: float, y: float, shape: int, r: float) -> str:
    match shape % 4:
        case 0:
            return f"M{x - r:.1f} {y:.1f}a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 {-2 * r} 0z"
        case 1:
            return f"M{x - r:.1f} {y - r:.1f}h{2 * r}v{2 * r}h{-2 * r}z"
        case 2:
            return f"M{x:.1f} {y - 1.2 * r:.1f}l{1.2 * r:.1f} {2.1 * r:.1f}h{-2.4 * r:.1f}z"
        case _:
            d = 1.35 * r
            return f"M{x:.1f} {y - d:.1f}l{d:.2f} {d:.2f}l{-d:.2f} {d:.2f}l{-d:.2f} {-d:.2f}z"

"""The money bar's geometry: shares of a width in hundredths of a per cent, as SVG attributes want them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_WHOLE = 10_000  # Hundredths of a per cent.
_VISIBLE = 40  # Money that is there is never too thin to see: 0.4 % of the width.
_GAP = 60  # Between two stages of a stepped bar.


@dataclass(frozen=True, slots=True)
class Segment:
    """One rectangle. `kind` is granted, reserved, open or closed; `x` and `width` are SVG percentages."""

    kind: str
    x: str
    width: str


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of a budget, minor units: from `low` to `high`, of which so much is granted, reserved and free."""

    number: int
    low: int
    high: int
    granted: int
    reserved: int
    is_open: bool

    @property
    def free(self) -> int:
        """Minor units that the next payments can take; 0 while the stage is closed."""
        return self.high - self.low - self.granted - self.reserved if self.is_open else 0

    @property
    def is_used_up(self) -> bool:
        """Open, with nothing left."""
        return self.is_open and self.free == 0


def steps(stages: Sequence[int], opened: int, granted: int, reserved: int) -> tuple[Step, ...]:
    """Stages (cumulative minor units), filled from the first on: granted money first, reserved money after it."""
    found, low = [], 0
    for number, high in enumerate(stages, 1):
        of_granted = _overlap(low, high, 0, granted)
        of_reserved = _overlap(low, high, granted, granted + reserved)
        found.append(Step(number, low, high, of_granted, of_reserved, high <= opened))
        low = high
    return tuple(found)


def stepped_bar(stages: Sequence[Step]) -> tuple[Segment, ...]:
    """Stages drawn equally wide, side by side, each filled to its own scale: a tenfold budget stays readable."""
    if not stages:
        return ()
    gap = min(_GAP, _WHOLE // (4 * len(stages)))
    width = (_WHOLE - gap * (len(stages) - 1)) // len(stages)
    segments: list[Segment] = []
    for index, step in enumerate(stages):
        rest = "open" if step.is_open else "closed"
        parts = (("granted", step.granted), ("reserved", step.reserved))
        segments += _fill(index * (width + gap), width, step.high - step.low, parts, rest)
    return tuple(segments)


def scale_bar(budget: int, granted: int, reserved: int, free: int) -> tuple[Segment, ...]:
    """The whole budget to scale: granted, reserved, open and free, and the rest that is not open yet."""
    parts = (("granted", granted), ("reserved", reserved), ("open", free))
    return tuple(_fill(0, _WHOLE, budget, parts, "closed"))


def share_bar(part: int, whole: int) -> tuple[Segment, ...]:
    """One part of a whole, such as what today has used of a day's limit."""
    return tuple(_fill(0, _WHOLE, whole, (("granted", part),), "open"))


def _overlap(low: int, high: int, start: int, end: int) -> int:
    return max(0, min(high, end) - max(low, start))


def _fill(left: int, width: int, whole: int, parts: Sequence[tuple[str, int]], rest: str) -> Iterator[Segment]:
    """Segments that fill `width` exactly: `parts` of `whole`, then the rest of it. An empty whole is all rest."""
    remainder = max(0, whole - sum(minor for _, minor in parts))
    shown = [(kind, minor) for kind, minor in (*parts, (rest, remainder)) if minor > 0] or [(rest, 1)]
    for (kind, _), wide in zip(shown, _widths([minor for _, minor in shown], width), strict=True):
        yield Segment(kind, _percent(left), _percent(wide))
        left += wide


def _widths(amounts: Sequence[int], width: int) -> list[int]:
    """Shares of `width`, summing to it. None is too thin to see; what that takes, the widest gives."""
    whole = sum(amounts)
    widths = [max(amount * width // whole, _VISIBLE) for amount in amounts]
    widths[widths.index(max(widths))] += width - sum(widths)
    return widths


def _percent(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02d}%"

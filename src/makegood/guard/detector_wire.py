"""Evidence as plain values that JSON can carry, and strictly back: what is odd is refused, never guessed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

from makegood.guard.cusum import Cusum
from makegood.guard.detector_cell import PAYMENTS_KEPT
from makegood.guard.edetector import CAPITAL_MAX
from makegood.limits import ID_CHARS_MAX

VERSION = 1
COUNT_MAX = 10**18  # Where counters stay; a thousand years of the largest peak, and more money than there is.

Plain = dict[str, Any]


def cusum_to(cusum: Cusum) -> list[Any]:
    """A CUSUM as a list; its counters stay at `COUNT_MAX`."""
    counts = (min(one, COUNT_MAX) for one in (cusum.payments, cusum.grants, cusum.amount))
    return [cusum.score, *counts]


def cusum_from(raw: Any, what: str) -> Cusum:
    """A CUSUM from its list. Raises ValueError with the reason."""
    if not isinstance(raw, list) or len(raw) != 4:
        raise ValueError(f"{what} is not a list of four")
    score, *counts = raw
    return Cusum(number(score, what, -CAPITAL_MAX), *(count(one, what) for one in counts))


def numbers(raw: Any, length: int, what: str) -> Sequence[float]:
    """So many numbers from 0 to `CAPITAL_MAX`. Raises ValueError with the reason."""
    if not isinstance(raw, list) or len(raw) != length:
        raise ValueError(f"{what} is not a list of {length} numbers")
    return tuple(number(one, what, 0) for one in raw)


def number(raw: Any, what: str, least: float) -> float:
    """A number from `least` to `CAPITAL_MAX`. Raises ValueError with the reason."""
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise ValueError(f"{what} holds what is no number")
    if not isfinite(raw) or not least <= raw <= CAPITAL_MAX:
        raise ValueError(f"{what} holds a number that cannot be")
    return float(raw)


def count(raw: Any, what: str) -> int:
    """A whole number from 0 to `COUNT_MAX`. Raises ValueError with the reason."""
    if isinstance(raw, bool) or not isinstance(raw, int) or not 0 <= raw <= COUNT_MAX:
        raise ValueError(f"{what} is no count")
    return raw


def ids(raw: Any, what: str) -> Iterable[str]:
    """Payment ids, as many as an alarm shows at most. Raises ValueError with the reason."""
    if not isinstance(raw, list) or len(raw) > PAYMENTS_KEPT:
        raise ValueError(f"{what} is not a list of {PAYMENTS_KEPT} ids at most")
    if any(not isinstance(one, str) or len(one) > ID_CHARS_MAX for one in raw):
        raise ValueError(f"{what} holds what is no id")
    return raw


def table(raw: Any, what: str) -> Mapping[str, Any]:
    """An object with names. Raises ValueError with the reason."""
    if not isinstance(raw, dict) or any(not isinstance(one, str) for one in raw):
        raise ValueError(f"{what} is not an object")
    return raw


def record(raw: Any, keys: frozenset[str], what: str) -> Mapping[str, Any]:
    """An object with exactly these keys. Raises ValueError with the reason."""
    found = table(raw, what)
    if found.keys() != keys:
        raise ValueError(f"{what} must have {', '.join(sorted(keys))}")
    return found


def versioned(raw: Any, keys: frozenset[str], what: str) -> Mapping[str, Any]:
    """A record of this version. Raises ValueError with the reason."""
    found = record(raw, keys | {"version"}, what)
    if found["version"] != VERSION or isinstance(found["version"], bool):
        raise ValueError(f"{what} is not of version {VERSION}")
    return found


def each_cell(raw: Any, take: Callable[[str, str, Any], None]) -> None:
    """`take` is told every campaign, cell and its value. Raises ValueError with the reason."""
    for campaign, cells in table(raw, "the campaigns").items():
        for name, value in table(cells, f"campaign `{campaign}`").items():
            if name not in ("share", "mean", "outside") and not name.startswith("scene:"):
                raise ValueError(f"campaign `{campaign}` has no cell `{name}`")
            take(campaign, name, value)

"""The parts of a scenario file, each read with a finding for everything that is wrong in it."""

from collections.abc import Sequence

from makegood.clock import time_zone
from makegood.documents.parts import read_texts
from makegood.documents.reading import Fields, Place, Reading
from makegood.documents.scalar import Kind
from makegood.findings import FindingCode
from makegood.money import BASIS_POINTS
from makegood.replay.guards import LADDER
from makegood.replay.scenario import Bound, SceneMix, Stop, Texts, Traffic

SOURCES = ("generated", "real")
GUESS = "~"  # Press reports and arithmetic begin with it, so that nobody takes them for facts.
_SECONDS_MAX = 366 * 86_400
_NODES_MAX = 1_000


def read_statements(reading: Reading, places: Sequence[Place], *, guessed: bool = False) -> tuple[Texts, ...]:
    """Texts in both languages. A guess begins with `~`, and nothing else does."""
    found = []
    for place in places:
        texts = read_texts(reading, place)
        if texts is None:
            continue
        if any(text.startswith(GUESS) != guessed for text in texts.values()):
            message = f"a guess begins with `{GUESS}`" if guessed else f"only a guess begins with `{GUESS}`"
            reading.error(place, FindingCode.VALUE_IS_WRONG, message)
        found.append({language: text.removeprefix(GUESS) for language, text in texts.items()})
    return tuple(found)


def read_zone(reading: Reading, place: Place) -> str | None:
    """An IANA time zone."""
    text = reading.text(place)
    try:
        return time_zone(text).key if text is not None else None
    except ValueError as error:
        reading.error(place, FindingCode.VALUE_IS_WRONG, str(error))
        return None


def read_traffic(reading: Reading, place: Place) -> Traffic | None:
    """How payments come."""
    required = ("source", "payments_per_second", "burst", "eligible", "scenes")
    fields = reading.fields(place, required, ("nodes",), of="traffic")
    if fields is None or any(key not in fields for key in required):
        return None
    source = reading.text(fields["source"])
    if source is not None and source not in SOURCES:
        reading.error(fields["source"], FindingCode.VALUE_IS_WRONG, f"must be one of {', '.join(SOURCES)}")
    rate = reading.fields(fields["payments_per_second"], ("low", "high"), of="a rate") or {}
    burst = reading.fields(fields["burst"], ("seconds", "variance_over_mean"), of="a burst") or {}
    low, high = _number(reading, rate, "low"), _number(reading, rate, "high")
    seconds = reading.whole(burst["seconds"], 1, _SECONDS_MAX) if "seconds" in burst else None
    scatter, eligible = _number(reading, burst, "variance_over_mean"), reading.rate(fields["eligible"])
    scenes, nodes = _scenes(reading, fields["scenes"]), _nodes(reading, fields)
    if low is not None and high is not None and not 0 < low <= high:
        message = "`low` must be above 0 and not above `high`"
        reading.error(fields["payments_per_second"], FindingCode.VALUE_IS_WRONG, message)
    if source is None or low is None or high is None or seconds is None or scatter is None or eligible is None:
        return None
    return Traffic(source, low, high, seconds, scatter, eligible, scenes, *nodes)


def _scenes(reading: Reading, place: Place) -> tuple[SceneMix, ...]:
    found = []
    for scene, entry in reading.named(place).items():
        fields = reading.fields(entry, ("share", "times"), of="a scene") or {}
        share, times = reading.rate(fields["share"]) if "share" in fields else None, _number(reading, fields, "times")
        if share is not None and times is not None:
            found.append(SceneMix(scene, share, times))
    if sum(mix.share for mix in found) != BASIS_POINTS:
        reading.error(place, FindingCode.SHARES_ARE_NOT_WHOLE, "the shares of the scenes do not add up to 100%")
    return tuple(found)


def _nodes(reading: Reading, fields: Fields) -> tuple[int, int]:
    """How many nodes there are, and how many of them have the wrong revision: all of one, where nothing is said."""
    if "nodes" not in fields:
        return 1, 1
    nodes = reading.fields(fields["nodes"], ("count", "stale"), of="nodes") or {}
    count = reading.whole(nodes["count"], 2, _NODES_MAX) if "count" in nodes else None
    stale = reading.whole(nodes["stale"], 1, (count or 2) - 1) if "stale" in nodes else None
    return count or 1, stale or 1


def read_bounds(reading: Reading, place: Place) -> tuple[Bound, ...]:
    """What each guard can do; every guard of the ladder has its line."""
    fields = reading.fields(place, LADDER, of="what guards can do")
    found = []
    for guard, entry in (fields or {}).items():
        keys = reading.fields(entry, ("why",), ("grants", "money", "by"), of="what a guard can do") or {}
        grants = reading.whole(keys["grants"], 0, _SECONDS_MAX) if "grants" in keys else None
        minor = reading.money(keys["money"]) if "money" in keys else None
        by = reading.identifier(keys["by"]) if "by" in keys else None
        why = read_statements(reading, [keys["why"]] if "why" in keys else [])
        if why:
            found.append(Bound(guard, grants, minor, by, why[0]))
    return tuple(found)


def read_stop(reading: Reading, place: Place) -> Stop | None:
    """Who asks to stop it, and when."""
    fields = reading.fields(place, ("after_seconds", "by"), of="a stop")
    if fields is None or len(fields) < 2:
        return None
    seconds, by = reading.whole(fields["after_seconds"], 0, _SECONDS_MAX), reading.identifier(fields["by"])
    return Stop(seconds, by) if seconds is not None and by is not None else None


def _number(reading: Reading, fields: Fields, key: str) -> float | None:
    """A number that is not below 0."""
    if key not in fields:
        return None
    node = fields[key].node
    if node.kind not in (Kind.INTEGER, Kind.NUMBER) or not 0 <= float(node.value) < _SECONDS_MAX:
        reading.wrong_type(fields[key], "a number that is not below 0")
        return None
    return float(node.value)

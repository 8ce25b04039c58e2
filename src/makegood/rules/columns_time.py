"""Calendar fields and the texts of instants and durations, in SQL. Instants and durations are nanoseconds, wide."""

from typing import Final

from makegood.clock import SECOND
from makegood.rules.civil import TIMESTAMP_MAX, TIMESTAMP_MIN
from makegood.rules.columns_scope import Scope
from makegood.rules.columns_zone import zone_offset
from makegood.rules.types import INT, STRING

_DAY: Final = 86_400
_ORIGIN_DAYS: Final = 719_468  # Days from 0000-03-01 to 1970-01-01; counted from there, nothing is negative.
_ORIGIN: Final = _ORIGIN_DAYS * _DAY
_THURSDAY: Final = (4 - _ORIGIN_DAYS) % 7  # 1970-01-01 was one; Sunday is 0.
_OF_DATE: Final = {
    "getFullYear": "year({0})",
    "getMonth": "month({0}) - 1",
    "getDate": "day({0})",
    "getDayOfMonth": "day({0}) - 1",
    "getDayOfYear": "dayofyear({0}) - 1",
}
_CLOCK: Final = ("getHours", "getMinutes", "getSeconds")
_UNITS: Final = {"getHours": 3600 * SECOND, "getMinutes": 60 * SECOND, "getSeconds": SECOND}


def since_origin(instant: str) -> str:
    """Nanoseconds since 0000-03-01, never negative."""
    return f"({instant} + {_ORIGIN * SECOND})"


def whole_seconds(scope: Scope, instant: str) -> str:
    """Seconds since 1970, cut towards the past."""
    return scope.int64(f"{scope.dialect.quotient(since_origin(instant), str(SECOND))} - {_ORIGIN}")


def instant_of_seconds(scope: Scope, seconds: str) -> str:
    """The instant so many seconds after 1970; NULL outside the years 1 to 9999."""
    return scope.within(f"({scope.widened(seconds)} * {SECOND})", TIMESTAMP_MIN, TIMESTAMP_MAX)


def instant_part(scope: Scope, name: str, instant: str, zone: str | None) -> str:
    """A calendar field of an instant in a zone."""
    if name == "getMilliseconds":
        return scope.int64(f"{scope.dialect.quotient(since_origin(instant), '1000000')} % 1000")

    def read(bound: str) -> str:
        second = whole_seconds(scope, bound)
        return _part(scope, name, f"({second} + {zone_offset(scope, bound, second, zone)} + {_ORIGIN})")

    return scope.bind(instant, read)


def _part(scope: Scope, name: str, second: str) -> str:
    """A field of a local second since 0000-03-01."""
    quotient = scope.dialect.quotient
    match name:
        case "getSeconds":
            return f"({second} % 60)"
        case "getMinutes":
            return quotient(f"({second} % 3600)", "60")
        case "getHours":
            return quotient(f"({second} % {_DAY})", "3600")
        case "getDayOfWeek":
            return f"(({quotient(second, str(_DAY))} + {_THURSDAY}) % 7)"
    return scope.int64(_OF_DATE[name].format(_date(scope, second)))


def _date(scope: Scope, second: str) -> str:
    return scope.dialect.date(f"{scope.dialect.quotient(second, str(_DAY))} - {_ORIGIN_DAYS}")


def duration_part(scope: Scope, name: str, duration: str) -> str:
    """Whole hours, minutes or seconds of a duration, cut towards zero; the milliseconds beside its seconds."""
    quotient = scope.dialect.quotient
    if name == "getMilliseconds":
        return scope.int64(quotient(f"({duration} % {SECOND})", "1000000"))
    return scope.int64(quotient(duration, str(_UNITS[name])))


def instant_text(scope: Scope, instant: str) -> str:
    """RFC 3339 in UTC with 0, 3, 6 or 9 fractional digits."""

    def written(bound: str) -> str:
        second = f"({scope.int64(scope.dialect.quotient(since_origin(bound), str(SECOND)))})"
        day = scope.cast(_date(scope, second), STRING)
        clock = " || ':' || ".join(_padded(scope, _part(scope, name, second), 2) for name in _CLOCK)
        return f"({day} || 'T' || {clock} || {_fraction(scope, since_origin(bound))} || 'Z')"

    return scope.bind(instant, written)


def duration_text(scope: Scope, duration: str) -> str:
    """Seconds with 0, 3, 6 or 9 fractional digits and an `s`."""

    def written(bound: str) -> str:
        sign = f"(CASE WHEN {bound} < 0 THEN '-' ELSE '' END)"
        seconds = scope.cast(scope.dialect.quotient(f"abs({bound})", str(SECOND)), STRING)
        return f"({sign} || {seconds} || {_fraction(scope, f'abs({bound})')} || 's')"

    return scope.bind(duration, written)


def _fraction(scope: Scope, nanos: str) -> str:
    """The part below a second of what is not negative: nothing, or a point and 3, 6 or 9 digits."""
    digits = _padded(scope, f"({nanos} % {SECOND})", 9)
    return scope.dialect.cut(f"('.' || {digits})", "[.]?(000)+$")


def _padded(scope: Scope, number: str, width: int) -> str:
    return f"lpad({scope.cast(scope.cast(number, INT), STRING)}, {width}, '0')"

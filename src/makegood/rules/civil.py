"""Instants as people read them: calendar fields in any zone, in integer arithmetic over all the years that CEL has.

An instant is nanoseconds since 1970-01-01T00:00:00Z. The calendar is proleptic Gregorian, after Howard Hinnant's
"chrono-compatible low-level date algorithms". Python's own `datetime` ends where a zone leaves year 1 or 9999.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from makegood.clock import SECOND, time_zone

TIMESTAMP_MIN: Final = -62_135_596_800 * SECOND  # 0001-01-01T00:00:00Z
TIMESTAMP_MAX: Final = 253_402_300_800 * SECOND - 1  # 9999-12-31T23:59:59.999999999Z
MILLISECOND: Final = 1_000_000

_DAY: Final = 86_400
_ERA_DAYS: Final = 146_097  # Days of 400 years, after which the calendar repeats.
_ERA_SECONDS: Final = _ERA_DAYS * _DAY
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SAFE_MIN: Final = TIMESTAMP_MIN // SECOND + 2 * _DAY
_SAFE_MAX: Final = TIMESTAMP_MAX // SECOND - 2 * _DAY
_FIXED: Final = re.compile(r"([+-]?)(\d\d):(\d\d)", re.ASCII)

Offset = Callable[[int], int]


def offset_of(zone: str | None) -> Offset:
    """Seconds east of UTC at an instant in seconds. Raises ValueError where there is no such zone."""
    if zone is None:
        return lambda _: 0
    if match := _FIXED.fullmatch(zone):
        fixed = _fixed(match)
        return lambda _: fixed
    return _named(zone)


def _fixed(match: re.Match[str]) -> int:
    hours, minutes = int(match[2]), int(match[3])
    if hours > 23 or minutes > 59:
        raise ValueError(f"`{match[0]}` is not an offset below 24:00")
    return (hours * 3600 + minutes * 60) * (-1 if match[1] == "-" else 1)


def _named(name: str) -> Offset:
    if ":" in name or not name:
        raise ValueError(f"`{name[:64]}` is not a time zone")
    zone = time_zone(name)

    def offset(seconds: int) -> int:
        # At both ends of time a zone's rules are the same 400 years further in.
        shift = _ERA_SECONDS if seconds < _SAFE_MIN else -_ERA_SECONDS if seconds > _SAFE_MAX else 0
        moment = (_EPOCH + timedelta(seconds=seconds + shift)).astimezone(zone)
        delta = moment.utcoffset()
        assert delta is not None, name
        return delta.days * _DAY + delta.seconds

    return offset


def civil(days: int) -> tuple[int, int, int]:
    """Year, month and day of month of a count of days since 1970-01-01."""
    era, of_era = divmod(days + 719_468, _ERA_DAYS)
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    return year + era * 400 + (month <= 2), month, day


def days_of(year: int, month: int, day: int) -> int:
    """The count of days since 1970-01-01; the inverse of `civil`."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * _ERA_DAYS + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def _day_of_year(days: int) -> int:
    return days - days_of(civil(days)[0], 1, 1)


_OF_DAY: Final[Mapping[str, Callable[[int], int]]] = {
    "getFullYear": lambda days: civil(days)[0],
    "getMonth": lambda days: civil(days)[1] - 1,
    "getDate": lambda days: civil(days)[2],
    "getDayOfMonth": lambda days: civil(days)[2] - 1,
    "getDayOfWeek": lambda days: (days + 4) % 7,
    "getDayOfYear": _day_of_year,
}
_OF_SECOND: Final[Mapping[str, Callable[[int], int]]] = {
    "getHours": lambda seconds: seconds % _DAY // 3600,
    "getMinutes": lambda seconds: seconds % 3600 // 60,
    "getSeconds": lambda seconds: seconds % 60,
}


def accessor(name: str, zone: str | None) -> Callable[[int], int]:
    """The function that reads this calendar field of an instant in this zone."""
    if name == "getMilliseconds":
        return lambda instant: instant // MILLISECOND % 1000
    offset = offset_of(zone)
    if name in _OF_SECOND:
        of_second = _OF_SECOND[name]
        return lambda instant: of_second((seconds := instant // SECOND) + offset(seconds))
    of_day = _OF_DAY[name]
    return lambda instant: of_day(((seconds := instant // SECOND) + offset(seconds)) // _DAY)


def instant_text(instant: int) -> str:
    """RFC 3339 in UTC with 0, 3, 6 or 9 fractional digits, as the CEL runtime writes it."""
    seconds, nanos = divmod(instant, SECOND)
    days, rest = divmod(seconds, _DAY)
    year, month, day = civil(days)
    clock = f"{rest // 3600:02}:{rest % 3600 // 60:02}:{rest % 60:02}"
    return f"{year:04}-{month:02}-{day:02}T{clock}{_fraction(nanos)}Z"


def duration_text(duration: int) -> str:
    """Seconds with 0, 3, 6 or 9 fractional digits and an `s`, as the CEL runtime writes it."""
    seconds, nanos = divmod(abs(duration), SECOND)
    return f"{'-' if duration < 0 else ''}{seconds}{_fraction(nanos)}s"


def _fraction(nanos: int) -> str:
    if not nanos:
        return ""
    digits = f"{nanos:09}"
    return "." + (digits[:3] if digits.endswith("000000") else digits[:6] if digits.endswith("000") else digits)

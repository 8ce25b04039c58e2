"""One instant type and one clock.

An `Instant` is an `int`: nanoseconds since 1970-01-01T00:00:00Z, so comparisons cost what integers cost and
CEL's nanoseconds are exact. Outside it is RFC 3339; PostgreSQL keeps its microseconds.
"""

import datetime as dt
import re
import time
from collections.abc import Callable
from datetime import UTC
from functools import lru_cache
from zoneinfo import ZoneInfo

SECOND = 1_000_000_000
MICROSECOND = 1_000

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)


class Instant(int):
    """A point in time: nanoseconds since the epoch, UTC, proleptic Gregorian, no leap seconds."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "Instant":
        """The instant an RFC 3339 text names. Raises ValueError with a reason in words."""
        match = _RFC3339.fullmatch(text)
        if match is None:
            raise ValueError("is not an RFC 3339 instant such as 2027-02-01T00:00:00+08:00")
        second, fraction, zone = match.groups()
        return cls(_second_of(second, zone) * SECOND + (int(fraction.ljust(9, "0")) if fraction else 0))

    @classmethod
    def of(cls, moment: dt.datetime) -> "Instant":
        """The instant of an aware datetime."""
        assert moment.tzinfo is not None, "a naive datetime names no instant"
        delta = moment - _EPOCH
        return cls((delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds * MICROSECOND)

    def plus(self, seconds: int) -> "Instant":
        """This instant moved by whole seconds."""
        return Instant(int(self) + seconds * SECOND)

    def datetime(self) -> dt.datetime:
        """As an aware datetime in UTC, cut to microseconds."""
        return _EPOCH + dt.timedelta(microseconds=int(self) // MICROSECOND)

    def local(self, zone: str) -> dt.datetime:
        """As an aware datetime in an IANA zone, cut to microseconds."""
        return self.datetime().astimezone(time_zone(zone))

    def day(self, zone: str) -> dt.date:
        """The calendar day it falls on in an IANA zone."""
        return self.local(zone).date()

    def text(self) -> str:
        """RFC 3339 in UTC with as many fractional digits as it needs."""
        whole, nanos = divmod(int(self), SECOND)
        return _second_text(whole) + (f".{nanos:09d}".rstrip("0") if nanos else "") + "Z"


Clock = Callable[[], Instant]


def system_clock() -> Instant:
    """The wall clock, UTC."""
    return Instant.of(dt.datetime.now(UTC))


def stopwatch() -> int:
    """Nanoseconds of a monotonic clock: for how long something took, never for when it was."""
    return time.monotonic_ns()


@lru_cache(maxsize=64)
def time_zone(name: str) -> ZoneInfo:
    """The IANA zone of that name. Raises ValueError where there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"`{name}` is not an IANA time zone") from error


def _seconds(moment: dt.datetime) -> int:
    delta = moment - _EPOCH
    return delta.days * 86_400 + delta.seconds


@lru_cache(maxsize=1024)
def _second_of(text: str, zone: str) -> int:
    """Seconds since the epoch of a date and time with an offset, both well formed: many payments share a second."""
    try:
        whole = dt.datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError as error:
        raise ValueError(f"is not a real instant: {error}") from None
    if zone in "Zz":
        return _seconds(whole)
    hours, minutes = int(zone[1:3]), int(zone[4:])
    if hours > 23 or minutes > 59:
        raise ValueError("has an offset beyond 23:59")
    offset = hours * 3600 + minutes * 60
    return _seconds(whole) - (offset if zone[0] == "+" else -offset)


@lru_cache(maxsize=1024)
def _second_text(second: int) -> str:
    """A whole second since the epoch as RFC 3339 writes it, without its zone."""
    return (_EPOCH + dt.timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")

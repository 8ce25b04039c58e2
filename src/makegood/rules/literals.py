"""Literal timestamps and durations, read by the CEL runtime itself, so that every form it takes means what it says."""

import re
from functools import lru_cache
from typing import Any, Final

from cel_expr_python import cel

from makegood.clock import SECOND
from makegood.rules.civil import days_of
from makegood.rules.types import TIMESTAMP, CelType

INT64_MAX: Final = 2**63 - 1
INT64_MIN: Final = -(2**63)

_TIMESTAMP: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?Z", re.ASCII)
_DURATION: Final = re.compile(r"(-?)(\d+)(?:\.(\d+))?s", re.ASCII)


def read_literal(kind: CelType, text: str) -> int:
    """Nanoseconds of `timestamp(text)` or `duration(text)`. Raises ValueError where the runtime has no value."""
    written = _ask(str(kind), text)
    return _instant(written) if kind == TIMESTAMP else _duration(written)


def _ask(function: str, text: str) -> str:
    value = _normaliser(function).eval(data={"text": text})
    if value.type() != cel.Type.STRING:
        raise ValueError(f"`{text[:64]}` is not a {function}")
    written: str = value.value()
    return written


@lru_cache(maxsize=2)
def _normaliser(function: str) -> Any:
    return cel.NewEnv(variables={"text": cel.Type.STRING}).compile(f"string({function}(text))")


def _instant(text: str) -> int:
    match = _TIMESTAMP.fullmatch(text)
    assert match is not None, text
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    seconds = days_of(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
    return seconds * SECOND + _nanos(match[7])


def _duration(text: str) -> int:
    match = _DURATION.fullmatch(text)
    assert match is not None, text
    return (int(match[2]) * SECOND + _nanos(match[3])) * (-1 if match[1] else 1)


def _nanos(fraction: str | None) -> int:
    return int((fraction or "").ljust(9, "0"))

"""Values of expressions as JSON, both ways: RFC 3339 timestamps, durations such as "3600s"."""

import re
from typing import Any, Final

from makegood.clock import SECOND, Instant
from makegood.rules.civil import TIMESTAMP_MAX, TIMESTAMP_MIN, duration_text, instant_text
from makegood.rules.literals import INT64_MAX, INT64_MIN
from makegood.rules.runtime import widener
from makegood.rules.types import BOOL, DYN, INT, NULL, STRING, CelType, Kind, list_of, unify

_DURATION: Final = re.compile(r"(-?)(\d{1,12})(?:\.(\d{1,9}))?s", re.ASCII)
_DEPTH_MAX: Final = 16


def type_of_json(value: Any, depth: int = 0) -> CelType:
    """The type of a JSON value that was declared nowhere. Raises ValueError for what rules have no values of."""
    match value:
        case None:
            return NULL
        case bool():
            return BOOL
        case int():
            return INT
        case str():
            return STRING
        case list() if depth < _DEPTH_MAX:
            found = [type_of_json(each, depth + 1) for each in value]
            joint = found[0] if found else DYN
            for each in found[1:]:
                joint = unify(joint, each)
            return list_of(joint)
    raise ValueError(f"{_kind(value)} is not supported")


def from_json(value: Any, kind: CelType) -> Any:
    """The value of this type that a JSON value stands for. Raises ValueError where it stands for none."""
    match kind.kind:
        case Kind.LIST if isinstance(value, list):
            assert kind.element is not None
            return tuple(from_json(each, kind.element) for each in value)
        case Kind.DYN:
            own = type_of_json(value)
            return widener(own, DYN)(from_json(value, own))
        case Kind.BOOL if isinstance(value, bool):
            return value
        case Kind.INT if isinstance(value, int) and not isinstance(value, bool) and INT64_MIN <= value <= INT64_MAX:
            return value
        case Kind.STRING if isinstance(value, str) and not any("\ud800" <= char <= "\udfff" for char in value):
            return value
        case Kind.NULL if value is None:
            return value
        case Kind.TIMESTAMP if isinstance(value, str):
            return _instant(value)
        case Kind.DURATION if isinstance(value, str):
            return _duration(value)
    raise ValueError(f"{_kind(value)} is not a value of type `{kind}`")


def to_json(value: Any, kind: CelType) -> Any:
    """The JSON value that stands for a value of this type."""
    match kind.kind:
        case Kind.LIST:
            assert kind.element is not None
            return [to_json(each, kind.element) for each in value]
        case Kind.DYN:
            own, inner = value
            return to_json(inner, list_of(DYN) if own is Kind.LIST else CelType(own))
        case Kind.TIMESTAMP:
            return instant_text(value)
        case Kind.DURATION:
            return duration_text(value)
    return value


def _instant(text: str) -> int:
    instant = int(Instant.parse(text))
    if not TIMESTAMP_MIN <= instant <= TIMESTAMP_MAX:
        raise ValueError("is outside the years 1 to 9999")
    return instant


def _duration(text: str) -> int:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError('is not a duration such as "3600s"')
    nanos = int(match[2]) * SECOND + int((match[3] or "").ljust(9, "0"))
    nanos = -nanos if match[1] else nanos
    if not INT64_MIN <= nanos <= INT64_MAX:
        raise ValueError("is longer than 292 years")
    return nanos


def _kind(value: Any) -> str:
    names = {bool: "a boolean", int: "this whole number", float: "a number with a point", str: "this text"}
    names |= {list: "this list", dict: "an object", type(None): "null"}
    return names.get(type(value), type(value).__name__)

"""What generated functions call where Python is not CEL: checked arithmetic, absorbed errors, conversions.

Every function raises EvaluationError exactly where the CEL runtime has an error. Durations are int64 nanoseconds.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NoReturn

from makegood.clock import SECOND
from makegood.rules.civil import TIMESTAMP_MAX, TIMESTAMP_MIN
from makegood.rules.literals import INT64_MAX, INT64_MIN
from makegood.rules.types import CelType, Kind

_INTEGER: Final = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]+)[ \t\n\v\f\r]*")
_TRUE: Final = frozenset(("1", "t", "true", "TRUE", "True"))
_FALSE: Final = frozenset(("0", "f", "false", "FALSE", "False"))


class EvaluationError(Exception):
    """A CEL error: the expression has no value here. In a condition it means: not eligible."""


def fail(message: str) -> NoReturn:
    """Raise the error of an expression that never has a value."""
    raise EvaluationError(message)


def fit(value: int) -> int:
    """The same int. Raises where it is no int64."""
    if INT64_MIN <= value <= INT64_MAX:
        return value
    raise EvaluationError("integer overflow")


def divide(left: int, right: int) -> int:
    """The quotient, cut towards zero."""
    if right == 0:
        raise EvaluationError("divide by zero")
    quotient = abs(left) // abs(right)
    return fit(quotient if (left < 0) == (right < 0) else -quotient)


def modulo(left: int, right: int) -> int:
    """What the division leaves; it has the sign of `left`. The runtime also refuses the smallest int by -1."""
    if right == 0:
        raise EvaluationError("modulus by zero")
    if right == -1:
        fit(-left)
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


def fit_instant(value: int) -> int:
    """The same instant. Raises where it is outside the years 1 to 9999."""
    if TIMESTAMP_MIN <= value <= TIMESTAMP_MAX:
        return value
    raise EvaluationError("timestamp overflow")


def instant_difference(left: int, right: int) -> int:
    """The duration between two instants. Like the runtime, whole seconds must fit before the rest is added."""
    (seconds, nanos), (less, fewer) = divmod(left, SECOND), divmod(right, SECOND)
    return fit(fit((seconds - less) * SECOND) + nanos - fewer)


def entry(entries: Sequence[Any], index: int) -> Any:
    """The entry of a list at an index from zero."""
    if 0 <= index < len(entries):
        return entries[index]
    raise EvaluationError(f"index {index} is outside a list of {len(entries)}")


def read(fields: Any, name: str) -> Any:
    """A field of the payment that may be missing."""
    try:
        return fields[name]
    except KeyError:
        raise EvaluationError(f"`payment.{name}` is missing") from None


def all_of(terms: Iterable[Callable[[], bool]]) -> bool:
    """False where any term is false, else an error where any is one, else true."""
    error = None
    for term in terms:
        try:
            if not term():
                return False
        except EvaluationError as caught:
            error = error or caught
    if error is not None:
        raise error
    return True


def any_of(terms: Iterable[Callable[[], bool]]) -> bool:
    """True where any term is true, else an error where any is one, else false."""
    error = None
    for term in terms:
        try:
            if term():
                return True
        except EvaluationError as caught:
            error = error or caught
    if error is not None:
        raise error
    return False


def truncated_units(duration: int, unit: int) -> int:
    """Whole units of a duration, cut towards zero."""
    return -(-duration // unit) if duration < 0 else duration // unit


def milliseconds_of(duration: int) -> int:
    """The milliseconds beside the whole seconds of a duration, with its sign."""
    rest = truncated_units(abs(duration) % SECOND, 1_000_000)
    return -rest if duration < 0 else rest


def text_to_int(text: str) -> int:
    """The int that a text in decimal digits names."""
    match = _INTEGER.fullmatch(text)
    # Twenty characters hold any int64; leading zeros may make it longer.
    if match is None or len(digits := match[1].lstrip("+-").lstrip("0")) > 20:
        raise EvaluationError("the text is not an int")
    value = int(digits or "0")
    return fit(-value if match[1].startswith("-") else value)


def text_to_bool(text: str) -> bool:
    """The bool that a text names."""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise EvaluationError("the text is not a bool")


def seconds_to_instant(seconds: int) -> int:
    """The instant so many seconds after 1970-01-01T00:00:00Z."""
    return fit_instant(seconds * SECOND)


def narrow(value: tuple[Kind, Any], kind: Kind) -> Any:
    """The value without its type. Raises where it is of another type."""
    if value[0] is not kind:
        raise EvaluationError(f"no operation takes `{value[0]}` here")
    return value[1]


def widener(kind: CelType, wanted: CelType) -> Callable[[Any], Any]:
    """The function that makes values of a type carry it: (kind, value), entry by entry in a list."""
    if kind == wanted or kind.kind is Kind.DYN:
        return lambda value: value
    if kind.element and wanted.element:
        each = widener(kind.element, wanted.element)
        return lambda entries: tuple(each(value) for value in entries)
    if kind.element:
        inner = widener(kind.element, CelType(Kind.DYN))
        return lambda entries: (Kind.LIST, tuple(inner(value) for value in entries))
    return lambda value: (kind.kind, value)

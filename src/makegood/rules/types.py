"""The types that an expression of a rule may have."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """The closed list of kinds. DYN is a value whose type is only known when it is read."""

    BOOL = "bool"
    INT = "int"
    STRING = "string"
    TIMESTAMP = "timestamp"
    DURATION = "duration"
    NULL = "null"
    LIST = "list"
    DYN = "dyn"
    PAYMENT = "payment"


@dataclass(frozen=True, slots=True)
class CelType:
    """A kind, and for a list the type of its elements. `str()` gives the name that people write."""

    kind: Kind
    element: "CelType | None" = None

    def __str__(self) -> str:
        return f"list({self.element})" if self.element else self.kind.value


BOOL: Final = CelType(Kind.BOOL)
INT: Final = CelType(Kind.INT)
STRING: Final = CelType(Kind.STRING)
TIMESTAMP: Final = CelType(Kind.TIMESTAMP)
DURATION: Final = CelType(Kind.DURATION)
NULL: Final = CelType(Kind.NULL)
DYN: Final = CelType(Kind.DYN)
PAYMENT: Final = CelType(Kind.PAYMENT)

_NAMED: Final = {str(named): named for named in (BOOL, INT, STRING, TIMESTAMP, DURATION, NULL, DYN)}
_NESTING_MAX: Final = 16
_LIST: Final = re.compile(r"list\((.*)\)", re.DOTALL)


def list_of(element: CelType) -> CelType:
    """The type of lists whose elements have this type."""
    return CelType(Kind.LIST, element)


def parse_type(text: str) -> CelType:
    """The type a name such as `int` or `list(string)` means. Raises ValueError with a reason in words."""
    name, depth = "".join(text.split()), 0
    while (match := _LIST.fullmatch(name)) is not None and depth < _NESTING_MAX:
        name, depth = match[1], depth + 1
    if name not in _NAMED:
        raise ValueError(f"`{text[:64]}` is not a type that rules know; they know {', '.join(_NAMED)}, list(...)")
    found = _NAMED[name]
    for _ in range(depth):
        found = list_of(found)
    return found


def unify(left: CelType, right: CelType) -> CelType:
    """The narrowest type that holds values of both."""
    if left == right:
        return left
    if left.element and right.element:
        return list_of(unify(left.element, right.element))
    return DYN


def is_dynamic(found: CelType) -> bool:
    """Whether values of this type carry their type with them."""
    return found.kind in (Kind.DYN, Kind.NULL) or (found.element is not None and is_dynamic(found.element))

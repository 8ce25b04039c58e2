"""Calls: operators and functions of the subset, each to the node that names it."""

from collections.abc import Callable
from typing import Any, Final

from makegood.findings import FindingCode, Severity
from makegood.rules.civil import offset_of
from makegood.rules.context import TYPE_HINTS, Below, narrow, widen
from makegood.rules.expression import (
    Accessor,
    And,
    Arithmetic,
    Compare,
    Conditional,
    Constant,
    Convert,
    Failing,
    In,
    Index,
    ListLiteral,
    Narrow,
    Negate,
    Node,
    Not,
    Or,
    Position,
    Size,
    TextTest,
)
from makegood.rules.literals import INT64_MAX, INT64_MIN, read_literal
from makegood.rules.types import BOOL, DURATION, DYN, INT, STRING, TIMESTAMP, CelType, list_of, unify
from makegood.rules.vocabulary import (
    ARITHMETIC,
    COMPARISONS,
    CONVERSIONS,
    DURATION_ACCESSORS,
    OPERATORS,
    TEXT_TESTS,
    TIMESTAMP_ACCESSORS,
)

_ORDERED: Final = (BOOL, INT, STRING, TIMESTAMP, DURATION)
_SUMS: Final[dict[tuple[str, CelType, CelType], CelType]] = {
    **{(operator, INT, INT): INT for operator in "+-*/%"},
    ("+", STRING, STRING): STRING,
    ("+", TIMESTAMP, DURATION): TIMESTAMP,
    ("+", DURATION, TIMESTAMP): TIMESTAMP,
    ("+", DURATION, DURATION): DURATION,
    ("-", TIMESTAMP, DURATION): TIMESTAMP,
    ("-", TIMESTAMP, TIMESTAMP): DURATION,
    ("-", DURATION, DURATION): DURATION,
}
_CONVERTIBLE: Final = {
    (BOOL, STRING),
    (INT, STRING),
    (INT, TIMESTAMP),
    (STRING, BOOL),
    (STRING, INT),
    (STRING, TIMESTAMP),
    (STRING, DURATION),
    (TIMESTAMP, INT),
}

Build = Callable[[Below, str, list[Node], Position], Node]


def build_call(below: Below, call: Any, place: Position) -> Node:
    """The node of a call. Raises Refused after recording why."""
    function: str = call.function
    build = _BUILDERS.get(function)
    if build is None:
        shown = OPERATORS.get(function, function)
        hint = (
            "compare with `==`, `startsWith`, `endsWith` or `contains`" if shown == "matches" else TYPE_HINTS.get(shown)
        )
        raise below.context.refuse(f"`{shown}` is not supported", place, hint)
    parts = [call.target, *call.args] if call.HasField("target") else list(call.args)
    return build(below, function, below.all(parts), place)


def _logic(below: Below, function: str, operands: list[Node], place: Position) -> Node:
    node = And if function == "_&&_" else Or
    terms: list[Node] = []
    for operand in (_as(below, each, BOOL, place, function) for each in operands):
        terms += operand.terms if isinstance(operand, node) else [operand]
    return node(BOOL, place, tuple(terms))


def _not(below: Below, function: str, operands: list[Node], place: Position) -> Node:
    return Not(BOOL, place, _as(below, operands[0], BOOL, place, function))


def _conditional(below: Below, function: str, operands: list[Node], place: Position) -> Node:
    condition, then, otherwise = _as(below, operands[0], BOOL, place, function), operands[1], operands[2]
    kind = _joint(below, then, otherwise, place)
    return Conditional(kind, place, condition, widen(then, kind), widen(otherwise, kind))


def _compare(below: Below, function: str, operands: list[Node], place: Position) -> Node:
    operator = COMPARISONS[function]
    left, right = narrow(operands[0]), narrow(operands[1])
    if operator in ("==", "!="):
        kind = _joint(below, left, right, place)
    else:
        kind = right.type if left.type == DYN else left.type
        if kind not in _ORDERED:
            raise below.context.refuse(f"`{operator}` cannot order values of type `{kind}`", place)
        left, right = _as(below, left, kind, place, function), _as(below, right, kind, place, function)
    return Compare(BOOL, place, operator, widen(left, kind), widen(right, kind))


def _in(below: Below, _function: str, operands: list[Node], place: Position) -> Node:
    element, entries = narrow(operands[0]), narrow(operands[1])
    if entries.type.element is None:
        raise below.context.refuse("`in` is supported for lists", place)
    if isinstance(entries, ListLiteral) and not entries.elements:
        return In(BOOL, place, element, widen(entries, list_of(element.type)))
    kind = below.context.allowed(unify(element.type, entries.type.element), place)
    return In(BOOL, place, widen(element, kind), widen(entries, list_of(kind)))


def _arithmetic(below: Below, function: str, operands: list[Node], place: Position) -> Node:
    operator, left, right = ARITHMETIC[function], narrow(operands[0]), narrow(operands[1])
    if operator == "+" and left.type.element and right.type.element:
        joint = _joint(below, left, right, place)
        return Arithmetic(joint, place, operator, widen(left, joint), widen(right, joint))
    if DURATION in (left.type, right.type) and below.context.long_durations:
        return _long_sum(below, operator, left, right, place)
    found = [key for key in _SUMS if key[0] == operator and left.type in (key[1], DYN) and right.type in (key[2], DYN)]
    if len(found) != 1:
        message = f"`{operator}` on `{left.type}` and `{right.type}` is not supported"
        raise below.context.refuse(message, place)
    _, first, second = found[0]
    left, right = _as(below, left, first, place, function), _as(below, right, second, place, function)
    return Arithmetic(_SUMS[found[0]], place, operator, left, right)


def _long_sum(below: Below, operator: str, left: Node, right: Node, place: Position) -> Node:
    """Beyond 292 years a sum of two written durations is an error; the runtime's other answers are not repeated."""
    if isinstance(left, Constant) and isinstance(right, Constant) and left.type == right.type:
        parts = [max(INT64_MIN, min(INT64_MAX, each.value)) for each in (left, right)]
        total = parts[0] + parts[1] if operator == "+" else parts[0] - parts[1]
        if not INT64_MIN <= total <= INT64_MAX:
            return Failing(DURATION, place, "integer overflow")
    raise below.context.refuse("arithmetic on durations above 292 years is not supported", place)


def _negate(below: Below, function: str, operands: list[Node], place: Position) -> Node:
    return Negate(INT, place, _as(below, operands[0], INT, place, function))


def _index(below: Below, function: str, operands: list[Node], place: Position) -> Node:
    entries = narrow(operands[0])
    if entries.type.element is None:
        raise below.context.refuse("`[ ]` is supported for lists", place)
    return Index(entries.type.element, place, entries, _as(below, operands[1], INT, place, function))


def _size(below: Below, _function: str, operands: list[Node], place: Position) -> Node:
    operand = narrow(operands[0])
    if operand.type.element is None and operand.type != STRING:
        raise below.context.refuse(f"`size` of a `{operand.type}` is not supported", place)
    return Size(INT, place, operand)


def _text_test(below: Below, function: str, operands: list[Node], place: Position) -> Node:
    text, part = (_as(below, operand, STRING, place, function) for operand in operands)
    return TextTest(BOOL, place, function, text, part)


def _accessor(below: Below, function: str, operands: list[Node], place: Position) -> Node:
    operand = narrow(operands[0])
    if operand.type == DURATION and function in DURATION_ACCESSORS and len(operands) == 1:
        return Accessor(INT, place, function, operand, None)
    operand = _as(below, operand, TIMESTAMP, place, function)
    return Accessor(INT, place, function, operand, _zone(below, operands[1:], place))


def _zone(below: Below, zones: list[Node], place: Position) -> str | None:
    if not zones:
        return None
    zone = zones[0]
    hint = 'write an IANA zone such as "Asia/Shanghai", or an offset such as "+08:00"'
    if not isinstance(zone, Constant):
        raise below.context.refuse("a time zone must be written out", place, hint)
    try:
        offset_of(zone.value)
    except ValueError as error:
        raise below.context.refuse(str(error), zone.position, hint) from None
    name: str = zone.value
    return name


def _convert(below: Below, function: str, operands: list[Node], place: Position) -> Node:
    operand, target = narrow(operands[0]), _CONVERSIONS[function]
    if operand.type == target:
        return operand
    if isinstance(operand, Constant) and operand.type == STRING and target in (TIMESTAMP, DURATION):
        return _literal(below, target, operand, place)
    if (target, operand.type) not in _CONVERTIBLE:
        hint = "write the text out" if target in (TIMESTAMP, DURATION) and operand.type == STRING else None
        raise below.context.refuse(f"`{function}` of a `{operand.type}` is not supported", place, hint)
    return Convert(target, place, operand)


def _literal(below: Below, target: CelType, text: Constant, place: Position) -> Node:
    try:
        value = read_literal(target, text.value)
    except ValueError as error:
        # In a condition this is a slip. Elsewhere it is an expression like another: evaluating it is an error.
        severity = Severity.ERROR if below.context.env.schema else Severity.WARNING
        below.context.record(FindingCode.VALUE_IS_WRONG, str(error), text.position, severity=severity)
        return Failing(target, place, str(error))
    if target == DURATION and not INT64_MIN <= value <= INT64_MAX:
        below.context.long_durations = True
    return Constant(target, place, value)


def _dyn(below: Below, _function: str, operands: list[Node], place: Position) -> Node:
    return widen(operands[0], below.context.allowed(DYN, place))


def _joint(below: Below, left: Node, right: Node, place: Position) -> CelType:
    """The type that both can have. An empty list has any list type."""
    for one, other in ((left, right), (right, left)):
        if other.type.element and isinstance(one, ListLiteral) and not one.elements:
            return other.type
    return below.context.allowed(unify(left.type, right.type), place)


def _as(below: Below, operand: Node, kind: CelType, place: Position, function: str) -> Node:
    """The operand as a value of this type. What the checker let through by `dyn` is decided when it is evaluated."""
    operand = narrow(operand)
    if operand.type == kind:
        return operand
    shown = OPERATORS.get(function, function)
    if not below.context.env.dynamic:
        raise below.context.refuse(f"`{shown}` of a `{operand.type}` is not supported", place)
    if operand.type == DYN:
        return Narrow(kind, place, operand)
    return Failing(kind, place, f"`{shown}` does not take `{operand.type}`")


_CONVERSIONS: Final = dict(zip(CONVERSIONS, (BOOL, INT, STRING, TIMESTAMP, DURATION), strict=True))
_BUILDERS: Final[dict[str, Build]] = {
    "_&&_": _logic,
    "_||_": _logic,
    "!_": _not,
    "_?_:_": _conditional,
    "@in": _in,
    "-_": _negate,
    "_[_]": _index,
    "size": _size,
    "dyn": _dyn,
    **dict.fromkeys(COMPARISONS, _compare),
    **dict.fromkeys(ARITHMETIC, _arithmetic),
    **dict.fromkeys(TEXT_TESTS, _text_test),
    **dict.fromkeys(TIMESTAMP_ACCESSORS, _accessor),
    **dict.fromkeys(CONVERSIONS, _convert),
}

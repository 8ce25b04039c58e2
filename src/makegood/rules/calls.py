"""Calls: operators and functions of the subset, each to the node that names it."""

from collections.abc import Callable
from typing import Any, Final

from makegood.findings import FindingCode, Severity
from makegood.rules.civil import offset_of
from makegood.rules.context import Below, narrow, widen
from makegood.rules.expression import (
    Accessor, And, Arithmetic, Compare, Conditional, Constant, Convert, Failing, In, Index, ListLiteral, Negate, Node,
    Not, Or, Position, Size, TextTest,
)  # fmt: skip
from makegood.rules.literals import DurationIsTooLong, read_literal
from makegood.rules.types import BOOL, DURATION, DYN, INT, STRING, TIMESTAMP, CelType, list_of, unify
from makegood.rules.vocabulary import (
    ARITHMETIC, COMPARISONS, CONVERSIONS, DURATION_ACCESSORS, OPERATORS, TEXT_TESTS, TIMESTAMP_ACCESSORS,
)  # fmt: skip

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
    (BOOL, STRING), (INT, STRING), (INT, TIMESTAMP), (STRING, BOOL), (STRING, INT), (STRING, TIMESTAMP),
    (STRING, DURATION), (TIMESTAMP, INT),
}  # fmt: skip

Build = Callable[[Below, str, list[Node], Position], Node]


def build_call(below: Below, call: Any, place: Position) -> Node:
    """The node of a call. Raises Refused after recording why."""
    function: str = call.function
    build = _BUILDERS.get(function)
    if build is None:
        shown = OPERATORS.get(function, function)
        hint = "compare with `==`, `startsWith`, `endsWith` or `contains`" if shown == "matches" else None
        raise below.context.refuse(f"`{shown}` is not supported", place, hint)
    parts = [call.target, *call.args] if call.HasField("target") else list(call.args)
    return build(below, function, below.all(parts), place)


def _logic(below: Below, function: str, operands: list[Node], place: Position) -> Node:
    node = And if function == "_&&_" else Or
    terms: list[Node] = []
    for operand in (narrow(each) for each in operands):
        _expect(below, operand, (BOOL,), place, function)
        terms += operand.terms if isinstance(operand, node) else [operand]
    return node(BOOL, place, tuple(terms))


def _not(below: Below, function: str, operands: list[Node], place: Position) -> Node:
    operand = narrow(operands[0])
    _expect(below, operand, (BOOL,), place, function)
    return Not(BOOL, place, operand)


def _conditional(below: Below, function: str, operands: list[Node], place: Position) -> Node:
    condition, then, otherwise = narrow(operands[0]), operands[1], operands[2]
    _expect(below, condition, (BOOL,), place, function)
    kind = _joint(below, then, otherwise, place)
    return Conditional(kind, place, condition, widen(then, kind), widen(otherwise, kind))


def _compare(below: Below, function: str, operands: list[Node], place: Position) -> Node:
    operator = COMPARISONS[function]
    left, right = narrow(operands[0]), narrow(operands[1])
    kind = _joint(below, left, right, place)
    if operator not in ("==", "!=") and kind not in _ORDERED:
        raise below.context.refuse(f"`{operator}` cannot order values of type `{kind}`", place)
    return Compare(BOOL, place, operator, widen(left, kind), widen(right, kind))


def _in(below: Below, function: str, operands: list[Node], place: Position) -> Node:
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
    kind = _SUMS.get((operator, left.type, right.type))
    if kind is None:
        message = f"`{operator}` on `{left.type}` and `{right.type}` is not supported"
        raise below.context.refuse(message, place)
    return Arithmetic(kind, place, operator, left, right)


def _negate(below: Below, function: str, operands: list[Node], place: Position) -> Node:
    operand = narrow(operands[0])
    _expect(below, operand, (INT,), place, function)
    return Negate(INT, place, operand)


def _index(below: Below, function: str, operands: list[Node], place: Position) -> Node:
    entries, index = narrow(operands[0]), narrow(operands[1])
    if entries.type.element is None or index.type != INT:
        raise below.context.refuse("`[ ]` is supported for lists with an int", place)
    return Index(entries.type.element, place, entries, index)


def _size(below: Below, function: str, operands: list[Node], place: Position) -> Node:
    operand = narrow(operands[0])
    if operand.type.element is None:
        _expect(below, operand, (STRING,), place, function)
    return Size(INT, place, operand)


def _text_test(below: Below, function: str, operands: list[Node], place: Position) -> Node:
    text, part = narrow(operands[0]), narrow(operands[1])
    for operand in (text, part):
        _expect(below, operand, (STRING,), place, function)
    return TextTest(BOOL, place, function, text, part)


def _accessor(below: Below, function: str, operands: list[Node], place: Position) -> Node:
    operand = narrow(operands[0])
    if operand.type == DURATION and function in DURATION_ACCESSORS and len(operands) == 1:
        return Accessor(INT, place, function, operand, None)
    _expect(below, operand, (TIMESTAMP,), place, function)
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
        return Constant(target, place, read_literal(target, text.value))
    except DurationIsTooLong as error:
        raise below.context.refuse(str(error), text.position) from None
    except ValueError as error:
        # In a condition this is a slip. Elsewhere it is an expression like another: evaluating it is an error.
        severity = Severity.ERROR if below.context.env.schema else Severity.WARNING
        below.context.record(FindingCode.VALUE_IS_WRONG, str(error), text.position, severity=severity)
        return Failing(target, place, str(error))


def _dyn(below: Below, function: str, operands: list[Node], place: Position) -> Node:
    return widen(operands[0], below.context.allowed(DYN, place))


def _joint(below: Below, left: Node, right: Node, place: Position) -> CelType:
    """The type that both can have. An empty list has any list type."""
    for one, other in ((left, right), (right, left)):
        if other.type.element and isinstance(one, ListLiteral) and not one.elements:
            return other.type
    return below.context.allowed(unify(left.type, right.type), place)


def _expect(below: Below, operand: Node, kinds: tuple[CelType, ...], place: Position, function: str) -> None:
    if operand.type not in kinds:
        shown = OPERATORS.get(function, function)
        raise below.context.refuse(f"`{shown}` of a `{operand.type}` is not supported", place)


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

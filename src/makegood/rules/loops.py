"""Loops: the comprehensions that CEL expands its macros into, back to the macros that people wrote."""

from typing import Any

from makegood.rules import wire
from makegood.rules.context import Below, narrow, widen
from makegood.rules.expression import Local, Node, Position, Quantifier, Transform
from makegood.rules.types import BOOL, INT, CelType, list_of


def build_loop(below: Below, loop: Any, found: CelType, place: Position) -> Node:
    """The node of a macro. Raises Refused after recording why."""
    context = below.context
    entries = narrow(below.one(loop.iter_range))
    if entries.type.element is None:
        raise context.refuse("macros are supported for lists", place)
    second = bool(loop.iter_var2)
    index = context.local(loop.iter_var, INT, place) if second else None
    variable = context.local(loop.iter_var2 if second else loop.iter_var, entries.type.element, place)
    body = below.within(index, variable)
    step = wire.decode_expr(loop.loop_step).call_expr
    match step.function:
        case "_||_":
            return _quantifier(body, "exists", entries, index, variable, step.args[1], place)
        case "_&&_":
            return _quantifier(body, "all", entries, index, variable, step.args[1], place)
        case "_?_:_" if found == BOOL:
            return _quantifier(body, "exists_one", entries, index, variable, step.args[0], place)
        case "_?_:_":
            return _transform(body, found, entries, index, variable, step.args[0], step.args[1], place)
        case "_+_":
            return _transform(body, found, entries, index, variable, None, loop.loop_step, place)
    raise context.refuse("this loop is not supported", place)


def _quantifier(
    body: Below, kind: str, entries: Node, index: Local | None, variable: Local, data: bytes, place: Position
) -> Node:
    condition = _condition(body, data, place)
    return Quantifier(BOOL, place, kind, entries, index, variable, condition)


def _transform(
    body: Below,
    found: CelType,
    entries: Node,
    index: Local | None,
    variable: Local,
    guard: bytes | None,
    append: bytes,
    place: Position,
) -> Node:
    """`append` is the wire form of `@result + [element]`."""
    added = wire.decode_expr(wire.decode_expr(append).call_expr.args[1]).list_expr.elements[0]
    try:
        condition = None if guard is None else _condition(body, guard, place)
    finally:
        # The findings of both parts are recorded, also when the first is refused.
        element = body.one(added)
    kind = found.element or element.type
    return Transform(list_of(kind), place, entries, index, variable, condition, widen(element, kind))


def _condition(body: Below, data: bytes, place: Position) -> Node:
    condition = narrow(body.one(data))
    if condition.type != BOOL:
        raise body.context.refuse(f"the condition of a macro cannot be a `{condition.type}`", place)
    return condition

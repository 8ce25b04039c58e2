"""From the wire form to the typed tree: one level at a time, everything outside the subset refused in its place."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from makegood.domain.policy import FieldType
from makegood.findings import FindingCode
from makegood.limits import CODES_MAX, EXPRESSION_DEPTH_MAX
from makegood.rules import wire
from makegood.rules.calls import build_call
from makegood.rules.context import TYPE_HINTS, Below, Context, Refused, widen
from makegood.rules.environment import Environment
from makegood.rules.expression import Constant, Field, Has, ListLiteral, Local, Node, Position, Variable
from makegood.rules.finding import RuleFinding
from makegood.rules.loops import build_loop
from makegood.rules.types import BOOL, INT, NULL, STRING, TIMESTAMP, list_of

_FIELD_TYPES: Final = {
    FieldType.INT: INT,
    FieldType.BOOL: BOOL,
    FieldType.STRING: STRING,
    FieldType.TIMESTAMP: TIMESTAMP,
    FieldType.STRINGS: list_of(STRING),
}
_CONSTANTS: Final = {"bool_value": BOOL, "int64_value": INT, "string_value": STRING, "null_value": NULL}
_NO_MAPS: Final = "maps and messages are not supported"


def read_tree(decoded: wire.Decoded, env: Environment) -> tuple[Node | None, list[RuleFinding]]:
    """The typed tree and what was found on the way; no tree where an error refuses it."""
    walk = _Walk(Context(env, decoded))
    try:
        node = walk.build(decoded.root, {}, 0)
    except Refused:
        return None, walk.context.findings
    return node, walk.context.findings


class _Walk:
    """One walk over one expression."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def build(self, data: bytes, names: Mapping[str, Local], depth: int) -> Node:
        """The node of one expression. Raises Refused after recording why."""
        expr, context = wire.decode_expr(data), self.context
        place = context.place(expr.id)
        if depth > EXPRESSION_DEPTH_MAX:
            hint = f"the limit is {EXPRESSION_DEPTH_MAX} levels"
            raise context.record(FindingCode.EXPRESSION_IS_TOO_LARGE, "is nested too deeply", place, hint)
        below = Below(context, self.build, names, depth + 1)
        match wire.set_field(expr, wire.EXPR_KINDS):
            case "const_expr":
                return self._constant(expr.const_expr, place)
            case "ident_expr":
                return self._name(expr, names, place)
            case "select_expr":
                return self._select(expr.select_expr, names, place)
            case "list_expr":
                return self._list(below, expr, place)
            case "call_expr":
                node = build_call(below, expr.call_expr, place)
                context.type_of(expr.id, place)
                return node
            case "comprehension_expr":
                return build_loop(below, expr.comprehension_expr, context.type_of(expr.id, place), place)
        raise context.refuse(_NO_MAPS, place)

    def _constant(self, constant: Any, place: Position) -> Node:
        kind = wire.set_field(constant, wire.CONSTANT_KINDS)
        if kind not in _CONSTANTS:
            name = str(kind).removesuffix("_value").removesuffix("64")
            raise self.context.refuse(f"values of type `{name}` are not supported", place, TYPE_HINTS.get(name))
        value = None if kind == "null_value" else getattr(constant, kind)
        return Constant(self.context.allowed(_CONSTANTS[kind], place), place, value)

    def _name(self, expr: Any, names: Mapping[str, Local], place: Position) -> Node:
        local = names.get(expr.ident_expr.name)
        if local is not None:
            return replace(local, position=place)
        env = self.context.env
        name = self.context.decoded.references.get(expr.id, expr.ident_expr.name).removeprefix(".")
        if name in env.variables:
            return Variable(self.context.allowed(env.variables[name], place), place, name)
        if name == env.subject and env.schema:
            raise self.context.refuse(f"the {name} as a whole is not a value", place, "read one of its fields")
        raise self.context.refuse("values of type `type` are not supported", place)

    def _select(self, select: Any, names: Mapping[str, Local], place: Position) -> Node:
        operand, env, schema = wire.decode_expr(select.operand), self.context.env, self.context.env.schema
        name = operand.ident_expr.name.removeprefix(".") if operand.HasField("ident_expr") else None
        if name != env.subject or name in names or schema is None:
            raise self.context.refuse(_NO_MAPS, place)
        declared, place = schema.fields[select.field], self.context.place(operand.id)
        size = CODES_MAX if declared.max_items is None else declared.max_items
        node = Field(
            _FIELD_TYPES[declared.type],
            place,
            declared.name,
            declared.optional,
            declared.min,
            declared.max,
            size if declared.type is FieldType.STRINGS else None,
        )
        return Has(BOOL, place, node) if select.test_only else node

    def _list(self, below: Below, expr: Any, place: Position) -> Node:
        if expr.list_expr.optional_indices:
            raise self.context.refuse("optional entries are not supported", place)
        elements = below.all(expr.list_expr.elements)
        found = self.context.type_of(expr.id, place)
        if found.element is None:
            raise self.context.refuse("mixed types are not supported", place)
        return ListLiteral(found, place, tuple(widen(element, found.element) for element in elements))

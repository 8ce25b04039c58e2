"""From the wire form to the typed tree: one level at a time, with everything outside the subset refused in its place."""

import bisect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from makegood.domain.policy import FieldType
from makegood.findings import FindingCode, Severity
from makegood.limits import CODES_MAX, EXPRESSION_DEPTH_MAX
from makegood.rules import calls, loops, wire
from makegood.rules.environment import Environment
from makegood.rules.expression import (
    Constant, Field, Has, ListLiteral, Local, Node, Position, Variable, Widen,
)  # fmt: skip
from makegood.rules.finding import RuleFinding
from makegood.rules.types import (
    BOOL, DURATION, DYN, INT, NULL, PAYMENT, STRING, TIMESTAMP, CelType, is_dynamic, list_of,
)  # fmt: skip

_PRIMITIVES: Final = {1: BOOL, 2: INT, 3: "uint", 4: "double", 5: STRING, 6: "bytes"}
_WELL_KNOWN: Final = {1: "any", 2: TIMESTAMP, 3: DURATION}
_FIELD_TYPES: Final = {
    FieldType.INT: INT,
    FieldType.BOOL: BOOL,
    FieldType.STRING: STRING,
    FieldType.TIMESTAMP: TIMESTAMP,
    FieldType.STRINGS: list_of(STRING),
}
_CONSTANTS: Final = {"bool_value": BOOL, "int64_value": INT, "string_value": STRING, "null_value": NULL}
_HINTS: Final = {
    "double": "there are no fractions; money is whole minor units",
    "uint": "write it without the `u`",
    "bytes": "write it without the `b`",
}


class Refused(Exception):  # noqa: N818 - a state of the walk; never leaves this package
    """The finding is recorded; the walk goes on beside this node."""


@dataclass(slots=True)
class Builder:
    """One walk. `findings` grows; `names` are the loop variables in scope."""

    env: Environment
    decoded: wire.Decoded
    findings: list[RuleFinding] = field(default_factory=list)
    slots: int = 0

    def root(self) -> Node | None:
        """The tree, or None where a finding refuses it."""
        try:
            return self.build(self.decoded.root, {}, 0)
        except Refused:
            return None

    def build(self, data: bytes, names: Mapping[str, Local], depth: int) -> Node:
        """The node of one expression. Raises Refused after recording why."""
        expr = wire.decode_expr(data)
        place = self.place(expr.id)
        if depth > EXPRESSION_DEPTH_MAX:
            hint = f"the limit is {EXPRESSION_DEPTH_MAX} levels"
            self.record(FindingCode.EXPRESSION_IS_TOO_LARGE, "is nested too deeply", place, hint)
            raise Refused
        kind = wire.set_field(expr, wire.EXPR_KINDS)
        below = _Below(self, names, depth + 1)
        match kind:
            case "const_expr":
                return self._constant(expr.const_expr, place)
            case "ident_expr":
                return self._name(expr, names, place)
            case "select_expr":
                return self._select(expr.select_expr, names, place)
            case "list_expr":
                return self._list(expr, below, place)
            case "call_expr":
                return calls.build_call(below, expr.call_expr, self.type_of(expr.id, place), place)
            case "comprehension_expr":
                return loops.build_loop(below, expr.comprehension_expr, self.type_of(expr.id, place), place)
        raise self.refuse("maps and messages are not supported", place)

    def place(self, identity: int) -> Position:
        """Line and column of an expression."""
        offset, lines = self.decoded.positions.get(identity, 0), self.decoded.line_offsets
        line = bisect.bisect_right(lines, offset)
        return Position(line + 1, offset - (lines[line - 1] if line else 0) + 1)

    def refuse(self, message: str, place: Position, hint: str | None = None) -> Refused:
        """Record that a construct is outside the subset."""
        return self.record(FindingCode.EXPRESSION_IS_UNSUPPORTED, message, place, hint)

    def record(self, code: FindingCode, message: str, place: Position, hint: str | None = None) -> Refused:
        """Record an error; the caller raises what comes back."""
        self.findings.append(RuleFinding(Severity.ERROR, code, message, hint, place.line, place.column))
        return Refused()

    def type_of(self, identity: int, place: Position) -> CelType:
        """The type that the runtime's checker found. Raises Refused where it is outside the subset."""
        entry = self.decoded.types.get(identity)
        found = _type(entry) if entry is not None else DYN
        if isinstance(found, str):
            raise self.refuse(f"values of type `{found}` are not supported", place, _HINTS.get(found))
        return self.allowed(found, place)

    def allowed(self, found: CelType, place: Position) -> CelType:
        """The same type, where the environment allows it."""
        if is_dynamic(found) and not self.env.dynamic:
            raise self.refuse("null and mixed types are not supported", place, "give every value one type")
        return found

    def _constant(self, constant: Any, place: Position) -> Node:
        kind = wire.set_field(constant, wire.CONSTANT_KINDS)
        if kind not in _CONSTANTS:
            name = str(kind).removesuffix("_value").removesuffix("64")
            raise self.refuse(f"values of type `{name}` are not supported", place, _HINTS.get(name))
        value = None if kind == "null_value" else getattr(constant, kind)
        return Constant(self.allowed(_CONSTANTS[kind], place), place, value)

    def _name(self, expr: Any, names: Mapping[str, Local], place: Position) -> Node:
        local = names.get(expr.ident_expr.name)
        if local is not None:
            return replace(local, position=place)
        name = self.decoded.references.get(expr.id, expr.ident_expr.name).removeprefix(".")
        if name in self.env.variables:
            return Variable(self.allowed(self.env.variables[name], place), place, name)
        if name == "payment" and self.env.schema:
            raise self.refuse("the payment as a whole is not a value", place, "read one of its fields")
        raise self.refuse("values of type `type` are not supported", place)

    def _select(self, select: Any, names: Mapping[str, Local], place: Position) -> Node:
        operand = wire.decode_expr(select.operand)
        ident = operand.ident_expr.name if operand.HasField("ident_expr") else None
        reference = self.decoded.references.get(operand.id, ident or "").removeprefix(".")
        if ident is None or ident in names or reference != "payment" or not self.env.schema:
            raise self.refuse("maps and messages are not supported", place)
        declared = self.env.schema.fields[select.field]
        size = (declared.max_items if declared.max_items is not None else CODES_MAX)  # fmt: skip
        node = Field(
            _FIELD_TYPES[declared.type], place, declared.name, declared.optional, declared.min, declared.max,
            size if declared.type is FieldType.STRINGS else None,
        )  # fmt: skip
        return Has(BOOL, place, node) if select.test_only else node

    def _list(self, expr: Any, below: "_Below", place: Position) -> Node:
        if expr.list_expr.optional_indices:
            raise self.refuse("optional entries are not supported", place)
        elements = below.all(expr.list_expr.elements)
        found = self.type_of(expr.id, place)
        assert found.element is not None, found
        widened = tuple(widen(element, found.element) for element in elements)
        return ListLiteral(found, place, widened)


@dataclass(frozen=True, slots=True)
class _Below:
    """Builds what is directly below one node."""

    builder: Builder
    names: Mapping[str, Local]
    depth: int

    def one(self, data: bytes) -> Node:
        """One operand."""
        return self.builder.build(data, self.names, self.depth)

    def all(self, parts: Sequence[bytes]) -> list[Node]:
        """Every operand; all their findings are recorded before Refused is raised."""
        return self.each([lambda part=part: self.one(part) for part in parts])  # type: ignore[misc]

    def each(self, builds: Sequence[Callable[[], Node]]) -> list[Node]:
        """The results of these builds, all of them tried."""
        built: list[Node] = []
        for build in builds:
            try:
                built.append(build())
            except Refused:
                continue
        if len(built) < len(builds):
            raise Refused
        return built

    def within(self, local: Local | None, variable: Local) -> "_Below":
        """The same level with loop variables in scope."""
        names = {**self.names, variable.name: variable}
        if local is not None:
            names[local.name] = local
        return replace(self, names=names)

    def local(self, name: str, kind: CelType, place: Position) -> Local:
        """A new loop variable."""
        self.builder.slots += 1
        return Local(kind, place, name, self.builder.slots)


Below = _Below


def widen(node: Node, wanted: CelType) -> Node:
    """The node as a value of a wider type; an empty list takes any list type."""
    if node.type == wanted:
        return node
    if isinstance(node, ListLiteral) and not node.elements and wanted.element:
        return replace(node, type=wanted)
    return Widen(wanted, node.position, node)


def _type(entry: Any) -> CelType | str:
    """The type, or the name of one outside the subset."""
    kind = wire.set_field(entry, wire.TYPE_KINDS)
    match kind:
        case "primitive":
            return _PRIMITIVES.get(entry.primitive, "unknown")
        case "well_known":
            return _WELL_KNOWN.get(entry.well_known, "unknown")
        case "null":
            return NULL
        case "dyn" | "type_param" | None:
            return DYN
        case "list_type":
            element = _type(wire.decode_type(entry.list_type.elem_type)) if entry.list_type.elem_type else DYN
            return element if isinstance(element, str) else list_of(element)
        case "message_type":
            return PAYMENT
    return str(kind).removesuffix("_type")

"""What every step of the walk from the wire form to the tree shares: places, types, findings, loop variables."""

import bisect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from makegood.findings import FindingCode, Severity
from makegood.rules import wire
from makegood.rules.environment import Environment
from makegood.rules.expression import ListLiteral, Local, Node, Position, Widen
from makegood.rules.finding import RuleFinding
from makegood.rules.types import (
    BOOL,
    DURATION,
    DYN,
    INT,
    NULL,
    PAYMENT,
    STRING,
    TIMESTAMP,
    CelType,
    is_dynamic,
    list_of,
)

_PRIMITIVES: Final[Mapping[int, CelType | str]] = {1: BOOL, 2: INT, 3: "uint", 4: "double", 5: STRING, 6: "bytes"}
_WELL_KNOWN: Final[Mapping[int, CelType | str]] = {1: "any", 2: TIMESTAMP, 3: DURATION}
TYPE_HINTS: Final = {
    "double": "there are no fractions; money is whole minor units",
    "uint": "write it without the `u`",
    "bytes": "write it without the `b`",
}


class Refused(Exception):  # noqa: N818 - a state of the walk; never leaves this package
    """The finding is recorded; the walk goes on beside this node."""


@dataclass(slots=True)
class Context:
    """One walk. `findings` grows, `slots` counts the loop variables.

    `long_durations`: a duration that is no int64 of nanoseconds was read. The runtime does arithmetic on such as if
    they were as long as an int64 can hold, so we do none.
    """

    env: Environment
    decoded: wire.Decoded
    findings: list[RuleFinding] = field(default_factory=list)
    slots: int = 0
    long_durations: bool = False

    def place(self, identity: int) -> Position:
        """Line and column of an expression."""
        offset, lines = self.decoded.positions.get(identity, 0), self.decoded.line_offsets
        line = bisect.bisect_right(lines, offset)
        return Position(line + 1, offset - (lines[line - 1] if line else 0) + 1)

    def refuse(self, message: str, place: Position, hint: str | None = None) -> Refused:
        """Record that a construct is outside the subset; the caller raises what comes back."""
        return self.record(FindingCode.EXPRESSION_IS_UNSUPPORTED, message, place, hint)

    def record(
        self,
        code: FindingCode,
        message: str,
        place: Position,
        hint: str | None = None,
        severity: Severity = Severity.ERROR,
    ) -> Refused:
        """Record a finding; the caller raises what comes back where the node cannot be built."""
        self.findings.append(RuleFinding(severity, code, message, hint, place.line, place.column))
        return Refused()

    def type_of(self, identity: int, place: Position) -> CelType:
        """The type that the runtime's checker found. Raises Refused where it is outside the subset."""
        entry = self.decoded.types.get(identity)
        found = _type(entry) if entry is not None else DYN
        if isinstance(found, str):
            raise self.refuse(f"values of type `{found}` are not supported", place, TYPE_HINTS.get(found))
        return self.allowed(found, place)

    def allowed(self, found: CelType, place: Position) -> CelType:
        """The same type, where the environment allows it."""
        if is_dynamic(found) and not self.env.dynamic:
            raise self.refuse("null and mixed types are not supported", place, "give every value one type")
        return found

    def local(self, name: str, kind: CelType, place: Position) -> Local:
        """A new loop variable."""
        self.slots += 1
        return Local(kind, place, name, self.slots)


Build = Callable[[bytes, Mapping[str, Local], int], Node]


@dataclass(frozen=True, slots=True)
class Below:
    """Builds what stands directly below one node."""

    context: Context
    build: Build
    names: Mapping[str, Local]
    depth: int

    def one(self, data: bytes) -> Node:
        """One operand."""
        return self.build(data, self.names, self.depth)

    def all(self, parts: Sequence[bytes]) -> list[Node]:
        """Every operand; the findings of all are recorded before Refused is raised."""
        built: list[Node] = []
        for part in parts:
            try:
                built.append(self.one(part))
            except Refused:
                continue
        if len(built) < len(parts):
            raise Refused
        return built

    def within(self, *locals_: Local | None) -> "Below":
        """The same level with these loop variables in scope."""
        added = {local.name: local for local in locals_ if local is not None}
        return replace(self, names={**self.names, **added})


def widen(node: Node, wanted: CelType) -> Node:
    """The node as a value of a wider type; an empty list takes any list type."""
    if node.type == wanted:
        return node
    if isinstance(node, ListLiteral) and not node.elements and wanted.element:
        return replace(node, type=wanted)
    return Widen(wanted, node.position, node)


def narrow(node: Node) -> Node:
    """The node without a widening that hides a type we know, as in `dyn(1)`."""
    return narrow(node.operand) if isinstance(node, Widen) and node.type == DYN else node


def _type(entry: Any) -> CelType | str:
    """The type, or the name of one outside the subset."""
    kind = wire.set_field(entry, wire.TYPE_KINDS)
    value: Any = getattr(entry, kind) if kind else None
    match kind:
        case "primitive":
            return _PRIMITIVES.get(value, "unknown")
        case "well_known":
            return _WELL_KNOWN.get(value, "unknown")
        case "null":
            return NULL
        case "dyn" | "type_param" | None:
            return DYN
        case "list_type":
            element = _type(wire.decode_type(value.elem_type)) if value.elem_type else DYN
            return element if isinstance(element, str) else list_of(element)
        case "message_type":
            return PAYMENT
    return str(kind).removesuffix("_type")

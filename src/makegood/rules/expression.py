"""The typed tree of a checked expression: what every machine of the rules walks.

Macros are nodes with a name (`Quantifier`, `Transform`), not the loops that CEL expands them into, so that a machine
can render them in its own way. Chains of `&&` and `||` are flat. A `Local` is a loop variable; its slot is unique in
the whole expression, so no machine has to think about shadowing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from makegood.rules.types import CelType


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the expression text; both count from 1, columns in code points."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Node:
    """Base of all nodes."""

    type: CelType
    position: Position


@dataclass(frozen=True, slots=True)
class Constant(Node):
    """A value: bool, int, str, None; nanoseconds for a timestamp or a duration."""

    value: Any


@dataclass(frozen=True, slots=True)
class Failing(Node):
    """A constant that never has a value, such as `timestamp("noon")`: to evaluate it is an error."""

    message: str


@dataclass(frozen=True, slots=True)
class Variable(Node):
    """A variable of the environment."""

    name: str


@dataclass(frozen=True, slots=True)
class Local(Node):
    """A loop variable."""

    name: str
    slot: int


@dataclass(frozen=True, slots=True)
class Field(Node):
    """`payment.NAME`, or `item.NAME` where the subject is a line of a basket.

    An int lies within `low` and `high`; a list has at most `size_max` entries.
    """

    name: str
    optional: bool
    low: int | None = None
    high: int | None = None
    size_max: int | None = None


@dataclass(frozen=True, slots=True)
class Has(Node):
    """`has(payment.NAME)`: whether the field was supplied (a list also when it is empty)."""

    field: Field


@dataclass(frozen=True, slots=True)
class Not(Node):
    """`!operand`."""

    operand: Node


@dataclass(frozen=True, slots=True)
class And(Node):
    """False where any term is false, else an error where any is one, else true."""

    terms: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or(Node):
    """True where any term is true, else an error where any is one, else false."""

    terms: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Conditional(Node):
    """`condition ? then : otherwise`; only the chosen branch is evaluated."""

    condition: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """`left OPERATOR right` on operands of one type; strings by code point."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class In(Node):
    """`element in list`."""

    element: Node
    list: Node


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """`left OPERATOR right`: ints, timestamps, durations; `+` also joins strings and lists."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Negate(Node):
    """`-operand` on int."""

    operand: Node


@dataclass(frozen=True, slots=True)
class ListLiteral(Node):
    """`[a, b, …]`; every element has the element type."""

    elements: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Index(Node):
    """`list[index]`; outside the list it is an error."""

    list: Node
    index: Node


@dataclass(frozen=True, slots=True)
class Size(Node):
    """Entries of a list, code points of a string."""

    operand: Node


@dataclass(frozen=True, slots=True)
class TextTest(Node):
    """`text.TEST(part)` where TEST is startsWith, endsWith or contains."""

    test: str
    text: Node
    part: Node


@dataclass(frozen=True, slots=True)
class Accessor(Node):
    """`operand.NAME(zone)` on a timestamp, `operand.NAME()` on a duration. Without a zone it is UTC."""

    name: str
    operand: Node
    zone: str | None


@dataclass(frozen=True, slots=True)
class Convert(Node):
    """`TYPE(operand)` to the node's own type."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Widen(Node):
    """The operand as a value that carries its type. Only where the environment allows mixed types."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Narrow(Node):
    """The operand, a value that carries its type, as a value of the node's type; an error where it is of another."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Quantifier(Node):
    """`list.KIND(index, variable, condition)` where KIND is exists, all or exists_one."""

    kind: str
    list: Node
    index: Local | None
    variable: Local
    condition: Node


@dataclass(frozen=True, slots=True)
class Transform(Node):
    """`map` and `filter`: the element for every entry whose condition (None: any) is true."""

    list: Node
    index: Local | None
    variable: Local
    condition: Node | None
    element: Node


Expression = Node


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below, in the order in which they are evaluated; loop variables are not among them."""
    for slot in fields(node):
        value = getattr(node, slot.name)
        if isinstance(value, Node) and slot.name not in ("index", "variable", "field"):
            yield value
        elif isinstance(value, tuple):
            yield from value
    if isinstance(node, Index):
        yield node.index


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, depth first."""
    yield node
    for child in children(node):
        yield from walk(child)

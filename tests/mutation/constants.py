"""What expressions read, and the constants that they compare it with: where the meaning of a payment can change."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from makegood.rules.check import check_expression
from makegood.rules.environment import Environment
from makegood.rules.expression import (
    Accessor,
    Compare,
    Constant,
    Expression,
    Field,
    Has,
    In,
    Quantifier,
    Size,
    TextTest,
    Variable,
    walk,
)
from makegood.rules.types import BOOL, INT, STRING, TIMESTAMP

MONEY_VARIABLES = frozenset({"discount", "total"})


@dataclass
class Constants:
    """By field name: whole numbers, texts, sizes. `money` are compared with a discount; `accessors` ask the time."""

    names: set[str] = field(default_factory=set)
    ints: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    texts: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    sizes: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    money: set[int] = field(default_factory=set)
    moments: set[int] = field(default_factory=set)
    accessors: set[tuple[str, str | None]] = field(default_factory=set)

    def add(self, expression: Expression) -> None:
        """Everything that the expression reads and compares."""
        for node in walk(expression):
            match node:
                case Field(name=name):
                    self.names.add(name)
                case Has(field=read):
                    self.names.add(read.name)
                case Accessor(name=name, zone=zone):
                    self.accessors.add((name, zone))
            if isinstance(node, Compare | In | TextTest | Quantifier):
                self._link(node)

    def _link(self, node: Expression) -> None:
        """The constants below the node are compared with the fields and variables below it."""
        below = list(walk(node))
        constants = [part for part in below if isinstance(part, Constant) and part.type != BOOL]
        ints = {part.value for part in constants if part.type == INT}
        texts = {part.value for part in constants if part.type == STRING}
        self.moments |= {part.value for part in constants if part.type == TIMESTAMP}
        measured = {part.operand.name for part in below if isinstance(part, Size) and isinstance(part.operand, Field)}
        for part in below:
            if isinstance(part, Field):
                (self.sizes if part.name in measured else self.ints)[part.name] |= ints
                self.texts[part.name] |= texts
            elif isinstance(part, Variable) and part.name in MONEY_VARIABLES:
                self.money |= ints


def checked(text: str, environment: Environment) -> Expression:
    """The tree of a text that was checked before."""
    expression = check_expression(text, environment).expression
    assert expression is not None, text
    return expression


def constants_of(expressions: Iterable[Expression]) -> Constants:
    """The constants of all these together."""
    found = Constants()
    for expression in expressions:
        found.add(expression)
    return found


def merged(parts: Iterable[Constants]) -> Constants:
    """The constants of all parts."""
    whole = Constants()
    for part in parts:
        whole.names |= part.names
        whole.money |= part.money
        whole.moments |= part.moments
        whole.accessors |= part.accessors
        for name in part.names:
            whole.ints[name] |= part.ints[name]
            whole.texts[name] |= part.texts[name]
            whole.sizes[name] |= part.sizes[name]
    return whole

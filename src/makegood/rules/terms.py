"""What must hold of a payment's fields for a condition to be true: the engine indexes campaigns by it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from makegood.rules.expression import (
    And,
    Compare,
    Constant,
    Expression,
    Field,
    In,
    ListLiteral,
    Node,
    Not,
    Or,
)
from makegood.rules.types import BOOL, INT, STRING

_MIRRORED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}
_BOUNDS: Final = {"<": (None, -1), "<=": (None, 0), ">": (1, None), ">=": (0, None)}


@dataclass(frozen=True, slots=True)
class Term:
    """The field is present and has one of these values. No values: the condition is never true."""

    field: str
    values: frozenset[Any]


@dataclass(frozen=True, slots=True)
class Range:
    """The int field is present and lies within these bounds, both included; None: no bound on that side."""

    field: str
    low: int | None
    high: int | None


def necessary_terms(expression: Expression) -> tuple[Term | Range, ...]:
    """One term and one range at most for each field, in the order of the text. All hold wherever it is true."""
    terms: dict[str, Term] = {}
    ranges: dict[str, Range] = {}
    for found in _found(expression):
        if isinstance(found, Term):
            known = terms.get(found.field)
            terms[found.field] = Term(found.field, found.values & known.values) if known else found
        else:
            ranges[found.field] = _narrowed(ranges.get(found.field), found)
    return (*terms.values(), *ranges.values())


def _found(node: Node) -> Iterator[Term | Range]:
    match node:
        case And(terms=terms):
            for term in terms:
                yield from _found(term)
        case Or(terms=terms):
            yield from _one_of(terms)
        case Field(name=name) if node.type == BOOL:
            yield Term(name, frozenset({True}))
        case Not(operand=Field(name=name) as read) if read.type == BOOL:
            yield Term(name, frozenset({False}))
        case In(element=Field(name=name) as read, list=ListLiteral(elements=elements)) if _indexed(read):
            if all(isinstance(each, Constant) for each in elements):
                yield Term(name, frozenset(each.value for each in elements if isinstance(each, Constant)))
        case Compare(left=Field(name=name) as read, operator=operator, right=Constant(value=value)) if _indexed(read):
            yield from _compared(read, operator, value)
        case Compare(left=Constant(value=value), operator=operator, right=Field(name=name) as read) if _indexed(read):
            yield from _compared(read, _MIRRORED.get(operator, operator), value)


def _indexed(read: Field) -> bool:
    return read.type in (BOOL, INT, STRING)


def _compared(read: Field, operator: str, value: Any) -> Iterator[Term | Range]:
    if operator == "==":
        yield Term(read.name, frozenset({value}))
    elif operator in _BOUNDS and read.type == INT:
        low, high = _BOUNDS[operator]
        yield Range(read.name, None if low is None else value + low, None if high is None else value + high)


def _one_of(terms: Iterable[Node]) -> Iterator[Term]:
    """`f == a || f == b` and the like: one term, where every branch has one for the same field."""
    branches = [[found for found in _found(term) if isinstance(found, Term)] for term in terms]
    shared = set.intersection(*({found.field for found in branch} for branch in branches))
    for name in (found.field for found in branches[0] if found.field in shared):
        values = [frozenset.intersection(*(f.values for f in branch if f.field == name)) for branch in branches]
        yield Term(name, frozenset().union(*values))


def _narrowed(known: Range | None, found: Range) -> Range:
    if known is None:
        return found
    lows = [low for low in (known.low, found.low) if low is not None]
    highs = [high for high in (known.high, found.high) if high is not None]
    return Range(found.field, max(lows, default=None), min(highs, default=None))

"""How much work an expression may be: a bound on loop bodies run, known before anything runs."""

from collections.abc import Mapping

from makegood.limits import LIST_ENTRIES_MAX
from makegood.rules.expression import (
    Arithmetic,
    Conditional,
    Field,
    ListLiteral,
    Local,
    Node,
    Quantifier,
    Transform,
    Variable,
    children,
)


def steps_of(node: Node, sizes: Mapping[str, int]) -> int:
    """The most times that the bodies of all loops run, counted together."""
    if isinstance(node, Quantifier | Transform):
        parts = [part for part in children(node) if part is not node.list]
        runs = most_entries(node.list, sizes)
        return steps_of(node.list, sizes) + runs * (1 + sum(steps_of(part, sizes) for part in parts))
    return sum(steps_of(child, sizes) for child in children(node))


def most_entries(node: Node, sizes: Mapping[str, int]) -> int:
    """The most entries that a list has."""
    match node:
        case ListLiteral(elements=elements):
            return len(elements)
        case Field(size_max=size) if size is not None:
            return size
        case Variable(name=name):
            return sizes.get(name, LIST_ENTRIES_MAX)
        case Transform(list=entries):
            return most_entries(entries, sizes)
        case Conditional(then=then, otherwise=otherwise):
            return max(most_entries(then, sizes), most_entries(otherwise, sizes))
        case Arithmetic(left=left, right=right):
            return most_entries(left, sizes) + most_entries(right, sizes)
        case Local():
            return LIST_ENTRIES_MAX
    return max((most_entries(child, sizes) for child in children(node)), default=0)

"""Which optional fields are known to be present where: the flow of `has()` through `&&`, `||`, `!` and `? :`.

If a field is among `present_when_true(e)` and is absent, then `e` is false, never an error. That is what makes the
order in which a machine evaluates a chain of terms free.
"""

from collections.abc import Iterator

from makegood.rules.expression import And, Conditional, Field, Has, Node, Not, Or, children

Present = frozenset[str]
NOTHING: Present = frozenset()


def present_when_true(node: Node) -> Present:
    """Optional fields that are present wherever the expression is true."""
    match node:
        case Has(field=field):
            return frozenset({field.name})
        case Not(operand=operand):
            return present_when_false(operand)
        case And(terms=terms):
            return NOTHING.union(*map(present_when_true, terms))
        case Or(terms=terms):
            return frozenset.intersection(*map(present_when_true, terms))
    return NOTHING


def present_when_false(node: Node) -> Present:
    """Optional fields that are present wherever the expression is false."""
    match node:
        case Not(operand=operand):
            return present_when_true(operand)
        case Or(terms=terms):
            return NOTHING.union(*map(present_when_false, terms))
        case And(terms=terms):
            return frozenset.intersection(*map(present_when_false, terms))
    return NOTHING


def unguarded(node: Node, present: Present = NOTHING) -> Iterator[Field]:
    """Every read of an optional field that is not known to be present, from left to right."""
    match node:
        case Field(name=name, optional=True):
            if name not in present:
                yield node
        case And(terms=terms) | Or(terms=terms):
            learn = present_when_true if isinstance(node, And) else present_when_false
            for term in terms:
                yield from unguarded(term, present)
                present |= learn(term)
        case Conditional(condition=condition, then=then, otherwise=otherwise):
            yield from unguarded(condition, present)
            yield from unguarded(then, present | present_when_true(condition))
            yield from unguarded(otherwise, present | present_when_false(condition))
        case _:
            for child in children(node):
                yield from unguarded(child, present)

"""Values of a field that no expression can tell apart: one of each kind is enough."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from tests.mutation.granting import Fields
from tests.mutation.values import ABSENT

from makegood.rules.evaluate import EvaluationError, compile_expression
from makegood.rules.expression import Expression, Field, Has, Quantifier, Transform, Variable, children, walk
from makegood.rules.types import BOOL

Test = Callable[[Fields], Any]


def tests_of(expressions: Iterable[Expression]) -> dict[str, list[Test]]:
    """By field: the largest boolean parts that read it and nothing else. A field read in any other way is left out."""
    found: defaultdict[str, list[Test]] = defaultdict(list)
    mixed: set[str] = set()
    for expression in expressions:
        for part in _parts(expression):
            names = _names(part)
            if part.type == BOOL and len(names) == 1 and not _reads_variable(part):
                found[names.pop()].append(compile_expression(part, ("payment",)))
            else:
                mixed |= names
    return {name: tests for name, tests in found.items() if name not in mixed}


def _parts(node: Expression) -> Iterator[Expression]:
    """The largest boolean parts with one field, and what else holds a field."""
    names = _names(node)
    alone = node.type == BOOL and len(names) == 1 and not _reads_variable(node)
    if alone or isinstance(node, Quantifier | Transform | Field):
        yield node
    elif names:
        for child in children(node):
            yield from _parts(child)


def _names(node: Expression) -> set[str]:
    below = list(walk(node))
    return {part.name for part in below if isinstance(part, Field)} | {
        part.field.name for part in below if isinstance(part, Has)
    }


def _reads_variable(node: Expression) -> bool:
    return any(isinstance(part, Variable) for part in walk(node))


def distinct(name: str, values: Sequence[Any], tests: Sequence[Test]) -> tuple[Any, ...]:
    """The first value of each kind."""
    kinds: dict[tuple[Any, ...], Any] = {}
    for value in values:
        fields = {} if value is ABSENT else {name: value}
        kinds.setdefault(tuple(_answer(test, fields) for test in tests), value)
    return tuple(kinds.values())


def _answer(test: Test, fields: Fields) -> Any:
    try:
        return test(fields)
    except EvaluationError:
        return "an error"

"""Macros in SQL: lambdas over lists. An entry that is NULL is the error of its turn."""

from makegood.rules.columns_scope import Scope, Sql
from makegood.rules.expression import Local, Quantifier, Transform
from makegood.rules.types import CelType

Names = tuple[str, str | None]  # Of the entry and of its index.


def enter(scope: Scope, node: Quantifier | Transform) -> Names:
    """The names of the loop's variables, which the body knows from here on."""
    variable, index = f"v{node.variable.slot}", None
    scope.locals[node.variable.slot] = variable
    if node.index is not None:
        index = f"v{node.index.slot}"
        scope.locals[node.index.slot] = scope.dialect.position(index)
    return variable, index


def quantifier(scope: Scope, node: Quantifier, names: Names, entries: Sql, condition: Sql) -> Sql:
    """`exists`, `all`, `exists_one`."""
    answers = scope.dialect.transform(entries.text, *names, condition.text)
    raises = entries.raises or condition.raises
    if node.kind == "exists_one":
        return Sql(scope.bind(answers, lambda bound: _one(scope, bound)), raises)
    decisive, other = ("TRUE", "FALSE") if node.kind == "exists" else ("FALSE", "TRUE")
    if not condition.raises:
        found = scope.dialect.contains(answers, decisive)
        return Sql(found if node.kind == "exists" else f"(NOT {found})", raises)

    def weighed(bound: str) -> str:
        first = f"WHEN {scope.dialect.contains(bound, decisive)} THEN {decisive}"
        return f"(CASE {first} WHEN {scope.dialect.is_whole(bound)} THEN {other} END)"

    return Sql(scope.bind(answers, weighed), raises)


def _one(scope: Scope, answers: str) -> str:
    true = scope.name()
    count = scope.dialect.size(scope.dialect.filter(answers, true, None, true))
    return f"(CASE WHEN {scope.dialect.is_whole(answers)} THEN {count} = 1 END)"


def transform(scope: Scope, node: Transform, names: Names, entries: Sql, condition: Sql | None, element: Sql) -> Sql:
    """`map` and `filter`."""
    raises = entries.raises or element.raises or (condition is not None and condition.raises)
    if condition is None:
        made = scope.dialect.transform(entries.text, *names, element.text)
    elif not condition.raises and _is_variable(node):
        return Sql(scope.dialect.filter(entries.text, *names, condition.text), raises)
    else:
        made = _guarded(scope, names, node.type, (entries, condition, element))
    return Sql(scope.whole(made) if element.raises else made, raises)


def _is_variable(node: Transform) -> bool:
    return isinstance(node.element, Local) and node.element.slot == node.variable.slot


def _guarded(scope: Scope, names: Names, kind: CelType, parts: tuple[Sql, Sql, Sql]) -> str:
    """Every turn gives a list of one entry or none."""
    entries, condition, element = parts
    one, none = scope.dialect.list([element.text], None), scope.dialect.list([], kind.element)
    turns = scope.dialect.transform(entries.text, *names, scope.choose(condition, one, none))
    return scope.dialect.flatten(scope.whole(turns) if condition.raises else turns)

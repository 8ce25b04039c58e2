"""Sums in SQL: int64, instants and durations, with NULL where CEL has an error."""

from typing import Final

from makegood.clock import SECOND
from makegood.rules.civil import TIMESTAMP_MAX, TIMESTAMP_MIN
from makegood.rules.columns_scope import Scope, Sql
from makegood.rules.columns_time import since_origin
from makegood.rules.expression import Arithmetic, Negate
from makegood.rules.intervals import exact_interval, fits, interval
from makegood.rules.literals import INT64_MAX, INT64_MIN
from makegood.rules.types import INT, STRING, TIMESTAMP

_JOINED: Final = " || "


def negation(scope: Scope, node: Negate, operand: Sql) -> Sql:
    """`-operand`; the smallest int has no opposite."""
    if fits(exact_interval(node)):
        return Sql(f"(0 - {operand.text})", operand.raises)
    return Sql(scope.fit(f"0 - {scope.widened(operand.text)}"), True)


def arithmetic(scope: Scope, node: Arithmetic, left: Sql, right: Sql) -> Sql:
    """`left OPERATOR right`."""
    raises = left.raises or right.raises
    if node.type == STRING or node.type.element:
        return Sql(f"({left.text}{_JOINED}{right.text})", raises)
    if node.type == INT:
        if node.operator in "/%":
            return _division(scope, node, left, right)
        if fits(exact_interval(node)):
            return Sql(f"({left.text} {node.operator} {right.text})", raises)
        return Sql(scope.fit(f"{scope.widened(left.text)} {node.operator} {right.text}"), True)
    plain = f"({left.text} {node.operator} {right.text})"
    if node.type == TIMESTAMP:
        return Sql(scope.within(plain, TIMESTAMP_MIN, TIMESTAMP_MAX), True)
    if node.left.type == TIMESTAMP:
        return Sql(scope.bind_two(left.text, right.text, lambda one, other: _difference(scope, one, other)), True)
    return Sql(scope.widened(scope.fit(plain)), True)


def _difference(scope: Scope, left: str, right: str) -> str:
    """The duration between two instants. Like the runtime, whole seconds must fit before the rest is added."""
    seconds = [scope.dialect.quotient(since_origin(each), str(SECOND)) for each in (left, right)]
    fitting = f"({seconds[0]} - {seconds[1]}) * {SECOND} BETWEEN {INT64_MIN} AND {INT64_MAX}"
    return f"(CASE WHEN {fitting} THEN {scope.widened(scope.fit(f'{left} - {right}'))} END)"


def _division(scope: Scope, node: Arithmetic, left: Sql, right: Sql) -> Sql:
    (least, _), (low, high) = interval(node.left), interval(node.right)
    by_zero = low <= 0 <= high
    overflows = least == INT64_MIN and low <= -1 <= high
    if overflows and node.operator == "%":
        return Sql(scope.bind_two(left.text, right.text, _rest), True)
    divisor = scope.bind(right.text, lambda bound: f"nullif({bound}, 0)") if by_zero else right.text
    raises = left.raises or right.raises or by_zero
    if node.operator == "%":
        return Sql(f"({left.text} % {divisor})", raises)
    if overflows:
        return Sql(scope.fit(scope.dialect.quotient(scope.widened(left.text), divisor)), True)
    return Sql(scope.dialect.quotient(left.text, divisor), raises)


def _rest(left: str, right: str) -> str:
    """What the division leaves. The runtime also refuses the smallest int by -1."""
    refused = f"{right} = 0 OR ({right} = -1 AND {left} = {INT64_MIN})"
    return f"({left} % (CASE WHEN {refused} THEN NULL ELSE {right} END))"

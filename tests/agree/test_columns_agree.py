"""One meaning: DuckDB gives the value of the generated function, or both give an error."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.agree.official_runtime import ENVIRONMENT
from tests.agree.test_rules_cases import CASES
from tests.agree.test_rules_cases import ENVIRONMENT as WITHOUT_PAYMENT
from tests.agree.written_expressions import expressions, payments

from makegood.files.columns import Row, evaluate_rows
from makegood.rules.check import check_expression
from makegood.rules.evaluate import EvaluationError, compile_expression
from makegood.rules.expression import Expression

_USUAL = settings.get_profile("default").max_examples
EXPRESSIONS = settings().max_examples * (1 if settings().max_examples <= _USUAL else 4)  # At night 160,000 pairs.
PAYMENTS_EACH = 20
ERROR = "an error"


def _same(ours: Any, theirs: Any) -> bool:
    """Equal, and of one type: in Python `1 == True`. An instant of a payment is an int of its own kind."""
    if isinstance(ours, tuple) and isinstance(theirs, tuple):
        return len(ours) == len(theirs) and all(map(_same, ours, theirs))
    return isinstance(ours, bool) == isinstance(theirs, bool) and bool(ours == theirs)


def _by_columns(expression: Expression, rows: Sequence[Row]) -> list[Any]:
    return [ERROR if isinstance(value, EvaluationError) else value for value in evaluate_rows(expression, rows)]


def _by_function(expression: Expression, row: Row) -> Any:
    try:
        return compile_expression(expression, tuple(row))(*row.values())
    except EvaluationError:
        return ERROR


@settings(max_examples=EXPRESSIONS)
@given(expressions(), st.integers(0, 2**32))
def test_columns_agree_with_evaluate_on_every_payment(text: str, seed: int) -> None:
    expression = check_expression(text, ENVIRONMENT, want=None).expression
    if expression is None:
        return  # The other agreement tests ask why.
    rows = [{"payment": fields} for fields in payments(seed, PAYMENTS_EACH)]
    for row, answer in zip(rows, _by_columns(expression, rows), strict=True):
        expected = _by_function(expression, row)
        assert _same(answer, expected), (text, row, answer, expected)


@pytest.mark.parametrize("text", CASES)
def test_a_chosen_expression_means_the_same_in_columns(text: str) -> None:
    expression = check_expression(text, WITHOUT_PAYMENT, want=None).expression
    assert expression is not None
    assert _same(_by_columns(expression, [{}])[0], _by_function(expression, {}))

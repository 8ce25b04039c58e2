"""One meaning: the generated function and the CEL runtime itself give the same value, or both an error."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.agree.official_runtime import ENVIRONMENT, ERROR, official, payment_message
from tests.agree.written_expressions import expressions, payments

from makegood.rules.check import check_expression
from makegood.rules.evaluate import EvaluationError, compile_expression
from makegood.rules.values import to_json

EXPRESSIONS = 4 * settings().max_examples
PAYMENTS_EACH = 20


def _same(ours: Any, theirs: Any) -> bool:
    """Equal, and of one type: in Python `1 == True`."""
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(_same, ours, theirs))
    return type(ours) is type(theirs) and bool(ours == theirs)


@settings(max_examples=EXPRESSIONS)
@given(expressions(), st.integers(0, 2**32))
def test_evaluate_agrees_with_the_runtime_on_every_payment(text: str, seed: int) -> None:
    checked = check_expression(text, ENVIRONMENT, want=None)
    if checked.expression is None:
        # What we refuse has no meaning to compare, but the refusal has to say why.
        assert checked.findings, text
        return
    kind, theirs = checked.expression.type, official(text, checked.expression.type)
    ours = compile_expression(checked.expression, ("payment",))
    for fields in payments(seed, PAYMENTS_EACH):
        try:
            answer = to_json(ours(fields), kind)
        except EvaluationError:
            answer = ERROR
        expected = theirs(payment_message(fields))
        assert _same(answer, expected), (text, fields, answer, expected)

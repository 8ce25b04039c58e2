"""One meaning: the CEL runtime, the generated function, SQL in DuckDB and the solver's terms, on the same payments."""

import random
from typing import Any

import z3
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.agree.official_runtime import ENVIRONMENT, ERROR, official, payment_message
from tests.agree.pinned_payments import accepted, pinned
from tests.agree.written_expressions import SCHEMA, expressions, payments

from makegood.files.columns import evaluate_rows
from makegood.rules.check import check_expression
from makegood.rules.evaluate import EvaluationError, compile_condition
from makegood.rules.expression import Expression
from makegood.rules.smt import Unsupported, symbolic_payment
from makegood.rules.smt_fields import truth_in
from makegood.rules.types import BOOL

PAYMENTS_EACH = 20
EXPRESSIONS = 5 * settings().max_examples // 2  # 5,000 pairs; at night 100,000.
EFFORT = 500_000


def _condition(text: str) -> Expression | None:
    """The text as a condition: what gives no truth is compared with itself, which keeps its errors."""
    checked = check_expression(text, ENVIRONMENT, want=None).expression
    if checked is None or checked.type == BOOL:
        return checked
    return check_expression(f"({text}) == ({text})", ENVIRONMENT).expression


def _by_function(expression: Expression, found: list[dict[str, Any]]) -> list[Any]:
    function = compile_condition(expression)
    answers: list[Any] = []
    for fields in found:
        try:
            answers.append(function(fields))
        except EvaluationError:
            answers.append(ERROR)
    return answers


def _by_columns(expression: Expression, found: list[dict[str, Any]]) -> list[Any]:
    answers = evaluate_rows(expression, [{"payment": fields} for fields in found])
    return [ERROR if isinstance(answer, EvaluationError) else answer for answer in answers]


def _by_solver(expression: Expression, found: list[dict[str, Any]]) -> list[Any]:
    """None where the solver cannot express it, or gives up."""
    try:
        payment = symbolic_payment(SCHEMA, (expression,), context=z3.Context())
        term = payment.encode(expression)
    except Unsupported:
        return [None] * len(found)
    answers: list[Any] = []
    for fields in found:
        solver = z3.Solver(ctx=payment.context)  # A new one each time: it solves equations before it searches.
        solver.set("rlimit", EFFORT)
        solver.add(*payment.domain, *pinned(payment, fields))
        answer = solver.check()
        assert answer != z3.unsat, fields
        model = solver.model() if answer == z3.sat else None
        answers.append(None if model is None else ERROR if truth_in(model, term.error) else truth_in(model, term.value))
    return answers


@settings(max_examples=EXPRESSIONS)
@given(expressions(), st.integers(0, 2**32))
def test_four_machines_say_the_same_of_every_payment(text: str, seed: int) -> None:
    expression = _condition(text)
    if expression is None:
        return
    chance = random.Random(seed)
    found = [accepted(fields, chance) for fields in payments(seed, PAYMENTS_EACH)]
    official_text = text if check_expression(text, ENVIRONMENT).expression is not None else f"({text}) == ({text})"
    runtime = official(official_text, BOOL)
    theirs = [runtime(payment_message(fields)) for fields in found]
    assert _by_function(expression, found) == theirs, text
    assert _by_columns(expression, found) == theirs, text
    solved = _by_solver(expression, found)
    assert [answer for answer in solved if answer is not None] == [
        wanted for answer, wanted in zip(solved, theirs, strict=True) if answer is not None
    ], text

"""One meaning: the solver's terms say of every payment what the generated function says, values and errors alike."""

import random
import re
from dataclasses import replace
from typing import Any

import z3
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.agree.official_runtime import ENVIRONMENT, ERROR
from tests.agree.pinned_payments import accepted, pinned
from tests.agree.text_questions import text_questions
from tests.agree.written_expressions import SCHEMA, expressions, payments

from makegood.clock import Instant
from makegood.domain.payment import parse_payment
from makegood.domain.policy import PaymentSchema
from makegood.rules.check import check_expression
from makegood.rules.environment import Environment, payment_environment, variable_environment
from makegood.rules.evaluate import EvaluationError, compile_condition, compile_expression
from makegood.rules.expression import Expression
from makegood.rules.smt import SymbolicPayment, Term, Unsupported, evaluate_smt, symbolic_payment
from makegood.rules.smt_fields import truth_in
from makegood.rules.types import BOOL, INT, STRING, TIMESTAMP, list_of

EXAMPLES = settings().max_examples
PAYMENTS_EACH = 7
# The same fields with closed lists, short texts and few entries: other forms of texts and lists.
_TIGHT: dict[str, dict[str, Any]] = {
    "scene": {"values": ("a", "in_store_qr", "none", "é")},
    "city": {"values": ("", "12", "Hangzhou", "北京", "\uffff")},
    "payer_id": {"max_length": 2},
    "store_type": {"max_length": 4},
    "segments": {"values": ("a", "true", "北京"), "max_items": 2},
    "codes": {"max_length": 4, "max_items": 1},
}
TIGHT = PaymentSchema("CNY", {name: replace(each, **_TIGHT.get(name, {})) for name, each in SCHEMA.fields.items()})
TIGHT_ENVIRONMENT = payment_environment(TIGHT)
EFFORT = 500_000
_TYPES = {"int": INT, "bool": BOOL, "string": STRING, "timestamp": TIMESTAMP, "list(string)": list_of(STRING)}


def _ours(function: Any, *values: Any) -> Any:
    try:
        return function(*values)
    except EvaluationError:
        return ERROR


@settings(max_examples=3 * EXAMPLES)
@given(expressions(), st.integers(0, 2**32))
def test_the_solver_computes_what_the_function_computes(text: str, seed: int) -> None:
    fields = {name: int(each) if isinstance(each, Instant) else each for name, each in payments(seed, 1)[0].items()}
    text = re.sub(r"has\(payment\.(\w+)\)", lambda match: str(match[1] in fields).lower(), text)
    text = re.sub(r"payment\.(\w+)", r"\1", text)
    types = {name: _TYPES[field.type] for name, field in SCHEMA.fields.items()}
    expression = check_expression(text, variable_environment(types), want=None).expression
    if expression is None:
        return
    try:
        found = _ours(evaluate_smt, expression, fields)
    except Unsupported:
        return
    expected = _ours(compile_expression(expression, tuple(fields)), *fields.values())
    assert (type(found), found) == (type(expected), expected), (text, fields)


def _encoded(text: str, environment: Environment = ENVIRONMENT) -> tuple[Expression, SymbolicPayment, Term] | None:
    expression = check_expression(text, environment).expression
    assert isinstance(environment.schema, PaymentSchema)
    if expression is None:
        return None
    try:
        payment = symbolic_payment(environment.schema, (expression,), context=z3.Context())
        return expression, payment, payment.encode(expression)
    except Unsupported:
        return None


def _solver(payment: SymbolicPayment) -> z3.Solver:
    solver = z3.Solver(ctx=payment.context)
    solver.set("rlimit", EFFORT)
    solver.add(*payment.domain)
    return solver


@settings(max_examples=EXAMPLES)
@given(text_questions(), st.integers(0, 2**32))
def test_a_payment_in_the_domain_has_the_meaning_that_the_function_gives_it(text: str, seed: int) -> None:
    encoded = _encoded(text)
    if encoded is None:
        return
    expression, payment, term = encoded
    chance, condition = random.Random(seed), compile_condition(expression)
    for written in payments(seed, PAYMENTS_EACH):
        fields = accepted(written, chance)
        expected = _ours(condition, fields)
        solver = _solver(payment)  # A new one each time: it solves equations before it searches.
        solver.add(*pinned(payment, fields))
        answer = solver.check()
        if answer == z3.unknown:
            continue
        assert answer == z3.sat, (text, fields)
        model = solver.model()
        found = ERROR if truth_in(model, term.error) else truth_in(model, term.value)
        assert found == expected, (text, fields)


@settings(max_examples=2 * EXAMPLES)
@given(expressions() | text_questions(), st.sampled_from((ENVIRONMENT, TIGHT_ENVIRONMENT)))
def test_every_model_reads_back_as_a_payment_of_which_the_function_says_the_same(text: str, env: Environment) -> None:
    encoded = _encoded(text, env)
    if encoded is None:
        return
    expression, payment, term = encoded
    questions = {
        True: z3.And(term.value, z3.Not(term.error)),
        False: z3.And(z3.Not(term.value), z3.Not(term.error)),
        ERROR: term.error,
    }
    for expected, question in questions.items():
        solver = _solver(payment)
        solver.add(question)
        if solver.check() != z3.sat:
            continue
        raw = payment.read(solver.model())
        assert isinstance(payment.schema, PaymentSchema)
        fields = parse_payment(raw, payment.schema).fields
        assert _ours(compile_condition(expression), fields) == expected, (text, raw)

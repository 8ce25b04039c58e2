"""Necessary terms: what the engine may index campaigns by."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.agree.official_runtime import ENVIRONMENT
from tests.agree.written_expressions import Writer, payments

from makegood.rules.check import check_expression
from makegood.rules.evaluate import EvaluationError, compile_condition
from makegood.rules.terms import Range, Term, necessary_terms


def terms(text: str) -> tuple[Term | Range, ...]:
    expression = check_expression(text, ENVIRONMENT).expression
    assert expression is not None
    return necessary_terms(expression)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('payment.city == "a"', (Term("city", frozenset({"a"})),)),
        ('"a" == payment.city', (Term("city", frozenset({"a"})),)),
        ('payment.city in ["a", "b"]', (Term("city", frozenset({"a", "b"})),)),
        ("payment.payer_is_new", (Term("payer_is_new", frozenset({True})),)),
        ("!payment.payer_is_new", (Term("payer_is_new", frozenset({False})),)),
        ("payment.amount >= 100 && (payment.amount < 500)", (Range("amount", 100, 499),)),
        ("100 < payment.amount && 200 < payment.amount", (Range("amount", 201, None),)),
        ('payment.city == "a" || payment.city in ["b"]', (Term("city", frozenset({"a", "b"})),)),
        ('payment.city in ["a", "b"] && payment.city in ["b", "c"]', (Term("city", frozenset({"b"})),)),
        ('payment.city == "a" || payment.amount > 5', ()),
        ('!(payment.city == "a")', ()),
        ('payment.city != "a"', ()),
        ("true", ()),
        (
            'has(payment.member) && payment.member && (payment.scene == "x" && payment.points == 3)',
            (Term("member", frozenset({True})), Term("scene", frozenset({"x"})), Term("points", frozenset({3}))),
        ),
    ],
)
def test_the_terms_of_a_condition(text: str, expected: tuple[Term | Range, ...]) -> None:
    assert terms(text) == expected


@st.composite
def _conditions(draw: st.DrawFn) -> str:
    writer = Writer(random.Random(draw(st.integers(0, 2**63))))
    simple = st.sampled_from(
        (
            'payment.city == "a"', 'payment.city in ["a", "é"]', "payment.payer_is_new", "!payment.payer_is_new",
            "payment.points >= 7", "payment.amount < 25000000", 'payment.scene == "none" || payment.scene == "a"',
        )
    )  # fmt: skip
    parts = [*draw(st.lists(simple, min_size=1, max_size=3)), writer.write("bool", 2)]
    return " && ".join(f"({part})" for part in draw(st.permutations(parts)))


def _met(found: Term | Range, fields: dict[str, object]) -> bool:
    value = fields.get(found.field)
    if isinstance(found, Term):
        return value in found.values
    assert isinstance(value, int)
    return (found.low is None or value >= found.low) and (found.high is None or value <= found.high)


@given(_conditions(), st.integers(0, 2**32))
def test_every_term_holds_wherever_the_condition_is_true(text: str, seed: int) -> None:
    expression = check_expression(text, ENVIRONMENT).expression
    if expression is None:
        return
    found, holds = necessary_terms(expression), compile_condition(expression)
    for fields in payments(seed, 20):
        try:
            answer = holds(fields)
        except EvaluationError:
            answer = False
        assert not answer or all(_met(each, fields) for each in found)

"""Generated functions: what they answer, what they raise, and that user text never reaches the generated source."""

import timeit
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from makegood.clock import Instant
from makegood.domain.policy import CORE_FIELDS, Field, FieldType, PaymentSchema
from makegood.rules.check import check_expression
from makegood.rules.emit import Emitter
from makegood.rules.environment import payment_environment
from makegood.rules.evaluate import EvaluationError, compile_condition, compile_expression
from makegood.rules.expression import Expression
from makegood.rules.types import INT, STRING

SCHEMA = PaymentSchema(
    "CNY",
    {
        field.name: field
        for field in (
            *(field for field in CORE_FIELDS if field.name != "amount"),
            Field("amount", FieldType.INT, min=1, max=50_000_000),
            Field("points", FieldType.INT),
            Field("city", FieldType.STRING),
            Field("member", FieldType.BOOL, optional=True),
            Field("segments", FieldType.STRINGS),
        )
    },
)
ENVIRONMENT = payment_environment(SCHEMA, {"discount": INT, "total": INT, "label": STRING})
PAYMENT = {
    "scene": "in_store_qr", "amount": 20_000, "points": 2**62, "city": "Hangzhou", "segments": ("new", "vip"),
    "occurred_at": Instant.parse("2027-02-01T20:30:00Z"),
}  # fmt: skip


def tree(text: str) -> Expression:
    checked = check_expression(text, ENVIRONMENT)
    assert checked.expression is not None, checked.findings
    return checked.expression


def condition(text: str) -> Callable[[Mapping[str, Any]], bool]:
    return compile_condition(tree(text))


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ('payment.scene == "in_store_qr" && payment.amount >= 10000 && payment.city == "Hangzhou"', True),
        ('payment.scene in ["transfer", "rent"]', False),
        ("payment.amount * 2 - 1 == 39999 && payment.amount / 3 == 6666 && payment.amount % 3 == 2", True),
        ('payment.segments.exists(s, s.startsWith("v")) && size(payment.segments) == 2', True),
        ('payment.occurred_at.getHours("Asia/Shanghai") == 4', True),
        ('payment.occurred_at.getDayOfWeek("Asia/Shanghai") == 2 && payment.occurred_at.getDayOfWeek() == 1', True),
        ('payment.occurred_at - timestamp("2027-02-01T00:00:00Z") < duration("21h")', True),
        ("has(payment.member) && payment.member", False),
        ("payment.points + payment.points > 0 || payment.amount > 1", True),
        ("payment.points + payment.points > 0 && payment.amount < 1", False),
        ("payment.points + payment.points > 0 && payment.points * 2 > 0 && payment.amount < 1", False),
        ("payment.points + payment.points > 0 || payment.points * 2 > 0 || payment.amount > 1", True),
    ],
)  # fmt: skip
def test_a_condition_holds_or_not(text: str, holds: bool) -> None:
    assert condition(text)(PAYMENT) is holds


@pytest.mark.parametrize(
    "text",
    [
        "payment.points + payment.points > 0",
        "payment.points + payment.points > 0 || payment.amount < 1",
        "payment.points + payment.points > 0 && payment.points * 2 > 0",
        "payment.amount / (payment.amount - 20000) > 0",
        "payment.segments[2] == 'new'",
        "payment.segments.all(s, payment.segments[2] == s)",
        "timestamp('9999-12-31T23:59:59Z') + (payment.occurred_at - timestamp(0)) > payment.occurred_at",
    ],
)
def test_a_cel_error_is_raised_never_eligible(text: str) -> None:
    with pytest.raises(EvaluationError):
        condition(text)(PAYMENT)


def test_an_optional_list_that_was_supplied_empty_was_supplied() -> None:
    supplied = condition("has(payment.codes)")
    assert supplied({**PAYMENT, "codes": ()})
    assert not supplied(PAYMENT)
    assert not condition("has(payment.codes) && payment.codes.exists(c, c == 'A')")({**PAYMENT, "codes": ()})


def test_a_rule_takes_its_variables_in_the_order_of_their_names() -> None:
    rule = compile_expression(
        tree('total * 2 <= payment.amount && discount <= 20000 && label == "gift"'),
        ("payment", "discount", "total", "label"),
    )
    assert rule(PAYMENT, 100, 100, "gift") is True
    assert rule(PAYMENT, 100, 100, "other") is False
    with pytest.raises(EvaluationError, match="integer overflow"):
        rule(PAYMENT, 100, 2**62, "gift")


def test_a_variable_without_a_value_is_an_error_that_is_absorbed_like_any_other() -> None:
    expression = check_expression("discount > 1 || true", ENVIRONMENT).expression
    assert expression is not None
    assert compile_expression(expression, ())() is True


def test_the_usual_condition_is_plain_python() -> None:
    code = Emitter({"payment": "p0"}).emit(
        tree('payment.scene == "a" && payment.amount * 2 >= 10000 && has(payment.member) && payment.member')
    )
    assert not code.raises
    assert "lambda" not in code.text
    assert "fit" not in code.text


def test_what_may_raise_stands_last_so_that_the_rest_can_decide_alone() -> None:
    code = Emitter({"payment": "p0"}).emit(tree("payment.points + 1 > 0 && payment.amount > 5"))
    assert code.raises
    assert code.text.index("fit(") > code.text.index(">")
    assert "lambda" not in code.text


def test_the_text_of_a_user_never_stands_in_the_source() -> None:
    evil = "'); __import__('os').abort() #"
    emitter = Emitter({"payment": "p0"})
    code = emitter.emit(tree(f'payment.city == "{evil}" || payment.city in ["{evil}"]'))
    assert "os" not in code.text
    assert "abort" not in code.text
    assert condition(f'payment.city == "{evil}"')({**PAYMENT, "city": evil})


def test_the_usual_condition_takes_less_than_a_microsecond() -> None:
    text = 'payment.scene == "in_store_qr" && payment.amount >= 10000 && payment.city == "Hangzhou"'
    holds = condition(text)
    seconds = min(timeit.repeat(lambda: holds(PAYMENT), number=20_000, repeat=5)) / 20_000
    assert seconds < 1e-6

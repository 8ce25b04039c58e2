"""What an expression may name, and how environments are shared."""

from dataclasses import replace

import pytest

from makegood.domain.policy import CORE_FIELDS, Field, FieldType, PaymentSchema
from makegood.rules.check import check_expression
from makegood.rules.environment import payment_environment, variable_environment
from makegood.rules.types import DYN, INT, STRING, list_of, parse_type, unify

SCHEMA = PaymentSchema("CNY", {field.name: field for field in CORE_FIELDS})


def test_environments_of_one_schema_share_one_compiler() -> None:
    again = PaymentSchema("EUR", dict(SCHEMA.fields))
    assert payment_environment(SCHEMA).compiler is payment_environment(again).compiler
    wider = replace(SCHEMA, fields={**SCHEMA.fields, "city": Field("city", FieldType.STRING)})
    assert payment_environment(wider).compiler is not payment_environment(SCHEMA).compiler


def test_every_field_of_the_schema_can_be_read_with_its_type() -> None:
    environment = payment_environment(SCHEMA)
    for field in CORE_FIELDS:
        checked = check_expression(
            f"has(payment.{field.name}) ? payment.{field.name} : payment.{field.name}", environment, want=None
        )
        guarded = check_expression(f"has(payment.{field.name})", environment)
        assert guarded.expression is not None
        assert (checked.expression is None) == field.optional
        if checked.expression is not None:
            assert str(checked.expression.type) == field.type


def test_mixed_types_are_allowed_only_where_no_payment_is_read() -> None:
    text = "[1, 'a'].exists(e, e == 1)"
    assert check_expression(text, payment_environment(SCHEMA)).expression is None
    assert check_expression(text, variable_environment({})).expression is not None


def test_a_list_of_unknown_length_counts_as_the_longest() -> None:
    text = "l.all(a, l.all(b, a == b))"
    assert check_expression(text, variable_environment({"l": list_of(INT)})).expression is None
    assert check_expression(text, variable_environment({"l": list_of(INT)}, sizes={"l": 100})).expression is not None


def test_types_are_read_as_they_are_written() -> None:
    for text in ("int", "list(string)", "list(list(timestamp))"):
        assert str(parse_type(text)) == text
    assert parse_type(" list( int ) ") == list_of(INT)


@pytest.mark.parametrize("text", ["", "double", "list(", "list(uint)", "list(" * 5_000 + "int" + ")" * 5_000])
def test_what_is_no_type_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a type"):
        parse_type(text)


def test_the_type_of_both_is_the_narrowest() -> None:
    assert unify(INT, INT) == INT
    assert unify(INT, STRING) == DYN
    assert unify(list_of(INT), list_of(STRING)) == list_of(DYN)

"""Payments: parsed strictly, with every mistake and its place."""

from typing import Any

import pytest
from tests.unit.pricing_world import NOON, SCHEMA, payment, raw_payment

from makegood.clock import Instant
from makegood.domain import payment as payments
from makegood.domain.payment import Item, parse_payment
from makegood.errors import Problem, ProblemCode


def mistakes(**changes: object) -> dict[str, str]:
    """Path to message of everything wrong with a payment that was changed so."""
    with pytest.raises(Problem) as caught:
        parse_payment(raw_payment(**changes), SCHEMA)
    assert caught.value.code is ProblemCode.PAYMENT_IS_INVALID
    return {error.path: error.message for error in caught.value.errors}


def test_a_payment_has_the_fields_that_are_present_and_no_others() -> None:
    one = payment(payer_id=None, store_type="chain")
    assert one.payer_id is None
    assert "payer_id" not in one.fields
    assert one.fields["store_type"] == "chain"
    assert one.occurred_at == one.fields["occurred_at"] == NOON


def test_an_optional_field_that_is_null_is_absent() -> None:
    raw = raw_payment() | {"payer_id": None, "store_type": None}
    assert parse_payment(raw, SCHEMA).fields.keys() == payment(payer_id=None).fields.keys()


def test_every_mistake_is_told_at_once() -> None:
    found = mistakes(amount="12000", city=None, scene="in_store", payer_is_new=1, colour="red")
    assert found == {
        "/amount": "must be a whole number, not a string",
        "/city": "is missing",
        "/scene": "is not in the policy's list; did you mean `in_store_qr`?",
        "/payer_is_new": "must be true or false, not a whole number",
        "/colour": "is not declared by the policy",
    }


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("amount", 0, "must be at least 1"),
        ("amount", -5, "must be at least 1"),
        ("amount", 50_000_001, "must be at most 50000000"),
        ("amount", 120.0, "must be a whole number, not a number with a point"),
        ("amount", True, "must be a whole number, not a boolean"),
        ("amount", 2**70, "must be at most 50000000"),
        ("currency", "USD", "is not in the policy's list"),
        ("payment_id", "", "is empty"),
        ("payment_id", "p" * 129, "must have at most 128 characters, not 129"),
        ("city", "Hang\0zhou", "holds a character that no text may hold"),
        ("city", "\ud800", "holds a character that no text may hold"),
        ("occurred_at", 1_700_000_000, "must be an RFC 3339 instant, not a whole number"),
        ("occurred_at", "2027-02-03", "is not an RFC 3339 instant"),
        ("occurred_at", "2027-02-03T12:00:00.000000001Z", "is finer than a microsecond"),
        ("payer_segments", "gold", "must be a list of strings, not a string"),
        ("payer_segments", ["gold", 1], "must be a string, not a whole number"),
        ("payer_segments", ["gold"] * 21, "must have at most 20 entries, not 21"),
        ("items", {"sku": "latte"}, "must be a list of at most 50 items"),
    ],
)
def test_a_value_out_of_type_or_bounds_is_refused_where_it_is(field: str, value: object, message: str) -> None:
    assert message in mistakes(**{field: value})[f"/{field}"]


def test_what_is_no_object_is_refused() -> None:
    with pytest.raises(Problem) as caught:
        parse_payment([raw_payment()], SCHEMA)
    assert [error.message for error in caught.value.errors] == ["must be an object, not a list"]


def test_a_key_with_slashes_is_pointed_at_by_rfc_6901() -> None:
    assert list(mistakes(**{"a/b~c": 1})) == ["/a~1b~0c"]


def test_items_are_read_and_must_add_up_to_the_amount() -> None:
    items = [{"sku": "latte", "amount": 9000, "quantity": 3}, {"sku": "cake", "amount": 3000, "category": "food"}]
    assert payment(items=items).items == (Item("latte", 9000, None, 3), Item("cake", 3000, "food", 1))
    assert payment(items=items).items[0].fields == {"sku": "latte", "amount": 9000, "quantity": 3}
    assert payment(items=items).items[1].fields["category"] == "food"
    assert mistakes(items=items[:1]) == {"/items": "lines add up to 9000, the amount is 12000"}


def test_a_wrong_item_is_told_by_its_line() -> None:
    found = mistakes(items=[{"sku": "latte", "amount": 12_000}, {"amount": -1, "colour": "red"}, "cake"])
    assert set(found) == {"/items/1/sku", "/items/1/amount", "/items/1/colour", "/items/2"}


def test_at_another_clock_a_payment_differs_in_nothing_but_the_time() -> None:
    later = Instant(NOON.plus(60))
    one = payment()
    moved = one.at(later)
    assert moved.occurred_at == moved.fields["occurred_at"] == later
    assert {**moved.fields, "occurred_at": NOON} == one.fields
    assert one.occurred_at == NOON


_ODD: list[Any] = [
    None, True, 0, -1, 1, 2**63, 1.5, "", "a", "\0", "\ud800", "x" * 600, "CNY", "USD", [], ["a"], [""], ["\0"], [1],
    ["x"] * 300, {}, "2027-02-03T02:00:00Z", "1900-01-01T00:00:00Z", [{"sku": "s", "amount": 12_000}], 10**12,
]  # fmt: skip


@pytest.mark.parametrize("name", [*SCHEMA.fields, "items", "colour"])
def test_a_payment_read_the_short_way_is_what_the_long_way_reads(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = [raw_payment(), *(raw_payment() | {name: value} for value in _ODD)]
    sent.append({key: value for key, value in raw_payment().items() if key != name})
    short = [_told(one) for one in sent]
    assert payments._plain_fields(raw_payment(), SCHEMA) is not None
    monkeypatch.setattr(payments, "_plain_fields", lambda *_: None)
    assert short == [_told(one) for one in sent]


def _told(raw: dict[str, Any]) -> Any:
    try:
        read = parse_payment(raw, SCHEMA)
    except Problem as problem:
        return problem.errors
    return read, read.fields

"""Findings of conditions: what is wrong, where, and the nearest right name."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makegood.domain.policy import CORE_FIELDS, Field, FieldType, PaymentSchema
from makegood.findings import FindingCode, Severity
from makegood.rules.check import Checked, check_expression
from makegood.rules.environment import item_environment, payment_environment
from makegood.rules.types import INT

SCHEMA = PaymentSchema(
    "CNY",
    {
        field.name: field
        for field in (
            *CORE_FIELDS,
            Field("city", FieldType.STRING),
            Field("payer_is_new", FieldType.BOOL),
            Field("store_type", FieldType.STRING, optional=True),
            Field("member", FieldType.BOOL, optional=True),
            Field("segments", FieldType.STRINGS, max_items=20),
        )
    },
)
ENVIRONMENT = payment_environment(SCHEMA, {"discount": INT})


def check(text: str) -> Checked:
    return check_expression(text, ENVIRONMENT)


@pytest.mark.parametrize(
    ("text", "code", "line", "column", "message", "hint"),
    [
        ("payment.ammount > 1", "expression_has_a_type_error", 1, 9, "a payment has no field `ammount`", "`amount`"),
        ("has(payment.ctiy)", "expression_has_a_type_error", 1, 4, "has no field `ctiy`", "`city`"),
        ("true ||\n  paymnt.city == 'a'", "expression_has_a_type_error", 2, 3, "`paymnt`", "`payment`"),
        ("city == 'a'", "expression_has_a_type_error", 1, 1, "`city`", "`payment.city`"),
        ("discuont > 1", "expression_has_a_type_error", 1, 1, "`discuont`", "`discount`"),
        ("payment.city.startWith('a')", "expression_has_a_type_error", 1, 14, "`startWith`", "`startsWith`"),
        ("payment.amount == 'a'", "expression_has_a_type_error", 1, 16, "`==` does not take `int` and", "one type"),
        ("payment.amount > 1.5", "expression_has_a_type_error", 1, 16, "`int` and `double`", "minor units"),
        ("payment.amount + 1", "expression_has_a_type_error", 1, 16, "gives a value of type `int`, not `bool`", None),
        ("payment.amount.x == 1", "expression_has_a_type_error", 1, 15, "a value of type `int` has no fields", None),
        ("payment.segments.exists(x)", "expression_has_a_type_error", 1, 18, "`exists`", "`list.exists(name,"),
        ("payment.amount > 1 and true", "expression_does_not_parse", 1, 20, "`and` is not expected here", "`&&`"),
        ("payment.amount = 1", "expression_does_not_parse", 1, 16, "cannot read `=`", "`==`"),
        ("payment.amount > 1 &&", "expression_does_not_parse", 1, 22, "ends too early", None),
        ("(payment.amount > 1", "expression_does_not_parse", 1, 20, "`)` is missing", None),
        ("payment.city == 'a", "expression_does_not_parse", 1, 17, "cannot read `'a`", "quote"),
        ("'\0' == ''", "expression_does_not_parse", 1, 2, "no text may hold", None),
        ("true\n== '\ud800'", "expression_does_not_parse", 2, 5, "no text may hold", None),
        ("payment.amount > 99999999999999999999", "expression_does_not_parse", 1, 18, "invalid int literal", None),
        ("payment.items", "expression_is_unsupported", 1, 9, "`payment.items`", "item-level"),
        ("payment.city.matches('a')", "expression_is_unsupported", 1, 21, "`matches` is not supported", "`contains`"),
        ("double(payment.amount) > 1.0", "expression_is_unsupported", 1, 7, "`double`", "minor units"),
        ("{'a': true}['a']", "expression_is_unsupported", 1, 1, "maps", None),
        ("payment == payment", "expression_is_unsupported", 1, 1, "the payment as a whole", "fields"),
        ("[1, 'a'] == [1]", "expression_is_unsupported", 1, 1, "mixed types", "one type"),
        ("null == null", "expression_is_unsupported", 1, 1, "null", None),
        ("payment.occurred_at.getHours('Mars') == 1", "expression_is_unsupported", 1, 30, "`Mars`", "Asia/Shanghai"),
        ("payment.occurred_at.getHours(payment.city) == 1", "expression_is_unsupported", 1, 29, "written out", None),
        ("payment.occurred_at < timestamp('noon')", "value_is_wrong", 1, 33, "`noon` is not a timestamp", None),
        ("payment.store_type == 'chain'", "optional_is_unguarded", 1, 1, "`payment.store_type` may be missing", "has("),
        ("", "condition_is_empty", 1, 1, "is empty", "`true`"),
        (" \n\t// everyone\n", "condition_is_empty", 1, 1, "is empty", "`true`"),
    ],
)  # fmt: skip
def test_a_mistake_is_found_with_its_place_and_remedy(
    text: str, code: str, line: int, column: int, message: str, hint: str | None
) -> None:
    checked = check(text)
    assert checked.expression is None
    first = next(finding for finding in checked.findings if finding.code == code)
    assert (first.line, first.column) == (line, column)
    assert message in first.message
    assert first.message[:1] in "`" or first.message[:1].islower()
    assert hint is None or hint in (first.hint or "")


def test_every_mistake_is_found_not_only_the_first() -> None:
    checked = check("payment.ammount > 1 && payment.ctiy == 'a' && {'a': 1}.a == 1")
    assert [finding.column for finding in checked.findings] == [9, 32]
    checked = check("payment.store_type == 'a' && payment.city.matches('a') && {1: 2}[1] == 2")
    assert [finding.code for finding in checked.findings] == ["expression_is_unsupported"] * 2


@pytest.mark.parametrize("text", ["true", " ( true ) // for everyone"])
def test_a_condition_for_everyone_is_a_warning_and_passes(text: str) -> None:
    checked = check(text)
    assert checked.expression is not None
    assert [(f.severity, f.code) for f in checked.findings] == [(Severity.WARNING, FindingCode.CONDITION_IS_EVERYONE)]


@pytest.mark.parametrize(
    "text",
    [
        "has(payment.member) && payment.member",
        "!has(payment.member) || payment.member",
        "has(payment.member) ? payment.member : false",
        "!has(payment.member) ? false : payment.member",
        "payment.amount > 1 && (has(payment.member) && payment.amount > 2) && payment.member",
        "!(!has(payment.member) || payment.amount > 1) && payment.member",
        "has(payment.store_type) && payment.segments.exists(s, s == payment.store_type)",
        "has(payment.codes) && payment.codes.exists(code, code == 'A')",
        "(has(payment.member) || has(payment.member)) && payment.member",
        "has(payment.member) && has(payment.store_type) && payment.member && payment.store_type == 'a'",
    ],
)
def test_a_guarded_optional_field_may_be_read(text: str) -> None:
    assert check(text).findings == ()


@pytest.mark.parametrize(
    "text",
    [
        "payment.member",
        "payment.member && has(payment.member)",
        "has(payment.member) || payment.member",
        "!has(payment.member) && payment.member",
        "has(payment.member) ? true : payment.member",
        "has(payment.store_type) && payment.member",
        "(has(payment.member) && payment.amount > 1) || payment.member",
        "(has(payment.member) || payment.amount > 1) && payment.member",
        "(has(payment.member) ? true : true) && payment.member",
        "payment.segments.all(s, has(payment.member)) && payment.member",
    ],
)
def test_an_unguarded_optional_field_may_not_be_read(text: str) -> None:
    assert {finding.code for finding in check(text).findings} == {FindingCode.OPTIONAL_IS_UNGUARDED}


HOSTILE = {
    "long text": "payment.city == '" + "a" * 60_000 + "'",
    "above 64 KiB": "payment.city == '" + "a" * 70_000 + "'",
    "deep parentheses": "(" * 1_000 + "true" + ")" * 1_000,
    "very deep parentheses": "(" * 30_000 + "true" + ")" * 30_000,
    "deep lists": "[" * 1_000 + "]" * 1_000 + " == []",
    "deep negation": "!" * 60_000 + "true",
    "deep selection": "payment" + ".city" * 10_000,
    "deep indexes": "payment.segments" + "[0]" * 10_000,
    "deep conditionals": "true ? true : " * 1_000 + "true",
    "deep macros": "payment.segments.all(s, " * 1_000 + "true" + ")" * 1_000,
    "a long sum": "+".join(["1"] * 20_000) + " > 0",
    "a long list": f"payment.amount in [{', '.join(map(str, range(10_000)))}]",
    "too long a list": f"payment.amount in [{','.join(map(str, range(10_001)))}]",
    "many terms": " || ".join(["payment.amount==1"] * 2_900),
    "many mistakes": "||".join(["a"] * 20_000),
    "many type errors": "||".join(["1=='a'"] * 7_000),
    "nested loops": "[0,1,2,3,4,5,6,7,8,9].all(a," * 6 + "a > 0" + ")" * 6,
    "unfinished": "payment.city == '" * 3_000,
    "brackets": "([{" * 10_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_gets_an_answer_in_bounded_time(name: str) -> None:
    started = time.perf_counter()
    checked = check(HOSTILE[name])
    assert time.perf_counter() - started < 30  # It hangs, or it is done; a busy machine is neither.
    if name in ("long text", "a long list", "deep negation", "many terms"):
        assert checked.expression is not None
    else:
        assert checked.expression is None
        assert 0 < len(checked.findings) <= 50
        assert all(len(finding.message) < 300 for finding in checked.findings)


_PIECES = (
    "payment", ".", "amount", "city", "member", "has(", ")", "(", "[", "]", "{", "}", ",", ":", "?", "&&", "||", "!",
    "==", "in", "<", "+", "-", "*", "/", "%", "1", "0", "'a'", '"', "true", "null", "1.5", "2u", "b'x'", "x", ".all(x,",
    ".map(x,", ".exists(", "size(", "timestamp(", "duration(", "'1h'", ".getHours(", "dyn(", "type(", "//", "\n", "`",
    "\\", "\ud800", "\0", "é", "9223372036854775808", "@in", "__result__", "payment.codes", "segments",
)  # fmt: skip


@given(st.one_of(st.text(), st.lists(st.sampled_from(_PIECES), max_size=30).map("".join)))
def test_any_text_gives_a_tree_or_findings_and_never_an_exception(text: str) -> None:
    checked = check(text)
    errors = [finding for finding in checked.findings if finding.severity is Severity.ERROR]
    assert (checked.expression is None) == bool(errors)
    lines = text.split("\n")
    for finding in errors:
        assert 1 <= finding.line <= len(lines)
        assert 1 <= finding.column <= len(text) + 1


ITEM = item_environment(50_000_000)


@pytest.mark.parametrize(
    ("text", "code", "column", "message", "hint"),
    [
        ("item.skuu == 'a'", "expression_has_a_type_error", 6, "an item has no field `skuu`", "`sku`"),
        ("sku == 'a'", "expression_has_a_type_error", 1, "`sku` is not a name", "`item.sku`"),
        ("payment.amount > 1", "expression_has_a_type_error", 1, "`payment` is not a name", "`when`"),
        ("item.sku > 1", "expression_has_a_type_error", 10, "does not take `string` and `int`", None),
        ("item.items == 1", "expression_has_a_type_error", 6, "an item has no field `items`", None),
        ("item == item", "expression_is_unsupported", 1, "the item as a whole", "fields"),
    ],
)
def test_a_mistake_in_a_condition_on_items_is_found_with_its_place_and_remedy(
    text: str, code: str, column: int, message: str, hint: str | None
) -> None:
    checked = check_expression(text, ITEM)
    assert checked.expression is None
    first = checked.findings[0]
    assert (first.code, first.line, first.column) == (code, 1, column)
    assert message in first.message
    assert hint is None or hint in (first.hint or "")


def test_a_condition_on_payments_that_reads_an_item_says_where_items_are_read() -> None:
    assert "`where`" in (check("item.sku == 'a'").findings[0].hint or "")


def test_a_category_that_may_be_missing_is_a_warning_that_says_what_it_means() -> None:
    checked = check_expression("item.category == 'coffee'", ITEM)
    assert checked.expression is not None
    (found,) = checked.findings
    assert (found.severity, found.code) == (Severity.WARNING, FindingCode.OPTIONAL_IS_UNGUARDED)
    assert "an item without it does not match" in found.message
    assert check_expression("has(item.category) && item.category == 'coffee'", ITEM).findings == ()


def test_a_condition_for_every_item_is_a_warning() -> None:
    (found,) = check_expression("true", ITEM).findings
    assert (found.code, found.message) == (FindingCode.CONDITION_IS_EVERYONE, "holds for every item")

"""Solver terms of rules: which errors, which texts, which lists, which clocks; and payments read back from models."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import z3

from makegood.clock import Instant
from makegood.domain.payment import item_schema, parse_payment
from makegood.domain.policy import CORE_FIELDS, Field, FieldType, PaymentSchema
from makegood.rules.check import check_expression
from makegood.rules.environment import item_environment, payment_environment, variable_environment
from makegood.rules.evaluate import EvaluationError, compile_condition
from makegood.rules.expression import Expression
from makegood.rules.smt import SymbolicPayment, evaluate_smt, inexpressible, symbolic_payment
from makegood.rules.smt_zones import changes
from makegood.rules.types import DURATION, INT, STRING, TIMESTAMP, list_of

_FIELDS = {
    **{field.name: field for field in CORE_FIELDS},
    "amount": Field("amount", FieldType.INT, min=1, max=50_000_000),
    "scene": Field("scene", FieldType.STRING, values=("in_store_qr", "online", "transfer")),
    "city": Field("city", FieldType.STRING, max_length=9),
    "store": Field("store", FieldType.STRING, optional=True, max_length=6),
    "initial": Field("initial", FieldType.STRING, max_length=1),
    "note": Field("note", FieldType.STRING, optional=True, max_length=20),
    "points": Field("points", FieldType.INT),
    "member": Field("member", FieldType.BOOL, optional=True),
    "joined_at": Field("joined_at", FieldType.TIMESTAMP, optional=True),
    "segments": Field("segments", FieldType.STRINGS, max_items=3, max_length=8),
    "tags": Field("tags", FieldType.STRINGS, values=("a", "b", "c"), max_items=2),
}
SCHEMA = PaymentSchema("CNY", _FIELDS)
ENVIRONMENT = payment_environment(SCHEMA, {"discount": INT, "total": INT, "label": STRING})
FEBRUARY = (Instant.parse("2027-02-01T00:00:00+08:00"), Instant.parse("2027-03-01T00:00:00+08:00"))
ALWAYS = (Instant.parse("1970-01-01T00:00:00Z"), Instant.parse("2201-01-01T00:00:00Z"))


def tree(text: str) -> Expression:
    checked = check_expression(text, ENVIRONMENT)
    assert checked.expression is not None, checked.findings
    return checked.expression


def payment_for(*texts: str, moments: tuple[Instant, Instant] = ALWAYS) -> SymbolicPayment:
    return symbolic_payment(SCHEMA, map(tree, texts), context=z3.Context(), moments=moments)


def witness(payment: SymbolicPayment, *facts: Any) -> dict[str, Any] | None:
    """A payment of which the facts hold, as `parse_payment` takes it, or None where there is none."""
    solver = z3.Solver(ctx=payment.context)
    solver.set("rlimit", 10_000_000)
    solver.add(*payment.domain, *facts)
    answer = solver.check()
    assert answer != z3.unknown
    if answer == z3.unsat:
        return None
    raw = payment.read(solver.model())
    parse_payment(raw, SCHEMA)
    return raw


def possible(text: str, moments: tuple[Instant, Instant] = ALWAYS) -> dict[str, Any] | None:
    """A payment of which a condition holds, on which the first machine agrees, or None where there is none."""
    payment = payment_for(text, moments=moments)
    raw = witness(payment, payment.holds(tree(text)))
    if raw is not None:
        assert compile_condition(tree(text))(parse_payment(raw, SCHEMA).fields), raw
    return raw


def computed(text: str, bindings: Mapping[str, Any], **types: Any) -> Any:
    checked = check_expression(text, variable_environment(types), want=None)
    assert checked.expression is not None, checked.findings
    return evaluate_smt(checked.expression, bindings)


@pytest.mark.parametrize(
    "text",
    [
        "payment.amount < 1",
        "payment.amount > 50000000",
        "payment.amount * 2 - payment.amount != payment.amount",
        'payment.scene == "rent"',
        'payment.scene.startsWith("x") || payment.scene < "in"',
        'payment.city == "Hangzhou City"',
        "size(payment.city) > 9",
        "size(payment.initial) > 1 || size(payment.initial) < 0",
        'payment.payment_id == ""',
        'payment.currency != "CNY"',
        'payment.city == "a" && payment.city == "b"',
        'payment.city == payment.initial && payment.city == "ab"',
        'has(payment.store) && payment.store == payment.city && payment.city == "Hangzhou"',
        "size(payment.segments) > 3",
        'payment.segments.exists(s, s == "too long a text")',
        'payment.tags.exists(t, t == "d")',
        '"a" in payment.tags && "b" in payment.tags && "c" in payment.tags',
        "payment.occurred_at.getHours() > 23 || payment.occurred_at.getDayOfYear() > 365",
        'payment.occurred_at < timestamp("1970-01-01T00:00:00Z")',
        "payment.occurred_at.getMilliseconds() > 999",
        "1 / (payment.points - payment.points) == 1",
        'payment.city.contains("z") && !payment.city.contains("z")',
        'payment.initial.startsWith("ab") || payment.initial == "\\u0000"',
    ],
)
def test_what_no_payment_can_meet_has_no_model(text: str) -> None:
    assert possible(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "true",
        'payment.scene in ["transfer", "rent"]',
        'payment.scene + "!" == "online!"',
        'payment.scene.endsWith("qr") && size(payment.scene) == 11',
        'payment.city in ["Hangzhou", "北京"] && payment.city != "Hangzhou"',
        'payment.city != "Hangzhou" && payment.city != payment.payee_id',
        "size(payment.city) == 7 && payment.city == payment.payee_id",
        'payment.city == "" && payment.initial == "\\U0001f431"',
        'payment.city.startsWith("é") && payment.city.endsWith("\\U0001f431") && size(payment.city) == 5',
        'payment.city > "\\uffff" && payment.city.contains("z")',
        'payment.city + payment.initial == "Hangzhou!!"',
        '(payment.amount > 5 ? payment.city : "x") == "x" && payment.city != "x"',
        "has(payment.store) && payment.store == payment.city && payment.amount == 7",
        "!has(payment.member) || payment.member",
        "payment.points + 1 < 0 || payment.points == 9223372036854775807",
        "payment.points / 7 == -3 && payment.points % 7 == -6",
        'payment.segments.exists(s, s != "vip") && payment.segments.all(s, s != "")',
        'payment.segments == ["a", "b"]',
        'payment.segments.filter(s, s != "a") == ["b"] && size(payment.segments) == 3',
        'payment.segments.map(s, s + "!")[1] == "b!"',
        'payment.segments.exists_one(s, s == "a") && size(payment.segments) == 2',
        'payment.segments.all(i, s, i > 0 || s == "first") && payment.segments[1] == "second"',
        'payment.tags.all(t, t > "a") && "c" in payment.tags',
        'has(payment.codes) && payment.codes.exists(c, c in ["A1", "B2"])',
        'payment.occurred_at.getHours("Asia/Shanghai") == 4 && payment.occurred_at.getDayOfWeek("Asia/Shanghai") == 6',
        'payment.occurred_at.getFullYear() == 2028 && payment.occurred_at.getDayOfYear("America/New_York") == 365',
        "payment.occurred_at.getMonth() == 1 && payment.occurred_at.getDate() == 29",
        'has(payment.joined_at) && payment.occurred_at - payment.joined_at == duration("36h")',
        'string(payment.points) == "-34"',
        "has(payment.note) && bool(payment.note)",
    ],
)
def test_what_a_payment_can_meet_has_a_model_that_reads_back(text: str) -> None:
    assert possible(text) is not None


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("payment.points + 1 > 0", "payment.points == 9223372036854775807"),
        ("-payment.points > 0", "payment.points == -9223372036854775808"),
        ("payment.points / -1 > 0", "payment.points == -9223372036854775808"),
        ("payment.points % -1 == 0", "payment.points == -9223372036854775808"),
        ("10 / payment.points > 0", "payment.points == 0"),
        ("10 % payment.points > 0", "payment.points == 0"),
        ('payment.segments[payment.points] == "a"', "payment.points < 0 || payment.points >= size(payment.segments)"),
        ("timestamp(payment.points) > timestamp(0)", "payment.points < -62135596800 || payment.points > 253402300799"),
        ("payment.points > 0 || 1 / payment.points > 0", "payment.points == 0"),
        ("payment.points != 0 && 1 / payment.points > 0", "false"),
        ("payment.points == 0 ? true : 1 / payment.points > 0", "false"),
        ("[0, 1].exists(x, x / payment.points == 0)", "payment.points == 0"),
        ("[0, 2].exists(x, x == 2 || 1 / x > payment.points)", "false"),
        ("bool(payment.initial)", 'payment.initial != "1" && payment.initial != "0" && payment.initial != "t" '
         '&& payment.initial != "f"'),
    ],
)  # fmt: skip
def test_an_error_is_where_it_is_and_nowhere_else(text: str, error: str) -> None:
    payment = payment_for(text, error)
    found, expected = payment.encode(tree(text)).error, payment.holds(tree(error))
    assert witness(payment, found != expected) is None


def test_a_missing_field_is_an_error_unless_a_guard_shows_that_it_is_there() -> None:
    payment = payment_for("has(payment.member) && payment.member")
    term = payment.encode(tree("has(payment.member) && payment.member"))
    assert z3.is_false(term.error)
    assert witness(payment, term.value, z3.Not(payment.present("member"))) is None


def test_an_absent_field_is_left_out_of_the_payment() -> None:
    raw = possible("!has(payment.store) && !has(payment.codes)")
    assert raw is not None
    assert "store" not in raw and "codes" not in raw


def test_preferences_one_after_the_other_give_the_plainest_payment() -> None:
    text = 'payment.amount >= 100 && payment.scene != "in_store_qr" && has(payment.member)'
    payment = payment_for(text, moments=FEBRUARY)
    facts = [payment.holds(tree(text)), payment.amount == 100]
    for preference in payment.preferences:
        if witness(payment, *facts, preference) is not None:
            facts.append(preference)
    raw = witness(payment, *facts)
    assert raw is not None
    assert raw["occurred_at"] == "2027-01-31T16:00:00Z"
    assert (raw["amount"], raw["scene"], raw["payer_id"]) == (100, "online", "p-1")
    assert raw["member"] in (True, False)
    assert "store" not in raw and raw["segments"] == []


def test_all_preferences_can_hold_at_once() -> None:
    payment = payment_for('payment.city.contains("x")', "size(payment.segments) > 1")
    raw = witness(payment, *payment.preferences)
    assert raw is not None
    assert raw["city"] == "other-cit"
    assert (raw["amount"], raw["points"], raw["segments"], raw["tags"]) == (1, 0, [], [])
    assert raw.keys().isdisjoint({"store", "member", "codes", "device_id"})


def test_other_texts_differ_from_every_constant_and_from_each_other() -> None:
    text = 'payment.city != "other-cit" && payment.payee_id != payment.city && payment.payee_id != "payee-1"'
    raw = possible(text)
    assert raw is not None
    assert raw["city"] != raw["payee_id"]


def test_moments_bound_the_instant() -> None:
    payment = payment_for("true", moments=FEBRUARY)
    assert witness(payment, payment.occurred_at >= int(FEBRUARY[1])) is None
    assert witness(payment, payment.occurred_at < int(FEBRUARY[0])) is None
    assert witness(payment, payment.occurred_at == int(FEBRUARY[1]) - 1000) is not None
    assert witness(payment, payment.occurred_at == int(FEBRUARY[1]) - 1) is None


def test_codes_are_looked_for_by_text() -> None:
    payment = symbolic_payment(SCHEMA, (), context=z3.Context(), moments=FEBRUARY, texts={"codes": ["A1", "B2"]})
    raw = witness(payment, payment.lists_text("codes", "A1"), z3.Not(payment.lists_text("codes", "B2")))
    assert raw is not None
    assert "A1" in raw["codes"] and "B2" not in raw["codes"]
    with pytest.raises(AssertionError, match="not among the texts"):
        payment.lists_text("codes", "C3")


def test_a_field_of_text_is_asked_for_by_text() -> None:
    payment = payment_for("true")
    assert witness(payment, payment.is_text("scene", "rent")) is None
    assert witness(payment, payment.is_text("store", "abcdefg")) is None
    raw = witness(payment, payment.is_text("store", "abc"), payment.is_text("city", "abc"))
    assert raw is not None
    assert (raw["store"], raw["city"]) == ("abc", "abc")


def test_a_text_that_was_not_looked_for_is_no_answer_where_few_stand_for_all() -> None:
    text = tree('payment.city.startsWith("Hang")')
    payment = symbolic_payment(SCHEMA, (text,), context=z3.Context(), texts={"city": ["Hangzhou"]})
    raw = witness(payment, payment.is_text("city", "Hangzhou"))
    assert raw is not None and raw["city"] == "Hangzhou"
    assert witness(payment, payment.is_text("city", "Hangzhou"), z3.Not(payment.holds(text))) is None
    with pytest.raises(AssertionError, match="was not compared with"):
        payment.is_text("city", "Hangxi")


def test_variables_are_terms_or_constants() -> None:
    rule = tree('discount * 2 <= payment.amount && label != "gift"')
    payment = symbolic_payment(SCHEMA, (rule,), context=z3.Context(), moments=FEBRUARY)
    discount = z3.Int("discount", payment.context)
    holds = payment.holds(rule, {"discount": discount, "label": "coupon"})
    assert witness(payment, holds, discount * 2 > payment.amount) is None
    assert z3.is_false(payment.holds(rule, {"discount": discount, "label": "gift"}))


def test_the_hour_follows_daylight_saving() -> None:
    spring = (Instant.parse("2027-03-14T05:00:00Z"), Instant.parse("2027-03-15T04:00:00Z"))
    autumn = (Instant.parse("2027-11-07T04:00:00Z"), Instant.parse("2027-11-08T05:00:00Z"))
    skipped = 'payment.occurred_at.getHours("America/New_York") == 2'
    assert possible(skipped, moments=spring) is None
    assert possible(skipped, moments=autumn) is not None
    twice = f"{skipped.replace('2', '1')} && payment.occurred_at.getHours() == HOUR"
    assert possible(twice.replace("HOUR", "5"), moments=autumn) is not None
    assert possible(twice.replace("HOUR", "6"), moments=autumn) is not None
    assert possible(twice.replace("HOUR", "7"), moments=autumn) is None


@pytest.mark.parametrize(
    "zone", ["Africa/Casablanca", "America/New_York", "Asia/Gaza", "Asia/Shanghai", "Europe/Dublin"]
)
def test_every_change_of_a_zone_is_found(zone: str) -> None:
    first, last = int(ALWAYS[0]) // 10**9, int(ALWAYS[1]) // 10**9
    known = changes(zone, first, last)
    read, at = ZoneInfo(zone), 0
    for moment in range(first, last, 26 * 3600 + 7):
        while at + 1 < len(known) and known[at + 1][0] <= moment:
            at += 1
        offset = Instant(moment * 10**9).datetime().astimezone(read).utcoffset()
        assert offset is not None
        assert offset.total_seconds() == known[at][1], moment


@pytest.mark.parametrize(
    ("text", "bindings", "types", "value"),
    [
        ("x + y", {"x": 2**62, "y": 2**62 - 1}, {"x": INT, "y": INT}, 2**63 - 1),
        ("x / y * 10 + x % y", {"x": -7, "y": 2}, {"x": INT, "y": INT}, -31),
        ("x.map(i, i * i).filter(i, i > 1)", {"x": (1, 2, 3)}, {"x": list_of(INT)}, (4, 9)),
        ("x.map(i, i)", {"x": ((1,), (2, 3))}, {"x": list_of(list_of(INT))}, ((1,), (2, 3))),
        ("s + s", {"s": "é"}, {"s": STRING}, "éé"),
        ('s == "a" ? s : "none"', {"s": "\U0010ffff"}, {"s": STRING}, "none"),
        ("t.getHours('Asia/Shanghai')", {"t": 0}, {"t": TIMESTAMP}, 8),
        ("t + d", {"t": 5, "d": -7}, {"t": TIMESTAMP, "d": DURATION}, -2),
        ("string(t)", {"t": -1}, {"t": TIMESTAMP}, "1969-12-31T23:59:59.999999999Z"),
        ("string(d)", {"d": -1_500_000_000}, {"d": DURATION}, "-1.500s"),
        ('int("12")', {}, {}, 12),
        ("null", {}, {}, None),
    ],
)  # fmt: skip
def test_the_solver_computes_values_of_every_type(
    text: str, bindings: dict[str, Any], types: dict[str, Any], value: Any
) -> None:
    assert computed(text, bindings, **types) == value


@pytest.mark.parametrize(("text", "x"), [("x + 1", 2**63 - 1), ("1 / x", 0), ("[1][x]", 1), ("y", 0)])
def test_a_computed_error_is_raised(text: str, x: int) -> None:
    with pytest.raises(EvaluationError):
        computed(text, {"x": x}, x=INT, y=INT)


def test_what_cannot_be_expressed_is_refused_with_its_place_and_a_hint() -> None:
    (finding,) = inexpressible(tree("payment.amount > 5 && int(payment.city) > 3"), SCHEMA)
    assert (finding.line, finding.column, finding.code) == (1, 26, "expression_is_unsupported")
    assert finding.hint == "declare the attribute as an `int`"
    (finding,) = inexpressible(tree('(payment.city + "!").contains("\\U00030000")'), SCHEMA)
    assert "U+2FFFF" in finding.message
    long = replace(SCHEMA, fields={**_FIELDS, "segments": replace(_FIELDS["segments"], max_items=1000, max_length=500)})
    (finding,) = inexpressible(tree('payment.segments.exists(s, (s + "!").contains("x"))'), long)
    assert finding.hint == "declare a smaller `max_length`"


@pytest.mark.parametrize("text", ['payment.city == "\\U0010ffff"', 'payment.city.contains("\\U0010ffff")'])
def test_a_character_of_the_last_planes_is_compared_exactly(text: str) -> None:
    raw = possible(text)
    assert raw is not None
    assert raw["city"] == "\U0010ffff"


def test_ordinary_conditions_are_expressible() -> None:
    text = 'discount < 5 && total > 1 && label == "gift" && payment.segments.exists(s, s.startsWith("v"))'
    assert inexpressible(tree(text), SCHEMA) == ()


def test_a_line_of_a_basket_is_encoded_like_a_payment() -> None:
    schema, context = item_schema(1000), z3.Context()
    guarded = check_expression('has(item.category) && item.category == "tea"', item_environment(1000)).expression
    assert guarded is not None
    lines = [symbolic_payment(schema, (guarded,), context=context, subject=f"line{number}") for number in range(2)]
    solver = z3.Solver(ctx=context)
    solver.add(*lines[0].domain, *lines[1].domain, lines[0].holds(guarded), z3.Not(lines[1].holds(guarded)))
    assert solver.check() == z3.sat
    first, second = (line.read(solver.model()) for line in lines)
    assert first["category"] == "tea"
    assert second.get("category") != "tea"

"""Open texts that are only held against constants: few texts stand for all, and the solver has little to do."""

from dataclasses import replace
from typing import Any

import pytest
import z3
from tests.unit.test_rules_smt import SCHEMA, tree

from makegood.domain.payment import parse_payment
from makegood.domain.policy import PaymentSchema
from makegood.rules.evaluate import compile_condition
from makegood.rules.smt import SymbolicPayment, symbolic_payment

EFFORT = 60_000  # Z3's own units of work: a hundredth of a second. Twenty strings took it five seconds and more.
_WIDE: dict[str, dict[str, Any]] = {
    "city": {"max_length": 64},
    "note": {"max_length": 64},
    "segments": {"max_items": 20, "max_length": 32},
}
WIDE = PaymentSchema("CNY", {name: replace(each, **_WIDE.get(name, {})) for name, each in SCHEMA.fields.items()})
REST = (
    ' && has(payment.device_id) && payment.scene == "online" && payment.amount >= 12345 && payment.amount <= 43787641 '
    '&& payment.occurred_at < timestamp("2027-02-10T00:00:00Z")'
)
POSSIBLE = (
    'payment.segments.exists(s, s == "gold" || s.startsWith("vip-"))' + REST,
    'payment.segments.exists(s, s.startsWith("vip-")) && !payment.segments.exists(s, s.endsWith("-blocked"))' + REST,
    'payment.segments.all(s, s.startsWith("vip-") && size(s) > 6) && size(payment.segments) >= 2' + REST,
    '"gold" in payment.segments && payment.segments.exists(s, s.startsWith("vip-") && payment.amount > 500)',
    'payment.segments.exists_one(s, s.startsWith("vip-")) && size(payment.segments) == 20',
    'payment.segments.filter(s, s.contains("test")).size() > 3 && payment.segments.all(s, size(s) >= 8)',
    'payment.segments.exists(s, ["a-", "b-", "c-"].exists(p, s.startsWith(p)))',
    'payment.city.startsWith("Hang") && payment.amount > 100',
    'payment.city.endsWith("zhou") && payment.city != "Hangzhou" && size(payment.city) <= 8',
    'payment.city.contains("an") && payment.city.contains("zh") && !payment.city.startsWith("x")',
    'has(payment.note) && payment.note.contains("gift") && payment.note.size() > 40',
    'has(payment.device_id) && payment.device_id.startsWith("ios-") && payment.payee_id.startsWith("staff-")',
    'has(payment.note) && (payment.note.startsWith("TV-") || payment.note.endsWith("-X")) && size(payment.note) == 12',
    'payment.city >= "A" && payment.city < "N" && payment.amount % 7 == 3',
    'payment.city in ["Beijing", "Suzhou", "Shenzhen"] && payment.city.endsWith("zhou")',
    'has(payment.codes) && payment.codes.exists(c, c.startsWith("SPRING") && size(c) == 10)',
    '"A,B,C".contains(payment.city) && size(payment.city) * 100 > payment.amount',
)
IMPOSSIBLE = (
    'payment.segments.exists(s, s.startsWith("vip-") && s.endsWith("x") && size(s) < 5)' + REST,
    'payment.segments.all(s, s.startsWith("vip-")) && "gold" in payment.segments',
    'payment.segments.exists_one(s, s.startsWith("vip-")) && payment.segments.all(s, !s.contains("ip"))',
    'size(payment.segments.filter(s, s.startsWith("vip-"))) > size(payment.segments)',
    'payment.city.startsWith("Hang") && payment.city.endsWith("zhou") && size(payment.city) < 8',
    'has(payment.note) && payment.note.contains("gift") && !payment.note.contains("if")',
    'payment.city < "A" && payment.city.startsWith("Hang")',
    'has(payment.device_id) && payment.device_id.startsWith("ios-") && size(payment.device_id) <= 3',
)


def encoded(text: str) -> SymbolicPayment:
    return symbolic_payment(WIDE, (tree(text),), context=z3.Context())


def solved(payment: SymbolicPayment, text: str) -> tuple[z3.CheckSatResult, z3.Solver]:
    solver = z3.Solver(ctx=payment.context)
    solver.set("rlimit", EFFORT)
    solver.add(*payment.domain, payment.holds(tree(text)))
    return solver.check(), solver


@pytest.mark.parametrize("text", POSSIBLE)
def test_a_condition_on_texts_soon_has_a_payment(text: str) -> None:
    payment = encoded(text)
    answer, solver = solved(payment, text)
    assert answer == z3.sat
    fields = parse_payment(payment.read(solver.model()), WIDE).fields
    assert compile_condition(tree(text))(fields)


@pytest.mark.parametrize("text", IMPOSSIBLE)
def test_a_condition_on_texts_that_nothing_meets_is_soon_known(text: str) -> None:
    assert solved(encoded(text), text)[0] == z3.unsat


@pytest.mark.parametrize(
    "text",
    [
        'payment.city == payment.initial && payment.city.startsWith("a")',
        'payment.city in payment.segments && payment.city < "b"',
        'payment.city + "x" == "ax"',
        '["a"].exists(w, w != "b" && payment.city.startsWith(payment.initial))',
        "payment.city.startsWith(string(payment.points))",
        '(payment.amount > 5 ? payment.city : payment.initial) == payment.initial && payment.city.contains("a")',
        "payment.segments.exists(s, payment.segments.exists(t, s.startsWith(t)))",
        '[payment.city, "x"].exists(w, w.startsWith("a") && w == payment.initial)',
    ],
)
def test_texts_that_meet_other_texts_are_not_sampled(text: str) -> None:
    assert encoded(text).sampled.keys().isdisjoint({"city", "segments"})


def test_the_same_test_of_two_fields_samples_both() -> None:
    payment = encoded('(payment.amount > 5 ? payment.city : payment.initial).startsWith("ab")')
    assert payment.sampled["city"].texts == ("other-city", "ab")
    assert payment.sampled["initial"].texts == ("o",)


def test_texts_of_which_only_equality_is_asked_stay_as_they_are() -> None:
    assert encoded('payment.city in ["a", "b"] && size(payment.city) > 2 && "vip" in payment.segments').sampled == {}

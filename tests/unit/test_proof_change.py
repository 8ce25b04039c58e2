"""What a new revision of a campaign changes, for which payments."""

from dataclasses import replace

import pytest
from tests.unit.proving import read_trio

from makegood.domain.benefit import AmountOff, PercentOff, RandomOff
from makegood.domain.brief import Share
from makegood.domain.campaign import Stacking
from makegood.domain.limit import Limit, Period, Subject
from makegood.proof.prove import prove_change
from makegood.proof.verdict import Verdict

SPRING, _, POLICY = read_trio()


def verdicts(**changes: object) -> tuple[bool, bool]:
    change = prove_change(SPRING, replace(SPRING, **changes), POLICY)  # type: ignore[arg-type]
    rows = change.no_new_subsidy, change.equivalent
    assert all(row.verdict is not Verdict.UNKNOWN for row in rows)
    assert all((row.witness is None) is (row.verdict is Verdict.PROVED) for row in rows)
    return rows[0].verdict is Verdict.PROVED, rows[1].verdict is Verdict.PROVED


@pytest.mark.parametrize(("changes", "no_new_subsidy", "equivalent"), [
    ({}, True, True),
    ({"title": {"en": "Another", "zh-CN": "另一个"}}, True, True),
    ({"when": 'payment.amount > 9999 && !(payment.city != "Hangzhou") && payment.scene == "in_store_qr"'}, True, True),
    ({"when": SPRING.when + " && !payment.payer_is_new"}, True, False),
    ({"when": 'payment.scene == "in_store_qr" && payment.amount >= 9999 && payment.city == "Hangzhou"'}, False, False),
    ({"benefit": PercentOff(2000, 4999)}, True, False),
    ({"benefit": PercentOff(2001, 5000)}, False, False),
    ({"benefit": PercentOff(2000, 5000)}, True, True),
    ({"budget": SPRING.budget - 1}, True, False),
    ({"budget": SPRING.budget + 1}, False, False),
    ({"limits": SPRING.limits[:-1]}, False, False),
    ({"limits": (*SPRING.limits, Limit(Subject.DEVICE, Period.DAY, count_max=5))}, True, False),
    ({"funding": (Share("platform", 10_000),)}, True, False),
    ({"label": "platform_gift"}, True, False),
    ({"stacking": Stacking("instant_discount", 99)}, True, False),
    ({"stacking": Stacking("instant_discount", 101)}, False, False),
    ({"stacking": Stacking("elsewhere", 100)}, False, False),
    ({"code": "SPRING27"}, True, False),
    ({"stages": (50_000, *SPRING.stages[1:])}, True, False),
])  # fmt: skip
def test_a_change_is_judged_by_what_payments_get(
    changes: dict[str, object], no_new_subsidy: bool, equivalent: bool
) -> None:
    assert verdicts(**changes) == (no_new_subsidy, equivalent)


def test_the_smallest_payments_that_gain_and_lose_are_said_in_words() -> None:
    new = replace(SPRING, benefit=PercentOff(3000, 4000))
    change = prove_change(SPRING, new, POLICY)
    assert change.gains is not None and change.loses is not None
    assert change.gains.payment["amount"] == 10_000 and change.loses.payment["amount"] == 20_005
    assert "would get 30.00 CNY off; the old revision takes 20.00 CNY off" in change.gains.words["en"]
    assert "会立减40.00元；旧版本立减40.01元" in change.loses.words["zh-CN"]
    assert [each.path for each in change.changes] == ["/benefit"]


def test_two_draws_with_the_same_bounds_are_the_same_draw() -> None:
    lucky = replace(SPRING, benefit=RandomOff(10, 880))
    assert prove_change(lucky, replace(lucky, title={"en": "x", "zh-CN": "x"}), POLICY).equivalent.verdict is (
        Verdict.PROVED
    )
    other = prove_change(lucky, replace(lucky, benefit=RandomOff(10, 879)), POLICY)
    assert other.no_new_subsidy.verdict is Verdict.REFUTED  # Another draw may be larger for somebody.


def test_every_part_that_differs_is_listed_with_what_it_was() -> None:
    new = replace(SPRING, budget=1, limits=(), when="true", stages=(1,), code="X")
    said = {each.path: each.words["en"] for each in prove_change(SPRING, new, POLICY).changes}
    assert list(said) == [
        "/when", "/limits/budget", "/limits/per_day/amount", "/limits/per_payer/count", "/limits/per_payer/amount",
        "/limits/per_payer/per_day/count", "/stages", "/codes",
    ]  # fmt: skip
    assert said["/limits/per_payer/count"] == "limits/per_payer/count: 3 → -"


def test_a_draw_is_within_its_bounds_for_the_revision_that_is_compared_with_too() -> None:
    lucky = replace(SPRING, benefit=RandomOff(100, 200))
    least = prove_change(lucky, replace(SPRING, benefit=AmountOff(100)), POLICY)
    assert least.no_new_subsidy.verdict is Verdict.PROVED and least.gains is None
    more = prove_change(lucky, replace(SPRING, benefit=AmountOff(101)), POLICY)
    assert more.gains is not None and "the old revision takes 1.00 CNY off" in more.gains.words["en"]

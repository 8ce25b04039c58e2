"""Rules of the policy over every set of live campaigns that one payment may be granted."""

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.proving import payment_of, read_trio, row_of, with_rule, words_of

from makegood.clock import Instant
from makegood.domain.benefit import AmountOff, PercentOff, RandomOff
from makegood.domain.brief import Window
from makegood.domain.campaign import Campaign, Stacking
from makegood.proof.prove import prove_campaign, prove_policy
from makegood.proof.verdict import Verdict

SPRING, BRIEF, POLICY = read_trio()
HALF = "inside_policy.half-at-most"


def live(name: str, rate: int = 4_000, **changes: Any) -> Campaign:
    """A live campaign in a group of its own: by itself inside the policy, together with the example not."""
    made = replace(SPRING, id=name, benefit=PercentOff(rate, 20_000), stacking=Stacking(name, 50))
    return replace(made, **changes)


def test_two_campaigns_that_are_fine_alone_are_refuted_together() -> None:
    assert prove_campaign(SPRING, BRIEF, POLICY).is_proved
    report = prove_campaign(SPRING, BRIEF, POLICY, [live("other")])
    assert report.failed == (HALF,)
    row = row_of(report, HALF)
    assert payment_of(row)["amount"] == 10_000
    assert row.witness is not None and row.witness.others == {"other": 4_000} and row.witness.total_minor == 6_000
    assert "would get 20.00 CNY off, and 60.00 CNY together with `other`; " in words_of(row)
    assert "连同`other`共60.00元" in row.witness.words["zh-CN"]


@pytest.mark.parametrize("changes", [
    {"stacking": Stacking("instant_discount", 50)},
    {"stacking": Stacking("other", 50, ())},
    {"stacking": Stacking("other", 50, ("another",))},
    {"window": Window(SPRING.window.closes, SPRING.window.closes.plus(3600))},
    {"when": SPRING.when.replace("Hangzhou", "Ningbo")},
    {"when": 'payment.scene == "online"'},
    {"when": "payment.amount < 10000"},
    {"when": SPRING.when + " && payment.amount > 20 && payment.amount < 10"},
])  # fmt: skip
def test_campaigns_that_no_payment_gets_together_are_proved_together(changes: dict[str, Any]) -> None:
    assert prove_campaign(SPRING, BRIEF, POLICY, [live("other", **changes)]).is_proved


def test_groups_combine_only_where_each_lists_the_other() -> None:
    other = live("other", stacking=Stacking("other", 50, ("instant_discount",)))
    assert prove_campaign(SPRING, BRIEF, POLICY, [other]).is_proved
    listing = replace(SPRING, stacking=Stacking("instant_discount", 100, ("other",)))
    assert prove_campaign(listing, BRIEF, POLICY, [other]).failed == (HALF,)


def test_priorities_do_not_make_a_wrong_set_right() -> None:
    for priority in (0, 100, 1_000):
        other = live("other", stacking=Stacking("other", priority))
        assert prove_campaign(SPRING, BRIEF, POLICY, [other]).failed == (HALF,)


def test_a_better_campaign_of_the_same_group_hides_no_worse_one() -> None:
    """The better one may be used up, and then the wrong set is granted after all."""
    small, large = live("small", 1_000), live("large", 4_000, stacking=Stacking("small", 50))
    assert prove_campaign(SPRING, BRIEF, POLICY, [small]).is_proved
    row = row_of(prove_campaign(SPRING, BRIEF, POLICY, [small, large]), HALF)
    assert row.witness is not None and row.witness.others == {"large": 4_000}


def test_the_witness_names_the_fewest_campaigns() -> None:
    others = [live("a", 1_000), live("b", 4_000), live("c", 1_000), live("d", 100)]
    row = row_of(prove_campaign(SPRING, BRIEF, POLICY, others), HALF)
    assert row.witness is not None and row.witness.others == {"b": 4_000}


def test_a_sum_above_the_amount_is_never_granted() -> None:
    rule = with_rule(POLICY, "total <= payment.amount")
    assert prove_campaign(SPRING, BRIEF, rule, [live("a", 9_000), live("b", 9_000)]).is_proved


def test_an_older_revision_of_the_same_campaign_is_left_out() -> None:
    old = replace(SPRING, stacking=Stacking("elsewhere", 1), benefit=PercentOff(4_000, 20_000))
    assert prove_campaign(SPRING, BRIEF, POLICY, [old]).is_proved


def test_a_rule_about_another_members_label_is_asked_of_it_too() -> None:
    policy = with_rule(POLICY, 'label == "platform_gift" && total > 5000', never=True)
    other = live("other", 100, label="platform_gift")
    row = row_of(prove_campaign(SPRING, BRIEF, policy, [other]), "inside_policy.r")
    assert row.verdict is Verdict.REFUTED and row.witness is not None and row.witness.total_minor > 5_000
    assert prove_campaign(SPRING, BRIEF, with_rule(POLICY, 'label == "platform_gift"', never=True), [other]).is_proved


def test_every_random_draw_counts() -> None:
    lucky = live("lucky", benefit=RandomOff(1, 3_001))
    row = row_of(prove_campaign(SPRING, BRIEF, POLICY, [lucky]), HALF)
    assert row.verdict is Verdict.REFUTED and row.witness is not None and row.witness.total_minor == 5_001
    assert prove_campaign(SPRING, BRIEF, POLICY, [live("lucky", benefit=RandomOff(1, 3_000))]).is_proved


def test_a_hundred_campaigns_in_five_groups_are_decided() -> None:
    """Millions of choices: it is the bounds of each group that decide, which the solver proves first."""
    many = [
        live(f"c{n}", benefit=AmountOff(500 + n % 20), stacking=Stacking(f"g{n % 5}", n), when=SPRING.when)
        for n in range(100)
    ]
    assert prove_campaign(SPRING, BRIEF, POLICY, many).is_proved
    many[7] = replace(many[7], benefit=AmountOff(1_000))
    report = prove_campaign(SPRING, BRIEF, POLICY, many)
    row = row_of(report, HALF)
    assert row.verdict is Verdict.REFUTED and row.witness is not None
    assert row.witness.total_minor * 2 > payment_of(row)["amount"]


def test_a_policy_is_proved_over_every_set_of_what_is_live() -> None:
    assert prove_policy(POLICY, [SPRING, live("small", 1_000)]).is_proved
    report = prove_policy(POLICY, [SPRING, live("other")])
    assert report.failed == (HALF,)
    witness = row_of(report, HALF).witness
    assert witness is not None and witness.discount_minor + sum((witness.others or {}).values()) == 6_000
    stricter = with_rule(POLICY, "discount <= 4999")
    assert prove_policy(stricter, [SPRING]).failed == ("inside_policy.r",)


def test_a_policy_over_nothing_live_has_no_rows() -> None:
    assert prove_policy(POLICY, []).rows == ()


def test_moments_are_shared_by_all_members() -> None:
    opens = SPRING.window.opens
    morning = live("morning", window=Window(opens, Instant(opens + 3_600 * 10**9)))
    row = row_of(prove_campaign(SPRING, BRIEF, POLICY, [morning]), HALF)
    assert payment_of(row)["occurred_at"] == "2027-01-31T16:00:00Z"

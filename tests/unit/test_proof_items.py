"""Item-level benefits: bounded by what the lines of a basket can be worth, with a basket as witness."""

from dataclasses import replace

import pytest
from tests.unit.proving import payment_of, read_trio, row_of

from makegood.domain.benefit import AmountOff, Benefit, BuyXGetY, FreeItem, ItemsOff, PercentOff, Units
from makegood.domain.campaign import Campaign
from makegood.domain.payment import parse_payment
from makegood.engine.price import price
from makegood.engine.snapshot import Live, build_snapshot
from makegood.proof.prove import prove_campaign
from makegood.proof.verdict import Row, Verdict

COFFEE, BRIEF, POLICY = read_trio("coffee-items")
WIDE = replace(BRIEF, rate_max=10_000, spend_min=0)
ANY = 'item.sku != ""'
TEA = 'item.sku == "tea"'


def granted(campaign: Campaign, row: Row) -> int:
    """What the engine takes off the witness's payment."""
    payment = parse_payment(payment_of(row), POLICY.schema)
    snapshot = build_snapshot(POLICY, [Live(campaign, "rev")], policy_revision="rev", secret=b"s")
    return sum(grant.discount for grant in price(payment, snapshot, {}, payment.occurred_at).grants)


@pytest.mark.parametrize("name", ["coffee-items", "latte"])
def test_the_item_level_examples_are_proved(name: str) -> None:
    assert prove_campaign(*read_trio(name)).is_proved


@pytest.mark.parametrize("benefit", [
    ItemsOff(ANY, PercentOff(5_000, 1_501)),
    ItemsOff(TEA, AmountOff(1_501)),
    BuyXGetY(Units(TEA, 2), Units(TEA, 1), 10_000, 1_600),
    BuyXGetY(Units(TEA, 1), Units('item.sku == "cup"', 2), 5_000, 1_600),
    FreeItem(TEA, 1_600),
])  # fmt: skip
def test_a_witness_has_a_basket_that_the_engine_grants_the_wrong_discount(benefit: Benefit) -> None:
    campaign = replace(COFFEE, benefit=benefit)
    row = row_of(prove_campaign(campaign, WIDE, POLICY), "inside_brief.discount_max")
    assert row.verdict is Verdict.REFUTED and row.witness is not None
    assert row.witness.discount_minor > BRIEF.discount_max
    assert sum(line["amount"] for line in payment_of(row)["items"]) == payment_of(row)["amount"]
    assert granted(campaign, row) == row.witness.discount_minor


@pytest.mark.parametrize("benefit", [
    ItemsOff(ANY, PercentOff(5_000, 1_500)),
    ItemsOff(TEA, AmountOff(1_500)),
    ItemsOff("item.amount <= 50", PercentOff(5_000, 9_000)),  # 50 lines of at most 50 are worth 2,500.
    BuyXGetY(Units(TEA, 2), Units(TEA, 1), 10_000, 1_500),
    FreeItem('item.sku == "tea" && item.amount < 1500', 9_000),
])  # fmt: skip
def test_what_no_basket_can_exceed_is_proved(benefit: Benefit) -> None:
    row = row_of(prove_campaign(replace(COFFEE, benefit=benefit), WIDE, POLICY), "inside_brief.discount_max")
    assert row.verdict is Verdict.PROVED or isinstance(benefit, FreeItem)


def test_a_line_that_cannot_be_makes_a_benefit_that_nobody_gets() -> None:
    never = replace(COFFEE, benefit=ItemsOff('item.sku == "a" && item.sku == "b"', PercentOff(5_000, 1_500)))
    assert row_of(prove_campaign(never, BRIEF, POLICY), "can_ever_apply").verdict is Verdict.REFUTED
    half = BuyXGetY(Units("item.amount < 0", 1), Units(TEA, 1), 5_000, 1_500)
    report = prove_campaign(replace(COFFEE, benefit=half), BRIEF, POLICY)
    assert row_of(report, "can_ever_apply").verdict is Verdict.REFUTED
    assert report.exposure is not None and report.exposure.total_minor == 0


def test_a_condition_on_lines_that_may_end_in_an_error_is_proved_like_any_other() -> None:
    campaign = replace(COFFEE, benefit=ItemsOff("10 / (item.amount - 2000) < 1", AmountOff(1_501)))
    row = row_of(prove_campaign(campaign, WIDE, POLICY), "inside_brief.discount_max")
    assert row.verdict is Verdict.REFUTED and row.witness is not None


def test_a_witness_holds_as_many_units_as_its_line_must_have() -> None:
    campaign = replace(COFFEE, benefit=ItemsOff("item.quantity >= 2", AmountOff(1_501)))
    row = row_of(prove_campaign(campaign, WIDE, POLICY), "inside_brief.discount_max")
    assert row.verdict is Verdict.REFUTED and granted(campaign, row) == 1_501


def test_a_budget_below_the_smallest_deal_lets_nobody_have_it() -> None:
    """Two units that are got cost at least one minor unit each, and a deal is granted whole."""
    deal = BuyXGetY(Units(TEA, 1), Units('item.sku == "cup"', 2), 10_000, 548)
    for budget, verdict in ((1, Verdict.REFUTED), (2, Verdict.PROVED)):
        campaign = replace(COFFEE, benefit=deal, budget=budget, stages=(budget,))
        assert row_of(prove_campaign(campaign, BRIEF, POLICY), "can_ever_apply").verdict is verdict

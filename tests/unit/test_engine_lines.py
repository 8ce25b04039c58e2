"""Item-level benefits in pricing: the payment's lines decide, and only lines that match count."""

from pathlib import Path

import pytest
from tests.unit.pricing_world import NOON, campaign, payment, snapshot

from makegood.clock import Instant
from makegood.documents.read import read_documents
from makegood.documents.source import Source
from makegood.domain.benefit import AmountOff, Benefit, BuyXGetY, FreeItem, ItemsOff, PercentOff, Units
from makegood.domain.payment import Payment, parse_payment
from makegood.domain.quote import Refusal
from makegood.engine.explain import explain
from makegood.engine.price import price
from makegood.engine.snapshot import Live, Snapshot, build_snapshot

EXAMPLES = Path(__file__).parents[2] / "examples"
COFFEE = 'has(item.category) && item.category == "coffee"'
LATTE = 'item.sku == "latte"'
HALF = ItemsOff(COFFEE, PercentOff(5000, 1500))
THIRD_FREE = BuyXGetY(Units(LATTE, 2), Units(LATTE, 1), 10_000, 3000)
BASKET = (("latte", 2500, 1, "coffee"), ("latte", 5000, 2, "coffee"), ("cake", 4500, 1, None))


def paid_for(*lines: tuple[str, int, int, str | None]) -> Payment:
    items = [
        {"sku": sku, "amount": amount, "quantity": quantity} | ({} if category is None else {"category": category})
        for sku, amount, quantity, category in lines
    ]
    return payment(amount=sum(line[1] for line in lines), items=items)


def discount(one: Snapshot, paid: Payment) -> int:
    """What is granted in all, which is what the explanation says."""
    granted = price(paid, one, {}, NOON).discount
    assert granted == sum(considered.discount for considered in explain(paid, one, {}, NOON))
    return granted


@pytest.mark.parametrize(
    ("benefit", "off"),
    [
        (HALF, 1500),
        (ItemsOff(COFFEE, AmountOff(700)), 700),
        (THIRD_FREE, 2500),
        (BuyXGetY(Units(COFFEE, 1), Units('item.sku == "cake"', 1), 5000, 3000), 2250),
        (FreeItem("true", 9000), 2500),
        (FreeItem('item.sku == "cake"', 9000), 4500),
        (ItemsOff("item.quantity > 1 && item.amount >= 5000", PercentOff(1000, 1500)), 500),
    ],
)
def test_an_item_level_benefit_is_granted_by_the_lines(benefit: Benefit, off: int) -> None:
    assert discount(snapshot(campaign(benefit=benefit)), paid_for(*BASKET)) == off


@pytest.mark.parametrize("benefit", [HALF, ItemsOff("true", AmountOff(1)), THIRD_FREE, FreeItem("true", 9000)])
def test_a_payment_without_items_gets_nothing_off_items(benefit: Benefit) -> None:
    one = snapshot(campaign(benefit=benefit))
    assert discount(one, payment()) == 0
    assert [entry.refusal for entry in explain(payment(), one, {}, NOON)] == [Refusal.DISCOUNT_IS_ZERO]


def test_a_line_whose_condition_ends_in_an_error_does_not_match() -> None:
    unguarded = snapshot(campaign(benefit=ItemsOff('item.category == "coffee"', PercentOff(5000, 9000))))
    assert discount(unguarded, paid_for(*BASKET)) == 3750
    divided = snapshot(campaign(benefit=ItemsOff("item.amount / item.quantity > 2400", PercentOff(10_000, 90_000))))
    assert discount(divided, paid_for(("a", 5000, 0, None), ("b", 2500, 1, None))) == 2500


def test_the_best_of_a_group_may_be_an_item_level_benefit() -> None:
    one = snapshot(campaign("whole", benefit=AmountOff(1400)), campaign("items", benefit=HALF))
    assert [grant.campaign for grant in price(paid_for(*BASKET), one, {}, NOON).grants] == ["items"]
    assert [grant.campaign for grant in price(payment(), one, {}, NOON).grants] == ["whole"]


def test_an_item_level_benefit_still_needs_its_condition_on_the_payment() -> None:
    one = snapshot(campaign(when='payment.city == "Shanghai"', benefit=HALF))
    assert discount(one, paid_for(*BASKET)) == 0


@pytest.mark.parametrize(("name", "off"), [("coffee-items", 1500), ("latte", 2500)])
def test_the_examples_grant_what_they_say(name: str, off: int) -> None:
    files = ("policy.yaml", f"campaign-{name}.yaml")
    bundle = read_documents([Source(file, (EXAMPLES / file).read_bytes()) for file in files], now=NOON)
    policy, document = bundle.policies[0].policy, bundle.campaigns[0]
    assert policy is not None and document.campaign is not None
    one = build_snapshot(policy, [Live(document.campaign, document.revision)], policy_revision="rev_p", secret=b"s")
    items = [
        {"sku": sku, "amount": amount, "quantity": quantity, "category": category or "food"}
        for sku, amount, quantity, category in BASKET
    ]
    raw = {name: value for name, value in payment().fields.items() if name in policy.schema.fields}
    now = Instant(document.campaign.window.opens)
    paid = parse_payment(raw | {"occurred_at": now.text(), "payer_segments": [], "items": items}, policy.schema)
    assert price(paid, one, {}, now).discount == off

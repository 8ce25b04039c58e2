"""Pricing, steps 1 to 6, by worked examples; docs/algorithms/pricing.md has the same."""

import pytest
from tests.unit.pricing_world import CLOSES, NOON, OPENS, campaign, payment, policy_with, snapshot

from makegood.clock import Instant
from makegood.domain.benefit import AmountOff, PercentOff, RandomOff, Tier, Tiers
from makegood.domain.limit import Balance, Limit, Period, Subject, Used
from makegood.domain.payment import Payment
from makegood.domain.policy import SharedLimit
from makegood.domain.quote import Priced, Refusal
from makegood.engine.price import price
from makegood.engine.snapshot import Snapshot

PAYER = (Limit(Subject.PAYER, Period.EVER, count_max=3),)
DEVICE = (Limit(Subject.DEVICE, Period.DAY, count_max=1),)


def granted(one: Snapshot, paid: Payment | None = None, now: Instant = NOON, **options: object) -> dict[str, int]:
    """What is granted, by campaign, in order."""
    priced = price(paid or payment(), one, options.pop("balances", {}), now, **options)  # type: ignore[arg-type]
    return {grant.campaign: grant.discount for grant in priced.grants}


def left(budget: int) -> Balance:
    return Balance(budget, budget, {})


def test_a_payment_gets_the_discount_of_the_campaign_it_fits() -> None:
    one = snapshot(campaign(when='payment.city == "Hangzhou"', benefit=PercentOff(2000, 5000)))
    assert granted(one) == {"spring": 2400}
    assert granted(one, payment(city="Shanghai")) == {}


def test_a_grant_names_what_granted_it() -> None:
    grant = price(payment(), snapshot(campaign()), {}, NOON).grants[0]
    assert (grant.revision, grant.label, grant.group) == ("rev_spring", "merchant_coupon", "instant_discount")


def test_without_campaigns_nothing_is_granted() -> None:
    assert price(payment(), snapshot(), {}, NOON) == Priced(())


@pytest.mark.parametrize(
    ("now", "open_now"),
    [(OPENS, True), (Instant(OPENS - 1), False), (CLOSES, False), (Instant(CLOSES - 1), True)],
)
def test_a_window_is_open_from_its_first_instant_until_before_its_last(now: Instant, open_now: bool) -> None:
    assert bool(granted(snapshot(campaign()), payment(occurred_at=NOON.text()), now)) is open_now


def test_rules_read_the_clock_of_the_decision() -> None:
    one = snapshot(campaign(when='payment.occurred_at >= timestamp("2027-02-03T04:00:00Z")'))
    early = payment(occurred_at=OPENS.text())
    assert granted(one, early, NOON) == {"spring": 500}
    assert granted(one, payment(), OPENS) == {}


def test_a_stopped_campaign_grants_nothing_and_the_others_go_on() -> None:
    one = snapshot(campaign("a", group="a"), campaign("b", group="b"), stopped=["a"])
    assert granted(one) == {"b": 500}


def test_a_code_must_be_among_those_of_the_payment() -> None:
    one = snapshot(campaign(code="SPRING27"), campaign("plain", benefit=AmountOff(100)))
    assert granted(one) == {"plain": 100}
    assert granted(one, payment(codes=["AUTUMN26"])) == {"plain": 100}
    assert granted(one, payment(codes=["AUTUMN26", "SPRING27", "SPRING27"])) == {"spring": 500}
    assert granted(one, payment(codes=["spring27"])) == {"plain": 100}


def test_a_limit_by_payer_or_device_needs_to_know_them() -> None:
    one = snapshot(campaign("by-payer", limits=PAYER, group="a"), campaign("by-device", limits=DEVICE, group="b"))
    assert granted(one, payment(payer_id=None, device_id="d-1")) == {"by-device": 500}
    assert granted(one, payment()) == {"by-payer": 500}
    assert granted(one, payment(payer_id=None)) == {}


def test_an_error_in_a_condition_is_never_eligible() -> None:
    one = snapshot(campaign(when="10 / payment.items_count > 1"))
    assert granted(one, payment(items_count=0)) == {}
    assert granted(one, payment(items_count=2)) == {"spring": 500}


def test_a_discount_of_nothing_is_no_grant() -> None:
    one = snapshot(campaign(benefit=PercentOff(2000, 5000)))
    assert granted(one, payment(amount=4)) == {}
    assert granted(one, payment(amount=5)) == {"spring": 1}


def test_a_discount_above_the_amount_is_dropped_whole() -> None:
    one = snapshot(campaign(benefit=AmountOff(500)))
    assert granted(one, payment(amount=499)) == {}
    assert granted(one, payment(amount=500)) == {"spring": 500}


def test_what_the_balance_does_not_cover_makes_way_for_the_next_best() -> None:
    one = snapshot(campaign("big", benefit=AmountOff(900)), campaign("small", benefit=AmountOff(300)))
    assert granted(one, balances={"big": left(900)}) == {"big": 900}
    assert granted(one, balances={"big": left(899)}) == {"small": 300}
    assert granted(one, balances={"big": left(0), "small": left(0)}) == {}


def test_a_campaign_without_a_balance_is_left_to_the_store() -> None:
    assert granted(snapshot(campaign()), balances={}) == {"spring": 500}


def test_what_the_store_refused_is_left_out() -> None:
    one = snapshot(campaign("big", benefit=AmountOff(900)), campaign("small", benefit=AmountOff(300)))
    assert granted(one, excluded={"big": Refusal.BUDGET_IS_EXHAUSTED}) == {"small": 300}


def test_the_best_of_a_group_is_the_largest_discount_whatever_its_priority() -> None:
    one = snapshot(
        campaign("percent", benefit=PercentOff(1000, 5000), priority=1),
        campaign("fixed", benefit=AmountOff(500), priority=900),
    )
    assert granted(one, payment(amount=5010)) == {"percent": 501}
    assert granted(one, payment(amount=4990)) == {"fixed": 500}


def test_ties_of_a_group_go_to_the_higher_priority_then_to_the_smaller_id() -> None:
    assert granted(snapshot(campaign("a", priority=1), campaign("b", priority=2))) == {"b": 500}
    assert granted(snapshot(campaign("b"), campaign("a"))) == {"a": 500}


def test_groups_combine_each_on_the_original_amount() -> None:
    one = snapshot(
        campaign("b", group="b", priority=1, benefit=PercentOff(1000, 10_000)),
        campaign("a", group="a", priority=2, benefit=PercentOff(2000, 10_000)),
    )
    priced = price(payment(amount=10_000), one, {}, NOON)
    assert [(grant.campaign, grant.discount) for grant in priced.grants] == [("a", 2000), ("b", 1000)]
    assert priced.discount == 3000


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        (None, None, True),
        (("codes",), None, False),
        (None, ("instant",), False),
        (("codes",), ("instant",), True),
        (("other",), ("instant",), False),
        ((), None, False),
    ],
)
def test_groups_that_list_others_combine_when_each_lists_the_other(
    first: tuple[str, ...] | None, second: tuple[str, ...] | None, both: bool
) -> None:
    one = snapshot(
        campaign("a", group="instant", priority=2, combines_with=first),
        campaign("b", group="codes", priority=1, combines_with=second),
    )
    assert list(granted(one)) == (["a", "b"] if both else ["a"])


def test_a_sum_above_the_amount_drops_the_lowest_priority_whole() -> None:
    one = snapshot(
        campaign("a", group="a", priority=3, benefit=AmountOff(600)),
        campaign("b", group="b", priority=2, benefit=AmountOff(500)),
        campaign("c", group="c", priority=1, benefit=AmountOff(100)),
    )
    assert granted(one, payment(amount=1200)) == {"a": 600, "b": 500, "c": 100}
    assert granted(one, payment(amount=1199)) == {"a": 600, "b": 500}
    assert granted(one, payment(amount=1000)) == {"a": 600}


def test_tiers_give_the_best_tier_reached() -> None:
    one = snapshot(campaign(benefit=Tiers((Tier(10_000, 1000), Tier(20_000, 3000)))))
    assert [granted(one, payment(amount=amount)) for amount in (9_999, 10_000, 20_000)] == [
        {},
        {"spring": 1000},
        {"spring": 3000},
    ]


def test_a_random_discount_stays_the_same_on_one_local_day() -> None:
    one = snapshot(campaign(benefit=RandomOff(1, 5000)))
    morning, night = OPENS, Instant(OPENS.plus(86_400) - 1)
    assert granted(one, payment(), morning) == granted(one, payment(payment_id="p-2"), night)
    assert granted(one, payment(), morning) != granted(one, payment(), OPENS.plus(86_400))


def test_without_a_payer_a_random_discount_stays_with_the_payment() -> None:
    one = snapshot(campaign(benefit=RandomOff(1, 5000)))
    first = payment(payer_id=None)
    assert granted(one, first) == granted(one, first)
    assert granted(one, first) != granted(one, payment(payer_id=None, payment_id="p-2"))


def test_the_worked_example_of_the_docs_holds() -> None:
    one = snapshot(
        campaign("a", group="instant", priority=100, benefit=PercentOff(2000, 5000)),
        campaign("b", group="instant", priority=50, benefit=AmountOff(2000)),
        campaign("c", group="instant", priority=90, benefit=AmountOff(1500)),
        campaign("d", group="codes", priority=80, benefit=PercentOff(1000, 10_000)),
        campaign("e", group="gift", priority=10, benefit=AmountOff(9000)),
    )
    assert granted(one, payment(amount=12_000), balances={"a": left(2399)}) == {"d": 1200, "b": 2000}


SHARED = SharedLimit("house", Limit(Subject.ALL, Period.DAY, amount_max=1000))


def sharing(used: int) -> Balance:
    return Balance(10**6, 10**6, {}, {"house": Used(0, used)})


def test_a_campaign_makes_way_for_the_next_of_its_group_where_a_limit_across_campaigns_is_reached() -> None:
    big, small = campaign("big", benefit=AmountOff(900)), campaign("small", benefit=AmountOff(100))
    one = snapshot(big, small, policy=policy_with(SHARED))
    assert granted(one, balances={"big": sharing(100), "small": sharing(100)}) == {"big": 900}
    assert granted(one, balances={"big": sharing(101), "small": sharing(101)}) == {"small": 100}


def test_grants_that_combine_must_fit_a_limit_across_campaigns_together() -> None:
    first = campaign("first", group="a", priority=200, benefit=AmountOff(600))
    second = campaign("second", group="b", priority=5, benefit=AmountOff(401))
    third = campaign("third", group="c", priority=1, benefit=AmountOff(400))
    one = snapshot(first, second, third, policy=policy_with(SHARED))
    seen = dict.fromkeys(("first", "second", "third"), sharing(0))
    assert granted(one, balances=seen) == {"first": 600, "third": 400}
    assert granted(one) == {"first": 600, "second": 401, "third": 400}


def test_what_does_not_fit_beside_others_makes_way_for_the_next_of_its_group_too() -> None:
    made = [("a", "instant", 200, 600), ("b", "gift", 100, 500), ("c", "gift", 100, 450), ("d", "gift", 100, 300)]
    campaigns = [
        campaign(name, group=group, priority=priority, benefit=AmountOff(off))
        for name, group, priority, off in [*made, ("e", "codes", 1, 150)]
    ]
    one = snapshot(*campaigns, policy=policy_with(SHARED))
    assert granted(one, balances=dict.fromkeys("abcde", sharing(0))) == {"a": 600, "d": 300}
    assert granted(one, balances=dict.fromkeys("abcde", sharing(101))) == {"a": 600, "e": 150}
    without = {"d": Refusal.BUDGET_IS_EXHAUSTED}
    assert granted(one, balances=dict.fromkeys("abcde", sharing(0)), excluded=without) == {"a": 600, "e": 150}


def test_a_limit_across_campaigns_on_devices_asks_for_a_device() -> None:
    one = snapshot(campaign(), policy=policy_with(SharedLimit("d", DEVICE[0])))
    assert granted(one) == {}
    assert granted(one, payment(device_id="phone")) == {"spring": 500}


def test_a_limit_across_campaigns_on_payers_asks_for_a_payer() -> None:
    one = snapshot(campaign(), policy=policy_with(SharedLimit("p", PAYER[0])))
    assert granted(one, payment(payer_id=None)) == {}
    assert granted(one) == {"spring": 500}

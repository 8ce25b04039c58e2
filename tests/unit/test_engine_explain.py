"""Explanations: every campaign, granted or refused for the first reason in precedence."""

from tests.unit.pricing_world import CLOSES, NOON, OPENS, campaign, payment, policy_with, snapshot

from makegood.domain.benefit import AmountOff, PercentOff
from makegood.domain.limit import Balance, Limit, Period, Subject
from makegood.domain.payment import Payment
from makegood.domain.policy import SharedLimit
from makegood.domain.quote import Considered, Refusal
from makegood.engine.explain import explain
from makegood.engine.snapshot import Snapshot

PAYER = (Limit(Subject.PAYER, Period.EVER, count_max=3),)
DEVICE = (Limit(Subject.DEVICE, Period.EVER, count_max=3),)


def reasons(one: Snapshot, paid: Payment | None = None, **options: object) -> dict[str, str | int]:
    """Discount or refusal, by campaign."""
    considered = explain(paid or payment(), one, options.pop("balances", {}), NOON, **options)  # type: ignore[arg-type]
    return {entry.campaign: entry.discount if entry.refusal is None else entry.refusal.value for entry in considered}


def test_every_campaign_is_explained_sorted_by_id() -> None:
    one = snapshot(campaign("b"), campaign("a"), campaign("c", when="payment.amount > 50000"))
    assert explain(payment(), one, {}, NOON) == (
        Considered("a", "rev_a", 500, None),
        Considered("b", "rev_b", 0, Refusal.ANOTHER_IS_BETTER),
        Considered("c", "rev_c", 0, Refusal.CONDITION_IS_NOT_MET),
    )


def test_each_step_has_its_refusal() -> None:
    never = "payment.amount < 0"
    one = snapshot(
        campaign("stopped", when=never, window=(CLOSES, CLOSES.plus(1))),
        campaign("early", when=never, window=(CLOSES, CLOSES.plus(1))),
        campaign("late", when=never, window=(OPENS, OPENS.plus(1))),
        campaign("failing", when="1 / (payment.items_count - 2) > 0", code="X"),
        campaign("unmet", when=never, code="X"),
        campaign("coded", code="X", limits=PAYER),
        campaign("payer", limits=(*PAYER, *DEVICE)),
        campaign("device", limits=DEVICE),
        campaign("zero", benefit=AmountOff(0)),
        campaign("above", benefit=AmountOff(12_001)),
        stopped=["stopped"],
    )
    assert reasons(one, payment(payer_id=None)) == {
        "stopped": "campaign_is_stopped",
        "early": "window_is_not_open",
        "late": "window_is_over",
        "failing": "condition_failed",
        "unmet": "condition_is_not_met",
        "coded": "code_is_missing",
        "payer": "payer_is_unknown",
        "device": "device_is_unknown",
        "zero": "discount_is_zero",
        "above": "discount_exceeds_amount",
    }


def test_choosing_and_combining_have_their_refusals() -> None:
    one = snapshot(
        campaign("a", group="a", priority=9, benefit=AmountOff(9_000)),
        campaign("a2", group="a", priority=99, benefit=AmountOff(8_000)),
        campaign("b", group="b", priority=8, combines_with=("c",)),
        campaign("c", group="c", priority=7, benefit=AmountOff(4_000)),
    )
    assert reasons(one) == {
        "a": 9_000,
        "a2": "another_is_better",
        "b": "group_does_not_combine",
        "c": "sum_exceeds_amount",
    }


def test_a_balance_that_does_not_cover_it_is_told_and_the_next_best_is_granted() -> None:
    one = snapshot(campaign("big", benefit=AmountOff(900)), campaign("small", benefit=AmountOff(300)))
    balances = {"big": Balance(10_000, 899, {})}
    assert reasons(one, balances=balances) == {"big": "stage_is_exhausted", "small": 300}


def test_of_what_the_store_and_the_balance_say_the_first_in_precedence_is_told() -> None:
    one = snapshot(campaign())
    balances = {"spring": Balance(0, 0, {})}
    later, earlier = Refusal.PAYER_LIMIT_IS_REACHED, Refusal.BUDGET_IS_EXHAUSTED
    assert reasons(one, balances=balances, excluded={"spring": later}) == {"spring": earlier.value}
    assert reasons(one, excluded={"spring": later}) == {"spring": later.value}


def test_the_store_does_not_hide_an_earlier_reason() -> None:
    one = snapshot(campaign(when="payment.amount < 0"))
    assert reasons(one, excluded={"spring": Refusal.BUDGET_IS_EXHAUSTED}) == {"spring": "condition_is_not_met"}


def test_the_text_of_a_failed_condition_is_kept() -> None:
    one = snapshot(campaign(when="1 / (payment.items_count - 2) > 0"))
    considered = explain(payment(), one, {}, NOON)[0]
    assert considered.refusal is Refusal.CONDITION_FAILED
    assert considered.error is not None
    assert "zero" in considered.error


def test_a_granted_campaign_has_no_error_text() -> None:
    one = snapshot(campaign(benefit=PercentOff(1000, 500)))
    assert explain(payment(), one, {}, NOON) == (Considered("spring", "rev_spring", 500, None, None),)


def test_what_does_not_fit_beside_a_better_placed_grant_is_told_the_limit_they_share() -> None:
    shared = SharedLimit("hour", Limit(Subject.ALL, Period.HOUR, amount_max=1000))
    first = campaign("first", group="a", priority=200, benefit=AmountOff(600))
    big, small = (campaign(name, group="b", benefit=AmountOff(off)) for name, off in (("big", 500), ("small", 300)))
    balances = dict.fromkeys(("first", "big", "small"), Balance(10_000, 10_000, {}))
    one = snapshot(first, big, small, policy=policy_with(shared))
    assert reasons(one, balances=balances) == {"first": 600, "big": "hour_limit_is_reached", "small": 300}
    assert reasons(one) == {"first": 600, "big": 500, "small": "another_is_better"}


def test_a_device_that_only_a_limit_across_campaigns_counts_must_be_known() -> None:
    one = snapshot(campaign(), policy=policy_with(SharedLimit("device", DEVICE[0])))
    assert reasons(one) == {"spring": "device_is_unknown"}
    assert reasons(one, payment(device_id="phone")) == {"spring": 500}

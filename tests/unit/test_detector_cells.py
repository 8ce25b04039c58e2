"""What is watched of a brief, and expectations that nothing could be watched against."""

from dataclasses import replace

import pytest

from makegood.clock import Instant
from makegood.domain.brief import Brief, Expectation, PerPayer, Share, Window
from makegood.domain.expectations import absurd
from makegood.domain.policy import ApprovalTier, PaymentSchema, Policy, StageBounds, WorstBounds
from makegood.guard.cells import WEIGHTS, Observed, Watch, payments_a_year

EXPECT = Expectation(500, 2_500, 6_000_000)
BRIEF = Brief(
    "spring", {"en": "spring"}, "coupon", (Share("platform", 7_000), Share("lin", 3_000)),
    Window(Instant.parse("2027-02-01T00:00:00Z"), Instant.parse("2027-02-15T00:00:00Z")),
    ("qr", "online"), 10_000, 5_000, 2_000, 100_000_000, PerPayer(3, 10_000), 100_000, EXPECT,
)  # fmt: skip
POLICY = Policy(
    "house", "CNY", "Asia/Shanghai", PaymentSchema("CNY", {}), 1_000, {}, {}, (), StageBounds(100_000, 10),
    WorstBounds(10**7, 10**9), (ApprovalTier(None, 1),),
)  # fmt: skip


def paths(expect: Expectation, policy: Policy = POLICY) -> list[str]:
    return [one.path for one in absurd(replace(BRIEF, expect=expect), policy)]


def test_the_brief_of_the_examples_is_not_absurd() -> None:
    assert absurd(BRIEF, POLICY) == ()


@pytest.mark.parametrize("share", [0, -1, 10_001])
def test_a_share_of_nothing_or_of_more_than_everything_is_refused(share: int) -> None:
    assert "/expect/share_of_payments" in paths(replace(EXPECT, share_of_payments=share))


@pytest.mark.parametrize("mean", [0, 5_001])
def test_a_mean_of_nothing_or_above_the_largest_discount_is_refused(mean: int) -> None:
    assert "/expect/discount_mean" in paths(replace(EXPECT, discount_mean=mean))


def test_the_mean_may_be_the_largest_discount_and_the_share_everything() -> None:
    assert paths(Expectation(10_000, 5_000, 6_000_000)) == []


def test_a_minute_cannot_spend_more_than_the_peak_the_share_and_the_mean_allow() -> None:
    reachable = 1_000 * 60 * 500 * 2_500 // 10_000
    assert paths(replace(EXPECT, spend_per_minute=reachable)) == []
    assert paths(replace(EXPECT, spend_per_minute=reachable + 1)) == ["/expect/spend_per_minute"]
    found = absurd(replace(BRIEF, expect=replace(EXPECT, spend_per_minute=reachable + 1)), POLICY)
    assert found[0].hint is not None and "75000.00 CNY" in found[0].hint


def test_a_minute_spends_no_less_than_one_discount_and_no_more_than_the_budget() -> None:
    assert paths(replace(EXPECT, spend_per_minute=2_499)) == ["/expect/spend_per_minute"]
    slow = replace(BRIEF, budget=5_999_999)
    assert [one.path for one in absurd(slow, POLICY)] == ["/expect/spend_per_minute"]


def test_every_reason_is_told_at_once() -> None:
    assert len(paths(Expectation(0, 0, -1))) == 3


def test_a_grant_is_as_agreed_only_with_scene_label_and_all_funders_of_the_brief() -> None:
    watch = Watch.of(BRIEF)
    grant = Observed("spring", "coupon", frozenset({"platform", "lin"}), 2_000)
    assert watch.agreed("qr", grant) and watch.agreed("online", grant)
    assert not watch.agreed("transfer", grant)
    assert not watch.agreed("qr", replace(grant, label="subsidy"))
    assert not watch.agreed("qr", replace(grant, funders=frozenset({"platform"})))
    assert not watch.agreed("qr", replace(grant, funders=frozenset({"platform", "lin", "city"})))


def test_the_capital_of_all_measures_is_that_of_one_payment() -> None:
    assert sum(WEIGHTS.values()) == 1


def test_the_threshold_is_the_payments_of_a_year_at_the_declared_peak() -> None:
    assert payments_a_year(1_000) == 31_557_600_000

"""The most that a campaign can lose: exact numbers, beside the example campaign."""

from dataclasses import replace
from pathlib import Path

import pytest

from makegood.clock import Instant
from makegood.documents.read import read_documents
from makegood.documents.source import Source
from makegood.documents.worst import Worst, worst_loss
from makegood.domain.benefit import AmountOff, Benefit, PercentOff, RandomOff, Tier, Tiers
from makegood.domain.campaign import Campaign
from makegood.domain.limit import Limit, Period, Subject
from makegood.domain.policy import Policy

EXAMPLES = Path(__file__).parents[2] / "examples"
NOW = Instant.parse("2027-01-15T00:00:00Z")


def example(name: str) -> tuple[Campaign, Policy]:
    sources = [Source(one, (EXAMPLES / one).read_bytes()) for one in ("policy.yaml", name)]
    bundle = read_documents(sources, now=NOW)
    campaign, policy = bundle.campaigns[0].campaign, bundle.policies[0].policy
    assert campaign is not None and policy is not None
    return campaign, policy


def worst(**changes: object) -> Worst:
    campaign, policy = example("campaign-spring.yaml")
    return worst_loss(replace(campaign, **changes), policy)  # type: ignore[arg-type]


def test_the_spring_campaign() -> None:
    assert worst() == Worst(5_000, 5_000_000, 100_000_000)


def test_the_campaign_of_16_january_loses_a_fifth_of_the_largest_payment_a_thousand_times_a_second() -> None:
    assert worst_loss(*example("campaign-16-january.yaml")) == Worst(10_000_000, 10_000_000_000, 100_000_000_000)


@pytest.mark.parametrize(
    ("benefit", "payment"),
    [
        (AmountOff(700), 700),
        (AmountOff(20_000), 0),
        (Tiers((Tier(100, 10), Tier(200, 30), Tier(300, 20_000))), 30),
        (Tiers((Tier(100, 10), Tier(60_000_000, 30))), 10),
        (RandomOff(10, 880), 880),
        (RandomOff(10, 20_000), 10_000),
        (RandomOff(15_000, 20_000), 0),
        (PercentOff(0, 5_000), 0),
        (PercentOff(2_000, 20_000), 10_000),
    ],
)
def test_a_discount_above_a_limit_is_never_granted(benefit: Benefit, payment: int) -> None:
    assert worst(benefit=benefit).payment_minor == payment


def test_caps_on_all_grants_bound_the_second_and_the_total() -> None:
    capped = (
        Limit(Subject.ALL, Period.EVER, 9),
        Limit(Subject.ALL, Period.DAY, None, 30_000),
        Limit(Subject.ALL, Period.HOUR, 3),
    )
    assert worst(limits=capped) == Worst(5_000, 15_000, 45_000)


@pytest.mark.parametrize("limit", [Limit(Subject.PAYER, Period.DAY, 0), Limit(Subject.DEVICE, Period.EVER, None, 0)])
def test_a_limit_of_zero_loses_nothing(limit: Limit) -> None:
    assert worst(limits=(limit,)) == Worst(0, 0, 0)


def test_a_zero_budget_loses_nothing() -> None:
    assert worst(budget=0) == Worst(0, 0, 0)

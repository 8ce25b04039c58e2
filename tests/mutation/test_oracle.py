"""The oracle by itself: it names the faults of trios made by hand, and agrees with pricing."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.mutation.documents import Trio, read_campaign_document
from tests.mutation.mutator import EDITS, mutants
from tests.mutation.oracle import Judgement, judge, most_allowed, shows
from tests.mutation.search import Bad, Search
from tests.mutation.trios import correct_trios

from makegood.clock import Instant
from makegood.documents.read import read_documents
from makegood.documents.source import Source
from makegood.domain.benefit import AmountOff, PercentOff, RandomOff
from makegood.domain.brief import Brief, Share, Window
from makegood.domain.campaign import Campaign, Stacking
from makegood.domain.limit import Limit, Period, Subject
from makegood.domain.policy import Policy

EXAMPLES = Path(__file__).parents[2] / "examples"
HOUR = 3_600


def example(campaign: str, brief: str) -> tuple[Campaign, Brief, Policy]:
    """A campaign of the examples with its brief and policy."""
    names = ("policy.yaml", brief, campaign)
    now = Instant.parse("2026-12-01T00:00:00Z")
    found = read_documents([Source(name, (EXAMPLES / name).read_bytes()) for name in names], now=now)
    policy, agreed, made = found.policies[0].policy, found.briefs[0].brief, found.campaigns[0].campaign
    assert policy is not None and agreed is not None and made is not None
    return made, agreed, policy


SPRING, BRIEF, POLICY = example("campaign-spring.yaml", "brief-spring.yaml")
SHOP = 'payment.scene == "in_store_qr" && payment.city == "Hangzhou"'


def judged(brief: Brief = BRIEF, live: tuple[Campaign, ...] = (), **changes: Any) -> Judgement:
    """The judgement of the spring campaign with some parts of it changed."""
    return judge(replace(SPRING, **changes), brief, POLICY, live)


@pytest.mark.parametrize("name", ["spring", "tiers", "lucky"])
def test_the_campaigns_of_the_examples_are_right(name: str) -> None:
    assert judge(*example(f"campaign-{name}.yaml", f"brief-{name}.yaml")).faults == ()


def test_the_campaign_of_16_january_is_wrong_in_nearly_everything() -> None:
    campaign, brief, policy = example("campaign-16-january.yaml", "brief-spring.yaml")
    judgement = judge(campaign, brief, policy)
    kept = {"inside_brief.rate_max", "inside_brief.window", "inside_policy.half-at-most", "can_ever_apply"}
    assert set(judgement.broken) - set(judgement.faults) == kept
    assert (judgement.bad["inside_brief.scenes"].amount, judgement.bad["inside_brief.scenes"].discount) == (5, 1)
    assert judgement.bad["inside_brief.discount_max"].amount == 25_005
    assert judgement.bad["inside_policy.never-on-transfers"].payment["scene"] in ("transfer", "card_repayment", "rent")


SHIFTED = Window(SPRING.window.opens.plus(-HOUR), SPRING.window.closes)
LOW = f"{SHOP} && payment.amount >= 9999"
FAULTS: Mapping[str, tuple[Mapping[str, Any], set[str], int | None]] = {
    "cap": ({"benefit": PercentOff(2_000, 5_001)}, {"inside_brief.discount_max"}, 25_005),
    "rate": ({"benefit": PercentOff(2_050, 5_000)}, {"inside_brief.rate_max"}, 10_000),
    "fixed": ({"benefit": AmountOff(2_001)}, {"inside_brief.rate_max"}, 10_000),
    "random": ({"benefit": RandomOff(1, 2_001)}, {"inside_brief.rate_max"}, 10_000),
    "threshold": ({"when": LOW}, {"inside_brief.spend_min"}, 9_999),
    "scene": ({"when": "payment.amount >= 10000 && payment.scene != 'transfer'"},
              {"inside_brief.scenes", "inside_policy.never-on-transfers"}, 10_000),
    "or": ({"when": 'payment.scene == "in_store_qr" && payment.amount >= 10000 || payment.city == "Hangzhou"'},
           {"inside_brief.scenes", "inside_brief.spend_min", "inside_policy.never-on-transfers"}, 5),
    "window": ({"window": SHIFTED}, {"inside_brief.window"}, 10_000),
    "label": ({"label": "platform_gift"}, {"inside_brief.label"}, 10_000),
    "owned label": ({"label": "government_subsidy"}, {"inside_brief.label", "label_is_funded"}, 10_000),
    "funder": ({"funding": (Share("platform", 10_000),)}, {"inside_brief.funding"}, 10_000),
    "order of funders": ({"funding": tuple(reversed(SPRING.funding))}, set(), None),
    "per payer": ({"limits": (Limit(Subject.PAYER, Period.EVER, 4, 10_000),)}, {"inside_brief.per_payer"}, 10_000),
    "another period": ({"limits": (Limit(Subject.PAYER, Period.DAY, 3, 10_000),)}, {"inside_brief.per_payer"}, 10_000),
    "first stage": ({"stages": (100_001, 1_000_000, 10_000_000, 100_000_000)}, {"inside_policy.stages"}, 10_000),
    "growth": ({"stages": (100_000, 1_000_001, 10_000_000, 100_000_000)}, {"inside_policy.stages"}, 10_000),
    "small stage": ({"stages": (4_999, 49_000, 490_000, 4_900_000, 49_000_000, 100_000_000)},
                    {"inside_policy.stages"}, 25_000),
    "never": ({"when": f"{SHOP} && payment.amount < 5"}, {"can_ever_apply"}, None),
    "zero": ({"limits": (*SPRING.limits, Limit(Subject.DEVICE, Period.HOUR, 0))}, {"can_ever_apply"}, None),
    "error": ({"when": f"{SHOP} && payment.amount >= 10000 && 1 / (payment.items_count - payment.items_count) > 0"},
              {"can_ever_apply"}, None),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_each_kind_of_fault_is_named_with_its_smallest_payment(name: str) -> None:
    changes, faults, amount = FAULTS[name]
    judgement = judged(**changes)
    assert set(judgement.faults) == faults
    assert amount is None or min(bad.amount for bad in judgement.bad.values()) == amount


def test_a_budget_above_the_brief_and_the_policy_is_named() -> None:
    stages = (100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 2_000_000_000)
    limits = tuple(one for one in SPRING.limits if one.subject is Subject.PAYER)
    judgement = judged(budget=stages[-1], stages=stages, limits=limits)
    assert set(judgement.faults) == {"inside_brief.budget", "budget_bound"}


def test_two_campaigns_that_keep_a_rule_alone_may_break_it_together() -> None:
    other = replace(SPRING, id="other", benefit=PercentOff(3_500, 20_000), stacking=Stacking("other", 1))
    judgement = judged(live=(other,))
    assert judgement.faults == ("inside_policy.half-at-most",)
    assert judgement.bad["inside_policy.half-at-most"].others == {"other": 3_500}
    for apart in (
        replace(other, stacking=SPRING.stacking),
        replace(other, stacking=Stacking("other", 1, ("codes",))),
        replace(other, when=other.when.replace("Hangzhou", "Ningbo")),
        replace(other, window=Window(SPRING.window.closes, SPRING.window.closes.plus(HOUR))),
        replace(other, id=SPRING.id),
    ):
        assert judged(live=(apart,)).faults == ()


def test_every_kind_of_edit_finds_something_to_edit() -> None:
    found = {kind for trio in islice(correct_trios(1), 60) for kind, _ in mutants(trio, Random(trio.seed))}
    assert found == set(EDITS)


def test_what_the_oracle_shows_is_granted_and_breaks_the_obligation() -> None:
    shown = 0
    for trio, campaign in _edited(seed=2, trios=3):
        judgement = judge(campaign, trio.brief, trio.policy, trio.live)
        for obligation, bad in judgement.bad.items():
            shown += 1
            assert shows(obligation, bad, campaign, trio.brief, trio.policy, trio.live), (trio.seed, obligation, bad)
    assert shown > 50


def test_trying_every_amount_finds_nothing_that_the_boundaries_miss() -> None:
    for trio, campaign in islice(_edited(seed=3, trios=24), 0, None, 40):
        sparse, dense = _search(trio, campaign), _search(trio, campaign)
        low = trio.brief.spend_min
        dense.segments = tuple(
            replace(
                part, tried=tuple(sorted({*part.tried, *range(max(part.low, low - 99), min(part.high, low + 999))}))
            )
            for part in dense.segments
        )
        sparse.run()
        dense.run()
        assert set(sparse.bad) == set(dense.bad), trio.seed
        assert sparse.largest == dense.largest, trio.seed


def _search(trio: Trio, campaign: Campaign) -> Search:
    return Search(campaign, trio.brief, trio.policy, trio.live, most_allowed(campaign, trio.policy))


def _edited(seed: int, trios: int) -> Any:
    for trio in islice(correct_trios(seed), trios):
        for _, document in mutants(trio, Random(trio.seed)):
            campaign = read_campaign_document(document, trio.read_policy)
            if campaign is not None:
                yield trio, campaign


def test_a_payment_that_is_granted_nothing_shows_nothing() -> None:
    bad = judged(benefit=PercentOff(2_000, 5_001)).bad["inside_brief.discount_max"]
    assert shows("inside_brief.discount_max", bad, replace(SPRING, benefit=PercentOff(2_000, 5_001)), BRIEF, POLICY)
    assert not shows("inside_brief.discount_max", bad, SPRING, BRIEF, POLICY)
    elsewhere = Bad({**bad.payment, "city": "Ningbo"}, bad.discount)
    assert not shows("inside_brief.discount_max", elsewhere, replace(SPRING, benefit=AmountOff(5_001)), BRIEF, POLICY)

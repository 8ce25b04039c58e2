"""Stages: the next one opens on evidence that is there, judged, quiet and settled, and on nothing else."""

import json
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from tests.unit.proving import read_trio
from tests.unit.stage_world import QUIET, Shop, run

from makegood.clock import SECOND
from makegood.domain.benefit import largest_discount
from makegood.guard.health import (
    COUNT_MAX,
    FALSE_OPENING,
    ONE_IN,
    Evidence,
    claim_of,
    counted_payers,
    payers_needed,
)
from makegood.guard.health_watch import SETTLE_NANOS, StageWatch, look
from makegood.guard.stage import plan
from makegood.guard.stage_decision import Because, Loudness, StageDecision, Terms, decide_stage, loudest
from makegood.guard.stage_words import decision_words

SPRING = (100_000, 1_000_000, 10_000_000, 100_000_000)
TERMS = Terms(1_000_000, 100_000, 10_000, 5_000, 6_000_000)
HEALTHY = Evidence(captured=18, judged=18, spent_minor=90_000, payers=18, payers_of_one_payee=4)


def shop(**changed: Any) -> Shop:
    usual: dict[str, Any] = {
        "slices": SPRING, "largest": 5_000, "spend_per_minute": 6_000_000, "discount": 2_500, "payments_per_second": 50,
    }  # fmt: skip
    return Shop(**(usual | changed))


def watched(evidence: Evidence, seconds: int = 31) -> StageWatch:
    watch = look(None, "rev_1", 100_000, evidence, 0)
    for second in range(1, seconds + 1):
        watch = look(watch, "rev_1", 100_000, evidence, second * SECOND)
    return watch


def decided(evidence: Evidence = HEALTHY, terms: Terms = TERMS, detector: Loudness | None = QUIET) -> StageDecision:
    return decide_stage(watched(evidence), terms, detector)


# -- a healthy campaign ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("granted_per_second", "discount"), [(10, 2_500), (50, 2_500), (50, 5_000), (1_000, 5_000)])
def test_a_healthy_campaign_has_its_last_stage_open_within_ten_minutes(granted_per_second: int, discount: int) -> None:
    campaign, brief, policy = read_trio()
    largest = largest_discount(campaign.benefit, policy.schema.amount_max)
    slices = plan(
        (), budget=campaign.budget, largest=largest, bounds=policy.stages, brief_first_max=brief.stage_first_max
    )
    assert slices == SPRING
    spring = shop(
        slices=slices, largest=largest, spend_per_minute=brief.expect.spend_per_minute, discount=discount,
        payments_per_second=granted_per_second,
    )  # fmt: skip
    openings, decision = run(spring, 600)
    assert decision.because is Because.ALL_IS_OPEN and tuple(openings) == slices


def test_a_healthy_campaign_whose_stages_only_double_opens_them_all_within_ten_minutes() -> None:
    slices = tuple(100_000 * 2**step for step in range(11))
    openings, decision = run(shop(slices=slices, payments_per_second=40), 600)
    assert decision.because is Because.ALL_IS_OPEN and len(openings) == 11


def test_a_healthy_campaign_with_a_complaint_now_and_then_opens_all_the_same() -> None:
    chance = Random(2026)
    wronged = {payer for payer in range(200_000) if chance.random() < 0.01}
    openings, _ = run(shop(is_wronged=wronged.__contains__), 600)
    assert tuple(openings) == SPRING


# -- a bad campaign -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "because"),
    [
        ({"trips_from": 0}, Because.COLLAR_TRIPPED),
        ({"trips_from": 29}, Because.COLLAR_TRIPPED),
        ({"loud_from": 0}, Because.DETECTOR_ALARMED),
        ({"judged": False}, Because.CAPTURES_ARE_NOT_JUDGED),
        ({"spend_per_minute": 0}, Because.PACE_IS_ABOVE_BRIEF),
        ({"is_wronged": lambda payer: payer % 2 == 0}, Because.SLICE_IS_USED_UP),
    ],
)
def test_a_bad_campaign_never_leaves_the_first_stage(bad: dict[str, Any], because: Because) -> None:
    openings, decision = run(shop(**bad), 1_200)
    assert tuple(openings) == (100_000,) and decision.because is because


def test_over_seeds_a_campaign_that_wrongs_a_third_of_its_payers_stays_in_the_first_stage() -> None:
    left = 0
    for seed in range(500):
        chance = Random(seed)
        wronged = [chance.random() < 1 / 3 for _ in range(200)]
        openings, _ = run(shop(discount=500, payments_per_second=5, is_wronged=wronged.__getitem__), 80)
        left += len(openings) > 1
    # At most one in a thousand leaves it: of 500, five or more would be seen once in six thousand such tests.
    assert left < 5


@pytest.mark.parametrize("one_in", ONE_IN)
def test_the_exact_chance_of_a_false_opening_is_within_its_bound_at_every_look(one_in: int) -> None:
    chances, opened = {0: 1.0}, 0.0  # By how many were bad; one look after each payer.
    for payers in range(1, 301):
        following: dict[int, float] = {}
        for bad, chance in chances.items():
            following[bad] = following.get(bad, 0.0) + chance * (1 - 1 / one_in)
            following[bad + 1] = following.get(bad + 1, 0.0) + chance / one_in
        opened += sum(chance for bad, chance in following.items() if payers >= payers_needed(bad, one_in))
        chances = {bad: chance for bad, chance in following.items() if payers < payers_needed(bad, one_in)}
    assert 0 < opened <= FALSE_OPENING


def test_a_complaint_that_comes_late_takes_from_the_evidence() -> None:
    assert decided().open_next
    assert not decided(replace(HEALTHY, payers_bad=1)).open_next


# -- what counts ----------------------------------------------------------------------------------------


def test_a_flood_from_one_payer_is_one_payer() -> None:
    assert decided(replace(HEALTHY, captured=10_000, judged=10_000, payers=1, payers_of_one_payee=1)).payers == 0


def test_a_flood_at_one_payee_counts_no_more_than_all_other_payees_together() -> None:
    assert counted_payers(1_000, 1_000) == 0
    assert counted_payers(1_000, 995) == 10
    assert counted_payers(1_000, 500) == counted_payers(1_000, 20) == 1_000
    assert not decided(replace(HEALTHY, payers_of_one_payee=18)).open_next


def test_a_campaign_for_one_payee_counts_all_of_its_payers() -> None:
    assert decided(replace(HEALTHY, payers_of_one_payee=18), replace(TERMS, one_payee=True)).open_next


def test_eighteen_payers_are_enough_and_seventeen_are_not() -> None:
    assert payers_needed(0, 3) == 18
    seventeen = replace(HEALTHY, captured=17, judged=17, payers=17)
    assert (decided().open_next, decided(seventeen).because) == (True, Because.EVIDENCE_IS_SHORT)


def test_a_larger_slice_must_show_a_smaller_share_of_bad_payers() -> None:
    assert [claim_of(minor, 5_000) for minor in (0, 100_000, 900_000, 9_000_000)] == [3, 3, 10, 20]


def test_payers_count_once_they_had_time_to_complain() -> None:
    early = decide_stage(watched(HEALTHY, 29), TERMS, QUIET)
    assert (early.because, early.payers, early.payers_settled) == (Because.EVIDENCE_IS_SETTLING, 18, 0)
    assert decide_stage(watched(HEALTHY, 30), TERMS, QUIET).open_next


def test_a_slice_that_is_used_up_without_evidence_stays_so() -> None:
    used_up = replace(HEALTHY, captured=10, judged=10, payers=10)
    assert decided(used_up, replace(TERMS, left_minor=4_999)).because is Because.SLICE_IS_USED_UP
    assert decided(used_up, replace(TERMS, left_minor=5_000)).because is Because.EVIDENCE_IS_SHORT


def test_what_a_person_opens_does_not_open_by_itself() -> None:
    assert decided(terms=replace(TERMS, by_hand=True)).because is Because.A_PERSON_OPENS


@pytest.mark.parametrize(
    ("changed", "because"),
    [
        ({"trips": 1, "alarms": 1, "judged": 0}, Because.COLLAR_TRIPPED),
        ({"alarms": 1, "judged": 0}, Because.DETECTOR_ALARMED),
        ({"judged": 17, "released": 19}, Because.CAPTURES_ARE_NOT_JUDGED),
        ({"released": 10, "expired": 9}, Because.MOST_ARE_NOT_PAID),
        ({"spent_minor": 6_100_001}, Because.PACE_IS_ABOVE_BRIEF),
    ],
)
def test_the_first_reason_in_order_is_said(changed: dict[str, int], because: Because) -> None:
    assert decided(replace(HEALTHY, **changed)).because is because


def test_the_last_stage_has_nothing_after_it() -> None:
    assert decided(terms=replace(TERMS, next_minor=None)).because is Because.ALL_IS_OPEN


# -- the detector ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statistic", "quiet", "because"),
    [
        (-float("inf"), True, Because.EVIDENCE_IS_THERE),
        (18.0, True, Because.EVIDENCE_IS_THERE),
        (18.0, False, Because.DETECTOR_IS_NOT_QUIET),
        (24.0, True, Because.DETECTOR_ALARMED),
        (float("inf"), False, Because.DETECTOR_ALARMED),
    ],
)
def test_a_stage_opens_while_the_detector_is_quiet(statistic: float, quiet: bool, because: Because) -> None:
    assert decided(detector=Loudness(statistic, 24.0, quiet)).because is because


def test_a_stage_waits_until_what_it_spent_is_within_the_briefs_pace() -> None:
    fast = replace(HEALTHY, spent_minor=9_000_000)
    assert decide_stage(watched(fast, 59), TERMS, QUIET).because is Because.PACE_IS_ABOVE_BRIEF
    assert decide_stage(watched(fast, 60), TERMS, QUIET).open_next


def test_a_detector_that_says_nothing_is_not_quiet() -> None:
    assert loudest([]) is None and decided(detector=None).because is Because.DETECTOR_IS_AWAY


def test_the_loudest_of_all_nodes_is_heard_and_each_that_warns() -> None:
    said = [Loudness(3, 24, quiet=False), Loudness(9, 10, quiet=True), Loudness(20, 28, quiet=True)]
    assert loudest(said) == Loudness(9, 10, quiet=False)
    assert loudest(said[1:]) == Loudness(9, 10, quiet=True)


@pytest.mark.parametrize("numbers", [(float("nan"), 24.0), (1.0, 0.0), (1.0, float("nan")), (1.0, float("inf"))])
def test_a_detector_whose_numbers_make_no_sense_is_refused(numbers: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="statistic"):
        Loudness(*numbers, quiet=True)


# -- clocks ---------------------------------------------------------------------------------------------


def test_a_clock_that_jumps_ahead_settles_nobody_sooner() -> None:
    watch = look(look(None, "rev_1", 100_000, HEALTHY, 0), "rev_1", 100_000, HEALTHY, 10**18)
    assert watch.watched == 5 * SECOND and watch.settled_payers == 0


def test_a_clock_that_runs_backwards_stands_still_and_then_goes_on() -> None:
    watch = watched(HEALTHY, 29)
    back = look(watch, "rev_1", 100_000, HEALTHY, 0)
    assert back.watched == watch.watched and back.settled_payers == 0
    assert look(back, "rev_1", 100_000, HEALTHY, SECOND).settled_payers == 18


def test_another_stage_and_another_revision_begin_anew() -> None:
    watch = watched(HEALTHY)
    assert watch.settled_payers == 18
    assert look(watch, "rev_1", 1_000_000, HEALTHY, 32 * SECOND).settled_payers == 0
    assert look(watch, "rev_2", 100_000, HEALTHY, 32 * SECOND).settled_payers == 0


def test_a_trip_is_remembered_by_the_revision_and_not_by_the_next() -> None:
    watch = look(watched(replace(HEALTHY, trips=1)), "rev_1", 1_000_000, HEALTHY, 32 * SECOND)
    assert watch.evidence.trips == 1
    assert look(watch, "rev_2", 1_000_000, HEALTHY, 33 * SECOND).evidence.trips == 0


def test_a_watch_that_looks_all_the_time_remembers_little() -> None:
    watch = look(None, "rev_1", 100_000, HEALTHY, 0)
    for step in range(1, 20_000):
        watch = look(watch, "rev_1", 100_000, HEALTHY, step * SECOND // 100)
    assert len(watch.samples) <= SETTLE_NANOS // (SECOND // 2) + 2 and watch.settled_payers == 18


# -- plain values ---------------------------------------------------------------------------------------


def test_a_decision_survives_as_json() -> None:
    said = json.loads(json.dumps(decided(detector=Loudness(-float("inf"), 24.0, quiet=True)).plain()))
    assert said["because"] == "evidence_is_there" and said["open_next"] and "loudness" not in said


@pytest.mark.parametrize(
    "changed",
    [
        {"payers": -1}, {"payers": 1.0}, {"payers": True}, {"payers": COUNT_MAX + 1}, {"payers": None},
        {"payers_bad": 19}, {"judged": 19}, {"payers_of_one_payee": 19},
    ],
)  # fmt: skip
def test_counts_that_cannot_be_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="`"):
        replace(HEALTHY, **changed)


def test_counters_at_their_largest_are_decided_as_any_others() -> None:
    full = replace(HEALTHY, captured=COUNT_MAX, judged=COUNT_MAX, payers=COUNT_MAX)
    assert decided(full).open_next
    assert decided(replace(full, payers_bad=COUNT_MAX)).because is Because.EVIDENCE_IS_SHORT


@pytest.mark.parametrize("because", Because)
def test_every_reason_is_said_in_both_languages(because: Because) -> None:
    words = decision_words(replace(decided(), because=because), "CNY")
    assert set(words) == {"zh-CN", "en"} and all(words.values())
    assert "{" not in "".join(words.values())


def test_a_decision_says_its_numbers() -> None:
    words = decision_words(decided(replace(HEALTHY, captured=10, judged=10, payers=10)), "CNY")
    assert words["en"] == "10 payers, 0 of them wronged; 18 are needed"
    assert decision_words(decided(), "CNY")["zh-CN"] == "18位付款方（其中0位有问题）：放量到10,000.00元"

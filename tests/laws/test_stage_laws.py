"""Stages: what holds for every campaign file, every policy and all evidence."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.pricing_world import POLICY

from makegood.documents.stages import default_stages
from makegood.domain.policy import StageBounds
from makegood.guard.health import COUNT_MAX, LOG_NEEDED, ONE_IN, Evidence, log_e, payers_needed
from makegood.guard.health_watch import look
from makegood.guard.stage import first_max, plan
from makegood.guard.stage_decision import Loudness, Terms, decide_stage
from makegood.limits import GROWTH_MAX, MONEY_MINOR_MAX

money = st.integers(0, MONEY_MINOR_MAX)
files = st.lists(st.integers(-MONEY_MINOR_MAX, 2 * MONEY_MINOR_MAX), max_size=8)
bounds = st.builds(StageBounds, money, st.integers(2, GROWTH_MAX))
counts = st.one_of(st.integers(0, 500), st.integers(0, COUNT_MAX))
readings = st.builds(Loudness, st.floats(allow_nan=False), st.floats(0.1, 100), st.booleans()) | st.none()


@st.composite
def evidences(draw: st.DrawFn) -> Evidence:
    captured, payers = draw(counts), draw(counts)
    return Evidence(
        captured=captured,
        judged=draw(st.sampled_from((captured, captured // 2))),
        spent_minor=draw(counts),
        released=draw(counts),
        expired=draw(counts),
        payers=payers,
        payers_bad=draw(st.integers(0, payers)),
        payers_of_one_payee=draw(st.integers(0, payers)),
        trips=draw(st.integers(0, 3)),
        alarms=draw(st.integers(0, 3)),
    )


terms = st.builds(Terms, st.none() | money, money, money, money, money, st.booleans(), st.booleans())


@given(files, money, money, bounds, st.none() | money)
def test_slices_keep_every_bound_whatever_the_file_says(
    stages: list[int], budget: int, largest: int, bound: StageBounds, brief: int | None
) -> None:
    slices = plan(stages, budget=budget, largest=largest, bounds=bound, brief_first_max=brief)
    assert slices[0] <= first_max(bound, brief) and slices[-1] == budget
    assert all(before < after <= max(before, 1) * bound.growth_max for before, after in pairwise(slices))


@given(files, st.integers(1, MONEY_MINOR_MAX), money, bounds)
def test_planning_what_was_planned_changes_nothing(
    stages: list[int], budget: int, largest: int, bound: StageBounds
) -> None:
    slices = plan(stages, budget=budget, largest=largest, bounds=bound)
    assert plan(slices, budget=budget, largest=largest, bounds=bound) == slices


@given(money, money, bounds)
def test_the_default_is_the_one_that_a_campaigns_document_writes_out(
    budget: int, largest: int, bound: StageBounds
) -> None:
    policy = replace(POLICY, stages=bound)
    assert plan((), budget=budget, largest=largest, bounds=bound) == default_stages(budget, largest, policy)


@given(st.lists(st.tuples(evidences(), st.integers(0, 2**62)), min_size=1, max_size=6), terms, readings)
def test_nothing_opens_after_a_trip_whatever_is_seen_later(
    looks: list[tuple[Evidence, int]], term: Terms, reading: Loudness | None
) -> None:
    watch = look(None, "rev_1", 100, replace(looks[0][0], trips=1), looks[0][1])
    for evidence, now in looks[1:]:
        watch = look(watch, "rev_1", 100, replace(evidence, trips=0), now)
    assert not decide_stage(watch, term, reading).open_next


@given(st.lists(st.tuples(evidences(), st.integers(0, 2**62)), min_size=1, max_size=6), terms, readings)
def test_what_opens_was_judged_and_quiet_and_had_evidence(
    looks: list[tuple[Evidence, int]], term: Terms, reading: Loudness | None
) -> None:
    watch = None
    for evidence, now in looks:
        watch = look(watch, "rev_1", 100, evidence, now)
    assert watch is not None
    decision = decide_stage(watch, term, reading)
    if decision.open_next:
        assert decision.log_e >= LOG_NEEDED and decision.payers_settled >= decision.payers_needed
        assert watch.evidence.judged == watch.evidence.captured and decision.spent_minor <= decision.pace_minor
        assert (
            reading is not None
            and reading.quiet
            and reading.share < 1
            and not term.by_hand
            and term.next_minor is not None
        )


@given(st.integers(0, 2000), st.integers(0, 2000), st.sampled_from(ONE_IN))
def test_wealth_grows_with_every_good_payer_and_falls_with_every_bad_one(payers: int, bad: int, one_in: int) -> None:
    payers = max(payers, bad)
    now = log_e(payers, bad, one_in)
    assert log_e(payers + 1, bad + 1, one_in) < now < log_e(payers + 1, bad, one_in)


@given(st.integers(0, 200), st.sampled_from(ONE_IN))
def test_the_payers_that_are_needed_are_the_fewest_that_are_enough(bad: int, one_in: int) -> None:
    needed = payers_needed(bad, one_in)
    assert log_e(needed, bad, one_in) >= LOG_NEEDED > log_e(needed - 1, bad, one_in)

"""Stages: which slices of a budget are really used, whatever the campaign file says."""

import pytest

from makegood.domain.policy import StageBounds
from makegood.guard.stage import first_max, following, last_step, plan

BOUNDS = StageBounds(first_max=100_000, growth_max=10)
SPRING = (100_000, 1_000_000, 10_000_000, 100_000_000)


def planned(*stages: int, budget: int = 100_000_000, largest: int = 5_000, brief: int | None = None) -> tuple[int, ...]:
    return plan(stages, budget=budget, largest=largest, bounds=BOUNDS, brief_first_max=brief)


def test_a_file_within_its_bounds_is_used_as_it_is() -> None:
    assert planned(*SPRING) == SPRING


def test_without_stages_a_thousandth_of_the_budget_opens_first() -> None:
    assert planned() == SPRING
    assert planned(budget=5_000_000) == (5_000, 50_000, 500_000, 5_000_000)


def test_without_stages_the_first_one_holds_one_largest_discount() -> None:
    assert planned(budget=200_000) == (5_000, 50_000, 200_000)


def test_a_file_that_opens_everything_at_once_opens_no_more_than_the_policy_allows() -> None:
    assert planned(100_000_000_000, budget=100_000_000_000, largest=10_000_000)[:3] == (100_000, 1_000_000, 10_000_000)


def test_the_brief_bounds_the_first_slice_as_the_policy_does() -> None:
    assert planned(*SPRING, brief=20_000) == (20_000, *SPRING)
    assert first_max(BOUNDS, 20_000) == first_max(StageBounds(20_000, 10), 10**9) == 20_000


def test_a_jump_in_the_file_gets_the_slices_it_left_out() -> None:
    assert planned(100_000, 5_000_000, 100_000_000) == (100_000, 1_000_000, 5_000_000, 50_000_000, 100_000_000)


def test_a_slice_that_was_put_in_leaves_no_crumb_below_the_files_own() -> None:
    slices = planned(*SPRING, brief=99_999)
    assert slices == (99_999, 999_990, 9_999_900, 99_999_000, 100_000_000)


def test_a_first_slice_below_one_discount_is_raised_to_it_and_never_beyond_the_bound() -> None:
    assert planned(1, 100_000_000)[0] == 5_000
    assert planned(1, 100_000_000, brief=3_000)[0] == 3_000


@pytest.mark.parametrize("stages", [(-5, 100_000_000), (0,), (200_000_000,), (100_000, 100_000, 50_000)])
def test_steps_that_do_not_rise_or_lie_beyond_the_budget_are_left_out(stages: tuple[int, ...]) -> None:
    slices = planned(*stages)
    assert slices == tuple(sorted(set(slices))) and slices[0] <= 100_000 and slices[-1] == 100_000_000


def test_a_budget_of_zero_has_one_slice_that_holds_nothing() -> None:
    assert planned(budget=0) == planned(100_000, budget=0) == (0,)


def test_a_budget_below_one_discount_is_one_slice() -> None:
    assert planned(budget=4_000) == (4_000,)


def test_a_first_bound_of_zero_opens_nothing_first() -> None:
    assert planned(*SPRING, brief=0)[:4] == (0, 10, 100, 1_000)


def test_a_policy_whose_stages_cannot_grow_still_reaches_the_budget_by_doubling() -> None:
    assert plan((), budget=8, largest=1, bounds=StageBounds(1, 1)) == (1, 2, 4, 8)


def test_what_follows_a_slice_is_the_next_one_and_after_the_last_nothing() -> None:
    assert [following(SPRING, opened) for opened in (0, 100_000, 100_001, 100_000_000)] == [
        100_000, 1_000_000, 1_000_000, None,
    ]  # fmt: skip


def test_a_step_is_what_the_newest_slice_added() -> None:
    assert [last_step(SPRING, opened) for opened in SPRING] == [100_000, 900_000, 9_000_000, 90_000_000]

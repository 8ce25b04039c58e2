"""The money bar: its parts fill the width, show what is there, and say what the amounts say."""

from hypothesis import given
from hypothesis import strategies as st

from makegood.web.console.bars import Segment, scale_bar, share_bar, stepped_bar, steps

AMOUNTS = st.integers(0, 10**15)
STAGES = st.lists(st.integers(1, 10**15), min_size=1, max_size=50, unique=True).map(sorted)


def hundredths(segment: Segment) -> tuple[int, int]:
    """Left edge and width in hundredths of a per cent."""
    left, wide = (int(text.rstrip("%").replace(".", "")) for text in (segment.x, segment.width))
    return left, wide


@given(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS)
def test_the_parts_of_a_bar_touch_and_fill_it(granted: int, reserved: int, free: int, closed: int) -> None:
    end = 0
    for segment in scale_bar(granted + reserved + free + closed, granted, reserved, free):
        left, wide = hundredths(segment)
        assert left == end
        assert wide >= 40
        end = left + wide
    assert end == 10_000


@given(st.integers(1, 10**15))
def test_one_minor_unit_can_be_seen_in_any_budget(budget: int) -> None:
    assert scale_bar(budget, min(1, budget), 0, 0)[0].kind == "granted"
    assert hundredths(share_bar(1, budget)[0])[1] >= 40


@given(STAGES, st.data())
def test_stages_share_out_exactly_what_was_granted_and_reserved(stages: list[int], data: st.DataObject) -> None:
    opened = data.draw(st.sampled_from([0, *stages]))
    granted = data.draw(st.integers(0, opened))
    reserved = data.draw(st.integers(0, opened - granted))
    found = steps(stages, opened, granted, reserved)
    assert sum(step.granted for step in found) == granted
    assert sum(step.reserved for step in found) == reserved
    assert sum(step.free for step in found) == opened - granted - reserved
    assert all(step.granted + step.reserved <= step.high - step.low for step in found)


@given(STAGES)
def test_stages_are_drawn_one_after_the_other_inside_the_bar(stages: list[int]) -> None:
    end = 0
    for segment in stepped_bar(steps(stages, stages[0], 1, 0)):
        left, wide = hundredths(segment)
        assert left >= end
        end = left + wide
    assert end <= 10_000


def test_a_stage_that_is_full_says_so_and_a_closed_one_has_nothing_free() -> None:
    first, second, third = steps((1_000, 10_000, 100_000), 10_000, 1_500, 8_500)
    assert (first.is_used_up, second.is_used_up, third.is_used_up) == (True, True, False)
    assert (first.granted, second.granted, second.reserved) == (1_000, 500, 8_500)
    assert (third.free, third.is_open) == (0, False)


def test_a_draft_without_stages_draws_nothing() -> None:
    assert stepped_bar(()) == ()
    assert [segment.kind for segment in scale_bar(0, 0, 0, 0)] == ["closed"]

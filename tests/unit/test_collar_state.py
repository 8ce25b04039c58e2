"""What a node remembers for its collar: windows, clocks that jump, and memory that is bounded."""

from dataclasses import replace

import pytest
from tests.unit.collar_world import TICKS, changed, granted, known, moment, note_many, paid

from makegood.clock import SECOND, Instant
from makegood.domain.brief import Expectation
from makegood.guard.checks import CollarCheck
from makegood.guard.collar import check
from makegood.guard.collar_state import HOUR, MINUTE, CollarState, Moment, Watch, Windows
from makegood.limits import COLLAR_COUNTER_MAX

DAY = 24 * 3600
YEAR = 365 * DAY


def watched(*moments: Moment) -> Watch:
    """A watch that saw these."""
    watch = Watch()
    for one in moments:
        watch.observe(one)
    return watch


def skewed(after: float, ahead: float) -> Moment:
    """So many seconds after noon by the stopwatch, with a wall clock that is ahead by as many."""
    at = moment(after=after)
    return replace(at, now=Instant(at.now + int(ahead * SECOND)))


def test_a_window_ends_a_span_after_its_first_grant() -> None:
    windows = Windows(MINUTE)
    windows.add("a", 5, 100)
    windows.add("a", 5 + MINUTE - 1, 100)
    assert windows.seen("a", 5 + MINUTE - 1) == (2, 200)
    assert windows.seen("a", 5 + MINUTE) == (0, 0)
    windows.add("a", 5 + MINUTE, 7)
    assert windows.seen("a", 5 + MINUTE) == (1, 7)


def test_windows_forget_the_key_that_was_counted_longest_ago() -> None:
    windows = Windows(MINUTE, most=2)
    for key in ("a", "b", "a", "c"):
        windows.add(key, 0, 1)
    assert [windows.seen(key, 0)[0] for key in ("a", "b", "c")] == [2, 0, 1]
    assert len(windows) == 2


def test_counters_stop_at_their_largest_value() -> None:
    windows = Windows(MINUTE)
    for _ in range(3):
        windows.add("a", 0, COLLAR_COUNTER_MAX - 1)
    assert windows.seen("a", 0) == (3, COLLAR_COUNTER_MAX)


def test_age_is_the_time_that_both_clocks_bear_out() -> None:
    watch = watched(moment())
    assert watch.age(moment()) == 0
    assert watch.age(moment(after=10)) == 10 * SECOND
    assert watch.age(skewed(10, YEAR)) == 10 * SECOND
    assert watch.age(skewed(10, -4)) == 6 * SECOND
    assert watch.age(skewed(10, -YEAR)) == 0
    assert watch.age(replace(moment(after=10), ticks=TICKS - 1)) == 0


def test_a_stopwatch_may_begin_at_nothing() -> None:
    watch = watched(replace(moment(), ticks=0))
    assert watch.age(replace(moment(after=10), ticks=10 * SECOND)) == 10 * SECOND


def test_a_house_that_goes_by_its_payments_clock_ages_by_the_stopwatch_alone() -> None:
    back = replace(skewed(10, -YEAR), steady=False)
    watch = watched(replace(moment(), steady=False))
    assert watch.age(back) == 10 * SECOND
    watch.observe(back)
    assert watch.age(replace(back, now=Instant(0))) == 10 * SECOND
    assert watch.jump(replace(skewed(11, YEAR), steady=False)) == 0


def test_decisions_that_end_out_of_order_do_not_make_time_run_faster() -> None:
    watch = watched(*(moment(after=after) for after in (0, 3, 1, 4, 2, 5)))
    assert watch.age(moment(after=5)) <= 5 * SECOND


def test_a_stopwatch_that_fell_far_back_counts_on_from_there() -> None:
    watch = watched(moment(after=1_000))
    watch.observe(moment(after=600))
    assert watch.age(moment(after=610)) == 10 * SECOND
    watch = watched(moment(after=1_000), moment(after=700))
    assert watch.age(moment(after=710)) == 0


@pytest.mark.parametrize("ahead", [YEAR, -YEAR, 301, -301])
def test_a_clock_that_jumped_is_believed_once_it_ran_on_for_a_minute(ahead: int) -> None:
    watch = watched(moment(), moment(after=1))
    assert watch.jump(skewed(2, ahead)) == ahead * SECOND
    watch.observe(skewed(2, ahead))
    watch.observe(skewed(61.9, ahead))
    assert watch.jump(skewed(61.9, ahead)) == ahead * SECOND
    assert watch.jump(skewed(62, ahead)) == 0
    watch.observe(skewed(62, ahead))
    assert watch.jump(skewed(63, ahead)) == 0
    assert watch.jump(moment(after=63)) == -ahead * SECOND


@pytest.mark.parametrize("ahead", [300, -300, 0])
def test_a_clock_may_be_five_minutes_off_at_once(ahead: int) -> None:
    assert watched(moment()).jump(skewed(1, ahead)) == 0
    doubted = watched(moment(), skewed(1, DAY))
    assert doubted.jump(skewed(61, DAY + ahead)) == 0
    assert doubted.jump(skewed(61, DAY + ahead * 2)) == (0 if ahead == 0 else (DAY + ahead * 2) * SECOND)


@pytest.mark.parametrize("ahead", [300, -300])
def test_a_clock_that_jumped_may_be_five_minutes_off_while_it_settles(ahead: int) -> None:
    watch = watched(moment(), skewed(1, DAY), skewed(30, DAY + ahead))
    assert watch.jump(skewed(61, DAY + ahead)) == 0


def test_a_clock_that_flaps_is_never_believed() -> None:
    watch = watched(moment())
    for after in range(2, 200, 2):
        ahead = YEAR + 1_000 * after
        watch.observe(skewed(after, ahead))
        assert watch.jump(skewed(after + 1, ahead)) != 0
    assert watch.jump(moment(after=300)) == 0


def test_a_jump_that_was_taken_back_leaves_no_doubt_behind() -> None:
    watch = watched(moment(), skewed(1, YEAR), moment(after=2))
    assert watch.jump(skewed(62, YEAR)) != 0


def test_a_clock_that_drifts_slowly_never_jumps() -> None:
    watch = Watch()
    for step in range(100):
        watch.observe(skewed(step * 3600, step * 299))
        assert watch.jump(skewed(step * 3600 + 1, step * 299)) == 0


@pytest.mark.parametrize("ahead", [2 * DAY, -2 * DAY])
def test_a_jump_of_the_clock_gives_no_payer_another_hour(ahead: int) -> None:
    state = CollarState()
    note_many(state, 100, payer_id="payer-1")
    state.note(paid(payment_id="other"), [], skewed(1, ahead))
    numbers = {"spring": known()}
    for at in (moment(after=2), skewed(62, ahead)):
        verdict = check(paid(), [granted()], at, numbers, state)
        assert [trip.check for trip in verdict.dropped] == [CollarCheck.PAYER_COUNT_IS_FAR_ABOVE]


def test_after_an_hour_a_payer_is_counted_anew() -> None:
    state = CollarState()
    note_many(state, 100, payer_id="payer-1")
    numbers = {"spring": known()}
    assert check(paid(), [granted()], moment(after=3_599), numbers, state).dropped
    assert check(paid(), [granted()], moment(after=3_600), numbers, state).kept
    assert HOUR == 3_600 * SECOND


def test_after_a_minute_the_spend_of_a_campaign_is_counted_anew() -> None:
    state = CollarState()
    note_many(state, 500)
    numbers = {"spring": known(expect=Expectation(1, 1, 1))}
    dropped = [check(paid(), [granted()], moment(after=after), numbers, state).dropped for after in (0, 59, 60)]
    assert [len(trips) for trips in dropped] == [1, 1, 0]


def test_a_check_changes_nothing() -> None:
    state = CollarState()
    note_many(state, 5)
    before = [state.spends.seen("spring", 0), len(state.payers), len(state.payments), state.watch.age(moment(after=9))]
    check(paid(payment_id="new"), [granted()], skewed(5, YEAR), {"spring": known()}, state)
    assert before == [
        state.spends.seen("spring", 0), len(state.payers), len(state.payments), state.watch.age(moment(after=9))
    ]  # fmt: skip


def test_a_payment_that_is_noted_again_counts_once() -> None:
    state = CollarState()
    state.believe("spring", 10_000, moment())
    for _ in range(3):
        state.note(paid(), [granted()], moment())
    assert state.spends.seen("spring", 0) == (1, 2_000)
    assert state.left("spring", 0) == 8_000


def test_what_a_node_grants_is_taken_off_the_stage_until_the_store_says_more() -> None:
    state, numbers = CollarState(), {"spring": known()}
    state.believe("spring", 5_000, moment())
    kept = []
    for number in range(4):
        payment = paid(payment_id=f"p-{number}")
        verdict = check(payment, [granted()], moment(), numbers, state)
        kept.append(len(verdict.kept))
        state.note(payment, verdict.kept, moment())
    assert kept == [1, 1, 0, 0]
    state.believe("spring", 2_000, moment())
    assert check(paid(payment_id="p-9"), [granted()], moment(), numbers, state).kept


def test_what_the_store_said_of_a_stage_counts_for_five_seconds() -> None:
    state, numbers = CollarState(), {"spring": known()}
    state.note(paid(), [granted()], moment())
    state.believe("spring", 1_999, moment(after=10))
    dropped = [bool(check(paid(), [granted()], moment(after=s), numbers, state).dropped) for s in (10, 14.9, 15)]
    assert dropped == [True, True, False]
    assert state.left("autumn", 0) is None


def test_a_payment_without_payer_and_device_is_counted_at_its_payee() -> None:
    state = CollarState()
    state.note(changed(paid(), payer_id=None, device_id=None), [granted()], moment())
    assert (len(state.payers), len(state.devices), len(state.payees)) == (0, 0, 1)


def test_all_that_is_remembered_is_bounded() -> None:
    state = CollarState(most=10)
    note_many(state, 50)
    for number in range(50):
        state.believe(f"campaign-{number}", 1, moment())
    parts = (state.payers, state.devices, state.payees, state.payments, state.stages)
    assert [len(part) for part in parts] == [10] * len(parts)
    assert "n-49" in state.payments
    assert "n-39" not in state.payments

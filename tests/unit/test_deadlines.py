"""Deadlines of many waits by one timer."""

import asyncio

import pytest

from makegood.services.deadlines import Deadlines


async def test_who_is_not_done_in_time_is_told_and_who_is_done_keeps_its_result() -> None:
    deadlines, loop = Deadlines(), asyncio.get_running_loop()
    done, late = loop.create_future(), loop.create_future()
    deadlines.end(done, 0.01)
    deadlines.end(late, 0.01)
    done.set_result("in time")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(late), 10)
    assert late.done() and not late.cancelled(), "told by its own deadline"
    assert done.result() == "in time"


async def test_the_timer_goes_on_for_whoever_came_later_and_rests_when_nobody_waits() -> None:
    deadlines, loop = Deadlines(), asyncio.get_running_loop()
    for _ in range(3):
        waits = [loop.create_future() for _ in range(5)]
        for number, work in enumerate(waits):
            deadlines.end(work, 0.005 * (number + 1))
        over = await asyncio.wait_for(asyncio.gather(*waits, return_exceptions=True), 10)
        assert [type(one) for one in over] == [TimeoutError] * 5
    assert deadlines._timer is None


async def test_a_wait_that_was_given_up_is_left_alone() -> None:
    deadlines, loop = Deadlines(), asyncio.get_running_loop()
    given_up, late = loop.create_future(), loop.create_future()
    for work in (given_up, late):
        deadlines.end(work, 0.01)
    given_up.cancel()
    await asyncio.wait({late}, timeout=10)
    assert given_up.cancelled() and isinstance(late.exception(), TimeoutError)


async def test_a_short_deadline_waits_for_no_long_one_before_it() -> None:
    deadlines, loop = Deadlines(), asyncio.get_running_loop()
    long, short = loop.create_future(), loop.create_future()
    deadlines.end(long, 3_600)
    deadlines.end(short, 0.01)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(short), 10)
    assert short.done() and not long.done()
    long.cancel()

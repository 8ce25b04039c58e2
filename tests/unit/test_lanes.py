"""The lane: who goes with whom, who waits, and who is told what when a batch fails."""

import asyncio
import gc
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from makegood.errors import Problem, ProblemCode, StoreUnavailable
from makegood.store.lanes import Lane


class Sender:
    """Takes batches when the test lets it, and remembers them."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, list[Any]]] = []
        self.on_their_way = self.most_on_their_way = 0
        self.gates: list[asyncio.Event] = []
        self.held = False
        self.poison: dict[Any, BaseException] = {}

    async def __call__(self, principal: str, calls: Sequence[Any]) -> Sequence[Any]:
        self.batches.append((principal, list(calls)))
        self.on_their_way += 1
        self.most_on_their_way = max(self.most_on_their_way, self.on_their_way)
        try:
            if self.held:
                gate = asyncio.Event()
                self.gates.append(gate)
                await gate.wait()
            await asyncio.sleep(0)
            for call in calls:
                if call in self.poison:
                    raise self.poison[call]
            return [f"done {call}" for call in calls]
        finally:
            self.on_their_way -= 1

    @property
    def sent(self) -> list[list[Any]]:
        return [calls for _, calls in self.batches]

    def let_go(self) -> None:
        self.held = False
        for gate in self.gates:
            gate.set()


@pytest_asyncio.fixture
async def sender() -> AsyncIterator[Sender]:
    """A sender; at the end nothing may have been left for the loop to complain about."""
    loop, complaints = asyncio.get_running_loop(), []
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: complaints.append(context["message"]))
    made = Sender()
    yield made
    made.let_go()
    await turns()
    gc.collect()
    await turns()
    loop.set_exception_handler(before)
    assert complaints == []


async def turns(many: int = 20) -> None:
    """Let everything that can go on go on."""
    for _ in range(many):
        await asyncio.sleep(0)


def lane(sender: Sender, most: int = 4, flights: int = 1) -> Lane:
    return Lane(sender, most, flights, "unwanted")


async def ended(*asked: "asyncio.Future[Any]") -> list[Any]:
    """What all of these gave or raised."""
    async with asyncio.timeout(30):
        return await asyncio.gather(*asked, return_exceptions=True)


async def test_whoever_comes_to_an_idle_lane_goes_at_once(sender: Sender) -> None:
    sender.held = True
    asked = lane(sender).ask("till", ("a",), "a")
    await turns(3)
    assert sender.sent == [["a"]]
    sender.let_go()
    assert await ended(asked) == ["done a"]


async def test_what_arrives_meanwhile_goes_together(sender: Sender) -> None:
    sender.held, one = True, lane(sender)
    asked = [one.ask("till", ("a",), "a")]
    await turns()
    for name in "bcd":
        asked.append(one.ask("till", (name,), name))
        await turns()
    assert sender.sent == [["a"]]
    sender.let_go()
    assert await ended(*asked) == ["done a", "done b", "done c", "done d"]
    assert sender.sent == [["a"], ["b", "c", "d"]]


async def test_no_batch_is_larger_than_it_may_be(sender: Sender) -> None:
    asked = [(one := lane(sender, most=4)).ask("till", (0,), 0)]
    asked += [one.ask("till", (n,), n) for n in range(1, 11)]
    await ended(*asked)
    assert sender.sent == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10]]


@pytest.mark.parametrize("flights", [1, 2, 3])
async def test_no_more_batches_are_on_their_way_than_may_be(sender: Sender, flights: int) -> None:
    sender.held, one = True, lane(sender, most=2, flights=flights)
    asked = [one.ask("till", (n,), n) for n in range(20)]
    await turns()
    assert sender.on_their_way == flights
    sender.let_go()
    assert await ended(*asked) == [f"done {n}" for n in range(20)]
    assert sender.most_on_their_way == flights


async def test_a_batch_is_of_one_principal_and_nobody_waits_for_ever(sender: Sender) -> None:
    one = lane(sender)
    asked = [one.ask(name, (n,), n) for n, name in enumerate(["till", "kiosk", "till", "app", "kiosk"])]
    assert await ended(*asked) == [f"done {n}" for n in range(5)]
    assert sender.batches == [("till", [0, 2]), ("kiosk", [1, 4]), ("app", [3])]


@pytest.mark.parametrize("flights", [1, 2])
async def test_calls_with_a_common_key_are_never_on_their_way_together_and_keep_their_order(
    sender: Sender, flights: int
) -> None:
    sender.held, one = True, lane(sender, flights=flights)
    asked = [one.ask("till", ("p1",), "first"), one.ask("till", ("p1",), "again"), one.ask("till", ("p2",), "other")]
    await turns()
    assert sender.sent == [["first", "other"]]
    sender.let_go()
    await ended(*asked)
    assert sender.sent == [["first", "other"], ["again"]]


@pytest.mark.parametrize("flights", [1, 2])
async def test_nobody_overtakes_a_waiting_call_with_which_it_shares_a_key(sender: Sender, flights: int) -> None:
    one = lane(sender, flights=flights)
    chain = [("a",), ("a", "b"), ("b", "c"), ("c",)]
    await ended(*(one.ask("till", keys, n) for n, keys in enumerate(chain)))
    assert sender.sent == [[0], [1], [2], [3]]


async def test_a_caller_that_gave_up_is_skipped(sender: Sender) -> None:
    sender.held, one = True, lane(sender)
    asked = [one.ask("till", (name,), name) for name in "a"]
    await turns()
    gone, stays = one.ask("till", ("b",), "b"), one.ask("till", ("c",), "c")
    gone.cancel()
    sender.let_go()
    assert await ended(*asked, stays) == ["done a", "done c"]
    assert sender.sent == [["a"], ["c"]]


async def test_a_caller_that_gives_up_on_the_way_leaves_the_others_their_outcomes(sender: Sender) -> None:
    sender.held, one = True, lane(sender)
    asked = [one.ask("till", (name,), name) for name in "abc"]
    await turns()
    asked[1].cancel()
    sender.let_go()
    assert await ended(asked[0], asked[2]) == ["done a", "done c"]


async def test_what_nobody_wants_any_more_when_its_turn_comes_is_not_sent(sender: Sender) -> None:
    sender.held, one, wanted = True, lane(sender), {"b": False, "c": True}
    asked = [one.ask("till", ("a",), "a")]
    await turns()
    asked += [one.ask("till", (name,), name, lambda name=name: wanted[name]) for name in "bc"]  # type: ignore[misc]
    sender.let_go()
    assert await ended(*asked) == ["done a", "unwanted", "done c"]
    assert sender.sent == [["a"], ["c"]]


async def test_nobody_is_asked_twice_whether_they_want_it(sender: Sender) -> None:
    asked_for: list[int] = []
    one = lane(sender, most=2)

    def claim(n: int) -> bool:
        asked_for.append(n)
        return True

    asked = [one.ask("till" if n % 2 else "app", (n % 3,), n, lambda n=n: claim(n)) for n in range(9)]  # type: ignore[misc]
    await ended(*asked)
    assert sorted(asked_for) == list(range(9))


REFUSALS = [asyncpg.UniqueViolationError("twice"), Problem(ProblemCode.MONEY_OVERFLOWS, "too much")]


@pytest.mark.parametrize("error", REFUSALS)
@pytest.mark.parametrize("culprits", [{0}, {6}, {2, 3}, {0, 4, 6}])
async def test_of_a_batch_that_the_store_refuses_only_the_culprits_fail(
    sender: Sender, error: Exception, culprits: set[int]
) -> None:
    sender.poison = dict.fromkeys(culprits, error)
    one = lane(sender, most=7)
    found = await ended(*(one.ask("till", (n,), n) for n in range(7)))
    assert found == [error if n in culprits else f"done {n}" for n in range(7)]
    assert await ended(one.ask("till", ("next",), "next")) == ["done next"]


async def test_a_store_that_is_away_fails_the_whole_batch_once(sender: Sender) -> None:
    away = StoreUnavailable("gone")
    sender.poison = {1: away}
    one = lane(sender)
    assert await ended(*(one.ask("till", (n,), n) for n in range(4))) == [away] * 4
    assert sender.sent == [[0, 1, 2, 3]]
    assert await ended(one.ask("till", ("next",), "next")) == ["done next"]


async def test_too_few_outcomes_leave_nobody_waiting() -> None:
    async def forgets(_: str, calls: Sequence[Any]) -> Sequence[Any]:
        return calls[1:]

    one = Lane(forgets, 4, 1)
    found = await ended(one.ask("till", (1,), 1), one.ask("till", (2,), 2))
    assert [type(outcome) for outcome in found] == [AssertionError, AssertionError]


@pytest.mark.parametrize("apart", [False, True])
async def test_a_flight_that_is_cancelled_leaves_nobody_waiting(sender: Sender, apart: bool) -> None:
    sender.poison = {0: asyncio.CancelledError()}
    if apart:
        sender.poison[3] = asyncpg.UniqueViolationError("twice")

        async def refuse_first(principal: str, calls: Sequence[Any]) -> Sequence[Any]:
            if len(calls) == 4:
                raise sender.poison[3]
            return await sender(principal, calls)

        one = Lane(refuse_first, 4, 1)
    else:
        one = lane(sender)
    found = await ended(*(one.ask("till", (n,), n) for n in range(4)))
    assert [type(outcome) for outcome in found] == [asyncio.CancelledError] * 4
    assert await ended(one.ask("till", ("next",), "next")) == ["done next"]

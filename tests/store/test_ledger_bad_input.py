"""What comes at a bad moment, twice, or too large: one culprit is told, and everybody else gets their outcome."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from tests.shop import Shop
from tests.store.conftest import DECIDED, Books

from makegood.errors import Problem, ProblemCode, StoreUnavailable
from makegood.services import live
from makegood.store import campaigns, ledger
from makegood.store.ledger import Ledger
from makegood.store.pool import call

LARGEST = 9 * 10**18


async def test_a_sum_that_does_not_fit_fails_its_own_payment_only(books: Books) -> None:
    """Refunded discounts stay counted, so a counter may come near the end of 64 bits where a budget does not."""
    huge, spring = await books.live("huge", LARGEST), await books.live("spring", 1_000)
    first = books.request("p0", {"huge": (huge, LARGEST)}, amount=LARGEST)
    assert (await books.reserve(first))[0]["outcome"] == "reserved"
    await books.capture("qte_p0")
    assert (await books.refund("p0", "r", LARGEST))["outcome"] == "done"
    requests = [books.request(f"p{n}", {"spring": (spring, 10)}) for n in range(1, 8)]
    requests.insert(3, books.request("poison", {"huge": (huge, LARGEST)}, amount=LARGEST))
    outcomes = await asyncio.gather(*(books.reserve(one) for one in requests), return_exceptions=True)
    poisoned = outcomes.pop(3)
    assert isinstance(poisoned, Problem) and poisoned.code is ProblemCode.MONEY_OVERFLOWS
    assert [one[0]["outcome"] for one in outcomes if isinstance(one, list)] == ["reserved"] * 7
    await books.balanced()


async def test_a_payment_that_comes_again_with_other_content_in_the_same_call_is_told(books: Books) -> None:
    revision = await books.live("spring", 1_000)
    same = books.request("p1", {"spring": (revision, 10)})
    other = same | {"content_hash": b"other" * 6 + b"..", "quote_id": "qte_other"}
    outcomes = await books.reserve(same, other, same | {"quote_id": "qte_again"})
    assert [one["outcome"] for one in outcomes] == ["reserved", "content_differs", "replayed"]
    assert outcomes[2]["quote"] == outcomes[0]["quote"]
    await books.balanced()


async def test_a_request_supersedes_what_was_reserved_before_it_in_the_same_call(books: Books) -> None:
    revision = await books.live("spring", 100)
    first = books.request("p1", {"spring": (revision, 100)})
    others = [books.request(f"q{n}", {"spring": (revision, 100)}) for n in range(3)]
    second = books.request("p2", {"spring": (revision, 90)}, supersedes="p1")
    outcomes = await books.reserve(first, *others, second)
    assert [one["outcome"] for one in outcomes] == ["reserved", *["refused"] * 3, "reserved"]
    assert await books.money("spring") == (0, 10, 90, 0)
    await books.balanced()


async def test_a_hold_of_another_share_may_be_superseded_with_the_budget_sold_out(books: Books) -> None:
    revision = await books.live("spring", 100)
    await campaigns.split(books.pool, books.house.id, "bob", "spring", 2)
    one, other = Ledger(books.pool, lane=0), Ledger(books.pool, lane=1)
    first = books.request("p1", {"spring": (revision, 100)})
    second = books.request("p2", {"spring": (revision, 100)}, supersedes="p1")
    assert (await one.reserve(books.house.id, "till", [first]))[0]["outcome"] == "reserved"
    assert (await other.reserve(books.house.id, "till", [second]))[0]["outcome"] == "reserved"
    await books.balanced()


@pytest.mark.parametrize("drops", [1, 2])
async def test_a_batch_that_committed_unanswered_gets_its_first_outcomes(
    books: Books, monkeypatch: pytest.MonkeyPatch, drops: int
) -> None:
    revision = await books.live("spring", 1_000)
    left = [drops]

    async def unanswered(*arguments: Any) -> Any:
        outcome = await call(*arguments)
        left[0] -= 1
        if left[0] >= 0:
            raise StoreUnavailable("the connection was lost")
        return outcome

    monkeypatch.setattr(ledger, "call", unanswered)
    requests = [books.request(f"p{n}", {"spring": (revision, 300)}) for n in range(4)]
    for _ in range(drops):
        with pytest.raises(StoreUnavailable):
            await books.reserve(*requests)
    again = await books.reserve(*(one | {"quote_id": f"{one['quote_id']}_again"} for one in requests))
    assert [one["outcome"] for one in again] == ["replayed"] * 3 + ["refused"]
    assert [one["quote"]["quote_id"] for one in again[:3]] == ["qte_p0", "qte_p1", "qte_p2"]
    await books.balanced()


async def test_one_payment_at_two_processes_at_once_is_granted_once(books: Books) -> None:
    revision = await books.live("spring", 10_000)
    ledgers = [Ledger(books.pool, lane=n) for n in range(2)]
    for n in range(15):
        asked = [
            one.reserve(books.house.id, "till", [
                books.request(f"p{n}-{m}", {"spring": (revision, 10)}, quote_id=f"qte_{n}_{m}_{one.lane}")
                for m in order
            ])
            for one, order in zip(ledgers, ((0, 1, 2), (2, 1, 0)), strict=True)
        ]  # fmt: skip
        first, second = await asyncio.gather(*asked)
        for here, there in zip(first, reversed(second), strict=True):
            assert sorted((here["outcome"], there["outcome"])) == ["replayed", "reserved"]
            assert here["quote"]["quote_id"] == there["quote"]["quote_id"]
    await books.balanced()


async def test_a_capture_that_races_the_expiry_of_its_hold_has_one_winner(books: Books) -> None:
    revision = await books.live("spring", 10_000)
    await books.reserve(*(books.request(f"p{n}", {"spring": (revision, 100)}) for n in range(20)))
    end = DECIDED + timedelta(minutes=75)
    # Paid in time and told at the last moment: the hold still stands by this clock, and is over by the other's.
    captures = [books.capture(f"qte_p{n}", paid_at=DECIDED, now=end) for n in range(20)]
    expiry = books.ledger.expire(books.house.id, end + timedelta(microseconds=1))
    expired, *told = await asyncio.gather(expiry, *captures)
    done = [one["outcome"] for one in told].count("done")
    assert {one["outcome"] for one in told} <= {"done", "quote_has_expired"}
    assert expired + done == 20
    assert await books.money("spring") == (0, 10_000 - 100 * done, 0, 100 * done)
    await books.balanced()


async def test_holds_outlive_a_stop_and_end_as_they_would_have(books: Books) -> None:
    revision = await books.live("spring", 10_000)
    await books.reserve(*(books.request(f"p{n}", {"spring": (revision, 100)}) for n in range(3)))
    await campaigns.stop(books.pool, books.house.id, "olga", "spring", "it ends")
    assert (await books.capture("qte_p0"))["outcome"] == "done"
    assert (await books.release("qte_p1"))["outcome"] == "done"
    assert await books.ledger.expire(books.house.id, DECIDED + timedelta(days=1)) == 1
    assert await books.money("spring") == (0, 9_900, 0, 100)
    await books.balanced()


async def test_the_clock_is_the_stores_however_the_process_clock_jumps(
    spring: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = await live.live_set(spring.platform, spring.house, fresh=True)
    before = known.store_clock()
    monkeypatch.setattr("time.time", lambda: 0.0)
    monkeypatch.setattr("time.time_ns", lambda: 0)
    assert 0 <= known.store_clock() - before < 60 * 10**9
    known = await live.live_set(spring.platform, spring.house, fresh=True)
    assert 0 <= known.store_clock() - before < 60 * 10**9
    stored = await spring.platform.store.pool.fetchval("select clock_timestamp()")
    assert abs((known.store_clock().datetime() - stored).total_seconds()) < 30

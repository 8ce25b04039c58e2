"""Quotes past their deadline: full price, and nothing is left behind."""

import asyncio
from typing import Any

import pytest
from tests.shop import Shop, with_deadline

from makegood.errors import Problem
from makegood.services import quotes
from makegood.store.ledger import Ledger
from makegood.store.pool import in_house
from makegood.store.verify import verify


async def ask(shop: Shop, **changes: Any) -> dict[str, Any]:
    return await quotes.quote(shop.platform, shop.callers["till"], shop.payment(**changes))


async def assert_balanced(shop: Shop) -> None:
    assert (await verify(shop.platform.store.pool, shop.house.id)).violations == ()


async def _settled(hurried: Any) -> None:
    while hurried.tasks or hurried.late:  # noqa: ASYNC110 - it waits for work that it did not start
        await asyncio.sleep(0.01)


async def _state(shop: Shop, payment: dict[str, Any]) -> str | None:
    async with in_house(shop.platform.store.pool, shop.house.id) as connection:
        state: str | None = await connection.fetchval(
            "select state from quotes where payment_id = $1", payment["payment_id"]
        )
    return state


async def test_a_locked_store_costs_the_payment_its_discount_and_not_its_time(spring: Shop) -> None:
    hurried, till = with_deadline(spring.platform, 60), spring.callers["till"]
    payment = spring.payment()
    await ask(spring)  # The live set is known.
    owner = await spring.platform.store.administrator()
    async with in_house(owner, spring.house.id) as blocker:
        await blocker.execute("select 1 from budgets for update")
        answer = await quotes.quote(hurried, till, payment)
    await owner.close()
    assert (answer["decided"], answer["to_pay_minor"]) == (False, 20_000)
    assert answer["reason"] in ("deadline_passed", "store_is_unavailable")
    await _settled(hurried)
    again = await quotes.quote(spring.platform, till, payment)
    assert (again["decided"], again["quote_id"], again["to_pay_minor"]) == (True, None, 20_000)
    await assert_balanced(spring)


async def test_a_hold_that_committed_late_is_ended_and_stays_so(spring: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    hurried, till = with_deadline(spring.platform, 500), spring.callers["till"]
    payment = spring.payment()
    await ask(spring)
    reserve, answered = Ledger.reserve, asyncio.Event()

    async def slow(*arguments: Any) -> Any:
        outcome = await reserve(*arguments)
        await answered.wait()  # Committed; what it says is still on its way.
        return outcome

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "reserve", slow)
        answer = await quotes.quote(hurried, till, payment)
        answered.set()
        await _settled(hurried)
    assert (answer["decided"], answer["reason"], answer["to_pay_minor"]) == (False, "deadline_passed", 20_000)
    assert await _state(spring, payment) == "void"
    again = await quotes.quote(spring.platform, till, payment)
    assert (again["decided"], again["quote_id"], again["to_pay_minor"]) == (True, None, 20_000)
    await assert_balanced(spring)


async def test_two_late_tries_leave_no_hold(spring: Shop) -> None:
    hurried, till = with_deadline(spring.platform, 80), spring.callers["till"]
    payment = spring.payment()
    await ask(spring)
    owner = await spring.platform.store.administrator()
    async with in_house(owner, spring.house.id) as blocker:
        await blocker.execute("select 1 from budgets for update")
        late = await asyncio.gather(*(quotes.quote(hurried, till, payment) for _ in range(3)))
    await owner.close()
    assert [answer["decided"] for answer in late] == [False] * 3
    await _settled(hurried)
    again = await quotes.quote(spring.platform, till, payment)
    assert (again["decided"], again["quote_id"]) == (True, None)
    await assert_balanced(spring)


async def test_a_late_batch_that_names_a_payment_twice_leaves_no_hold(
    spring: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    till, payment = spring.callers["till"], spring.payment()
    await ask(spring)
    reserve, answered = Ledger.reserve, asyncio.Event()

    async def slow(*arguments: Any) -> Any:
        outcome = await reserve(*arguments)
        await answered.wait()
        return outcome

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "reserve", slow)
        patch.setattr(quotes, "DEADLINE_MS_MAX", 500)
        answers = await quotes.quote_batch(spring.platform, till, [payment, payment])
        answered.set()
        await _settled(spring.platform)
    assert [isinstance(one, dict) and one["decided"] for one in answers] == [False, False]
    assert await _state(spring, payment) == "void"
    await assert_balanced(spring)


async def test_a_payment_that_a_batch_names_twice_has_one_answer(spring: Shop) -> None:
    payment = spring.payment()
    wrong = payment | {"amount": True}
    first, second, third = await quotes.quote_batch(
        spring.platform, spring.callers["till"], [payment, dict(payment), wrong]
    )
    assert isinstance(first, dict) and first["decided"] and first["quote_id"] and first == second
    assert isinstance(third, Problem) and await _claims(spring, payment) == 1


async def test_a_fault_of_ours_lets_the_payment_go_on(spring: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("makegood.services.decide.price_ask", broken)
    answer = await ask(spring)
    assert (answer["decided"], answer["reason"], answer["to_pay_minor"]) == (False, "fault", 20_000)


async def test_a_retry_of_what_is_granted_nothing_now_gets_its_first_answer(spring: Shop) -> None:
    till, payment = spring.callers["till"], spring.payment()
    first = await quotes.quote(spring.platform, till, payment)
    ended = payment | {"occurred_at": "2027-03-01T12:00:00+08:00"}  # Today it would be granted nothing.
    assert await quotes.quote(spring.platform, till, ended) == first
    assert await _claims(spring, payment) == 2
    with pytest.raises(Problem):
        await quotes.quote(spring.platform, till, ended | {"amount": 1})
    await assert_balanced(spring)


async def test_a_look_up_that_is_late_costs_the_payment_its_answer_and_claims_nothing(
    spring: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurried, till, payment = with_deadline(spring.platform, 100), spring.callers["till"], spring.payment()
    await quotes.quote(spring.platform, till, payment)
    known = Ledger._known

    async def slow(*arguments: Any) -> Any:
        await asyncio.sleep(0.3)
        return await known(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "_known", slow)
        answer = await quotes.quote(hurried, till, payment | {"occurred_at": "2027-03-01T12:00:00+08:00"})
    assert (answer["reason"], await _claims(spring, payment)) == ("deadline_passed", 1)
    await assert_balanced(spring)


async def _claims(shop: Shop, payment: dict[str, Any]) -> int | None:
    async with in_house(shop.platform.store.pool, shop.house.id) as connection:
        claims: int | None = await connection.fetchval(
            "select claims from quotes where payment_id = $1", payment["payment_id"]
        )
    return claims

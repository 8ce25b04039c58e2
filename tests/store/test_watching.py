"""What the detector of a process sees: payments in the order they came, each once."""

import asyncio
import random
from typing import Any

import pytest
from tests.shop import example, open_shop, with_deadline

from makegood.services.holds import release
from makegood.services.platform import Platform
from makegood.services.quotes import quote
from makegood.store import guards
from makegood.store.ledger import Ledger

PAYMENTS = 500


async def test_grants_that_the_store_answers_together_are_watched_where_their_payments_came(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve = Ledger.reserve

    async def slow(*arguments: Any, **named: Any) -> Any:
        await asyncio.sleep(0.4)  # By then every payment that is granted nothing has its answer.
        return await reserve(*arguments, **named)

    monkeypatch.setattr(Ledger, "reserve", slow)
    shop = await open_shop(with_deadline(platform, 10_000), guards_left_out=())
    await shop.launch(example("campaign-spring.yaml"), example("brief-spring.yaml"))
    draw = random.Random(5)
    liked = set(draw.sample(range(PAYMENTS), PAYMENTS * 4 // 100))  # The brief expects 5 % at most.
    payments = [
        shop.payment(amount=10_000, payee_id=f"shop-{n}") if n in liked else shop.payment(city="Beijing")
        for n in range(PAYMENTS)
    ]
    answers = await asyncio.gather(*(quote(shop.platform, shop.callers["till"], one) for one in payments))
    assert sum(answer["discount_minor"] > 0 for answer in answers) == len(liked)
    guarded = shop.platform.guarded[shop.house.id]
    assert guarded.detector is not None
    assert (guarded.detector.payments, len(guarded.line)) == (PAYMENTS, 0), "each was watched, and once"
    assert not guarded.trips and await guards.trips(platform.store.pool, shop.house.id, None, 10) == []


async def test_a_retry_is_not_watched_again(platform: Platform) -> None:
    shop = await open_shop(with_deadline(platform, 10_000), guards_left_out=())
    await shop.launch(example("campaign-spring.yaml"), example("brief-spring.yaml"))
    payment = shop.payment(amount=10_000)
    for _ in range(3):
        answer = await quote(shop.platform, shop.callers["till"], payment)
        assert answer["discount_minor"] == 2_000
    detector = shop.platform.guarded[shop.house.id].detector
    assert detector is not None and detector.payments == 1


async def test_a_payer_who_asks_and_gives_back_stops_nobody(platform: Platform) -> None:
    shop = await open_shop(with_deadline(platform, 10_000), guards_left_out=())
    await shop.launch(example("campaign-spring.yaml"), example("brief-spring.yaml"))
    for _ in range(16):
        answer = await quote(shop.platform, shop.callers["till"], shop.payment(amount=10_000, payer_id="restless"))
        assert answer["discount_minor"] == 2_000
        await release(shop.platform, shop.callers["till"], answer["quote_id"])
    guarded = shop.platform.guarded[shop.house.id]
    assert guarded.detector is not None and guarded.detector.payments == 16
    assert not guarded.trips and await guards.trips(platform.store.pool, shop.house.id, None, 10) == []


async def test_sixteen_payers_in_a_quiet_hour_do_stop_it(platform: Platform) -> None:
    shop = await open_shop(with_deadline(platform, 10_000), guards_left_out=())
    await shop.launch(example("campaign-spring.yaml"), example("brief-spring.yaml"))
    for _ in range(16):
        await quote(shop.platform, shop.callers["till"], shop.payment(amount=10_000))
    await asyncio.wait(set(shop.platform.tasks), timeout=10) if shop.platform.tasks else None
    (first, *_) = await guards.trips(platform.store.pool, shop.house.id, None, 10)
    assert (first["guard"], first["opened"]) == ("detector", True)

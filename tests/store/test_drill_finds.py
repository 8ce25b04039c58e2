"""Every path that is broken is found by a drill, which names it. The store's own functions are replaced meanwhile."""

import asyncio

import pytest
from tests.pager import Pager
from tests.shop import Shop
from tests.store.drilling import broken, drilled, failed, with_settings

from makegood.errors import StoreUnavailable
from makegood.guard.collar import Verdict
from makegood.services import drill, drill_steps, drill_subject, page, quotes
from makegood.services.drill_steps import DrillStep
from makegood.store import guards, shadow
from makegood.store.pool import in_house


async def test_a_stop_that_does_nothing_is_found(spring: Shop) -> None:
    told = """select jsonb_build_object('outcome', 'done', 'stopped', '[]'::jsonb, 'honoured_quotes', 0)"""
    async with broken(spring.platform, "stop_target", f"begin return ({told}); end"):
        result = await drilled(spring)
    assert failed(result) == {"stop.label", "stop.funder", "stop.scene", "stop.everything"}
    async with broken(spring.platform, "stop_campaign", f"begin return ({told}); end"):
        result = await drilled(spring)
    assert failed(result) == {"stop.campaign"}


async def test_a_stop_of_everything_that_does_nothing_is_found_with_nothing_live(shop: Shop) -> None:
    async with broken(shop.platform, "stop_target", "begin return '{}'::jsonb; end"):
        result = await drilled(shop)
    assert failed(result) == {"stop.everything"}


async def test_a_trip_that_stops_nothing_is_found(spring: Shop) -> None:
    async with broken(spring.platform, "trip", "begin return true; end"):
        result = await drilled(spring)
    assert failed(result) == {"breaker.trip"}


async def test_a_store_that_does_not_look_at_leases_is_found(spring: Shop) -> None:
    async with broken(spring.platform, "refuse_without_lease", "begin null; end"):
        result = await drilled(spring)
    assert failed(result) == {"lease"}


async def test_a_collar_that_lets_everything_pass_is_found(spring: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drill_steps, "check", lambda _payment, grants, *_: Verdict(tuple(grants)))
    assert failed(await drilled(spring)) == {"breaker.collar"}


async def test_a_drill_that_is_not_undone_is_found(spring: Shop) -> None:
    """Its mark is put where it would be if a transaction of it had committed."""

    async with shadow.apart(spring.platform.store.url) as connection:
        under_way = await drill_subject.prepared(spring.platform, spring.house, "olga", connection)
        target, reason = "scene:in_store_qr", under_way.mark
        assert (
            await shadow.leavings(spring.platform.store.pool, spring.house.id, under_way.mark, [under_way.request()])
            == []
        )
        await guards.stop(spring.platform.store.pool, spring.house.id, "olga", target, reason)
        found = await shadow.leavings(spring.platform.store.pool, spring.house.id, under_way.mark, under_way.requests)
    assert found == ["stops"]


async def test_a_pager_that_does_not_answer_2xx_fails_the_drill(shop: Shop) -> None:
    for status in (500, 302):
        with Pager(status, location="/elsewhere").listening() as pager:
            result = await drilled(shop, with_settings(shop.platform, page_url=pager.url))
        assert failed(result) == {"page"}
        assert str(status) in next(step for step in result.steps if step.step == "page").says["en"]
    assert [row["passed"] for row in await guards.drills(shop.platform.store.pool, shop.house.id, 9)] == [False, False]


async def test_a_pager_that_hangs_or_refuses_fails_the_drill(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "PAGE_SECONDS_MAX", 0.3)
    with Pager(None).listening() as pager:
        assert failed(await drilled(shop, with_settings(shop.platform, page_url=pager.url))) == {"page"}
    assert failed(await drilled(shop, with_settings(shop.platform, page_url=pager.url))) == {"page"}


async def test_a_drill_that_failed_pages_whoever_is_on_call(spring: Shop) -> None:
    with Pager().listening() as pager:
        platform = with_settings(spring.platform, page_url=pager.url)
        async with broken(spring.platform, "trip", "begin return true; end"):
            await drilled(spring, platform)
        await asyncio.gather(*platform.tasks)
    told = {one["type"]: one for one in pager.got}
    assert set(told) == {"drill", "drill.failed"}
    assert told["drill.failed"]["drill"] is False
    assert [step["step"] for step in told["drill.failed"]["evidence"]["steps"]] == ["breaker.trip"]


async def test_a_drill_waits_for_its_locks_shortly_and_tries_again(
    spring: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drill, "AGAIN_SECONDS", 0.05)
    monkeypatch.setattr(drill, "DRILL_TRIES_MAX", 2)
    monkeypatch.setattr(shadow, "DRILL_LOCK_MS", 50)
    owner = await spring.platform.store.administrator()
    async with in_house(owner, spring.house.id) as blocker:
        await blocker.execute("select 1 from budgets for update")
        result = await drilled(spring)
    await owner.close()
    stops = {step.value for step in DrillStep if step.value.startswith("stop")}
    assert failed(result) == stops | {"breaker.trip"}
    assert "2 times" in result.steps[0].says["en"]
    monkeypatch.undo()
    assert (await drilled(spring)).passed


async def test_what_a_suspended_drill_holds_is_given_back_by_the_store(
    spring: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadow, "DRILL_IDLE_MS", 100)
    answers = []
    with pytest.raises(StoreUnavailable):
        async with shadow.apart(spring.platform.store.url) as connection, shadow._undone(connection, spring.house.id):
            await connection.fetchval("select stop_target($1, 'olga', 'everything', 'x')", spring.house.id)
            answers.append(await quotes.quote(spring.platform, spring.callers["till"], spring.payment()))
    assert [answer["discount_minor"] for answer in answers] == [4_000]

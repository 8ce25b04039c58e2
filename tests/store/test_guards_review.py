"""Guards when things go wrong between two steps: a store that answers late or not, queues, revisions that change."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from tests.shop import Shop, example
from tests.store.conftest import Books
from tests.store.test_leases import budgets_held, reserved, store_clock, waits_for_a_lock
from tests.store.test_stages_open import LAG_SECONDS, open_watched_shop

from makegood.domain.review import Guard
from makegood.errors import LeaseIsOver, StoreUnavailable
from makegood.guard.detector import Detector
from makegood.limits import BATCH_CALLS_MAX, TRIPS_WAITING_MAX
from makegood.services import control, holds, quotes, watching
from makegood.services.guarded import Guarded, Tripped
from makegood.services.live import live_set
from makegood.services.platform import Platform
from makegood.services.watching import answered, guarded_of, in_line, merge_detectors, tell_trips
from makegood.store import guards
from makegood.store.pool import in_house

ID = "spring-qr-2027"


@pytest.fixture
async def watched(platform: Platform) -> Shop:
    """The spring campaign in a house with every guard, decided by a process of its own."""
    return (await open_watched_shop(platform)).elsewhere()


async def quote(shop: Shop, **changes: Any) -> dict[str, Any]:
    return await quotes.quote(shop.platform, shop.callers["till"], shop.payment(**changes))


async def guarded(shop: Shop) -> Guarded:
    return guarded_of(shop.platform, shop.house, await live_set(shop.platform, shop.house))


async def tripped(shop: Shop, what: str = "discount_is_above_max", **evidence: Any) -> Tripped:
    revision = (await guarded(shop)).revisions[ID]
    return Tripped(Guard.COLLAR, ID, revision, what, {"words": {"en": "w", "zh-CN": "w"}, **evidence})


async def stored(shop: Shop | Books, query: str) -> Any:
    async with in_house(shop.platform.store.pool, shop.house.id) as connection:
        return await connection.fetchval(query)


# -- trips -------------------------------------------------------------------------------------------------


async def test_evidence_that_the_store_cannot_take_keeps_no_stop_from_it(watched: Shop) -> None:
    mine = await guarded(watched)
    mine.trip(await tripped(watched, statistic=float("nan")))
    await tell_trips(watched.platform, watched.house, mine)
    assert await stored(watched, "select tripped_by from campaigns") == "collar"
    assert not mine.trips


async def test_a_trip_of_another_revision_is_not_lost_among_a_thousand_of_one(watched: Shop) -> None:
    mine, other = await guarded(watched), replace(await tripped(watched), revision="rev_other")
    mine.trip(other)
    for _ in range(TRIPS_WAITING_MAX + 5):
        mine.trip(await tripped(watched))
    assert other in mine.trips and len(mine.trips) <= TRIPS_WAITING_MAX + 1


async def test_a_stop_whose_answer_was_lost_is_paged_by_whoever_tells_it_again(
    watched: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, paged = await guarded(watched), []
    mine.trip(await tripped(watched))
    real = guards.trip

    async def lost(*arguments: Any) -> bool:
        await real(*arguments)
        raise StoreUnavailable("the connection died after the commit")

    monkeypatch.setattr(watching, "page", lambda _, about: paged.append(about.type))
    with monkeypatch.context() as patch:
        patch.setattr(guards, "trip", lost)
        with pytest.raises(StoreUnavailable):
            await tell_trips(watched.platform, watched.house, mine)
    await tell_trips(watched.platform, watched.house, mine)
    assert paged == ["breaker.opened"]


async def test_who_waits_in_a_queue_while_a_breaker_opens_is_granted_nothing(watched: Shop) -> None:
    asking: list[asyncio.Task[dict[str, Any]]] = []
    async with budgets_held(watched):
        for _ in range(6):
            asking.append(asyncio.create_task(quote(watched, amount=10_000)))
            await waits_for_a_lock(watched)
        mine = await guarded(watched)
        mine.opened.add(mine.revisions[ID])
    answers = await asyncio.gather(*asking)
    # Two batches were on their way; whoever waited behind them was not.
    assert sum(one["discount_minor"] > 0 for one in answers) <= 2
    assert all(one["decided"] for one in answers)
    assert await reserved(watched) == sum(one["discount_minor"] > 0 for one in answers)


# -- leases ------------------------------------------------------------------------------------------------


async def test_a_lease_that_ends_between_two_parts_of_a_call_leaves_no_hold_behind(books: Books) -> None:
    revision = await books.live("spring", 500_000)
    requests = [books.request(f"p{n}", {"spring": (revision, 1)}) for n in range(BATCH_CALLS_MAX + 1)]
    lanes = books.ledger._of(books.house.id).reserve
    send, sent = lanes.send, []

    async def second_is_late(who: str, calls: Any) -> Any:
        sent.append(len(calls))
        if len(sent) > 1:
            past = await store_clock(books) - timedelta(seconds=1)
            calls = [(request, patience, past) for request, patience, _ in calls]
        return await send(who, calls)

    lanes.send = second_is_late
    try:
        with pytest.raises(StoreUnavailable) as raised:
            await books.ledger.reserve(
                books.house.id, "till", requests, lease=await store_clock(books) + timedelta(hours=1)
            )
    finally:
        lanes.send = send
    assert not isinstance(raised.value, LeaseIsOver), "that says that nothing was done"
    assert sent == [BATCH_CALLS_MAX, 1] and await reserved(books) == BATCH_CALLS_MAX


# -- detectors ---------------------------------------------------------------------------------------------


async def test_what_was_perhaps_merged_is_never_merged_again(watched: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    await quote(watched)
    known = await live_set(watched.platform, watched.house)
    real = guards.put_detector

    async def lost(*arguments: Any) -> bool:
        await real(*arguments)
        raise StoreUnavailable("the connection died after the commit")

    with monkeypatch.context() as patch:
        patch.setattr(guards, "put_detector", lost)
        with pytest.raises(StoreUnavailable):
            await merge_detectors(watched.platform, watched.house, known)
    first = await stored(watched, "select state from detectors")
    await merge_detectors(watched.platform, watched.house, known)
    assert await stored(watched, "select state from detectors") == first


async def test_what_a_revision_did_is_not_held_against_the_one_that_replaces_it(watched: Shop) -> None:
    await quote(watched)
    await merge_detectors(watched.platform, watched.house, await live_set(watched.platform, watched.house))
    assert ID in (await stored(watched, "select state from detectors"))["campaigns"]
    await quote(watched)  # Not told yet when the revision is replaced.
    await watched.launch(
        example("campaign-spring.yaml").replace("priority: ", "priority: 1"), example("brief-spring.yaml")
    )
    assert ID not in (await stored(watched, "select state from detectors"))["campaigns"]
    known = await live_set(watched.platform, watched.house, fresh=True)
    await merge_detectors(watched.platform, watched.house, known)
    assert ID not in (await stored(watched, "select state from detectors"))["campaigns"]


async def test_one_payer_who_changes_a_cart_stops_no_campaign(watched: Shop) -> None:
    before: dict[str, Any] = {}
    for _ in range(20):
        shown = await quote(watched, payer_id="who cannot decide", **before)
        before = {"supersedes": shown["payment_id"]}
        assert shown["discount_minor"] == 4_000
    assert not (await guarded(watched)).opened


async def test_payments_behind_a_batch_that_hangs_are_watched_at_once(watched: Shop) -> None:
    await quote(watched)
    mine = await guarded(watched)
    assert mine.detector is not None
    before = mine.detector.payments
    batch = in_line(watched.platform, watched.house, 2)
    await quote(watched)
    assert mine.detector.payments == before + 1
    answered(watched.platform, watched.house, batch)


async def test_a_detector_that_breaks_fails_no_payment(watched: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("broken")

    await quote(watched)
    monkeypatch.setattr(Detector, "observe", broken)
    assert (await quote(watched))["discount_minor"] == 4_000
    assert (await quote(watched, city="Beijing"))["decided"]


# -- stages ------------------------------------------------------------------------------------------------


async def test_what_ends_while_a_campaign_is_stopped_is_counted_meanwhile(watched: Shop) -> None:
    shown = await quote(watched)
    await guards.evidence_of_stages(watched.platform.store.pool, watched.house.id, 10)
    await control.stop_campaign(watched.platform, watched.callers["olga"], ID, "a look")
    await holds.release(watched.platform, watched.callers["till"], shown["quote_id"])
    await asyncio.sleep(LAG_SECONDS)
    await guards.evidence_of_stages(watched.platform.store.pool, watched.house.id, 10)
    assert await stored(watched, "select released from stage_evidence") == 1


# -- rights ------------------------------------------------------------------------------------------------

TABLES = ("stops", "trips", "drills", "stage_evidence", "stage_payers", "detectors")


@pytest.mark.parametrize("table", TABLES)
async def test_a_server_writes_what_guards_know_by_functions_only(books: Books, table: str) -> None:
    for query in (
        f"insert into {table} default values",
        f"update {table} set house_id = 0",
        f"delete from {table}",
        f"truncate {table}",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await stored(books, query)

"""Stages that open on evidence, with the real store: captures, refunds and trips speak for and against."""

import asyncio
import itertools
from collections.abc import Iterator

import pytest
from tests.shop import Shop, example, open_shop

from makegood.clock import SECOND
from makegood.domain.review import Guard
from makegood.guard.stage_decision import Because, StageDecision
from makegood.services import stages
from makegood.services.guarded import Tripped
from makegood.services.holds import capture, refund
from makegood.services.live import live_set
from makegood.services.platform import Platform
from makegood.services.quotes import quote_batch
from makegood.services.views import view_of
from makegood.services.watching import guarded_of, tell_trips
from makegood.store.pool import in_house

LAG_SECONDS = 2.2  # Entries of the last two seconds wait for the next look.
PAYERS = 40
_number = itertools.count()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The stopwatch of the looks, in nanoseconds, in a list of one."""
    now = [1_000 * SECOND]
    monkeypatch.setattr(stages, "stopwatch", lambda: now[0])
    yield now


async def open_watched_shop(platform: Platform, **changes: str) -> Shop:
    """The spring campaign in a house with every guard."""
    shop = await open_shop(platform, guards_left_out=())
    text = example("campaign-spring.yaml")
    for before, after in changes.items():
        text = text.replace(before, after)
    await shop.launch(text, example("brief-spring.yaml"))
    return shop


async def sell(shop: Shop, payers: int) -> list[str]:
    """So many payers with a discount who pay at once, among as many others as the brief expects; their payments."""
    paid: list[str] = []
    for _ in range(payers):
        wanted = shop.payment(payee_id=f"shop-{next(_number)}", amount=10_000)
        others = [shop.payment(city="Beijing") for _ in range(24)]
        answers = await quote_batch(shop.platform, shop.callers["till"], [wanted, *others])
        mine = answers[0]
        assert isinstance(mine, dict) and mine["quote_id"], mine
        await capture(shop.platform, shop.callers["till"], mine["quote_id"], {"paid_at": mine["decided_at"]})
        paid.append(str(mine["payment_id"]))
    return paid


async def look(shop: Shop) -> StageDecision:
    known = await live_set(shop.platform, shop.house, fresh=True)
    (decision,) = await stages.look_at_stages(shop.platform, shop.house, known)
    return decision


async def watch(shop: Shop, clock: list[int], seconds: int) -> StageDecision:
    """A look every four seconds; the last one, or the one that opened a stage."""
    for _ in range(0, seconds, 4):
        clock[0] += 4 * SECOND
        decision = await look(shop)
        if decision.open_next:
            break
    return decision


async def opened(shop: Shop) -> int:
    return (await view_of(shop.platform, shop.callers["olga"], "spring-qr-2027")).stage_minor


async def test_a_healthy_campaign_opens_its_next_stage_by_itself_and_the_event_says_on_what(
    platform: Platform, clock: list[int]
) -> None:
    shop = await open_watched_shop(platform)
    first = await opened(shop)
    assert (await look(shop)).because is Because.EVIDENCE_IS_SHORT
    await sell(shop, PAYERS)
    await asyncio.sleep(LAG_SECONDS)
    decision = await watch(shop, clock, 60)
    assert decision.open_next and decision.payers_settled >= decision.payers_needed, decision
    assert await opened(shop) == decision.next_minor > first  # type: ignore[operator]
    (event,) = await _events(shop)
    assert event["evidence"]["payers_settled"] == decision.payers_settled
    assert "the next stage opens up to" in str(event["evidence"]["words"])


async def _events(shop: Shop) -> list[dict[str, dict[str, int]]]:
    async with in_house(shop.platform.store.pool, shop.house.id) as connection:
        rows = await connection.fetch("select data from outbox where type = 'campaign.stage_opened' order by 1")
    return [row["data"] for row in rows]


async def test_a_campaign_that_asks_for_a_person_waits_for_one(platform: Platform, clock: list[int]) -> None:
    shop = await open_watched_shop(platform, **{"stacking:": "stages_open: by_hand\nstacking:"})
    await look(shop)
    await sell(shop, PAYERS)
    await asyncio.sleep(LAG_SECONDS)
    decision = await watch(shop, clock, 60)
    assert not decision.open_next and decision.because is Because.A_PERSON_OPENS


async def test_refunds_and_trips_keep_a_stage_shut(platform: Platform, clock: list[int]) -> None:
    shop = await open_watched_shop(platform)
    first = await opened(shop)
    await look(shop)
    for number, payment in enumerate(await sell(shop, PAYERS)):
        if number % 3 == 0:
            await refund(
                shop.platform, shop.callers["till"], payment, {"refund_id": f"r-{number}", "refund_amount": 100}
            )
    await asyncio.sleep(LAG_SECONDS)
    decision = await watch(shop, clock, 80)
    assert not decision.open_next and decision.payers_bad >= PAYERS // 3, decision
    known = await live_set(shop.platform, shop.house)
    guarded = guarded_of(shop.platform, shop.house, known)
    revision = known.guarded.revisions["spring-qr-2027"]
    guarded.trip(Tripped(Guard.COLLAR, "spring-qr-2027", revision, "discount_is_above_brief", {"seen": 1}))
    await tell_trips(shop.platform, shop.house, guarded)
    assert (await view_of(shop.platform, shop.callers["olga"], "spring-qr-2027")).state == "stopped"
    assert (
        await stages.look_at_stages(shop.platform, shop.house, await live_set(platform, shop.house, fresh=True)) == []
    )
    assert await opened(shop) == first

"""A process whose lease is over grants nothing, whatever it believes and wherever it was held up."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.shop import Shop, example, open_shop
from tests.store.clusters import pid_of
from tests.store.conftest import Books

from makegood.clock import Instant
from makegood.domain.review import Guard
from makegood.errors import LeaseIsOver
from makegood.services import control, quotes
from makegood.services.live import LiveSet
from makegood.services.platform import Platform, close_platform, open_platform
from makegood.settings import Settings
from makegood.store.pool import in_house
from makegood.store.verify import verify

ID = "spring-qr-2027"
HOUR = timedelta(hours=1)
FOREVER = 1e9  # Seconds of a monotonic clock that no test reaches.


async def bare(platform: Platform) -> Shop:
    """A house whose example campaign is live, without guards that could drop a grant for another reason."""
    shop = await open_shop(platform, guards_left_out=[Guard.PROOF, Guard.COLLAR, Guard.DETECTOR])
    await shop.launch(example("campaign-spring.yaml"), example("brief-spring.yaml"))
    return shop


@pytest.fixture
async def shop(platform: Platform) -> Shop:
    return await bare(platform)


async def quote(shop: Shop) -> dict[str, Any]:
    return await quotes.quote(shop.platform, shop.callers["till"], shop.payment())


def told(answer: dict[str, Any]) -> tuple[int, bool, str | None]:
    return answer["discount_minor"], answer["decided"], answer["reason"]


def picture(shop: Shop) -> LiveSet:
    """What the shop's process knows; it does not ask the store again by itself."""
    known = shop.platform.live[shop.house.id]
    known.asked = FOREVER
    return known


async def reserved(shop: Any) -> int:
    async with in_house(shop.platform.store.pool, shop.house.id) as connection:
        found: int = await connection.fetchval("select count(*) from entries where kind = 'reserve'")
    return found


async def store_clock(shop: Any) -> datetime:
    async with in_house(shop.platform.store.pool, shop.house.id) as connection:
        now: datetime = await connection.fetchval("select clock_timestamp()")
    return now


@asynccontextmanager
async def budgets_held(shop: Any) -> AsyncIterator[Any]:
    """Every reservation of the house waits while this lasts."""
    owner = await shop.platform.store.administrator()
    try:
        async with in_house(owner, shop.house.id) as connection:
            await connection.execute("select 1 from budgets where house_id = $1 for update", shop.house.id)
            yield owner
    finally:
        await owner.close()


async def waits_for_a_lock(shop: Any) -> None:
    """Until some reservation of the cluster waits for a lock."""
    async with shop.platform.store.pool.acquire() as connection, asyncio.timeout(30):
        while not await connection.fetchval("select count(*) from pg_locks where not granted"):  # noqa: ASYNC110 - in the store
            await asyncio.sleep(0.005)


# -- the store ---------------------------------------------------------------------------------------------


async def test_the_store_reserves_nothing_after_a_lease(books: Books) -> None:
    revision = await books.live("spring", 5_000)
    request, house = books.request("p1", {"spring": (revision, 500)}), books.house.id
    now = await store_clock(books)
    with pytest.raises(LeaseIsOver):
        await books.ledger.reserve(house, "till", [request], lease=now)
    assert await reserved(books) == 0
    outcome = (await books.ledger.reserve(house, "till", [request], lease=now + HOUR))[0]["outcome"]
    assert (outcome, await reserved(books)) == ("reserved", 1)
    await books.balanced()


async def test_a_lease_that_ends_while_a_budget_is_waited_for_is_over(books: Books) -> None:
    revision = await books.live("spring", 5_000)
    request = books.request("p1", {"spring": (revision, 500)})
    async with budgets_held(books):
        lease = await store_clock(books) + timedelta(milliseconds=300)
        asked = asyncio.create_task(books.ledger.reserve(books.house.id, "till", [request], lease=lease))
        await waits_for_a_lock(books)
        while await store_clock(books) <= lease:  # noqa: ASYNC110 - it is the store's clock
            await asyncio.sleep(0.02)
    with pytest.raises(LeaseIsOver):
        await asked
    assert await reserved(books) == 0
    await books.balanced()


# -- the process -------------------------------------------------------------------------------------------


async def test_a_process_that_hears_nothing_grants_nothing_and_grants_again_when_it_does(shop: Shop) -> None:
    assert told(await quote(shop)) == (4_000, True, None)
    known = picture(shop)
    known.leased_until = 0.0
    assert told(await quote(shop)) == (0, False, "lease_is_over")
    known.asked = 0.0
    assert told(await quote(shop)) == (4_000, True, None)
    assert await reserved(shop) == 2
    assert (await verify(shop.platform.store.pool, shop.house.id)).violations == ()


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forwards", "backwards"])
async def test_a_store_whose_clock_jumps_grants_nothing_on_an_old_lease(shop: Shop, jump: timedelta) -> None:
    await quote(shop)
    known = picture(shop)
    assert known.lease is not None
    known.lease -= jump  # The store's clock went the other way.
    if jump < timedelta(0):  # By that clock the lease lasts: the process's own says no.
        known.leased_until = 0.0
    assert told(await quote(shop)) == (0, False, "lease_is_over")
    assert await reserved(shop) == 1


@pytest.mark.parametrize("clock", [Instant(0), Instant(4 * 10**18)], ids=["long ago", "far ahead"])
async def test_the_wall_clock_of_a_process_is_no_part_of_its_lease(shop: Shop, clock: Instant) -> None:
    shop.platform = replace(shop.platform, clock=lambda: clock, live={})
    assert told(await quote(shop)) == (4_000, True, None)


async def test_a_process_with_yesterdays_picture_is_corrected_by_the_store(shop: Shop) -> None:
    other = shop.elsewhere()
    assert (await quote(other))["discount_minor"] == 4_000
    known = picture(other)
    known.leased_until, known.lease = FOREVER, await store_clock(shop) + 24 * HOUR  # It believes in itself.
    smaller = (await shop.publish("mara", example("campaign-spring.yaml").replace('"20%"', '"10%"')))[0]
    await shop.approve(smaller.revision, "bob", "carl")
    assert (await quote(other))["discount_minor"] == 2_000
    picture(other).leased_until = FOREVER
    await control.stop_campaign(shop.platform, shop.callers["olga"], ID, "fraud")
    assert told(await quote(other)) == (0, True, None)
    assert await reserved(shop) == 2


# -- a store that is suspended -----------------------------------------------------------------------------


def family(process: int) -> list[int]:
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [process, *(int(child) for child in children)]


async def test_what_was_under_way_when_the_store_was_suspended_grants_nothing(folder: Path) -> None:
    platform = await open_platform(Settings(data=str(folder), lease_ms=500, deadline_ms=10_000, pool_size=12))
    try:
        shop = await bare(platform)
        assert (await quote(shop))["discount_minor"] == 4_000
        async with budgets_held(shop):
            asked = [asyncio.create_task(quote(shop)) for _ in range(20)]
            await waits_for_a_lock(shop)
            picture(shop)
            processes = family(pid_of(folder))
            for process in processes:
                os.kill(process, signal.SIGSTOP)
            try:
                await asyncio.sleep(0.6)  # Longer than the lease.
            finally:
                for process in reversed(processes):
                    os.kill(process, signal.SIGCONT)
        answers = await asyncio.wait_for(asyncio.gather(*asked), 30)
        assert {told(answer) for answer in answers} == {(0, False, "lease_is_over")}
        assert await reserved(shop) == 1
        platform.live.clear()
        assert (await quote(shop))["discount_minor"] == 4_000
        assert (await verify(platform.store.pool, shop.house.id)).violations == ()
    finally:
        await close_platform(platform)

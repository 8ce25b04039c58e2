"""PostgreSQL is killed (SIGKILL) in the middle of a settlement: each campaign is billed whole or not at all."""

import asyncio
import os
import random
import secrets
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest_asyncio
from tests.store.conftest import Books
from tests.store.settling import THIRDS, Days, amounts, assert_settlement_holds, grant

from makegood.domain.brief import Share
from makegood.domain.settlement import bill_between, funding_of
from makegood.errors import StoreUnavailable
from makegood.services.access import create_house
from makegood.services.platform import Platform, close_platform, open_platform
from makegood.settings import Settings
from makegood.store import settlement

CAMPAIGNS = 10
KILLS = 3
FUNDING = funding_of(Share(funder, weight) for funder, weight in THIRDS)


@pytest_asyncio.fixture
async def mortal() -> AsyncIterator[Platform]:
    """A platform on a PostgreSQL of its own, to be killed."""
    data = tempfile.mkdtemp(prefix="mg")
    platform = await open_platform(Settings(data=data, pool_size=4))
    yield platform
    await platform.store.revive()
    await close_platform(platform)
    shutil.rmtree(data, ignore_errors=True)


def kill(platform: Platform) -> None:
    """SIGKILL the postmaster; its children follow."""
    assert platform.store.server is not None
    pid = int((platform.store.server.data / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)


async def billed(books: Books, days: Days) -> set[str]:
    """The campaigns that are billed for the day."""
    left = await settlement.unsettled(books.pool, books.house.id, "CNY", days.day)
    return {f"c{n}" for n in range(CAMPAIGNS)} - set(left)


def bill(day: int) -> dict[str, int]:
    """What one campaign bills for a day on which it granted 1.00, as on each before."""
    return dict(zip(FUNDING.funders, bill_between(100 * day, 100 * (day + 1), FUNDING), strict=True))


async def test_a_settlement_that_is_killed_is_finished_by_the_next_run(mortal: Platform) -> None:
    house = await create_house(mortal, f"house-{secrets.token_hex(6)}", live=False)
    books, chance = Books(mortal, house), random.Random(5)
    days = Days(books)
    revisions = {f"c{n}": await books.live(f"c{n}", 100_000, funders=THIRDS) for n in range(CAMPAIGNS)}
    cut = 0
    for day in range(KILLS):
        for campaign, revision in revisions.items():
            await grant(books, f"{campaign}-{day}", campaign, revision, 100)
        await days.end()
        await settlement.open_day(books.pool, house.id, "CNY", days.day, "UTC", days.until)
        settling = asyncio.create_task(days.settle())
        wanted = chance.randrange(1, CAMPAIGNS // 2)
        while len(await billed(books, days)) < wanted:
            continue
        kill(mortal)
        with suppress(StoreUnavailable):
            await settling
        await mortal.store.revive()
        async with asyncio.timeout(30):
            while True:  # Connections of the server that died are found out one by one.
                with suppress(StoreUnavailable):
                    before = await billed(books, days)
                    break
        assert len(before) >= wanted
        cut += len(before) < CAMPAIGNS
        await assert_settlement_holds(books)
        statements = await days.settle()
        assert amounts(statements) == {name: part * CAMPAIGNS for name, part in bill(day).items()}
    await assert_settlement_holds(books)
    assert cut  # At least once it was killed in the middle.

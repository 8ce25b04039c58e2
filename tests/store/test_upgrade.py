"""A database of the version before batches: upgraded whole or not at all, and then everything is answered as before."""

import asyncio
import hashlib
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio
from tests.store.conftest import request_for
from tests.store.older import LAST, fresh, migrate_to, trade, upgraded

from makegood.services.platform import Platform
from makegood.store import campaigns
from makegood.store.ledger import Ledger
from makegood.store.migrate import migrate, migrations
from makegood.store.packing import quote_of
from makegood.store.pool import connect

Older = tuple[str, int]


@pytest_asyncio.fixture
async def older(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Older]:
    """A database of the older version with trade in it: its URL, and its house."""
    url = await fresh(platform, "older")
    old = await connect(url)
    await migrate_to(old, LAST, monkeypatch)
    house = await trade(old)
    await old.close()
    yield url, house


async def test_every_payment_is_answered_as_before_and_money_calls_go_on(older: Older) -> None:
    url, house = older
    owner = await connect(url)
    before = await owner.fetch("select payment_id, state, makegood.quote_json(q) as quote from makegood.quotes q")
    await migrate(owner)
    async with upgraded(url, house) as pool:
        ledger = Ledger(pool, lane=3)
        names = [row["payment_id"] for row in before] + ["closed", "unknown"]
        told = await ledger.replay(house, [(name, hashlib.sha256(name.encode()).digest()) for name in names])
        found = dict(zip(names, told, strict=True))
        assert found.pop("unknown") is None
        assert found.pop("closed") == found.pop("disowned") == {"outcome": "void"}
        assert found == {row["payment_id"]: {"outcome": "replayed", "quote": quote_of(row["quote"])}
                         for row in before if row["state"] != "void"}  # fmt: skip
        differs = await ledger.replay(house, [("held", b"other" * 8)])
        assert differs == [{"outcome": "content_differs"}]
        assert (await ledger.capture(house, "till", "qte_held", None, 5_000, None))["outcome"] == "done"
        assert (await ledger.release(house, "till", "qte_superseding"))["outcome"] == "done"
        assert (await ledger.refund(house, "till", "refunded", "r333", 333))["refund"]["refunded_after"] == 333
        assert (await ledger.refund(house, "till", "partly", "r1", 1_001))["outcome"] == "done"
        spring, gift = [(await campaigns.standings(pool, house, name))[0] for name in ("spring", "gift")]
        assert (spring["label"], spring["stopped"], gift["stopped"]) == ("merchant_coupon", False, True)
        assert (await campaigns.split(pool, house, "bob", "spring", 2))["outcome"] == "limit_counts_all"
        grants = {"spring": (spring["live"], 10)}
        outcomes = await ledger.reserve(house, "till", [request_for(f"new{n}", grants) for n in range(9)])
        # Four of nine are counted: captured, partly, refunded and the one that was held.
        assert [one["outcome"] for one in outcomes] == ["reserved"] * 5 + ["refused"] * 4
        (stopped,) = await ledger.reserve(house, "till", [request_for("new9", {"gift": (gift["live"], 10)})])
        assert stopped["refused"] == {"gift": "campaign_is_stopped"}
    await owner.close()


async def _stuck(watcher: asyncpg.Connection, pid: int) -> None:
    async with asyncio.timeout(30):
        asked = "select exists (select from pg_locks where pid = $1 and not granted)"
        while not await watcher.fetchval(asked, pid):  # noqa: ASYNC110 - it is the database that is waited for
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("table", ["quotes", "migrations"])
async def test_an_upgrade_that_is_killed_half_way_leaves_the_old_version_whole(older: Older, table: str) -> None:
    """`quotes` is altered in the middle of the first new migration, `migrations` is written at the end of each."""
    url, house = older
    watcher = await connect(url)
    tables = "select count(*) from pg_class where relnamespace = 'makegood'::regnamespace"
    before = await watcher.fetchval(tables)
    migrator = await connect(url)
    pid = await migrator.fetchval("select pg_backend_pid()")
    async with watcher.transaction():
        await watcher.execute(f"lock table makegood.{table} in share mode")
        upgrading = asyncio.create_task(migrate(migrator))
        await _stuck(watcher, pid)
        await watcher.execute("select pg_terminate_backend($1, 5000)", pid)
        with pytest.raises(Exception, match=r"terminat|closed|unavailable"):
            await upgrading
    assert await watcher.fetchval("select max(number) from makegood.migrations") == LAST
    assert await watcher.fetchval(tables) == before
    again = await connect(url)
    assert await migrate(again) == len(migrations()) - LAST
    await again.close()
    async with upgraded(url, house) as pool:
        assert (await Ledger(pool).release(house, "till", "qte_held"))["outcome"] == "done"
    await watcher.close()


@pytest.mark.parametrize("number", (LAST + 2, len(migrations())))
async def test_an_upgrade_that_is_killed_in_any_step_goes_on_with_it(
    older: Older, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, house = older
    watcher, migrator = await connect(url), await connect(url)
    await migrate_to(watcher, number - 1, monkeypatch)
    pid = await migrator.fetchval("select pg_backend_pid()")
    async with watcher.transaction():
        await watcher.execute("lock table makegood.migrations in share mode")
        upgrading = asyncio.create_task(migrate(migrator))
        await _stuck(watcher, pid)
        await watcher.execute("select pg_terminate_backend($1, 5000)", pid)
        with pytest.raises(Exception, match=r"terminat|closed|unavailable"):
            await upgrading
    assert await migrate(watcher) == len(migrations()) + 1 - number
    async with upgraded(url, house) as pool:
        assert (await Ledger(pool).release(house, "till", "qte_held"))["outcome"] == "done"
    await watcher.close()

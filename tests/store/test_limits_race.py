"""Limits that are replaced while a batch is on its way: it is counted by the new ones, whole."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.store.conftest import Books
from tests.store.policies import put_policy

from makegood.store import campaigns
from makegood.store.pool import Pool, call, in_house

PAYER_DAY_TWICE = {"subject": "payer", "period": "day", "count_max": 2}
SHARED_ONCE = {
    "limit_id": "once",
    "labels": None,
    "subject": "payer",
    "period": "ever",
    "count_max": 1,
    "amount_max": None,
}
Change = Callable[[], Awaitable[Any]]


async def _blocked(books: Books) -> None:
    """Until somebody waits for a lock."""
    async with asyncio.timeout(30):
        waits = "select count(*) from pg_locks where not granted and locktype in ('transactionid', 'tuple', 'advisory')"
        while not await books.pool.fetchval(waits):  # noqa: ASYNC110 - it is the database that is waited for
            await asyncio.sleep(0.01)


async def reserved_during(
    books: Books, monkeypatch: pytest.MonkeyPatch, name: str, change: Change, request: dict[str, Any]
) -> dict[str, Any]:
    """The outcome of a request that comes while a change, an SQL function, is done but not yet committed."""
    asked: list[asyncio.Task[list[dict[str, Any]]]] = []
    real = call

    async def slowly(pool: Pool, function: str, *arguments: Any) -> Any:
        if function != name:
            return await real(pool, function, *arguments)
        places = ", ".join(f"${n}" for n in range(1, len(arguments) + 1))
        async with pool.acquire() as connection, connection.transaction():
            outcome = await connection.fetchval(f"select {function}({places})", *arguments)
            asked.append(asyncio.create_task(books.reserve(request)))
            await _blocked(books)
        return outcome

    monkeypatch.setattr(campaigns, "call", slowly)
    await change()
    monkeypatch.undo()
    return (await asyncio.wait_for(asked[0], 30))[0]


async def test_a_new_limit_of_a_campaign_counts_nobody_less(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    revision = await books.live("spring", 1_000)
    await books.reserve(books.request("p1", {"spring": (revision, 5)}))

    async def change() -> None:
        await books.live("spring", 1_001, limits=(PAYER_DAY_TWICE,))

    outcome = await reserved_during(
        books, monkeypatch, "go_live", change, books.request("p2", {"spring": (revision, 5)})
    )
    assert outcome["refused"] == {"spring": "stale"}
    await books.balanced()


async def test_a_new_limit_across_campaigns_counts_whoever_is_on_the_way(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    revision = await books.live("spring", 1_000)
    await books.reserve(books.request("p1", {"spring": (revision, 5)}))
    outcome = await reserved_during(
        books,
        monkeypatch,
        "put_policy_in_force",
        lambda: put_policy(books, SHARED_ONCE),
        books.request("p2", {"spring": (revision, 5)}),
    )
    assert outcome["refused"] == {"spring": "payer_limit_is_reached"}
    await books.balanced()


async def test_who_replaces_limits_waits_for_those_who_charge_them_before_it_holds_a_budget(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = ({"subject": "payer", "period": "ever", "count_max": 9}, PAYER_DAY_TWICE)
    revision = await books.live("spring", 1_000, limits=limits)
    charging: list[asyncio.Task[list[dict[str, Any]]]] = []
    owner = await books.platform.store.administrator()
    real = call

    async def meanwhile(pool: Pool, function: str, *arguments: Any) -> Any:
        if function != "go_live":
            return await real(pool, function, *arguments)
        async with in_house(owner, books.house.id) as connection:
            await connection.execute("select from budgets for update")
            charging.append(asyncio.create_task(books.reserve(books.request("p1", {"spring": (revision, 5)}))))
            await _blocked(books)
            replacing = asyncio.create_task(real(pool, function, *arguments))
            async with asyncio.timeout(20):
                waits = "select count(*) from pg_locks where not granted and locktype = 'advisory'"
                while not await books.pool.fetchval(waits):  # noqa: ASYNC110 - it is the database that is waited for
                    await asyncio.sleep(0.01)
        return await replacing

    monkeypatch.setattr(campaigns, "call", meanwhile)
    await books.live("spring", 1_001, limits=limits[:1])
    await owner.close()
    assert (await asyncio.wait_for(charging[0], 30))[0]["outcome"] == "reserved"
    await books.balanced()

"""A budget in shares: several writers, one sum, which is granted to the last unit and never beyond it."""

import asyncio
from typing import Any

import pytest
from tests.store.conftest import Books
from tests.store.test_limits_race import _blocked

from makegood.store import campaigns
from makegood.store.ledger import Ledger
from makegood.store.pool import in_house

PAYER_TWICE = {"subject": "payer", "period": "ever", "count_max": 2}
THREE_IN_ALL = {"subject": "all", "period": "ever", "count_max": 3}


def lanes(books: Books, many: int) -> list[Ledger]:
    """Ledgers that write to different shares, as server processes do."""
    return [Ledger(books.pool, lane=n) for n in range(many)]


async def split(books: Books, shares: int, campaign: str = "spring") -> str:
    outcome = await campaigns.split(books.pool, books.house.id, "bob", campaign, shares)
    found: str = outcome["outcome"]
    return found


async def reserve(books: Books, ledger: Ledger, *requests: dict[str, Any]) -> list[dict[str, Any]]:
    return await ledger.reserve(books.house.id, "till", requests)


async def stages(books: Books, campaign: str = "spring") -> list[int]:
    async with in_house(books.pool, books.house.id) as connection:
        rows = await connection.fetch(
            "select balance from accounts where campaign_id = $1 and kind = 'stage' order by share", campaign
        )
    return [row["balance"] for row in rows]


async def test_holds_of_every_share_end_well_whatever_the_shares_are_by_then(books: Books) -> None:
    revision = await books.live("spring", 8_000, stage=6_001)
    ledgers, names = lanes(books, 4), iter(range(99))
    held: list[str] = []

    async def hold() -> None:
        for ledger in ledgers:
            name = f"p{next(names)}"
            (outcome,) = await reserve(books, ledger, books.request(name, {"spring": (revision, 100)}))
            assert outcome["outcome"] == "reserved"
            held.append(name)

    await hold()
    for shares, expected in ((4, 4), (2, 4), (1, 4)):
        assert await split(books, shares) == "done"
        assert len(await stages(books)) == expected
        assert sum((await stages(books))[shares:]) == 0
        await hold()
        await books.balanced()
    for n, name in enumerate(held):
        assert (await (books.capture, books.release)[n % 2](f"qte_{name}"))["outcome"] == "done"
    assert await books.money("spring") == (1_999, 6_001 - 800, 0, 800)
    await books.balanced()


@pytest.mark.parametrize("size", [1, 40])
async def test_several_lanes_grant_a_budget_to_the_last_unit(books: Books, size: int) -> None:
    """Each may ask for more than its share has: what others do not need comes to it."""
    revision = await books.live("spring", 1_003)
    await split(books, 4)

    async def client(number: int, ledger: Ledger) -> int:
        granted = 0
        for n in range(160 // size):
            some = [books.request(f"p{number}-{n}-{m}", {"spring": (revision, 7)}) for m in range(size)]
            granted += sum(one["outcome"] == "reserved" for one in await reserve(books, ledger, *some))
        return granted

    found = await asyncio.gather(*(client(n, ledger) for n, ledger in enumerate(lanes(books, 2))))
    assert sum(found) <= 1_003 // 7
    last = [books.request(f"last-{m}", {"spring": (revision, 1)}) for m in range(1_003 - 7 * sum(found) + 3)]
    taken = [one["outcome"] for one in await reserve(books, books.ledger, *last)]
    assert taken == ["reserved"] * (len(last) - 3) + ["refused"] * 3
    assert sum(found) == 1_003 // 7
    assert await books.money("spring") == (0, 0, 1_003, 0)
    await books.balanced()


async def test_one_batch_takes_what_all_shares_have_together(books: Books) -> None:
    revision = await books.live("spring", 1_000)
    await split(books, 4)
    outcomes = await books.reserve(*(books.request(f"p{n}", {"spring": (revision, 10)}) for n in range(120)))
    assert [one["outcome"] for one in outcomes].count("reserved") == 100
    assert {one["refused"]["spring"] for one in outcomes if one["outcome"] == "refused"} == {"budget_is_exhausted"}
    await books.balanced()


async def test_a_payers_limit_holds_across_shares(books: Books) -> None:
    revision = await books.live("spring", 10_000, limits=(PAYER_TWICE,))
    await split(books, 4)
    calls = [
        reserve(books, ledger, books.request(f"p{n}-{m}", {"spring": (revision, 5)}, payer_ref=bytes([m % 3]) * 32))
        for n, ledger in enumerate(lanes(books, 4))
        for m in range(12)
    ]
    outcomes = [one["outcome"] for many in await asyncio.gather(*calls) for one in many]
    assert outcomes.count("reserved") == 3 * 2
    await books.balanced()


async def test_a_rebalance_that_waited_for_a_split_holds_the_new_shares_too(books: Books) -> None:
    await books.live("spring", 10_000)
    house = books.house.id
    owner = await books.platform.store.administrator()
    async with books.pool.acquire() as first, books.pool.acquire() as second, second.transaction():
        async with first.transaction():
            await first.fetchval("select split_budget($1, 'bob', 'spring', 4)", house)
            waiting = asyncio.create_task(second.fetchval("select rebalance($1, 'spring', 3, 9000)", house))
            await _blocked(books)
        assert await asyncio.wait_for(waiting, 30)
        async with in_house(owner, house) as third:
            assert await third.fetch("select share from budgets for update skip locked") == []
    await owner.close()
    assert await stages(books) == [333, 333, 333, 9_001]
    await books.balanced()


async def test_a_campaign_whose_limit_counts_all_payers_is_not_split(books: Books) -> None:
    await books.live("spring", 10_000, limits=(THREE_IN_ALL,))
    assert await split(books, 2) == "limit_counts_all"
    assert len(await stages(books)) == 1


async def test_a_limit_that_counts_all_payers_joins_the_shares_and_counts_what_each_granted(books: Books) -> None:
    revision = await books.live("spring", 10_000)
    ledgers = lanes(books, 2)
    await split(books, 2)
    for n, ledger in enumerate((ledgers[1], ledgers[1])):
        assert (await reserve(books, ledger, books.request(f"p{n}", {"spring": (revision, 5)})))[0][
            "outcome"
        ] == "reserved"
    revision = await books.live("spring", 10_001, limits=(THREE_IN_ALL,))
    assert await stages(books) == [9_991, 0]
    outcomes = [
        (await reserve(books, ledger, books.request(f"q{n}", {"spring": (revision, 5)})))[0]
        for n, ledger in enumerate(ledgers * 2)
    ]
    assert [one["outcome"] for one in outcomes] == ["reserved", "refused", "refused", "refused"]
    assert outcomes[-1]["refused"] == {"spring": "limit_is_reached"}
    assert (await books.release("qte_p0"))["outcome"] == "done"
    (again,) = await reserve(books, ledgers[1], books.request("q9", {"spring": (revision, 5)}))
    assert again["outcome"] == "reserved"
    await books.balanced()


async def test_a_stop_reaches_every_share_at_once(books: Books) -> None:
    revision = await books.live("spring", 10_000)
    await split(books, 4)
    await campaigns.stop(books.pool, books.house.id, "olga", "spring", "a test")
    for n, ledger in enumerate(lanes(books, 4)):
        (outcome,) = await reserve(books, ledger, books.request(f"p{n}", {"spring": (revision, 5)}))
        assert outcome["refused"] == {"spring": "campaign_is_stopped"}
    await books.balanced()


async def test_a_budget_in_shares_is_lowered_to_what_they_hold_and_not_below(books: Books) -> None:
    revision = await books.live("spring", 10_000)
    await split(books, 4)
    for n, ledger in enumerate(lanes(books, 4)):
        await reserve(books, ledger, books.request(f"p{n}", {"spring": (revision, 500)}))
    with pytest.raises(AssertionError, match="'used': 2000"):
        await books.live("spring", 1_999)
    revision = await books.live("spring", 2_001)
    assert sum(await stages(books)) == 1
    last = [
        await reserve(books, one, books.request(f"q{n}", {"spring": (revision, 1)}))
        for n, one in enumerate(lanes(books, 4))
    ]
    assert [one["outcome"] for (one,) in last] == ["reserved", "refused", "refused", "refused"]
    await books.balanced()

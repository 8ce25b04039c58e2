"""Days billed to funders: cumulative splits, refunds after settlement, statements that add up, runs cut short."""

import asyncio
import datetime as dt
from typing import Any

import asyncpg
import pytest
from tests.store.conftest import Books
from tests.store.settling import DAY, HALVES, THIRDS, Days, amounts, assert_settlement_holds, grant, settled_balances

from makegood.store import settlement
from makegood.store.pool import in_house
from makegood.store.settlement_invariants import INVARIANTS


@pytest.fixture
def days(books: Books) -> Days:
    return Days(books)


async def test_three_days_and_a_refund_are_billed_as_the_split_of_the_running_total(books: Books, days: Days) -> None:
    revision = await books.live("c", 100_000, funders=THIRDS)
    await grant(books, "p1", "c", revision, 100)
    assert amounts(await days.next()) == {"ann": 33, "ben": 33, "cat": 34}
    await grant(books, "p2", "c", revision, 100)
    assert amounts(await days.next()) == {"ann": 34, "ben": 33, "cat": 33}
    await grant(books, "p3", "c", revision, 50)
    assert amounts(await days.next()) == {"ann": 16, "ben": 17, "cat": 17}
    await books.refund("p1", "r1", 10_000)
    third = await days.next()
    assert amounts(third) == {"ann": -33, "ben": -33, "cat": -34}
    assert {funder: one.closing for funder, one in third.items()} == {"ann": 50, "ben": 50, "cat": 50}
    assert await settled_balances(books) == {"ann": 50, "ben": 50, "cat": 50}
    await assert_settlement_holds(books)


async def test_a_refund_of_the_same_day_is_never_billed(books: Books, days: Days) -> None:
    revision = await books.live("c", 100_000, funders=THIRDS)
    await grant(books, "p1", "c", revision, 100)
    await books.refund("p1", "r1", 10_000)
    assert await days.next() == {}
    assert await settled_balances(books) == {}
    await assert_settlement_holds(books)


async def test_a_refund_between_the_end_of_a_day_and_its_settlement_is_a_credit_of_the_next_day(
    books: Books, days: Days
) -> None:
    revision = await books.live("c", 100_000, funders=THIRDS)
    await grant(books, "p1", "c", revision, 100)
    await days.end()
    await books.refund("p1", "r1", 10_000)
    assert amounts(await days.settle()) == {"ann": 33, "ben": 33, "cat": 34}
    assert await settled_balances(books) == {}  # The money was returned already.
    assert amounts(await days.next()) == {"ann": -33, "ben": -33, "cat": -34}
    await assert_settlement_holds(books)


async def test_a_grant_is_billed_to_the_funding_of_the_revision_that_granted_it(books: Books, days: Days) -> None:
    old = await books.live("c", 100_000, funders=THIRDS)
    await grant(books, "p1", "c", old, 100)
    await books.reserve(books.request("p2", {"c": (old, 1)}))
    new = await books.live("c", 100_000, funders=HALVES)
    await grant(books, "p3", "c", new, 7)
    await books.capture("qte_p2")
    assert amounts(await days.next()) == {"ann": 34 + 4, "ben": 33, "cat": 34, "dan": 3}
    await books.refund("p3", "r1", 10_000)
    assert await settled_balances(books) == {"ann": 34, "ben": 33, "cat": 34}  # Of those who bore it.
    await books.refund("p1", "r1", 5_000)
    statements = await days.next()
    assert {funder: one.closing for funder, one in statements.items()} == {"ann": 17, "ben": 17, "cat": 17, "dan": 0}
    await assert_settlement_holds(books)


async def test_a_day_settled_twice_is_settled_once(books: Books, days: Days) -> None:
    revision = await books.live("c", 100_000, funders=THIRDS)
    await grant(books, "p1", "c", revision, 101)
    first = await days.next()
    async with in_house(books.pool, books.house.id) as connection:
        entries = await connection.fetchval("select count(*) from entries")
    again = await asyncio.gather(*(days.settle() for _ in range(4)))
    assert again == [first] * 4
    async with in_house(books.pool, books.house.id) as connection:
        assert await connection.fetchval("select count(*) from entries") == entries
    await assert_settlement_holds(books)


async def test_several_processes_settle_a_day_once(books: Books, days: Days) -> None:
    for campaign in "abcdef":
        revision = await books.live(campaign, 100_000, funders=THIRDS)
        await grant(books, f"p{campaign}", campaign, revision, 100)
    await days.end()
    pool, house = books.pool, books.house.id

    async def run() -> int:
        await settlement.open_day(pool, house, "CNY", days.day, "UTC", days.until)
        campaigns = await settlement.unsettled(pool, house, "CNY", days.day)
        return sum(
            [await settlement.settle_campaign(pool, house, "makegood", "CNY", days.day, one) for one in campaigns]
        )

    assert sum(await asyncio.gather(*(run() for _ in range(4)))) == 6
    assert amounts(await days.settle()) == {"ann": 198, "ben": 198, "cat": 204}
    await assert_settlement_holds(books)


async def test_a_day_that_is_not_over_or_not_next_is_not_counted(books: Books, days: Days) -> None:
    pool, house = books.pool, books.house.id
    later = await settlement.now(pool, house) + dt.timedelta(seconds=60)

    async def outcome(day: dt.date, until: dt.datetime) -> Any:
        return (await settlement.open_day(pool, house, "CNY", day, "UTC", until))["outcome"]

    assert await outcome(DAY, later) == "day_is_not_over"
    await days.next()
    assert await outcome(DAY - dt.timedelta(days=1), days.until) == "day_is_in_the_past"
    await days.end()
    assert await outcome(days.day, days.until) == "done"
    assert await outcome(days.day + dt.timedelta(days=1), days.until) == "day_before_is_open"


async def test_a_day_with_an_unbilled_campaign_has_no_statements(books: Books, days: Days) -> None:
    revision = await books.live("c", 100_000, funders=THIRDS)
    await grant(books, "p1", "c", revision, 100)
    await days.end()
    pool, house = books.pool, books.house.id
    await settlement.open_day(pool, house, "CNY", days.day, "UTC", days.until)
    assert not await settlement.close_day(pool, house, "makegood", "CNY", days.day)
    assert await settlement.statements_of_day(pool, house, "CNY", days.day) == []
    assert await settlement.settled_days(pool, house, 10) == []


async def test_whoever_is_booking_while_the_day_ends_is_waited_for(books: Books, days: Days) -> None:
    revision = await books.live("c", 100_000, funders=THIRDS)
    (outcome,) = await books.reserve(books.request("p1", {"c": (revision, 100)}))
    assert outcome["outcome"] == "reserved"
    async with in_house(books.pool, books.house.id) as connection:
        told = "array['qte_p1'], array[null::timestamptz], array[null::bigint], array[null::timestamptz]"
        await connection.execute(f"select outcome from capture($1, 'till', 0, {told})", books.house.id)
        await days.end()
        settling = asyncio.create_task(days.settle())
        done, _ = await asyncio.wait({settling}, timeout=0.2)
        assert not done
    async with asyncio.timeout(30):
        assert amounts(await settling) == {"ann": 33, "ben": 33, "cat": 34}


async def test_the_database_refuses_a_bill_for_what_was_not_granted(books: Books, days: Days) -> None:
    revision = await books.live("c", 100_000, funders=THIRDS)
    await grant(books, "p1", "c", revision, 100)
    await days.next()
    owner = await books.platform.store.administrator()
    try:
        with pytest.raises(asyncpg.PostgresError, match="billed but not granted"):
            async with in_house(owner, books.house.id) as connection:
                await connection.execute("select begin_batch($1)", books.house.id)
                steps = [{"funding": 1, "kind": "settle", "total": 101}]
                await connection.execute("select bill($1, 'c', 0::smallint, $2, $3)", books.house.id, DAY, steps)
    finally:
        await owner.close()
    await assert_settlement_holds(books)


async def test_a_statement_changed_by_other_hands_is_found(books: Books, days: Days) -> None:
    revision = await books.live("c", 100_000, funders=THIRDS)
    await grant(books, "p1", "c", revision, 100)
    await days.next()
    url = books.platform.store.url
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("set search_path = makegood; set session_replication_role = replica")
        await connection.execute(
            "update statement_lines set billed = billed + 1 where house_id = $1 and funder = 'ann'", books.house.id
        )
    finally:
        await connection.close()
    async with in_house(books.pool, books.house.id, read_only=True) as reading:
        broken = {name for name, query in INVARIANTS.items() if await reading.fetch(query)}
        assert broken == {"statement_lines_are_the_split", "statements_are_the_days", "statements_add_up"}
        assert [one async for one in settlement.broken_statements(reading)] == [
            ("CNY 2027-02-01 ann", "another content")
        ]

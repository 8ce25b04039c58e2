"""The ledger's lines of `bench`, with a moment of load each: they compare, and check the answers."""

import asyncio
from secrets import token_hex

import pytest

from makegood.bench import hot_budget, ledger_growth, ledger_latency, second_writer
from makegood.bench.ledger_filling import fill
from makegood.bench.ledger_load import by_ledger, opened
from makegood.bench.ledger_naive import by_function, by_statements
from makegood.bench.ledger_world import BIG, World, open_budgets, requests
from makegood.bench.row import AnswersDiffer
from makegood.services.platform import Platform
from makegood.store.campaigns import standings
from makegood.store.pool import connect, in_house
from makegood.store.verify import verify

TABLES = ("payments", "quotes", "grants", "entries", "counters", "outbox", "audits")


async def test_one_by_one_writes_the_rows_that_a_batch_of_one_writes(platform: Platform) -> None:
    world = await _world(platform)
    hot = world.budgets[0]
    asked = requests(hot, "rows")
    written = []
    async with by_function(world.login, hot, 1) as function, by_statements(platform.store.url, hot, 1) as statements:
        for reserve in (by_ledger(platform.store.ledger, hot), function[0], statements[0]):
            await reserve(next(asked))  # The totals of the day are there from now on.
            before = await _rows(world)
            await reserve(next(asked))
            written.append([after - b for after, b in zip(await _rows(world), before, strict=True)])
    assert written == [[1, 1, 1, 1, 2, 1, 1]] * 3
    await world.check()


async def test_what_is_filled_in_balances_and_takes_new_reservations(platform: Platform) -> None:
    world = await _world(platform)
    hot = world.budgets[0]
    await fill(platform.store.url, hot, 1_000)
    await by_ledger(platform.store.ledger, hot)(next(requests(hot, "new")))
    money = (await standings(platform.store.pool, hot.house))[0]
    assert (money["granted"], money["reserved"], money["open_quotes"]) == (1_000_000, 1_000, 1)
    violations = (await verify(platform.store.pool, hot.house)).violations
    assert {one.invariant for one in violations} <= {"audit_chain_is_whole"}, "the chain they are in says nothing"


async def test_books_that_do_not_balance_end_a_run(platform: Platform) -> None:
    world = await _world(platform)
    admin = await connect(platform.store.url)
    await admin.execute("update makegood.budgets set holds = holds + 1 where house_id = $1", world.budgets[0].house)
    await admin.close()
    with pytest.raises(AnswersDiffer, match="reserved_is_the_open_holds"):
        await world.check()


async def test_an_open_loop_counts_the_time_from_when_a_call_was_due(platform: Platform) -> None:
    budget = (await _world(platform)).budgets[0]
    free = asyncio.Lock()

    async def slow(_: object) -> None:
        async with free:
            await asyncio.sleep(0.01)

    load = await opened(slow, requests(budget, "open"), 1_000, 0.1, 1)
    assert load.percentile(1.0) > 9 * len(load.times), "the last one waited for all before it"


async def test_the_line_hot_budget_has_a_row_for_each_number_of_callers_and_for_a_slow_disk(platform: Platform) -> None:
    effort = hot_budget.Effort(seconds=0.2, warm_seconds=0.05, turns=1, callers=(16, 4), connections=(2,))
    lines = await hot_budget.measure(await _world(platform), 7, effort)
    cases = ("16 callers", "4 callers", "16 callers, a flush takes 1 ms more")
    assert [row.case for row in lines.rows[::2]] == list(cases)
    assert [row.case for row in lines.rows[1::2]] == [f"{one}, beside the best number of connections" for one in cases]
    assert {len(row.others) for row in lines.rows} == {1}
    assert all(row.value > 0 and row.versus.what.startswith("one by one") for row in lines.rows)


async def test_the_lines_of_several_writers_have_a_row_for_two_and_for_each_split(platform: Platform) -> None:
    effort = second_writer.Effort(seconds=0.2, warm_seconds=0.05, turns=1, shares=(2,), sold=10)
    world = await _world(platform, *second_writer.budgets_of(effort))
    assert [row.name for row in (await second_writer.two_writers(world, 7, effort)).rows] == ["second_writer"]
    assert [row.case for row in (await second_writer.in_shares(world, 8, effort)).rows] == ["2 shares, a process each"]


async def test_the_line_latency_has_three_percentiles_for_each_rate(platform: Platform) -> None:
    effort = ledger_latency.Effort(seconds=0.3, warm_seconds=0.1, callers=8, shares=(0.2,))
    lines = await ledger_latency.measure(await _world(platform), 7, effort)
    assert [row.case.rpartition(", ")[2] for row in lines.rows] == ["p50", "p99", "p99.9"]
    assert lines.rows[0].value <= lines.rows[1].value <= lines.rows[2].value


async def test_the_line_growth_compares_two_stores(platform: Platform) -> None:
    effort = ledger_growth.Effort(1_000, seconds=0.2, warm_seconds=0.05, turns=1, callers=8)
    rows = await ledger_growth.measure(await _world(platform), await _world(platform), 7, effort, "later")
    told = [(row.case, row.versus.what) for row in rows]
    assert told == [("8 callers beside 1,000 reservations, later", "an empty store")]


async def _world(platform: Platform, *budgets: tuple[str, str]) -> World:
    wanted = budgets or (("hot", BIG),)
    return World(platform, await open_budgets(platform, wanted, f"bench-{token_hex(4)}"))


async def _rows(world: World) -> list[int]:
    async with in_house(world.platform.store.pool, world.budgets[0].house) as connection:
        return [await connection.fetchval(f"select count(*) from {table}") for table in TABLES]

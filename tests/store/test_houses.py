"""Nothing crosses houses: row-level security keeps a second house of the same store out."""

from typing import Any

import asyncpg
import pytest

from makegood.domain.review import Scope
from makegood.errors import Problem, ProblemCode
from makegood.services.access import (
    House,
    authenticate,
    close_session,
    create_house,
    create_key,
    open_session,
    session_caller,
)
from makegood.services.platform import Platform
from makegood.store import records
from makegood.store.pool import in_house

TABLES = [
    *("live_sets", "principals", "keys", "sessions", "idempotency_keys", "documents", "approvals", "policies"),
    *("campaigns", "limits", "snapshots", "accounts", "entries", "postings", "quotes", "grants", "counters"),
    *("refunds", "outbox", "audit_heads", "audits"),
]


async def _other(platform: Platform, house: House) -> House:
    return await create_house(platform, f"{house.name}-other", live=False)


async def _fill(platform: Platform, books: Any) -> None:
    revision = await books.live("spring", 5_000, limits=({"subject": "all", "period": "ever", "count_max": 9},))
    await books.reserve(books.request("p1", {"spring": (revision, 2_000)}))
    await books.capture("qte_p1")
    await books.refund("p1", "r1", 100)
    key = await create_key(platform, books.house.name, "ann", [Scope.READ])
    await open_session(platform, key.key)


async def test_every_table_of_a_house_is_empty_for_another(platform: Platform, books: Any) -> None:
    await _fill(platform, books)
    other = await _other(platform, books.house)
    filled = set()
    for table in TABLES:
        async with in_house(platform.store.pool, books.house.id) as connection:
            filled |= {table} if await connection.fetchval(f"select count(*) from {table}") else set()
        async with in_house(platform.store.pool, other.id) as connection:
            seen = await connection.fetchval(f"select count(*) from {table} where house_id <> $1", other.id)
        assert seen == 0, table
    assert filled >= set(TABLES) - {"idempotency_keys", "approvals", "policies"}


async def test_every_table_forces_row_level_security(platform: Platform) -> None:
    async with platform.store.pool.acquire() as connection:
        open_tables = await connection.fetch(
            """select relname from pg_class where relnamespace = 'makegood'::regnamespace and relkind = 'r'
               and not (relrowsecurity and relforcerowsecurity) and relname not in ('legal_entries', 'migrations')"""
        )
    assert open_tables == []


async def test_without_a_house_nothing_is_seen(platform: Platform, books: Any) -> None:
    await _fill(platform, books)
    async with platform.store.pool.acquire() as connection:
        for table in (*TABLES, "houses"):
            assert await connection.fetchval(f"select count(*) from {table}") == 0, table


async def test_money_calls_do_not_reach_another_house(platform: Platform, books: Any) -> None:
    revision = await books.live("spring", 5_000)
    await books.reserve(books.request("p1", {"spring": (revision, 2_000)}))
    other, pool = await _other(platform, books.house), platform.store.pool
    assert (await books.ledger.capture(other.id, "eve", "qte_p1", None, None, None))["outcome"] == "not_found"
    assert (await books.ledger.release(other.id, "eve", "qte_p1"))["outcome"] == "not_found"
    assert (await books.ledger.refund(other.id, "eve", "p1", "r1", 1))["outcome"] == "not_found"
    assert await records.quote(pool, other.id, "qte_p1") is None
    stolen = await books.ledger.reserve(other.id, "eve", [books.request("p9", {"spring": (revision, 1)})])
    assert (stolen[0]["outcome"], stolen[0]["refused"]) == ("refused", {"spring": "stale"})
    assert await books.money("spring") == (0, 3_000, 2_000, 0)


async def test_a_row_cannot_be_written_into_another_house(platform: Platform, house: House) -> None:
    other = await _other(platform, house)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with in_house(platform.store.pool, house.id) as connection:
            await connection.execute("insert into snapshots values ($1, 'snp_x', 'rev_x', '[]')", other.id)


async def test_a_key_is_stored_as_a_hash_and_opens_its_house_only(platform: Platform, house: House) -> None:
    key = await create_key(platform, house.name, "ann", [Scope.QUOTE, Scope.READ])
    caller = await authenticate(platform, key.key)
    assert (caller.house.id, caller.principal, caller.scopes) == (house.id, "ann", frozenset({Scope.QUOTE, Scope.READ}))
    owner = await platform.store.administrator()
    async with in_house(owner, house.id) as connection:
        stored = str(await connection.fetch("select * from keys"))
    await owner.close()
    assert key.key.rsplit("_", 1)[1] not in stored
    other = await _other(platform, house)
    for wrong in (
        key.key[:-1],
        key.key.replace(house.name, other.name, 1),
        "",
        "mk_",
        "mk_x_y_z",
        key.key + "\0",
        "ü" * 80,
    ):
        with pytest.raises(Problem) as raised:
            await authenticate(platform, wrong)
        assert raised.value.code is ProblemCode.KEY_IS_WRONG


async def test_a_session_ends_when_it_is_closed(platform: Platform, house: House) -> None:
    key = await create_key(platform, house.name, "ann", [Scope.READ])
    session = await open_session(platform, key.key)
    assert (await session_caller(platform, session.token)).caller.principal == "ann"
    with pytest.raises(Problem):
        await authenticate(platform, session.token)  # A token is no key,
    with pytest.raises(Problem):
        await session_caller(platform, key.key)  # and a key no token.
    await close_session(platform, session.token)
    with pytest.raises(Problem):
        await session_caller(platform, session.token)


async def test_a_house_has_one_name(platform: Platform, house: House) -> None:
    with pytest.raises(Problem) as raised:
        await create_house(platform, house.name, live=True)
    assert raised.value.code is ProblemCode.HOUSE_EXISTS
    with pytest.raises(Problem):
        await create_house(platform, "No Spaces", live=True)

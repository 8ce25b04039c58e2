"""The database itself holds the ledger's invariants: the server's role, and even the owner, cannot break them."""

from typing import Any

import asyncpg
import pytest

from makegood.store.pool import in_house

WRITES = [
    "insert into postings (house_id, entry_id, account_id, amount) select house_id, 1, account_id, 1 from accounts",
    "update accounts set balance = balance + 1",
    "update quotes set discount = discount + 1",
    "update counters set count = 0",
    "delete from grants",
    "delete from audits",
    "update campaigns set stopped = false",
    "insert into limits values (house(), 'spring', 'all', 'ever', 1, 1)",
    "truncate entries",
    "update documents set author = 'mallory'",
    "select post_entry(house(), 'refund', 'x', '{}', '{}')",
    "select give_back(house(), 'qte_p1', 'released', 'release')",
]


async def _some_money(books: Any) -> None:
    revision = await books.live("spring", 5_000)
    await books.reserve(books.request("p1", {"spring": (revision, 2_000)}))
    await books.capture("qte_p1")


@pytest.mark.parametrize("statement", WRITES)
async def test_the_servers_role_writes_nothing_by_itself(books: Any, statement: str) -> None:
    await _some_money(books)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with in_house(books.pool, books.house.id) as connection:
            await connection.execute(statement)
    await books.balanced()


LEAVING = [
    "set role none",
    "reset role",
    "reset session authorization",
    "set role makegood_owner",
    "set role makegood_admin",
    "set session authorization makegood_admin",
    "set session authorization makegood_owner",
]


@pytest.mark.parametrize("leave", LEAVING)
@pytest.mark.parametrize(
    "statement", ["update accounts set balance = balance + 1", "alter role makegood_app superuser"]
)
async def test_the_servers_session_cannot_become_somebody_who_may(books: Any, leave: str, statement: str) -> None:
    await _some_money(books)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with in_house(books.pool, books.house.id) as connection:
            await connection.execute(leave)
            await connection.execute(statement)
    async with books.pool.acquire() as connection:
        assert await connection.fetchval("select current_user") == "makegood_app"
    await books.balanced()


async def as_owner(books: Any, *statements: str) -> None:
    """Run statements as the owner of the tables, in one transaction that is a batch of its own."""
    owner = await books.platform.store.administrator()
    try:
        async with in_house(owner, books.house.id) as connection:
            await connection.execute("select set_config('makegood.batch', nextval('batches')::text, true)")
            for statement in statements:
                await connection.execute(statement)
    finally:
        await owner.close()


ENTRY = """insert into entries (house_id, batch, kind, subject, at)
           values (house(), current_setting('makegood.batch')::bigint, '{kind}', 'x', now())"""
POSTING = """insert into postings select house(), (select max(entry_id) from entries), account_id, v.amount
             from accounts join (values {rows}) v (kind, amount) using (kind)"""


@pytest.mark.parametrize(
    ("kind", "rows", "state"),
    [
        ("reserve", "('stage', -1::bigint)", "MG002"),  # It does not balance.
        ("reserve", "('stage', -2::bigint), ('reserved', 1)", "MG002"),
        ("reserve", "('granted', -1::bigint), ('reserved', 1)", "MG003"),  # Not what a reservation may touch.
        ("settle_to_payer", "('granted', -1::bigint), ('stage', 1)", "MG003"),  # There is no such kind.
        ("reserve", "('stage', -3001::bigint), ('reserved', 3001)", "23514"),  # Overdrawn.
        ("capture", "('reserved', -1::bigint), ('granted', 1)", "23514"),  # Nothing is reserved.
    ],
)
async def test_not_even_the_owner_books_an_illegal_entry(books: Any, kind: str, rows: str, state: str) -> None:
    await _some_money(books)
    with pytest.raises(asyncpg.PostgresError) as raised:
        await as_owner(books, ENTRY.format(kind=kind), POSTING.format(rows=rows))
    assert raised.value.sqlstate == state
    await books.balanced()


CHANGES = [
    "update postings set amount = amount * 2",
    "delete from postings",
    "delete from entries",
    "update entries set at = now()",
    "update audits set principal = 'nobody'",
    "delete from quotes",
    "update quotes set state = 'reserved', captured = 0",
    "update quotes set returned = discount + 1",
    "update quotes set discount = 1",
    "update grants set returned = -1",
    "update refunds set amount = 1",
    "update documents set canonical = 'x'",
    "insert into accounts (house_id, kind, campaign_id, currency) values (house(), 'payer', 'spring', 'CNY')",
    "update accounts set kind = 'payer'",
    "update accounts set funder = 'mallory' where funder is not null",
    "update accounts set currency = 'JPY'",
    "update accounts set campaign_id = 'autumn'",
    "update quotes set payer_ref = null",
    "update quotes set decided_at = decided_at - interval '1 day'",
    "update quotes set snapshot = 'snp_other'",
    "update quotes set seen = '[1]'",
    "update quotes set benefits = '{}'",
    "update quotes set paid_at = paid_at - interval '1 minute'",
    "update quotes set captured = captured - 1",
    "update grants set discount = discount + 1",
    "update grants set revision = 'rev_x'",
    "update grants set payer_ref = null",
    "update grants set day = '2027-02-02'",
    "update grants set returned = returned - 1",
]


@pytest.mark.parametrize("statement", CHANGES)
async def test_what_was_booked_or_answered_does_not_change(books: Any, statement: str) -> None:
    await _some_money(books)
    await books.refund("p1", "r1", 5_000)
    with pytest.raises(asyncpg.PostgresError):
        await as_owner(books, statement)
    await books.balanced()


async def test_there_is_no_account_for_what_a_payer_owes(books: Any) -> None:
    async with in_house(books.pool, books.house.id) as connection:
        kinds = {
            row["account_kind"] for row in await connection.fetch("select distinct account_kind from legal_postings")
        }
    assert kinds == {"funder", "budget", "stage", "reserved", "granted"}


TAMPERING = [
    (
        "alter table accounts disable trigger user; update accounts set balance = balance + 1 where kind = 'granted'",
        "balance",
    ),
    ("alter table postings disable trigger user; update postings set amount = amount - 1 where amount = 5000", "entry"),
    ("alter table audits disable trigger user; update audits set principal = 'eve' where seq = 2", "audit"),
    ("alter table audits disable trigger user; delete from audits where seq = 2", "audit"),
    (
        "alter table counters disable trigger user; update counters set count = count + 1 where period = 'ever'",
        "counters",
    ),
    ("alter table grants disable trigger user; update grants set returned = 1", "quote"),
    ("alter table quotes disable trigger user; update quotes set refunded = 1", "refunds"),
]


@pytest.mark.parametrize(("statement", "invariant"), TAMPERING)
async def test_a_verification_finds_what_was_changed_behind_the_triggers(
    books: Any, statement: str, invariant: str
) -> None:
    from makegood.store.verify import verify

    await _some_money(books)
    table = statement.split()[2]
    await as_owner(books, *statement.split("; "), f"alter table {table} enable trigger user")
    violations = (await verify(books.pool, books.house.id)).violations
    assert any(violation.invariant.startswith(invariant) for violation in violations), violations

"""The database itself holds the ledger's invariants: the server's role, and even the owner, cannot break them."""

from typing import Any

import asyncpg
import pytest

from makegood.store.pool import in_house

WRITES = [
    "insert into entries select house_id, 9, 1, 9, 'reserve', 'x', account_id, account_id + 1, 1, now() from accounts",
    "update accounts set balance = balance + 1",
    "update quotes set discount = discount + 1",
    "update counters set count = 0",
    "delete from grants",
    "delete from audits",
    "update campaigns set stopped = false",
    "insert into limits values (house(), 'spring', 'all', 'ever', 1, 1)",
    "truncate entries",
    "update documents set author = 'mallory'",
    "select post_entry(house(), 'refund', 'x', 1, 2, 1)",
    "select give_back(house(), array['qte_p1'], 'released', 'release')",
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


ENTRY = """insert into entries (house_id, batch, kind, subject, from_account, to_account, amount, at)
           select house(), current_setting('makegood.batch')::bigint + {off}, '{kind}', 'x', f.account_id,
                  coalesce(t.account_id, 999999999), {amount}, now()
           from accounts f left join accounts t on t.kind = '{to}' where f.kind = '{of}'"""


@pytest.mark.parametrize(
    ("kind", "of", "to", "amount", "off", "state"),
    [
        ("reserve", "stage", "reserved", 0, 0, "23514"),  # Nothing is moved.
        ("reserve", "stage", "reserved", -1, 0, "23514"),  # The other way round.
        ("reserve", "stage", "stage", 1, 0, "23514"),  # To where it came from.
        ("reserve", "stage", "nowhere", 1, 0, "MG003"),  # There is no such account.
        ("reserve", "granted", "reserved", 1, 0, "MG003"),  # Not what a reservation may touch.
        ("settle_to_payer", "granted", "stage", 1, 0, "MG003"),  # There is no such kind.
        ("reserve", "stage", "reserved", 1, 1, "MG003"),  # Another transaction's.
        ("reserve", "stage", "reserved", 3_001, 0, "23514"),  # Overdrawn.
        ("capture", "reserved", "granted", 1, 0, "23514"),  # Nothing is reserved.
    ],
)
async def test_not_even_the_owner_books_an_illegal_entry(
    books: Any, kind: str, of: str, to: str, amount: int, off: int, state: str
) -> None:
    await _some_money(books)
    with pytest.raises(asyncpg.PostgresError) as raised:
        await as_owner(books, ENTRY.format(kind=kind, of=of, to=to, amount=amount, off=off))
    assert raised.value.sqlstate == state
    await books.balanced()


CHANGES = [
    "update entries set amount = amount * 2",
    "update budgets set holds = -1",
    "update payments set quote_id = 'qte_other'",
    "delete from payments",
    "update accounts set share = 1 where kind = 'stage'",
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
        rows = await connection.fetch(
            "select from_kind as kind from legal_entries union select to_kind from legal_entries"
        )
        kinds = {row["kind"] for row in rows}
    assert kinds == {"funder", "budget", "stage", "reserved", "granted", "settled"}


TAMPERING = [
    (
        "alter table accounts disable trigger user; update accounts set balance = balance + 1 where kind = 'granted'",
        "balance",
    ),
    (
        "alter table entries disable trigger user; update entries set amount = amount - 1 where amount = 5000",
        "balance_is_the_sum",
    ),
    (
        "alter table entries disable trigger user; update entries set to_account = 999999999 where kind = 'fund'",
        "entry_moves",
    ),
    (
        "alter table entries disable trigger user; update entries set kind = 'capture' where kind = 'reserve'",
        "entries_are_legal",
    ),
    ("alter table budgets disable trigger user; update budgets set holds = 1", "reserved_is_the_open_holds"),
    ("alter table budgets disable trigger user; update budgets set stopped = true", "budgets_are_their_campaign"),
    ("alter table budgets disable trigger user; update budgets set stage = reserved", "budgets_have"),
    ("alter table payments disable trigger user; delete from payments", "answers_have_their_rows"),
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

"""A verification finds what was changed behind the triggers, whoever changed it, and nothing where nothing was."""

from typing import Any

import pytest
from tests.store.test_database_refuses import as_owner

from makegood.store import campaigns
from makegood.store.ledger import Ledger
from makegood.store.records import save_snapshot
from makegood.store.verify import verify

PAYER_TWICE = {"subject": "payer", "period": "ever", "count_max": 2}


async def _trade(books: Any) -> None:
    """Two funders; a quote captured and refunded in part, one released, one open."""
    revision = await books.live(
        "spring", 5_000, stage=4_000, limits=(PAYER_TWICE,), funders=(("bank", 60), ("shop", 40))
    )
    for payment in ("p1", "p2", "p3"):
        assert (await books.reserve(books.request(payment, {"spring": (revision, 500)})))[0]["outcome"] == "reserved"
        if payment == "p1":
            await books.capture("qte_p1", 9_000)
            await books.refund("p1", "r1", 1_000)
        if payment == "p2":
            await books.release("qte_p2")


async def _violated(books: Any) -> set[str]:
    return {violation.invariant for violation in (await verify(books.pool, books.house.id)).violations}


async def _tamper(books: Any, statement: str) -> None:
    """Change rows with their table's triggers off, foreign keys included, as only a superuser can."""
    tables = {word for word in statement.replace(";", " ").split() if word in TABLES}
    off = [f"alter table {table} disable trigger user" for table in tables]
    on = [f"alter table {table} enable trigger user" for table in tables]
    await as_owner(books, *off, *statement.split("; "), *on)


TABLES = {
    "accounts",
    "campaigns",
    "counters",
    "audits",
    "audit_heads",
    "quotes",
    "grants",
    "outbox",
    "limits",
    "entries",
    "proofs",
    "budgets",
    "refunds",
}

TAMPERING = [
    ("delete from counters where period = 'ever'", "counters_are_the_grants"),
    ("delete from counters where subject = 'payer'", "counters_are_the_grants"),
    ("update counters set amount = amount + 1 where subject = 'payer'", "counters_are_the_grants"),
    ("update campaigns set stage_open = stage_open - 1", "stage_open_is_the_money_behind_it"),
    ("update limits set count_max = 1", "limits_are_kept"),
    ("update limits set count_max = 3", "limits_are_those_that_went_live"),
    ("delete from limits", "limits_are_those_that_went_live"),
    ("update campaigns set stopped = true; update budgets set stopped = true", "what_runs_is_what_was_told"),
    ("update refunds set refund_id = 'r2'", "refunds_are_those_that_were_told"),
    ("update campaigns set proof = null", "what_is_live_is_proved"),
    ("update campaigns set proof = null; delete from proofs", "what_went_live_was_proved"),
    ("update proofs set is_proved = false, rows = jsonb_set(rows, '{0,verdict}', '0')", "what_is_live_is_proved"),
    ("update proofs set rows = rows || rows, questions = questions || questions", "proofs_are_what_was_proved"),
    ("update proofs set questions = '[\"(check-sat)\"]'", "proofs_are_what_was_proved"),
    ("delete from outbox where type = 'quote.captured'", "money_moves_only_with_an_event"),
    ("delete from audits; delete from audit_heads", "money_moves_only_in_audited_batches"),
    ("delete from audit_heads", "audit_chain_is_whole"),
    ("update audit_heads set seq = 0, hash = decode(repeat('00', 32), 'hex')", "audit_chain_is_whole"),
    ("update accounts set funder = 'mallory' where funder = 'bank'", "audit_chain_is_whole"),
    ("update accounts set currency = 'JPY'", "audit_chain_is_whole"),
    ("update accounts set kind = 'settled', funder = 'shop' where kind = 'granted'", "audit_chain_is_whole"),
    ("update quotes set payment_id = 'p9' where payment_id = 'p2'", "audit_chain_is_whole"),
    ("update quotes set benefits = '{}' where payment_id = 'p1'", "audit_chain_is_whole"),
    ("update quotes set decided_at = decided_at - interval '1 second'", "audit_chain_is_whole"),
    ("update quotes set valid_until = hold_until", "audit_chain_is_whole"),
    ("update quotes set payer_ref = null", "audit_chain_is_whole"),
    ("update quotes set seen = '[]'", "audit_chain_is_whole"),
    ("update grants set revision = 'rev_x' where quote_id = 'qte_p2'", "audit_chain_is_whole"),
    ("update grants set discount = 1 where quote_id = 'qte_p2'", "audit_chain_is_whole"),
]


@pytest.mark.parametrize(("statement", "invariant"), TAMPERING)
async def test_what_was_changed_behind_the_triggers_is_found(books: Any, statement: str, invariant: str) -> None:
    await _trade(books)
    await books.balanced()
    await _tamper(books, statement)
    assert invariant in await _violated(books)


async def test_the_last_act_cut_off_with_its_head_is_found(books: Any) -> None:
    await _trade(books)
    await campaigns.stop(books.pool, books.house.id, "ann", "spring", "wrong template")  # It moves no money.
    await _tamper(
        books,
        "update audit_heads h set seq = a.seq - 1, hash = a.prev from audits a "
        "where a.chain = 0 and h.chain = 0 and a.seq = h.seq; "
        "delete from audits a where chain = 0 and seq = (select max(seq) from audits where chain = 0)",
    )
    assert await _violated(books) == {"events_are_of_audited_batches", "what_runs_is_what_was_told"}


async def test_a_stop_that_is_ended_behind_the_triggers_is_found(books: Any) -> None:
    await _trade(books)
    await campaigns.stop(books.pool, books.house.id, "ann", "spring", "wrong template")
    await books.balanced()
    await _tamper(books, "update campaigns set stopped = false; update budgets set stopped = false")
    assert await _violated(books) == {"what_runs_is_what_was_told"}


async def test_a_limit_that_is_broken_by_all_shares_together_is_found(books: Any) -> None:
    all_payers = {"subject": "all", "period": "ever", "count_max": 3}
    revision = await books.live("spring", 5_000)
    await campaigns.split(books.pool, books.house.id, "bob", "spring", 2)
    of_the_second = Ledger(books.pool, lane=1)
    await of_the_second.reserve(books.house.id, "till", [books.request("p1", {"spring": (revision, 5)})])
    revision = await books.live("spring", 5_001, limits=(all_payers,))
    await books.reserve(*(books.request(payment, {"spring": (revision, 5)}) for payment in ("p2", "p3")))
    await books.balanced()
    await _tamper(books, "update limits set count_max = 2")
    assert "limits_are_kept" in await _violated(books)


async def test_a_limit_lowered_below_what_it_has_counted_is_no_violation(books: Any) -> None:
    await _trade(books)
    revision = await books.live("spring", 5_001, stage=4_000, limits=({**PAYER_TWICE, "count_max": 1},))
    await books.balanced()
    refused = await books.reserve(books.request("p4", {"spring": (revision, 1)}))
    assert refused[0]["refused"] == {"spring": "payer_limit_is_reached"}
    other = books.request("p5", {"spring": (revision, 1)}, payer_ref=b"\xab" * 32)
    assert (await books.reserve(other))[0]["outcome"] == "reserved"
    await books.balanced()


async def test_a_budget_that_is_lowered_leaves_the_stage_right(books: Any) -> None:
    await _trade(books)
    await books.live("spring", 3_000, stage=3_000, funders=(("bank", 60), ("shop", 40)))
    await books.balanced()


async def test_a_house_in_which_nothing_happened_is_balanced(books: Any) -> None:
    await save_snapshot(books.pool, books.house.id, "snp_none", "rev_none", [])
    assert (await verify(books.pool, books.house.id)).violations == ()

"""Every invariant of the ledger, recomputed from the stored rows in one snapshot of the store."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from makegood.store.pool import Connection, Pool, in_house

# Each query gives (subject, expected, found) for what is wrong, and nothing when all is well.
INVARIANTS: Mapping[str, str] = {
    "entry_balances": """
        select entry_id::text as subject, 0 as expected, sum(amount)::text as found from postings
        group by entry_id having sum(amount) <> 0""",
    "entry_has_postings": """
        select e.entry_id::text as subject, 'postings' as expected, 'none' as found from entries e
        where not exists (select from postings p where p.entry_id = e.entry_id)""",
    "balance_is_the_sum_of_postings": """
        select a.kind || ' of ' || a.campaign_id as subject, coalesce(sum(p.amount), 0)::text as expected, a.balance::text as found
        from accounts a left join postings p using (house_id, account_id)
        group by a.account_id, a.kind, a.campaign_id, a.balance having a.balance <> coalesce(sum(p.amount), 0)""",
    "balance_is_not_overdrawn": """
        select kind || ' of ' || campaign_id as subject, 'not overdrawn' as expected, balance::text as found from accounts
        where case when kind = 'funder' then balance > 0 else balance < 0 end""",
    "money_stays_in_its_campaign": """
        select campaign_id as subject, 0 as expected, sum(balance)::text as found from accounts
        group by campaign_id having sum(balance) <> 0""",
    "postings_are_legal": """
        select p.entry_id::text as subject, e.kind as expected, a.kind as found from postings p
        join entries e using (house_id, entry_id) join accounts a using (house_id, account_id)
        left join legal_postings l on l.entry_kind = e.kind and l.account_kind = a.kind and l.sign = sign(p.amount)
        where l.sign is null""",
    "committed_is_the_budget": """
        select c.campaign_id as subject, c.budget::text as expected, coalesce(sum(-a.balance), 0)::text as found
        from campaigns c left join accounts a on a.campaign_id = c.campaign_id and a.kind = 'funder'
        group by c.campaign_id, c.budget having c.budget <> coalesce(sum(-a.balance), 0)""",
    "reserved_is_the_open_holds": """
        select a.campaign_id as subject, coalesce(h.held, 0)::text as expected, a.balance::text as found from accounts a
        left join (select g.campaign_id, sum(g.discount) as held from grants g join quotes q using (house_id, quote_id)
                   where q.state = 'reserved' group by g.campaign_id) h using (campaign_id)
        where a.kind = 'reserved' and a.balance <> coalesce(h.held, 0)""",
    "granted_is_the_captures_less_returns": """
        select a.campaign_id as subject, coalesce(h.kept, 0)::text as expected, a.balance::text as found
        from (select campaign_id, sum(balance) as balance from accounts where kind in ('granted', 'settled') group by campaign_id) a
        left join (select g.campaign_id, sum(g.discount - g.returned) as kept from grants g join quotes q using (house_id, quote_id)
                   where q.state = 'captured' group by g.campaign_id) h using (campaign_id)
        where a.balance <> coalesce(h.kept, 0)""",
    "quote_is_the_sum_of_its_grants": """
        select q.quote_id as subject, q.discount || '/' || q.returned as expected, sum(g.discount) || '/' || sum(g.returned) as found
        from quotes q left join grants g using (house_id, quote_id) group by q.quote_id, q.discount, q.returned
        having (sum(g.discount), sum(g.returned)) is distinct from (q.discount, q.returned)""",
    "quote_is_booked_once": """
        select q.quote_id as subject, x.net::text as expected, coalesce(b.net, 0)::text as found from quotes q
        cross join lateral (select case q.state when 'reserved' then q.discount when 'captured' then q.discount - q.returned
                            else 0 end as net) x
        left join lateral (select sum(p.amount) as net from entries e join postings p using (house_id, entry_id)
                           join accounts a using (house_id, account_id)
                           where e.house_id = q.house_id and e.subject = q.quote_id and a.kind in ('reserved', 'granted')) b on true
        where x.net <> coalesce(b.net, 0)""",
    "refunds_add_up": """
        select q.quote_id as subject, q.refunded || '/' || q.returned as expected, p.amount || '/' || p.returned as found
        from quotes q cross join lateral (
            select coalesce(sum(r.amount), 0) + q.amount - q.captured as amount,
                   coalesce(sum(r.returned), 0) + coalesce((select sum(case when q.captured = 0 then g.discount
                       else floor(g.discount::numeric * (q.amount - q.captured) / q.amount) end) from grants g
                       where g.house_id = q.house_id and g.quote_id = q.quote_id), 0)::bigint as returned
            from refunds r where r.house_id = q.house_id and r.quote_id = q.quote_id) p
        where q.state = 'captured' and (p.amount, p.returned) is distinct from (q.refunded::numeric, q.returned::numeric)""",
    "returned_is_the_exact_share": """
        select q.quote_id || ' ' || g.campaign_id as subject, x.due::text as expected, g.returned::text as found
        from quotes q join grants g using (house_id, quote_id) cross join lateral (
            select case when q.refunded = q.amount then g.discount else floor(g.discount::numeric * q.refunded / q.amount) end as due) x
        where g.returned <> x.due""",
    "counted_are_the_standing_grants": """
        select q.quote_id as subject, q.state as expected, g.counted::text as found from grants g join quotes q using (house_id, quote_id)
        where g.counted <> (q.state in ('reserved', 'captured'))""",
    "counters_are_the_grants": """
        select c.campaign_id || ' ' || c.subject || ' ' || c.period || ' ' || c.slot as subject,
               count(g.*) || '/' || coalesce(sum(g.discount), 0) as expected, c.count || '/' || c.amount as found
        from counters c left join grants g on g.house_id = c.house_id and g.campaign_id = c.campaign_id and g.counted
            and c.ref = case c.subject when 'all' then ''::bytea when 'payer' then g.payer_ref when 'device' then g.device_ref
                        else g.payee_ref end
            and c.slot = case c.period when 'ever' then '' when 'day' then g.day else g.hour end
        group by c.house_id, c.campaign_id, c.subject, c.period, c.ref, c.slot, c.count, c.amount
        having (count(g.*), coalesce(sum(g.discount), 0)) is distinct from (c.count, c.amount::numeric)""",
    "money_moves_only_in_audited_batches": """
        select e.entry_id::text as subject, 'an audit row' as expected, 'none' as found from entries e
        left join audits a using (house_id, batch) where a.seq is null""",
}

_AUDITS = """
select a.*, (select coalesce(string_agg(
        length(e.entry_id::text) || ':' || e.entry_id || ',' || length(e.kind) || ':' || e.kind || ',' ||
        length(e.subject) || ':' || e.subject || ',' || length(p.account_id::text) || ':' || p.account_id || ',' ||
        length(p.amount::text) || ':' || p.amount, ';' order by p.entry_id, p.account_id), '')
    from entries e join postings p using (house_id, entry_id) where e.house_id = a.house_id and e.batch = a.batch) as postings
from audits a order by seq
"""


@dataclass(frozen=True, slots=True)
class Violation:
    """One invariant that does not hold, for one subject."""

    invariant: str
    subject: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verification found; `balanced` when nothing is wrong."""

    accounts: int
    entries: int
    violations: tuple[Violation, ...]

    @property
    def balanced(self) -> bool:
        """Whether every invariant holds."""
        return not self.violations


async def verify(pool: Pool, house: int) -> Verified:
    """Check every invariant of a house, on a running system too: all in one snapshot."""
    async with in_house(pool, house, read_only=True) as connection:
        violations: list[Violation] = []
        for name, query in INVARIANTS.items():
            rows = await connection.fetch(query + " limit 20", timeout=600)
            violations += [Violation(name, str(r["subject"]), str(r["expected"]), str(r["found"])) for r in rows]
        violations += await _chain(connection, house)
        accounts = await connection.fetchval("select count(*) from accounts")
        entries = await connection.fetchval("select count(*) from entries")
    return Verified(accounts, entries, tuple(violations))


async def _chain(connection: Connection, house: int) -> list[Violation]:
    previous, expected_seq = bytes(32), 1
    async for row in connection.cursor(_AUDITS, prefetch=1000, timeout=600):
        wrong = _row_is_wrong(row, previous, expected_seq)
        if wrong:
            return [Violation("audit_chain_is_whole", f"row {row['seq']}", "chained", wrong)]
        previous, expected_seq = row["hash"], expected_seq + 1
    head = await connection.fetchrow("select seq, hash from audit_heads where house_id = $1", house)
    if head is not None and (head["seq"], head["hash"]) != (expected_seq - 1, previous):
        return [Violation("audit_chain_is_whole", "head", str(head["seq"]), str(expected_seq - 1))]
    return []


def _row_is_wrong(row: Mapping[str, Any], previous: bytes, seq: int) -> str | None:
    if row["seq"] != seq or row["prev"] != previous:
        return "a row is missing"
    if hashlib.sha256(row["postings"].encode()).digest() != row["digest"]:
        return "its postings were changed"
    parts = [
        previous.hex(),
        str(seq),
        str(row["batch"]),
        row["at"],
        row["principal"],
        row["action"],
        row["subject"],
    ]
    parts += [row["detail"], row["digest"].hex()]
    text = ",".join(f"{len(part)}:{part}" for part in parts)
    return None if hashlib.sha256(text.encode()).digest() == row["hash"] else "the row was changed"

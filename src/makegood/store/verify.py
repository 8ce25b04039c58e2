"""Every invariant of the ledger, recomputed from the stored rows in one snapshot of the store."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from makegood.store import proofs
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
    "stage_open_is_the_money_behind_it": """
        select c.campaign_id as subject, c.stage_open::text as expected, coalesce(sum(a.balance), 0)::text as found
        from campaigns c left join accounts a on a.campaign_id = c.campaign_id and a.kind in ('stage', 'reserved', 'granted', 'settled')
        group by c.campaign_id, c.stage_open having c.stage_open <> coalesce(sum(a.balance), 0)""",
    "counters_are_the_grants": """
        with kept as (
            select campaign_id, subject, period from limits
            union select c.campaign_id, s.subject, s.period from campaigns c
            cross join (values ('all', 'ever'), ('all', 'day'), ('payer', 'ever')) s (subject, period)
        ), due as (
            select g.campaign_id, k.subject, k.period, x.ref, x.slot, count(*) as count, sum(g.discount) as amount
            from grants g join kept k using (campaign_id) cross join lateral (select
                case k.subject when 'all' then ''::bytea when 'payer' then g.payer_ref when 'device' then g.device_ref
                    else g.payee_ref end as ref,
                case k.period when 'ever' then '' when 'day' then g.day else g.hour end as slot) x
            where g.counted and x.ref is not null group by g.campaign_id, k.subject, k.period, x.ref, x.slot
        )
        select campaign_id || ' ' || subject || ' ' || period || ' ' || slot as subject,
            coalesce(d.count, 0) || '/' || coalesce(d.amount, 0) as expected,
            coalesce(c.count, 0) || '/' || coalesce(c.amount, 0) as found
        from due d full join counters c using (campaign_id, subject, period, ref, slot)
        where (coalesce(d.count, 0), coalesce(d.amount, 0)) <> (coalesce(c.count, 0), coalesce(c.amount, 0)::numeric)""",
    # A limit may be lowered below what it has counted; nothing is granted above it after that.
    "limits_are_kept": """
        with above as materialized (
            select c.*, l.count_max, l.amount_max from limits l join counters c using (house_id, campaign_id, subject, period)
            where c.count > l.count_max or c.amount > l.amount_max)
        select c.campaign_id || ' ' || c.subject || ' ' || c.period || ' ' || c.slot as subject,
            coalesce(c.count_max::text, '-') || '/' || coalesce(c.amount_max::text, '-') as expected, c.count || '/' || c.amount as found
        from above c where (
            select max(a.seq) from grants g join entries e on e.house_id = g.house_id and e.subject = g.quote_id and e.kind = 'reserve'
            join audits a on a.house_id = e.house_id and a.batch = e.batch
            where g.house_id = c.house_id and g.campaign_id = c.campaign_id
              and c.ref = case c.subject when 'all' then ''::bytea when 'payer' then g.payer_ref when 'device' then g.device_ref
                          else g.payee_ref end
              and c.slot = case c.period when 'ever' then '' when 'day' then g.day else g.hour end
            ) > (select max(seq) from audits s where s.action = 'campaign.live' and s.subject = c.campaign_id)""",
    # What goes live is audited with its limits, its budget and its proof, so that none of them can be changed unseen.
    "limits_are_those_that_went_live": """
        with said as (
            select distinct on (subject) subject, detail::jsonb as detail from audits where action = 'campaign.live'
            order by subject, seq desc
        ), due as (
            select s.subject as campaign_id, l.* from said s cross join lateral jsonb_to_recordset(s.detail -> 'limits')
                as l (subject text, period text, count_max bigint, amount_max bigint)
        )
        select campaign_id || ' ' || subject || ' ' || period as subject,
            coalesce(d.count_max::text, '-') || '/' || coalesce(d.amount_max::text, '-') as expected,
            coalesce(l.count_max::text, '-') || '/' || coalesce(l.amount_max::text, '-') as found
        from due d full join limits l using (campaign_id, subject, period)
        where d is null or l.house_id is null or (d.count_max, d.amount_max) is distinct from (l.count_max, l.amount_max)""",
    "what_is_live_is_proved": """
        select c.campaign_id as subject, 'a proof of ' || c.live as expected, coalesce(c.proof, 'none') as found
        from campaigns c join houses h using (house_id)
        left join proofs p on p.house_id = c.house_id and p.proof = c.proof and p.is_proved and p.revision = c.live
            and p.brief = c.brief
        where c.live is not null and p.proof is null and not 'proof' = any (h.guards_left_out)""",
    "what_went_live_was_proved": """
        select a.subject || ' ' || a.seq as subject, 'a proof' as expected, coalesce(a.detail::jsonb ->> 'proof', 'none') as found
        from audits a join houses h using (house_id)
        left join proofs p on p.house_id = a.house_id and p.is_proved and p.proof = a.detail::jsonb ->> 'proof'
            and p.revision = a.detail::jsonb ->> 'revision' and p.brief = a.detail::jsonb ->> 'brief'
            and p.policy = a.detail::jsonb ->> 'policy'
        where a.action = 'campaign.live' and p.proof is null and not 'proof' = any (h.guards_left_out)""",
    "what_resumed_was_proved": """
        select a.subject || ' ' || a.seq as subject, 'a proof' as expected, coalesce(a.detail::jsonb ->> 'proof', 'none') as found
        from audits a join houses h using (house_id)
        left join proofs p on p.house_id = a.house_id and p.is_proved and p.proof = a.detail::jsonb ->> 'proof'
        where a.action = 'campaign.resume' and p.proof is null and not 'proof' = any (h.guards_left_out)""",
    "money_moves_only_in_audited_batches": """
        select e.entry_id::text as subject, 'an audit row' as expected, 'none' as found from entries e
        left join audits a using (house_id, batch) where a.seq is null""",
    "money_moves_only_with_an_event": """
        select distinct e.batch::text as subject, 'an event' as expected, 'none' as found from entries e
        where not exists (select from outbox o where o.house_id = e.house_id and o.batch = e.batch)""",
    "events_are_of_audited_batches": """
        select o.event_id::text as subject, 'an audit row' as expected, 'none' as found from outbox o
        left join audits a using (house_id, batch) where a.seq is null""",
}


def _counted(*columns: str) -> str:
    """SQL for columns each behind its length: no two lists of values make the same text."""
    return " || ',' || ".join(f"length({column}::text) || ':' || {column}" for column in columns)


# What the digest of a batch covers, written without the functions that the database writes it with.
_POSTING = _counted(
    *("e.entry_id", "e.kind", "e.subject", "p.account_id", "a.kind", "a.campaign_id", "coalesce(a.funder, '')"),
    *("a.currency", "p.amount"),
)
_ANSWER = _counted(
    *("q.quote_id", "q.payment_id", "encode(q.content_hash, 'hex')", "coalesce(encode(q.payer_ref, 'hex'), '')"),
    *("q.currency", "q.amount", "q.discount", "extract(epoch from q.decided_at)", "extract(epoch from q.valid_until)"),
    *("extract(epoch from q.hold_until)", "q.snapshot", "q.seen::text", "q.benefits::text", "g.campaign_id"),
    *("g.revision", "g.discount", "g.day", "g.hour", "coalesce(encode(g.payer_ref, 'hex'), '')"),
    *("coalesce(encode(g.device_ref, 'hex'), '')", "encode(g.payee_ref, 'hex')"),
)
_AUDITS = f"""
select u.*, coalesce(m.postings, '') as postings, coalesce(w.answers, '') as answers
from audits u
left join (
    select e.house_id, e.batch, string_agg({_POSTING}, ';' order by p.entry_id, p.account_id) as postings
    from entries e join postings p using (house_id, entry_id) join accounts a using (house_id, account_id)
    group by e.house_id, e.batch) m using (house_id, batch)
left join (
    select e.house_id, e.batch, string_agg({_ANSWER}, ';' order by g.quote_id collate "C", g.campaign_id collate "C") as answers
    from entries e join quotes q on q.house_id = e.house_id and q.quote_id = e.subject
    join grants g on g.house_id = q.house_id and g.quote_id = q.quote_id
    where e.kind = 'reserve' group by e.house_id, e.batch) w using (house_id, batch)
order by u.seq
"""  # noqa: S608 - the columns are constants of ours


# Questions are long and are hashed where they lie.
_PROOFS = """
select proof, revision, brief, policy, live_set, is_proved, rows, exposure, solver, array(
    select encode(sha256(convert_to(q, 'UTF8')), 'hex') from jsonb_array_elements_text(questions) with ordinality as t (q, n)
    order by n) as asked
from proofs order by serial
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
        violations += await _proofs(connection)
        violations += await _chain(connection, house)
        accounts = await connection.fetchval("select count(*) from accounts")
        entries = await connection.fetchval("select count(*) from entries")
    return Verified(accounts, entries, tuple(violations))


async def _chain(connection: Connection, house: int) -> list[Violation]:
    # Whole tables are joined. Before their statistics are known the planner would loop over them row by row.
    # A cursor's plan would hurry to its first row; every row is read here.
    await connection.execute("set local enable_nestloop = off; set local cursor_tuple_fraction = 1")
    previous, expected_seq = bytes(32), 1
    async for row in connection.cursor(_AUDITS, prefetch=1000, timeout=600):
        wrong = _row_is_wrong(row, previous, expected_seq)
        if wrong:
            return [Violation("audit_chain_is_whole", f"row {row['seq']}", "chained", wrong)]
        previous, expected_seq = row["hash"], expected_seq + 1
    head = await connection.fetchrow("select seq, hash from audit_heads where house_id = $1", house)
    told = (0, bytes(32)) if head is None else (head["seq"], head["hash"])
    if told != (expected_seq - 1, previous):
        return [Violation("audit_chain_is_whole", "head", str(told[0]), str(expected_seq - 1))]
    return []


async def _proofs(connection: Connection) -> list[Violation]:
    """Each proof is named by what it says, and its rows name their questions."""
    async for row in connection.cursor(_PROOFS, prefetch=10, timeout=600):
        asked = [one.get("question_sha256") for one in row["rows"]]
        if proofs.name_of(row) != row["proof"] or row["asked"] != asked:
            return [Violation("proofs_are_what_was_proved", row["proof"], "its hash", "another content")]
    return []


def _row_is_wrong(row: Mapping[str, Any], previous: bytes, seq: int) -> str | None:
    if row["seq"] != seq or row["prev"] != previous:
        return "a row is missing"
    if hashlib.sha256(f"{row['postings']}|{row['answers']}".encode()).digest() != row["digest"]:
        return "its postings, or what was answered, were changed"
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

"""The audit chains: each row holds the hash of the one before it and a digest of what its batch did."""

import hashlib
from collections.abc import Mapping
from typing import Any

from makegood.store.pool import Connection


def _counted(*columns: str) -> str:
    """SQL for columns each behind its length: no two lists of values make the same text."""
    return " || ',' || ".join(f"length({column}::text) || ':' || {column}" for column in columns)


# What the digest of a batch covers, written without the functions that the database writes it with. The first form is that of
# versions before batches.
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
_FIRST_FORM = f"""
with once as (   -- What was one entry of several postings is several lines now.
    select distinct house_id, entry_id, batch, kind, subject from entries
    where batch <= (select max(batch) from audits where form = 1)
)
select u.chain, u.seq, coalesce(m.postings, '') || '|' || coalesce(w.answers, '') as said
from audits u
left join (
    select e.house_id, e.batch, string_agg({_POSTING}, ';' order by p.entry_id, p.account_id) as postings
    from once e join postings p using (house_id, entry_id) join accounts a using (house_id, account_id)
    group by e.house_id, e.batch) m using (house_id, batch)
left join (
    select e.house_id, e.batch, string_agg({_ANSWER}, ';' order by g.quote_id collate "C", g.campaign_id collate "C") as answers
    from once e join quotes q on q.house_id = e.house_id and q.quote_id = e.subject
    join grants g on g.house_id = q.house_id and g.quote_id = q.quote_id
    where e.kind = 'reserve' group by e.house_id, e.batch) w using (house_id, batch)
where u.form = 1
"""  # noqa: S608 - the columns are constants of ours

_SECOND_FORM = """
select u.chain, u.seq, coalesce(m.entries, '') || '|' || coalesce(a.accounts, '') || '|' || coalesce(w.quotes, '')
    || coalesce(w.grants, '') as said
from audits u
left join (
    select batch, string_agg((entry_id, line, kind, subject, from_account, to_account, amount)::text, ''
                             order by entry_id, line) as entries
    from entries group by batch) m using (batch)
left join (
    select l.batch, string_agg((x.account_id, x.kind, x.campaign_id, x.share, x.funder, x.currency)::text, ''
                               order by x.account_id) as accounts
    from (select batch, from_account as account_id from entries union select batch, to_account from entries) l
    join accounts x using (account_id) group by l.batch) a using (batch)
left join (
    select b.batch, string_agg(b.quote, '' order by b.quote_id collate "C") as quotes,
        string_agg(b.grants, '' order by b.quote_id collate "C") as grants
    from (
        select e.batch, q.quote_id, (
            q.quote_id, q.payment_id, q.content_hash, q.payer_ref, q.currency, q.amount, q.discount, extract(epoch from q.decided_at),
            extract(epoch from q.valid_until), extract(epoch from q.hold_until), q.snapshot, q.seen, q.benefits)::text as quote,
            g.grants
        from (select distinct batch, subject from entries where kind = 'reserve') e join quotes q on q.quote_id = e.subject
        join (select quote_id, string_agg((quote_id, campaign_id, revision, discount, day, hour, payer_ref, device_ref, payee_ref,
                share)::text, '' order by campaign_id collate "C") as grants from grants group by quote_id) g using (quote_id)) b
    group by b.batch) w using (batch)
where u.form = 2
"""

_AUDITS = f"""
select u.*, s.said from audits u left join (({_FIRST_FORM}) union all ({_SECOND_FORM})) s using (chain, seq) order by u.chain, u.seq
"""  # noqa: S608 - constants of ours


async def broken_links(connection: Connection) -> list[tuple[str, str, str]]:
    """Of each chain the first row that is wrong, or its head: (which, what it should be, what it is)."""
    # Whole tables are joined. Before their statistics are known the planner would loop over them row by row.
    # A cursor's plan would hurry to its first row; every row is read here.
    await connection.execute(
        "set local enable_nestloop = off; set local cursor_tuple_fraction = 1; set local bytea_output = 'hex'"
    )
    heads = {row["chain"]: (row["seq"], row["hash"]) for row in await connection.fetch("select * from audit_heads")}
    ends: dict[int, tuple[int, bytes]] = {}
    broken: dict[int, tuple[str, str, str]] = {}
    async for row in connection.cursor(_AUDITS, prefetch=1000, timeout=600):
        chain = row["chain"]
        seq, previous = ends.get(chain, (0, bytes(32)))
        wrong = _row_is_wrong(row, previous, seq + 1)
        if wrong and chain not in broken:
            broken[chain] = (f"row {row['seq']} of chain {chain}", "chained", wrong)
        ends[chain] = (row["seq"], row["hash"])
    for chain in sorted({*heads, *ends} - {*broken}):
        told, found = heads.get(chain, (0, bytes(32))), ends.get(chain, (0, bytes(32)))
        if told != found:
            broken[chain] = (f"head of chain {chain}", str(told[0]), str(found[0]))
    return list(broken.values())


def _row_is_wrong(row: Mapping[str, Any], previous: bytes, seq: int) -> str | None:
    if row["seq"] != seq or row["prev"] != previous:
        return "a row is missing"
    if hashlib.sha256(row["said"].encode()).digest() != row["digest"]:
        return "its entries, or what was answered, were changed"
    parts = [previous.hex(), *([] if row["form"] == 1 else [str(row["chain"])]), str(seq), str(row["batch"]), row["at"]]
    parts += [row["principal"], row["action"], row["subject"], row["detail"], row["digest"].hex()]
    text = ",".join(f"{len(part)}:{part}" for part in parts)
    return None if hashlib.sha256(text.encode()).digest() == row["hash"] else "the row was changed"

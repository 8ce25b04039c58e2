"""Documents, approvals and what is live."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from makegood.store.pool import Pool, call, in_house


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document to publish. `currency` is that of a campaign's policy."""

    kind: str
    subject: str
    revision: str
    canonical: bytes
    currency: str | None = None


async def publish(pool: Pool, house: int, principal: str, subject: str, documents: Sequence[NewDocument]) -> None:
    """Propose documents and audit it under `subject`: all of them, or none."""
    rows = [
        {"kind": x.kind, "subject": x.subject, "revision": x.revision, "canonical": x.canonical.hex(), "currency": x.currency}
        for x in documents
    ]  # fmt: skip
    await call(pool, "publish", house, principal, subject, rows)


async def document(pool: Pool, house: int, revision: str) -> dict[str, Any] | None:
    """A document by its revision."""
    async with in_house(pool, house) as connection:
        row = await connection.fetchrow("select * from documents where revision = $1", revision)
    return None if row is None else dict(row)


async def documents(pool: Pool, house: int, revisions: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Documents by revision."""
    async with in_house(pool, house) as connection:
        rows = await connection.fetch("select * from documents where revision = any ($1)", list(revisions))
    return {row["revision"]: dict(row) for row in rows}


async def proposed_brief(pool: Pool, house: int, campaign: str) -> dict[str, Any] | None:
    """The brief that is proposed for a campaign: the one that was published last, new or known."""
    async with in_house(pool, house) as connection:
        row = await connection.fetchrow(
            "select d.* from proposed_briefs b join documents d using (house_id, revision) where b.campaign_id = $1",
            campaign,
        )
    return None if row is None else dict(row)


async def of_subject(pool: Pool, house: int, kind: str, subject: str) -> list[dict[str, Any]]:
    """All documents of a kind and subject, oldest first."""
    async with in_house(pool, house) as connection:
        rows = await connection.fetch(
            "select * from documents where kind = $1 and subject = $2 order by serial", kind, subject
        )
    return [dict(row) for row in rows]


async def approve(pool: Pool, house: int, principal: str, subject: str, revision: str, brief: str) -> bool:
    """Record and audit a principal's yes to a revision beside a brief (empty: none). Whether it is new."""
    new: bool = await call(pool, "approve", house, principal, subject, revision, brief)
    return new


async def approvers(pool: Pool, house: int, revision: str, brief: str) -> frozenset[str]:
    """Who said yes to a revision beside this brief: a yes beside another one does not count."""
    async with in_house(pool, house) as connection:
        rows = await connection.fetch(
            "select principal from approvals where revision = $1 and brief = $2", revision, brief
        )
    return frozenset(row["principal"] for row in rows)


async def policy_in_force(pool: Pool, house: int, currency: str) -> dict[str, Any] | None:
    """The policy document of a currency."""
    async with in_house(pool, house) as connection:
        row = await connection.fetchrow(
            "select d.* from policies p join documents d using (house_id, revision) where p.currency = $1",
            currency,
        )
    return None if row is None else dict(row)


async def policies_in_force(pool: Pool, house: int) -> list[dict[str, Any]]:
    """The policy documents of all currencies."""
    async with in_house(pool, house) as connection:
        rows = await connection.fetch(
            "select d.* from policies p join documents d using (house_id, revision) order by p.currency"
        )
    return [dict(row) for row in rows]


_STANDING = """
select c.*, needs_new_revision(c) as needs_new_revision, w.wider,
    coalesce(a.budget, 0) as budget_left, coalesce(a.stage, 0) as stage_left, coalesce(a.reserved, 0) as reserved,
    coalesce(a.granted, 0) as granted, coalesce(q.open_quotes, 0) as open_quotes
from campaigns c
left join lateral (
    select sum(balance) filter (where kind = 'budget')::bigint as budget, sum(balance) filter (where kind = 'stage')::bigint as stage,
           sum(balance) filter (where kind = 'reserved')::bigint as reserved,
           sum(balance) filter (where kind in ('granted', 'settled'))::bigint as granted
    from accounts x where x.house_id = c.house_id and x.campaign_id = c.campaign_id) a on true
left join lateral (
    select sum(holds)::bigint as open_quotes from budgets b where b.house_id = c.house_id and b.campaign_id = c.campaign_id) q on true
left join lateral (
    select coalesce(jsonb_agg(to_jsonb(s) order by s.target), '[]') as wider from stops s
    where s.house_id = c.house_id and is_covered(s.house_id, s.target, c.campaign_id, c.label)) w on true
"""


async def standings(pool: Pool, house: int, campaign: str | None = None) -> list[dict[str, Any]]:
    """Every campaign (or one) with its state and money, and the wider stops that cover it, all read at one moment."""
    async with in_house(pool, house, read_only=True) as connection:
        rows = await connection.fetch(
            _STANDING + "where $1::text is null or c.campaign_id = $1 order by c.campaign_id", campaign
        )
    return [dict(row) for row in rows]


async def used_on(pool: Pool, house: int, campaign: str, day: str) -> tuple[int, int]:
    """Grants counted for a campaign on a day, and their minor units."""
    async with in_house(pool, house) as connection:
        row = await connection.fetchrow(
            """select coalesce(sum(count), 0)::bigint as count, coalesce(sum(amount), 0)::bigint as amount from counters
               where campaign_id = $1 and subject = 'all' and period = 'day' and slot = $2""",
            campaign, day,
        )  # fmt: skip
    return row["count"], row["amount"]


async def commitments(pool: Pool, house: int, campaign: str) -> dict[str, int]:
    """Minor units that each funder has committed to a campaign."""
    async with in_house(pool, house) as connection:
        rows = await connection.fetch(
            "select funder, -balance as amount from accounts where campaign_id = $1 and kind = 'funder'",
            campaign,
        )
    return {row["funder"]: row["amount"] for row in rows}


async def live_version(pool: Pool, house: int) -> int:
    """The version of the live set: what is read after this call is of this version or newer."""
    async with in_house(pool, house) as connection:
        version: int = await connection.fetchval("select coalesce((select version from live_sets), 0)")
    return version


async def stops(pool: Pool, house: int) -> dict[str, datetime]:
    """When each stopped campaign was stopped."""
    async with in_house(pool, house) as connection:
        rows = await connection.fetch("select campaign_id, stopped_at from campaigns where stopped")
    return {row["campaign_id"]: row["stopped_at"] for row in rows}


async def put_policy_in_force(
    pool: Pool,
    house: int,
    principal: str,
    currency: str,
    revision: str,
    version: int,
    proof: str | None,
    limits: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Make a policy revision the house's policy for its currency, if the live set is still of `version`.

    `proof` names the proof that all of it keeps the policy; None where nothing is live. `limits` are its limits across
    campaigns: {limit_id, labels (None: all), subject, period, count_max, amount_max}.
    """
    arguments = (house, principal, currency, revision, version, proof, list(limits))
    outcome: dict[str, Any] = await call(pool, "put_policy_in_force", *arguments)
    return outcome


async def go_live(pool: Pool, house: int, principal: str, campaign: str, plan: Mapping[str, Any]) -> dict[str, Any]:
    """Fund a revision and let it grant; see the function `go_live`."""
    outcome: dict[str, Any] = await call(pool, "go_live", house, principal, campaign, dict(plan))
    return outcome


async def split(pool: Pool, house: int, principal: str, campaign: str, shares: int) -> dict[str, Any]:
    """Split a campaign's budget into shares, so that several writers do not wait for each other."""
    outcome: dict[str, Any] = await call(pool, "split_budget", house, principal, campaign, shares)
    return outcome


async def open_stage(
    pool: Pool,
    house: int,
    principal: str,
    campaign: str,
    revision: str,
    cumulative: int,
    evidence: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Open a campaign's budget up to `cumulative` minor units, if `revision` is the live one; a person without evidence."""
    seen = None if evidence is None else dict(evidence)
    outcome: dict[str, Any] = await call(pool, "open_stage", house, principal, campaign, revision, cumulative, seen)
    return outcome


async def stop(pool: Pool, house: int, principal: str, campaign: str, reason: str) -> dict[str, Any]:
    """Stop a campaign; once this returns, nothing commits a grant of it."""
    outcome: dict[str, Any] = await call(pool, "stop_campaign", house, principal, campaign, reason)
    return outcome


async def resume(
    pool: Pool, house: int, principal: str, campaign: str, reason: str, seconds: int, proof: str | None
) -> dict[str, Any]:
    """Ask for a resume, or confirm another principal's request, on a proof of today."""
    arguments = (house, principal, campaign, reason, seconds, proof)
    outcome: dict[str, Any] = await call(pool, "resume_campaign", *arguments)
    return outcome

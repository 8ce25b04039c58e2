"""Publishing and approving, and what there is."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from makegood.clock import Instant
from makegood.documents.document import Bundle, PolicyDocument
from makegood.documents.read import read_documents
from makegood.documents.source import Source
from makegood.domain.review import Scope, State
from makegood.errors import Problem, ProblemCode
from makegood.findings import Finding
from makegood.services.access import Caller, require
from makegood.services.live import live_set, policy_of
from makegood.services.platform import Platform, turn_of
from makegood.services.proofs import why_absent
from makegood.services.proposed import (
    documents_of,
    read_sources,
    refuse_errors,
    refuse_past,
    require_scopes,
    subject_of,
)
from makegood.services.recheck import prove_policy
from makegood.services.reviews import TRIES_MAX, advance, proposal_of
from makegood.services.views import CampaignView, house_clock, state_of, view_of, views
from makegood.store import campaigns as rows


@dataclass(frozen=True, slots=True)
class Published:
    """One document after publishing or approving it. `missing` is what it still lacks before it runs.

    `proofs` are the rows of the proof that was made of a campaign; `hint` says why none could be made.
    """

    kind: str
    id: str
    revision: str
    state: State
    missing: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    proved: bool = False
    proof: str | None = None
    proofs: tuple[Mapping[str, Any], ...] = ()
    hint: str | None = None


async def publish(platform: Platform, caller: Caller, sources: Sequence[Source]) -> list[Published]:
    """Propose documents: all of them, or none if one has an error or the caller may not publish its kind.

    A campaign goes live at once when nothing is missing. Raises Problem with every error finding.
    """
    bundle = await read_sources(platform, caller, sources)
    require_scopes(caller, bundle)
    refuse_errors(bundle)
    if caller.house.live:
        refuse_past(bundle)
    pool, house = platform.store.pool, caller.house.id
    seen = await rows.stops(pool, house)
    documents = documents_of(bundle)
    await rows.publish(pool, house, caller.principal, subject_of(bundle), [new for new, _ in documents])
    published = [await _published(platform, caller, *one) for one in documents if one[0].kind != "campaign"]
    touched = {brief.id for brief in bundle.briefs} | {campaign.id for campaign in bundle.campaigns}
    return published + await _advance_all(platform, caller, touched, bundle, seen)


async def approve(platform: Platform, caller: Caller, revision: str) -> Published:
    """A principal's yes to the bytes that a revision names; the campaign runs once nothing is missing.

    Raises Problem(PRINCIPAL_MAY_NOT) for whoever wrote the campaign, its brief or the policy.
    """
    require(caller, Scope.APPROVE)
    pool, house = platform.store.pool, caller.house.id
    stored = await rows.document(pool, house, revision)
    if stored is None:
        raise Problem(ProblemCode.NOT_FOUND, "there is no such revision")
    if stored["kind"] not in ("policy", "campaign"):
        raise Problem(ProblemCode.STATE_FORBIDS, f"a {stored['kind']} needs no approval; approve the campaign")
    seen = await rows.stops(pool, house)
    brief = await rows.proposed_brief(pool, house, stored["subject"]) if stored["kind"] == "campaign" else None
    authors = {stored["author"]} | ({brief["author"]} if brief is not None else set())
    if caller.principal in authors:
        raise Problem(
            ProblemCode.PRINCIPAL_MAY_NOT,
            f"`{caller.principal}` wrote it: brief, campaign and approval take three principals",
        )
    beside = brief["revision"] if brief is not None else ""
    await rows.approve(pool, house, caller.principal, stored["subject"], revision, beside)
    if stored["kind"] == "policy":
        return await _policy_in_force(platform, caller, stored, seen)
    return (await _advance_all(platform, caller, {stored["subject"]}, None, seen))[0]


async def list_campaigns(platform: Platform, caller: Caller) -> list[CampaignView]:
    """Every campaign of the house, by id."""
    require(caller, Scope.READ)
    return await views(platform, caller.house)


async def get_campaign(platform: Platform, caller: Caller, campaign_id: str) -> CampaignView:
    """One campaign. Raises Problem(NOT_FOUND)."""
    require(caller, Scope.READ)
    return await view_of(platform, caller, campaign_id)


# -- publishing ---------------------------------------------------------------------------------------


async def _published(
    platform: Platform, caller: Caller, new: rows.NewDocument, findings: tuple[Finding, ...]
) -> Published:
    if new.kind != "policy":
        return Published(new.kind, new.subject, new.revision, State.APPROVED, (), findings)
    in_force = await rows.policy_in_force(platform.store.pool, caller.house.id, new.subject)
    if in_force is not None and in_force["revision"] == new.revision:
        return Published(new.kind, new.subject, new.revision, State.RUNNING, (), findings)
    return Published(new.kind, new.subject, new.revision, State.IN_REVIEW, ("approval:1",), findings)


async def _advance_all(
    platform: Platform, caller: Caller, touched: set[str], bundle: Bundle | None, seen: Mapping[str, datetime]
) -> list[Published]:
    findings = {one.id: one.findings for one in bundle.campaigns} if bundle is not None else {}
    published = []
    for campaign_id in sorted(touched):
        if not await rows.standings(platform.store.pool, caller.house.id, campaign_id):
            continue  # A brief before its campaign.
        proposal = await advance(platform, caller, campaign_id, seen.get(campaign_id))
        standing = (await rows.standings(platform.store.pool, caller.house.id, campaign_id))[0]
        campaign = proposal.document.campaign if proposal.document is not None else None
        now = await house_clock(platform, caller.house)
        state = state_of(standing, proposal, campaign, now) if campaign is not None else State.DRAFT
        published.append(
            Published(
                "campaign",
                campaign_id,
                proposal.revision,
                state,
                proposal.missing,
                findings.get(campaign_id, ()),
                proved=proposal.is_proved,
                proof=proposal.proof.proof if proposal.proof is not None else None,
                proofs=proposal.proof.rows if proposal.proof is not None else (),
                hint=why_absent() if "proof" in proposal.missing else None,
            )
        )
    await live_set(platform, caller.house, fresh=True)
    return published


async def _policy_in_force(
    platform: Platform, caller: Caller, stored: dict[str, Any], seen: Mapping[str, datetime]
) -> Published:
    """Put an approved policy in force, if everything live still reads by it, and see what can run now."""
    await _put_in_force(platform, caller, stored)
    standings = await rows.standings(platform.store.pool, caller.house.id)
    waiting = [s for s in standings if s["currency"] == stored["subject"] and s["live"] != s["proposed"]]
    touched = {s["campaign_id"] for s in waiting if await _lacks_only_a_proof(platform, caller, s)}
    await _advance_all(platform, caller, touched, None, seen)
    return Published("policy", stored["subject"], stored["revision"], State.RUNNING, ())


async def _lacks_only_a_proof(platform: Platform, caller: Caller, standing: Mapping[str, Any]) -> bool:
    """Whether a proof could let it run now: who approves a policy does not wait for proofs of what nobody approved."""
    proposal = await proposal_of(platform, caller.house, standing)
    return all(lack.partition(":")[0] == "proof" for lack in proposal.missing)


async def _put_in_force(platform: Platform, caller: Caller, stored: dict[str, Any]) -> None:
    """What goes live between the check and the act would not have been checked: then it is checked again."""
    pool, house, policy = platform.store.pool, caller.house.id, policy_of(stored)
    async with turn_of(platform, house):
        for _ in range(TRIES_MAX):
            version = await rows.live_version(pool, house)
            await _refuse_policy_that_breaks_live(platform, caller, policy)
            proof = await prove_policy(platform, caller, policy)
            name = proof.proof if proof is not None else None
            subject, revision = stored["subject"], stored["revision"]
            outcome = await rows.put_policy_in_force(
                pool, house, caller.principal, subject, revision, version, name, _limits_across(policy)
            )
            if outcome["outcome"] == "done":
                return
    raise Problem(ProblemCode.REVISION_HAS_CHANGED, "others changed what is live meanwhile; look again")


def _limits_across(document: PolicyDocument) -> list[dict[str, Any]]:
    """The policy's limits across campaigns, as the store keeps them."""
    assert document.policy is not None
    return [
        {
            "limit_id": shared.id,
            "labels": None if shared.labels is None else list(shared.labels),
            "subject": shared.limit.subject,
            "period": shared.limit.period,
            "count_max": shared.limit.count_max,
            "amount_max": shared.limit.amount_max,
        }
        for shared in document.policy.limits
    ]


async def _refuse_policy_that_breaks_live(platform: Platform, caller: Caller, policy: PolicyDocument) -> None:
    assert policy.policy is not None
    standings = await rows.standings(platform.store.pool, caller.house.id)
    live = [s["live"] for s in standings if s["live"] is not None and s["currency"] == policy.policy.currency]
    stored = await rows.documents(platform.store.pool, caller.house.id, live)
    sources = [Source(row["subject"], row["canonical"]) for row in stored.values()]
    refuse_errors(await asyncio.to_thread(read_documents, sources, now=Instant(0), policy=policy))

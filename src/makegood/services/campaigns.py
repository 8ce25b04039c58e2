"""Publishing, approving, stopping and resuming."""

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
from makegood.errors import FieldError, Problem, ProblemCode
from makegood.findings import Finding
from makegood.limits import RESUME_CONFIRM_SECONDS, TEXT_CHARS_MAX
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
from makegood.services.recheck import prove_live, prove_policy
from makegood.services.reviews import TRIES_MAX, advance, proposal_of
from makegood.services.views import CampaignView, house_clock, state_of, views
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


@dataclass(frozen=True, slots=True)
class Stopped:
    """What a stop stopped, and how many quotes that were shown before stay good."""

    stopped: tuple[str, ...]
    honoured_quotes: int


@dataclass(frozen=True, slots=True)
class Resumed:
    """`state` is `requested` until another principal confirms, by `confirm_by`; then the campaign's state."""

    campaign: str
    state: str
    confirm_by: Instant | None


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


async def stop_campaign(platform: Platform, caller: Caller, campaign_id: str, reason: str) -> Stopped:
    """Stop new grants of a campaign, at once and everywhere. Quotes already shown stay good."""
    require(caller, Scope.OPERATE)
    outcome = await rows.stop(platform.store.pool, caller.house.id, caller.principal, campaign_id, _reason(reason))
    _raise_for(outcome, campaign_id, "it is not live, so there is nothing to stop")
    await live_set(platform, caller.house, fresh=True)
    return Stopped((f"campaign:{campaign_id}",), outcome["honoured_quotes"])


async def resume_campaign(platform: Platform, caller: Caller, campaign_id: str, reason: str) -> Resumed:
    """Ask for a resume, or confirm what another principal asked for. The author may do neither.

    Both times it is proved again against today's policy and everything live. Raises Problem(NOT_PROVED).
    """
    require(caller, Scope.RESUME)
    outcome = await _resumed(platform, caller, campaign_id, _reason(reason))
    if outcome["outcome"] == "principal_may_not":
        raise Problem(ProblemCode.PRINCIPAL_MAY_NOT, "whoever wrote the campaign does not resume it")
    if outcome["outcome"] == "resume_needs_another":
        raise Problem(
            ProblemCode.RESUME_NEEDS_ANOTHER,
            f"your request stands until {outcome['until']}; another principal confirms it",
        )
    await live_set(platform, caller.house, fresh=True)
    if outcome["outcome"] == "requested":
        return Resumed(campaign_id, "requested", Instant.of(datetime.fromisoformat(outcome["until"])))
    return Resumed(campaign_id, (await _one(platform, caller, campaign_id)).state, None)


async def open_stage(
    platform: Platform, caller: Caller, campaign_id: str, *, opened_minor: int | None = None
) -> CampaignView:
    """Open a campaign's next stage by hand: the one after `opened_minor`, what the caller saw as open.

    Sent twice it opens one stage. Without `opened_minor` it opens whichever is next.
    """
    require(caller, Scope.OPERATE)
    view = await _one(platform, caller, campaign_id)
    if opened_minor is not None and opened_minor != view.stage_minor:
        raise Problem(ProblemCode.STATE_FORBIDS, "another stage was opened meanwhile; look again")
    following = [stage for stage in view.stages_minor if stage > view.stage_minor]
    if not following:
        raise Problem(ProblemCode.STATE_FORBIDS, "the last stage is open: the whole budget")
    pool = platform.store.pool
    outcome = await rows.open_stage(pool, caller.house.id, caller.principal, campaign_id, view.revision, following[0])
    _raise_for(outcome, campaign_id, "only a campaign that is live, unchanged and not stopped opens a stage")
    return await _one(platform, caller, campaign_id)


async def list_campaigns(platform: Platform, caller: Caller) -> list[CampaignView]:
    """Every campaign of the house, by id."""
    require(caller, Scope.READ)
    return await views(platform, caller.house)


async def get_campaign(platform: Platform, caller: Caller, campaign_id: str) -> CampaignView:
    """One campaign. Raises Problem(NOT_FOUND)."""
    require(caller, Scope.READ)
    return await _one(platform, caller, campaign_id)


async def _one(platform: Platform, caller: Caller, campaign_id: str) -> CampaignView:
    found = await views(platform, caller.house, campaign_id)
    if not found:
        raise Problem(ProblemCode.NOT_FOUND, f"there is no campaign `{campaign_id[:80]}`")
    return found[0]


async def _resumed(platform: Platform, caller: Caller, campaign_id: str, reason: str) -> dict[str, Any]:
    """What the store says to a resume, on a proof of what is live at that moment."""
    pool, house = platform.store.pool, caller.house.id
    async with turn_of(platform, house):
        for _ in range(TRIES_MAX):
            proof = await prove_live(platform, caller, campaign_id)
            name = proof.proof if proof is not None else None
            seconds = RESUME_CONFIRM_SECONDS
            outcome = await rows.resume(pool, house, caller.principal, campaign_id, reason, seconds, name)
            if outcome["outcome"] != "revision_has_changed":
                _raise_for(outcome, campaign_id, "it is not stopped")
                return outcome
    raise Problem(ProblemCode.REVISION_HAS_CHANGED, "others changed what is live meanwhile; look again")


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
            outcome = await rows.put_policy_in_force(pool, house, caller.principal, subject, revision, version, name)
            if outcome["outcome"] == "done":
                return
    raise Problem(ProblemCode.REVISION_HAS_CHANGED, "others changed what is live meanwhile; look again")


async def _refuse_policy_that_breaks_live(platform: Platform, caller: Caller, policy: PolicyDocument) -> None:
    assert policy.policy is not None
    standings = await rows.standings(platform.store.pool, caller.house.id)
    live = [s["live"] for s in standings if s["live"] is not None and s["currency"] == policy.policy.currency]
    stored = await rows.documents(platform.store.pool, caller.house.id, live)
    sources = [Source(row["subject"], row["canonical"]) for row in stored.values()]
    refuse_errors(await asyncio.to_thread(read_documents, sources, now=Instant(0), policy=policy))


def _reason(reason: str) -> str:
    text = reason.strip() if isinstance(reason, str) else ""
    if not text or len(text) > TEXT_CHARS_MAX or "\0" in text:
        where = FieldError("/reason", f"must be a text of 1 to {TEXT_CHARS_MAX} characters")
        raise Problem(
            ProblemCode.REQUEST_IS_INVALID,
            "a reason is needed: it goes into the audit trail",
            errors=(where,),
        )
    return text


def _raise_for(outcome: dict[str, Any], campaign_id: str, why: str) -> None:
    if outcome["outcome"] == "not_found":
        raise Problem(ProblemCode.NOT_FOUND, f"there is no campaign `{campaign_id[:80]}`")
    if outcome["outcome"] == "state_forbids":
        raise Problem(ProblemCode.STATE_FORBIDS, why)

"""What a proposed revision still lacks before it may run, and its going live once it lacks nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from makegood.clock import Instant
from makegood.documents.document import CampaignDocument, PolicyDocument
from makegood.documents.read import read_documents
from makegood.documents.signature import verify_signature
from makegood.documents.source import Source
from makegood.documents.worst import worst_loss
from makegood.domain.brief import Share
from makegood.domain.campaign import Campaign
from makegood.domain.review import Guard, Review
from makegood.errors import Problem, ProblemCode
from makegood.money import format_money, split
from makegood.services.access import Caller, House
from makegood.services.live import brief_of, campaign_of, policy_of
from makegood.services.platform import Platform, turn_of
from makegood.services.proofs import Proof, proof_beside, proof_named, proof_of_world, world_of
from makegood.services.proving import prove_revision
from makegood.services.slices import slices_of
from makegood.store import campaigns as rows

TRIES_MAX = 5  # Of going live, or of a policy coming into force, while others change the house.


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed revision with everything that decides on it. `document` is None without a policy to read it by.

    `proof` is the newest of this revision, brief and policy; `is_proved` says that it is a yes among what is live now.
    """

    campaign_id: str
    revision: str
    author: str
    document: CampaignDocument | None
    policy: PolicyDocument | None
    brief: Mapping[str, Any] | None
    review: Review
    proof: Proof | None = None
    is_proved: bool = False

    @property
    def missing(self) -> tuple[str, ...]:
        """What is missing, in words that scripts read; empty: it may run."""
        return self.review.missing()


async def proposal_of(platform: Platform, house: House, standing: Mapping[str, Any]) -> Proposal:
    """The newest proposal of a campaign, as it stands now."""
    pool = platform.store.pool
    stored = await rows.document(pool, house.id, standing["proposed"])
    assert stored is not None, "a proposal was stored before it was proposed"
    policy_row = await rows.policy_in_force(pool, house.id, standing["currency"])
    policy = policy_of(policy_row) if policy_row is not None else None
    brief = await rows.proposed_brief(pool, house.id, standing["campaign_id"])
    document = campaign_of(stored, policy) if policy is not None else None
    # What a policy refuses is not there to be approved, though it could be read.
    campaign = document.campaign if document is not None and not document.has_errors else None
    review = Review(
        campaign_author=stored["author"],
        brief_author=brief["author"] if brief is not None else None,
        policy_present=campaign is not None,
        approvers=await rows.approvers(pool, house.id, stored["revision"], brief["revision"] if brief else ""),
        approvals_needed=_approvals(campaign, policy),
        signatures_missing=await _unsigned(platform, house, campaign, policy, brief),
    )
    made = Proposal(standing["campaign_id"], stored["revision"], stored["author"], document, policy, brief, review)
    if standing["live"] == made.revision:  # What runs was proved when it went live; nothing is missing of that.
        proof = await proof_named(platform, house, standing["proof"])
        return replace(made, proof=proof, is_proved=proof is not None)
    if campaign is None or policy is None or brief is None or Guard.PROOF in house.guards_left_out:
        return made
    revisions = (made.revision, brief["revision"], policy.revision)
    world = await world_of(platform, house, standing["currency"], made.campaign_id, *revisions)
    exact = await proof_of_world(platform, house, world)
    return _with_proof(made, exact or await proof_beside(platform, house, *revisions), is_exact=exact is not None)


def _with_proof(proposal: Proposal, proof: Proof | None, *, is_exact: bool) -> Proposal:
    unproved = proof.unproved if proof is not None else ()
    absent = proof is None or not (proof.is_proved or unproved)  # A proof without a row says nothing.
    review = replace(proposal.review, unproved=unproved, proof_absent=absent)
    return replace(proposal, review=review, proof=proof, is_proved=proof is not None and proof.is_proved and is_exact)


async def advance(platform: Platform, caller: Caller, campaign_id: str, seen: datetime | None) -> Proposal:
    """Prove a campaign's proposal and let it go live if it lacks nothing; `seen` is the stop the caller found, if any.

    What others change meanwhile is looked at again, a few times: what went live beside it makes its proof old. Raises
    Problem where the ledger forbids it, and where somebody stopped the campaign meanwhile: only who saw a stop may end
    it.
    """
    async with turn_of(platform, caller.house.id):
        return await _advance(platform, caller, campaign_id, seen)


async def _advance(platform: Platform, caller: Caller, campaign_id: str, seen: datetime | None) -> Proposal:
    for _ in range(TRIES_MAX):
        standing = (await rows.standings(platform.store.pool, caller.house.id, campaign_id))[0]
        proposal = await proposal_of(platform, caller.house, standing)
        if standing["live"] == proposal.revision:
            return proposal
        proposal = await _proved(platform, caller, standing, proposal)
        if proposal.missing:
            return proposal
        if standing["stopped_at"] not in (None, seen):
            raise Problem(
                ProblemCode.REVISION_HAS_CHANGED,
                f"the campaign was stopped meanwhile, by {standing['stopped_by']}; it stays stopped",
                hint="look at the reason, then approve the revision again if it is to run",
            )
        if await _went_live(platform, caller, standing, proposal):
            return proposal
    raise Problem(ProblemCode.REVISION_HAS_CHANGED, "others changed the campaign meanwhile; look again")


async def _proved(platform: Platform, caller: Caller, standing: Mapping[str, Any], proposal: Proposal) -> Proposal:
    """The proposal with a proof among what is live now, as far as one can be made; without the guard as it is."""
    document, policy, brief = proposal.document, proposal.policy, proposal.brief
    unread = document is None or document.campaign is None or document.has_errors
    if unread or policy is None or brief is None or Guard.PROOF in caller.house.guards_left_out:
        return proposal
    assert document is not None
    revisions = (proposal.revision, brief["revision"], policy.revision)
    world = await world_of(platform, caller.house, standing["currency"], proposal.campaign_id, *revisions)
    proof = await prove_revision(platform, caller, world, document, policy)
    return _with_proof(proposal, proof, is_exact=True)


def _approvals(campaign: Campaign | None, policy: PolicyDocument | None) -> int:
    if campaign is None or policy is None or policy.policy is None:
        return 1
    return policy.policy.approvers_for(worst_loss(campaign, policy.policy).total_minor)


async def _unsigned(
    platform: Platform,
    house: House,
    campaign: Campaign | None,
    policy: PolicyDocument | None,
    brief: Mapping[str, Any] | None,
) -> tuple[str, ...]:
    """The owner of the campaign's label, if it is owned and has not signed the brief."""
    if campaign is None or policy is None or policy.policy is None:
        return ()
    owner = policy.policy.labels[campaign.label].owner
    if owner is None:
        return ()
    signed = brief is not None and await _signed(platform, house, brief["revision"], owner, policy)
    return () if signed else (owner,)


async def _signed(platform: Platform, house: House, brief: str, owner: str, policy: PolicyDocument) -> bool:
    assert policy.policy is not None
    keys = policy.policy.funders[owner].keys
    stored = await rows.of_subject(platform.store.pool, house.id, "signature", brief)
    sources = [Source(row["revision"], row["canonical"]) for row in stored]
    bundle = read_documents(sources, now=Instant(0), policy=policy)
    signatures = [one.signature for one in bundle.signatures if one.signature is not None]
    return any(one.signer == owner and one.document == brief and verify_signature(one, keys) for one in signatures)


async def _went_live(platform: Platform, caller: Caller, standing: Mapping[str, Any], proposal: Proposal) -> bool:
    """Whether the proposal is live now; not, where what its plan was made from has changed."""
    assert proposal.document is not None and proposal.document.campaign is not None
    assert proposal.brief is not None and proposal.policy is not None
    campaign, policy = proposal.document.campaign, proposal.policy.policy
    assert policy is not None
    brief = brief_of(proposal.brief, proposal.policy)
    await _refuse_new_funding(platform, caller.house, standing, campaign)
    committed = await rows.commitments(platform.store.pool, caller.house.id, campaign.id)
    stopped_at = standing["stopped_at"]
    plan = {
        "revision": proposal.revision,
        "live": standing["live"],
        "stopped_at": stopped_at.isoformat() if stopped_at is not None else None,
        "brief": proposal.brief["revision"],
        "policy": proposal.policy.revision,
        "proof": proposal.proof.proof if proposal.proof is not None else None,
        "label": campaign.label,
        "budget": campaign.budget,
        "first_stage": slices_of(caller.house, campaign, policy, brief.stage_first_max if brief is not None else None)[
            0
        ],
        "limits": [
            {"subject": x.subject, "period": x.period, "count_max": x.count_max, "amount_max": x.amount_max}
            for x in campaign.limits
        ],
        "funding": funding_change(campaign.funding, campaign.budget, committed),
    }
    outcome = await rows.go_live(platform.store.pool, caller.house.id, caller.principal, campaign.id, plan)
    if outcome["outcome"] == "budget_is_below_use":
        used = format_money(outcome["used"], standing["currency"])
        raise Problem(
            ProblemCode.BUDGET_IS_BELOW_USE,
            f"the budget would be below the {used} that are reserved and granted; the old revision stays",
            hint=f"publish a revision with a budget of {used} or more, or stop the campaign",
        )
    return bool(outcome["outcome"] == "done")


def funding_change(shares: tuple[Share, ...], budget: int, committed: Mapping[str, int]) -> list[dict[str, Any]]:
    """What each funder commits more (or less), so that all have committed their share of `budget`.

    Counted from what they committed, not from the change: shares that round would drift apart with every change.
    """
    parts = split(budget, [share.basis_points for share in shares])
    due = {share.funder: part for share, part in zip(shares, parts, strict=True)}
    changes = {funder: due.get(funder, 0) - committed.get(funder, 0) for funder in sorted({*due, *committed})}
    return [{"funder": funder, "amount": change} for funder, change in changes.items() if change]


async def _refuse_new_funding(
    platform: Platform, house: House, standing: Mapping[str, Any], campaign: Campaign
) -> None:
    """Who pays for a live campaign does not change: what was granted was granted on their account."""
    if standing["live"] is None:
        return
    pool = platform.store.pool
    stored = await rows.documents(pool, house.id, [standing["live"], standing["policy"]])
    before = campaign_of(stored[standing["live"]], policy_of(stored[standing["policy"]])).campaign
    assert before is not None
    if before.funding != campaign.funding:
        raise Problem(
            ProblemCode.STATE_FORBIDS,
            "the funding of a campaign that has run does not change; the old revision stays",
            hint="publish it under a new id",
        )

"""A campaign as people see it: its document, its state and its money, all at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from makegood.clock import Instant
from makegood.documents.summary import summarise
from makegood.documents.worst import worst_loss
from makegood.domain.campaign import Campaign
from makegood.domain.limit import Period, Subject
from makegood.domain.policy import Policy
from makegood.domain.review import State, state_in_time
from makegood.errors import Problem, ProblemCode
from makegood.services.access import Caller, House
from makegood.services.live import brief_of, campaign_of, live_set, policy_of
from makegood.services.platform import Platform
from makegood.services.reviews import Proposal, proposal_of
from makegood.services.slices import slices_of
from makegood.store import campaigns as rows
from makegood.store import records


@dataclass(frozen=True, slots=True)
class CampaignView:
    """Money in minor units of `currency`. `missing` is what the newest proposal lacks.

    `stopped_targets` are all stops that hold it, its own first; who stopped it, when and why, and who asked for a
    resume, are those of the first. `needs_new_revision`: a guard stopped it, and a resume does not help.

    `proved`: what runs went live with `proof`, or what is proposed is proved among what is live now. `guards_left_out`
    are those that this test house was made without.
    """

    id: str
    revision: str
    proposed: str
    title: dict[str, str]
    label: str
    label_text: dict[str, str]
    state: State
    proved: bool
    proof: str | None
    guards_left_out: tuple[str, ...]
    currency: str
    timezone: str
    opens: Instant
    closes: Instant
    summary: dict[str, str]
    budget_minor: int
    stage_minor: int
    stages_minor: tuple[int, ...]
    reserved_minor: int
    granted_minor: int
    left_minor: int
    stage_left_minor: int
    granted_today_minor: int
    grants_today: int
    per_day_minor: int | None
    open_quotes: int
    missing: tuple[str, ...]
    author: str
    brief_author: str | None
    approvers: tuple[str, ...]
    approvals_needed: int
    stopped_targets: tuple[str, ...]
    stopped_by: str | None
    stopped_at: Instant | None
    stop_reason: str | None
    resume_requested_by: str | None
    resume_confirm_by: Instant | None
    tripped_by: str | None
    needs_new_revision: bool
    worst_minor: dict[str, int]
    as_of: Instant


async def house_clock(platform: Platform, house: House) -> Instant:
    """The time a house goes by: the store's, or in a test house that of its latest payment."""
    now = (await live_set(platform, house)).store_clock()
    if house.live:
        return now
    latest = await records.latest_decision(platform.store.pool, house.id)
    return now if latest is None else Instant.of(latest)


async def views(platform: Platform, house: House, campaign: str | None = None) -> list[CampaignView]:
    """Every campaign of a house, or one, that a policy in force can read; by id."""
    now = await house_clock(platform, house)
    found = []
    for standing in await rows.standings(platform.store.pool, house.id, campaign):
        proposal = await proposal_of(platform, house, standing)
        view = await _view(platform, house, standing, proposal, now)
        if view is not None:
            found.append(view)
    return found


async def _view(
    platform: Platform, house: House, standing: Mapping[str, Any], proposal: Proposal, now: Instant
) -> CampaignView | None:
    campaign, policy = await _shown(platform, house, standing, proposal)
    if campaign is None or policy is None:
        return None
    day = now.day(policy.timezone).isoformat()
    grants, granted_today = await rows.used_on(platform.store.pool, house.id, campaign.id, day)
    worst = worst_loss(campaign, policy)
    brief = None
    if proposal.brief is not None and proposal.policy is not None:
        brief = brief_of(proposal.brief, proposal.policy)
    live = standing["live"] is not None
    return CampaignView(
        id=campaign.id,
        revision=standing["live"] or proposal.revision,
        proposed=proposal.revision,
        title=dict(campaign.title),
        label=campaign.label,
        label_text=dict(policy.labels[campaign.label].text),
        state=state_of(standing, proposal, campaign, now),
        proved=standing["proof"] is not None if live else proposal.is_proved,
        proof=standing["proof"] if live else proposal.proof.proof if proposal.proof is not None else None,
        guards_left_out=tuple(sorted(house.guards_left_out)),
        currency=standing["currency"],
        timezone=policy.timezone,
        opens=campaign.window.opens,
        closes=campaign.window.closes,
        summary=summarise(campaign, policy),
        budget_minor=standing["budget"] if live else campaign.budget,
        stage_minor=standing["stage_open"],
        stages_minor=slices_of(house, campaign, policy, brief.stage_first_max if brief is not None else None),
        reserved_minor=standing["reserved"],
        granted_minor=standing["granted"],
        left_minor=standing["budget_left"] + standing["stage_left"] if live else campaign.budget,
        stage_left_minor=standing["stage_left"],
        granted_today_minor=granted_today,
        grants_today=grants,
        per_day_minor=_per_day(campaign),
        open_quotes=standing["open_quotes"],
        missing=proposal.missing,
        author=proposal.author,
        brief_author=proposal.review.brief_author,
        approvers=tuple(sorted(proposal.review.counted())),
        approvals_needed=proposal.review.approvals_needed,
        **_stop_shown(standing),
        tripped_by=standing["tripped_by"],
        needs_new_revision=standing["needs_new_revision"],
        worst_minor={
            "payment_minor": worst.payment_minor,
            "per_second_minor": worst.per_second_minor,
            "total_minor": worst.total_minor,
        },
        as_of=now if not house.live else (await live_set(platform, house)).store_clock(),
    )


async def _shown(
    platform: Platform, house: House, standing: Mapping[str, Any], proposal: Proposal
) -> tuple[Campaign | None, Policy | None]:
    """The revision that a page shows: the live one with the policy it was approved with, else the proposal."""
    if standing["live"] is None:
        document, policy = proposal.document, proposal.policy
        return (document.campaign if document else None), (policy.policy if policy else None)
    stored = await rows.documents(platform.store.pool, house.id, [standing["live"], standing["policy"]])
    policy_document = policy_of(stored[standing["policy"]])
    return campaign_of(stored[standing["live"]], policy_document).campaign, policy_document.policy


def state_of(standing: Mapping[str, Any], proposal: Proposal, campaign: Campaign, now: Instant) -> State:
    """The state of a campaign."""
    if standing["live"] is not None:
        in_time = state_in_time(campaign.window, now)
        return State.STOPPED if standing["stopped"] or (standing["wider"] and in_time is not State.ENDED) else in_time
    if any(lack.split(":")[0] in ("policy", "brief", "brief_by_another_principal") for lack in proposal.missing):
        return State.DRAFT
    if any(lack.startswith(("approval", "proof")) for lack in proposal.missing):
        return State.IN_REVIEW
    return State.APPROVED


def _stop_shown(standing: Mapping[str, Any]) -> dict[str, Any]:
    """Its own stop, or else the first of the wider ones that cover it."""
    wider = standing["wider"] if standing["live"] is not None else []
    targets = [f"campaign:{standing['campaign_id']}"] * standing["stopped"] + [stop["target"] for stop in wider]
    shown = standing
    if wider and not standing["stopped"]:
        names = {"stopped_by": "principal", "stop_reason": "reason", "resume_by": "resume_by"}
        shown = {name: wider[0][theirs] for name, theirs in names.items()}
        shown |= {"stopped_at": _read(wider[0]["at"]), "resume_until": _read(wider[0]["resume_until"])}
    return {
        "stopped_targets": tuple(targets),
        "stopped_by": shown["stopped_by"],
        "stopped_at": _instant(shown["stopped_at"]),
        "stop_reason": shown["stop_reason"],
        "resume_requested_by": shown["resume_by"],
        "resume_confirm_by": _instant(shown["resume_until"]),
    }


def _read(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _per_day(campaign: Campaign) -> int | None:
    for limit in campaign.limits:
        if (limit.subject, limit.period) == (Subject.ALL, Period.DAY):
            return limit.amount_max
    return None


def _instant(value: Any) -> Instant | None:
    return None if value is None else Instant.of(value)


async def view_of(platform: Platform, caller: Caller, campaign_id: str) -> CampaignView:
    """One campaign. Raises Problem(NOT_FOUND)."""
    found = await views(platform, caller.house, campaign_id)
    if not found:
        raise Problem(ProblemCode.NOT_FOUND, f"there is no campaign `{campaign_id[:80]}`")
    return found[0]

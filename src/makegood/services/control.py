"""Stopping a campaign or more, resuming it by two, and opening stages by hand."""

import difflib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from makegood.clock import Instant
from makegood.domain.policy import Policy
from makegood.domain.review import Scope
from makegood.domain.target import Target, TargetKind
from makegood.errors import FieldError, Problem, ProblemCode
from makegood.limits import RESUME_CONFIRM_SECONDS, SHARES_MAX, TEXT_CHARS_MAX
from makegood.services.access import Caller, require
from makegood.services.live import live_set
from makegood.services.platform import Platform, turn_of
from makegood.services.recheck import prove_everything_live, prove_live
from makegood.services.reviews import TRIES_MAX
from makegood.services.views import CampaignView, view_of
from makegood.store import campaigns as rows
from makegood.store import guards
from makegood.store.pool import revision_is_spent


@dataclass(frozen=True, slots=True)
class Stopped:
    """What a stop stopped, and how many quotes that were shown before stay good."""

    stopped: tuple[str, ...]
    honoured_quotes: int


@dataclass(frozen=True, slots=True)
class Resumed:
    """`state` is `requested` until another principal confirms, by `confirm_by`; then the campaign's state, which is
    `stopped` where a wider stop still covers it, or `resumed` for a wider target.
    """

    target: str
    state: str
    confirm_by: Instant | None


async def stop(platform: Platform, caller: Caller, target: Target, reason: str) -> Stopped:
    """Stop new grants of a target, at once and everywhere. Quotes already shown stay good.

    Raises Problem(NOT_FOUND) for a label, funder or scene that no policy in force knows.
    """
    if target.kind is TargetKind.CAMPAIGN:
        return await stop_campaign(platform, caller, target.id, reason)
    require(caller, Scope.OPERATE)
    await _check_known(platform, caller, target)
    outcome = await guards.stop(platform.store.pool, caller.house.id, caller.principal, str(target), _reason(reason))
    await live_set(platform, caller.house, fresh=True)
    return Stopped((str(target), *(f"campaign:{one}" for one in outcome["stopped"])), outcome["honoured_quotes"])


async def resume(platform: Platform, caller: Caller, target: Target, reason: str) -> Resumed:
    """Ask for a resume of a target, or confirm what another principal asked for; see `resume_campaign`."""
    if target.kind is TargetKind.CAMPAIGN:
        return await resume_campaign(platform, caller, target.id, reason)
    require(caller, Scope.RESUME)
    outcome = await _resumed_target(platform, caller, str(target), _reason(reason))
    return await _told(platform, caller, str(target), outcome, "resumed")


async def stop_campaign(platform: Platform, caller: Caller, campaign_id: str, reason: str) -> Stopped:
    """Stop new grants of a campaign, at once and everywhere. Quotes already shown stay good."""
    require(caller, Scope.OPERATE)
    outcome = await rows.stop(platform.store.pool, caller.house.id, caller.principal, campaign_id, _reason(reason))
    _raise_for(outcome, campaign_id, "it is not live, so there is nothing to stop")
    await live_set(platform, caller.house, fresh=True)
    return Stopped((f"campaign:{campaign_id}",), outcome["honoured_quotes"])


async def resume_campaign(platform: Platform, caller: Caller, campaign_id: str, reason: str) -> Resumed:
    """Ask for a resume, or confirm what another principal asked for. The author may do neither.

    Both times it is proved again against today's policy and everything live. Raises Problem(NOT_PROVED), and
    Problem(STATE_FORBIDS) where only a new revision helps, or a resume of the wider stop that holds it.
    """
    require(caller, Scope.RESUME)
    await _refuse_in_vain(platform, caller, campaign_id)
    outcome = await _resumed(platform, caller, campaign_id, _reason(reason))
    return await _told(platform, caller, f"campaign:{campaign_id}", outcome, "")


async def _told(platform: Platform, caller: Caller, target: str, outcome: dict[str, Any], state: str) -> Resumed:
    if outcome["outcome"] == "principal_may_not":
        raise Problem(ProblemCode.PRINCIPAL_MAY_NOT, "whoever wrote a campaign does not resume it")
    if outcome["outcome"] == "resume_needs_another":
        raise Problem(
            ProblemCode.RESUME_NEEDS_ANOTHER,
            f"your request stands until {outcome['until']}; another principal confirms it",
        )
    await live_set(platform, caller.house, fresh=True)
    if outcome["outcome"] == "requested":
        return Resumed(target, "requested", Instant.of(datetime.fromisoformat(outcome["until"])))
    return Resumed(target, state or (await view_of(platform, caller, target.partition(":")[2])).state, None)


async def open_stage(
    platform: Platform, caller: Caller, campaign_id: str, *, opened_minor: int | None = None
) -> CampaignView:
    """Open a campaign's next stage by hand: the one after `opened_minor`, what the caller saw as open.

    Sent twice it opens one stage. Without `opened_minor` it opens whichever is next.
    """
    require(caller, Scope.OPERATE)
    view = await view_of(platform, caller, campaign_id)
    if opened_minor is not None and opened_minor != view.stage_minor:
        raise Problem(ProblemCode.STATE_FORBIDS, "another stage was opened meanwhile; look again")
    following = [stage for stage in view.stages_minor if stage > view.stage_minor]
    if not following:
        raise Problem(ProblemCode.STATE_FORBIDS, "the last stage is open: the whole budget")
    pool = platform.store.pool
    outcome = await rows.open_stage(pool, caller.house.id, caller.principal, campaign_id, view.revision, following[0])
    _raise_for(outcome, campaign_id, "only a campaign that is live, unchanged and not stopped opens a stage")
    return await view_of(platform, caller, campaign_id)


async def split_budget(platform: Platform, caller: Caller, campaign_id: str, shares: int) -> None:
    """Split a campaign's budget into shares, so that processes do not wait for each other; 1 makes it whole again.

    Raises Problem(STATE_FORBIDS) where a limit counts all payers together: it is exact in one share only.
    """
    require(caller, Scope.OPERATE)
    outcome = await rows.split(platform.store.pool, caller.house.id, caller.principal, campaign_id, shares)
    if outcome["outcome"] == "limit_counts_all":
        raise Problem(
            ProblemCode.STATE_FORBIDS, "a limit of it counts all payers together, which one share only can do"
        )
    _raise_for(outcome, campaign_id, f"only a campaign that is live is split, into 1 to {SHARES_MAX} shares")


async def _refuse_in_vain(platform: Platform, caller: Caller, campaign_id: str) -> None:
    """What a resume would not change is said before anything is proved; the store says it, too."""
    standing = next(iter(await rows.standings(platform.store.pool, caller.house.id, campaign_id)), None)
    if standing is None or standing["live"] is None:
        return
    if standing["needs_new_revision"]:
        raise revision_is_spent()
    if not standing["stopped"] and standing["wider"]:
        targets = ", ".join(f"`{stop['target']}`" for stop in standing["wider"])
        hint = "resume that instead: makegood resume " + standing["wider"][0]["target"]
        raise Problem(ProblemCode.STATE_FORBIDS, f"a wider stop holds it, not its own: {targets}", hint=hint)


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


async def known_targets(platform: Platform, caller: Caller) -> list[Target]:
    """What can be stopped beside single campaigns: everything, and what the policies in force name. Any scene can,
    where a policy lists none.
    """
    known = await live_set(platform, caller.house)
    kinds = (TargetKind.LABEL, TargetKind.FUNDER, TargetKind.SCENE)
    found = {
        Target(kind, name)
        for snapshot in known.snapshots.values()
        for kind in kinds
        for name in _names(snapshot.policy, kind)
    }
    return [Target(TargetKind.EVERYTHING), *sorted(found, key=lambda one: (kinds.index(one.kind), one.id))]


async def _check_known(platform: Platform, caller: Caller, target: Target) -> None:
    """A stop of a name that nobody uses would look like a stop and be none."""
    if target.kind is TargetKind.EVERYTHING:
        return
    known = await live_set(platform, caller.house, fresh=True)
    policies = [snapshot.policy for snapshot in known.snapshots.values()]
    if target.kind is TargetKind.SCENE and any(not _names(policy, target.kind) for policy in policies):
        return
    listed = sorted({name for policy in policies for name in _names(policy, target.kind)})
    if target.id not in listed:
        near = difflib.get_close_matches(target.id, listed, 1)
        hint = f"did you mean `{target.kind.value}:{near[0]}`?" if near else "stop everything, if in doubt"
        raise Problem(ProblemCode.NOT_FOUND, f"no policy in force knows `{target}`; nothing was stopped", hint=hint)


def _names(policy: Policy, kind: TargetKind) -> Collection[str]:
    if kind is TargetKind.LABEL:
        return policy.labels
    if kind is TargetKind.FUNDER:
        return policy.funders
    return policy.schema.fields["scene"].values or ()  # A policy that lists no scenes takes any.


async def _resumed_target(platform: Platform, caller: Caller, target: str, reason: str) -> dict[str, Any]:
    """What the store says to a resume, on proofs that everything live keeps today's policies."""
    pool, house = platform.store.pool, caller.house.id
    async with turn_of(platform, house):
        for _ in range(TRIES_MAX):
            proofs = await prove_everything_live(platform, caller)
            seconds = RESUME_CONFIRM_SECONDS
            outcome = await guards.resume(pool, house, caller.principal, target, reason, seconds, proofs)
            if outcome["outcome"] == "state_forbids":
                raise Problem(ProblemCode.STATE_FORBIDS, f"`{target[:80]}` is not stopped")
            if outcome["outcome"] != "revision_has_changed":
                return outcome
    raise Problem(ProblemCode.REVISION_HAS_CHANGED, "others changed what is live meanwhile; look again")


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
    if outcome["outcome"] == "needs_new_revision":
        raise revision_is_spent()
    if outcome["outcome"] == "state_forbids":
        raise Problem(ProblemCode.STATE_FORBIDS, why)

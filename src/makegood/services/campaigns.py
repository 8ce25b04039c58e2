"""Publishing, approving, stopping and resuming."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from makegood.clock import Instant
from makegood.documents.document import Bundle, PolicyDocument
from makegood.documents.read import read_documents
from makegood.documents.source import Source
from makegood.domain.review import Scope, State
from makegood.errors import FieldError, Problem, ProblemCode
from makegood.findings import Finding, FindingCode, Severity
from makegood.limits import ERRORS_REPORTED_MAX, RESUME_CONFIRM_SECONDS, TEXT_CHARS_MAX
from makegood.services.access import Caller, require
from makegood.services.live import live_set, policy_of
from makegood.services.platform import Platform
from makegood.services.reviews import advance
from makegood.services.views import CampaignView, house_clock, state_of, views
from makegood.store import campaigns as rows


@dataclass(frozen=True, slots=True)
class Published:
    """One document after publishing or approving it. `missing` is what it still lacks before it runs."""

    kind: str
    id: str
    revision: str
    state: State
    missing: tuple[str, ...]
    findings: tuple[Finding, ...] = ()


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
    bundle = await _read(platform, caller, sources)
    _require_scopes(caller, bundle)
    _refuse_errors(bundle)
    if caller.house.live:
        _refuse_past(bundle)
    published = [await _propose_policy(platform, caller, document) for document in bundle.policies]
    for kind, subject, document in _others(bundle):
        await _save(platform, caller, kind, subject, document.revision, document.canonical)
        if kind != "campaign":
            published.append(Published(kind, subject, document.revision, State.APPROVED, (), document.findings))
    touched = {brief.id for brief in bundle.briefs} | {campaign.id for campaign in bundle.campaigns}
    for document in bundle.campaigns:
        assert document.currency is not None
        await rows.propose(platform.store.pool, caller.house.id, document.id, document.currency, document.revision)
    await _record(platform, caller, "document.published", bundle)
    return published + await _advance_all(platform, caller, touched, bundle)


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
    authors = {stored["author"]}
    if stored["kind"] == "campaign":
        brief = await rows.newest(pool, house, "brief", stored["subject"])
        authors |= {brief["author"]} if brief is not None else set()
    if caller.principal in authors:
        raise Problem(
            ProblemCode.PRINCIPAL_MAY_NOT,
            f"`{caller.principal}` wrote it: brief, campaign and approval take three principals",
        )
    await rows.approve(pool, house, revision, caller.principal)
    await rows.record_act(pool, house, caller.principal, "revision.approved", stored["subject"], {"revision": revision})
    if stored["kind"] == "policy":
        return await _policy_in_force(platform, caller, stored)
    return (await _advance_all(platform, caller, {stored["subject"]}, None))[0]


async def stop_campaign(platform: Platform, caller: Caller, campaign_id: str, reason: str) -> Stopped:
    """Stop new grants of a campaign, at once and everywhere. Quotes already shown stay good."""
    require(caller, Scope.OPERATE)
    outcome = await rows.stop(platform.store.pool, caller.house.id, caller.principal, campaign_id, _reason(reason))
    _raise_for(outcome, campaign_id, "it is not live, so there is nothing to stop")
    await live_set(platform, caller.house, fresh=True)
    return Stopped((f"campaign:{campaign_id}",), outcome["honoured_quotes"])


async def resume_campaign(platform: Platform, caller: Caller, campaign_id: str, reason: str) -> Resumed:
    """Ask for a resume, or confirm what another principal asked for. The author may do neither."""
    require(caller, Scope.RESUME)
    pool, house = platform.store.pool, caller.house.id
    outcome = await rows.resume(pool, house, caller.principal, campaign_id, _reason(reason), RESUME_CONFIRM_SECONDS)
    if outcome["outcome"] == "principal_may_not":
        raise Problem(ProblemCode.PRINCIPAL_MAY_NOT, "whoever wrote the campaign does not resume it")
    if outcome["outcome"] == "resume_needs_another":
        raise Problem(
            ProblemCode.RESUME_NEEDS_ANOTHER,
            f"your request stands until {outcome['until']}; another principal confirms it",
        )
    _raise_for(outcome, campaign_id, "it is not stopped")
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
    outcome = await rows.open_stage(pool, caller.house.id, caller.principal, campaign_id, following[0])
    _raise_for(outcome, campaign_id, "only a campaign that is live and not stopped opens a stage")
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


# -- publishing ---------------------------------------------------------------------------------------


async def _read(platform: Platform, caller: Caller, sources: Sequence[Source]) -> Bundle:
    """The documents, read by the policies in force; by one of the sources where its currency has none in force."""
    now = (await live_set(platform, caller.house)).store_clock()
    alone = read_documents(sources, now=now)
    in_force = await rows.policies_in_force(platform.store.pool, caller.house.id)
    taken = {row["subject"] for row in in_force}
    readers = [Source(row["revision"], row["canonical"]) for row in in_force]
    readers += [
        Source(one.file, one.canonical) for one in alone.policies if one.policy and one.policy.currency not in taken
    ]
    own = {document.file for document in alone.policies}
    rest = read_documents([*readers, *(source for source in sources if source.file not in own)], now=now)
    return Bundle(alone.policies, rest.briefs, rest.campaigns, rest.signatures, rest.strays)


def _require_scopes(caller: Caller, bundle: Bundle) -> None:
    if bundle.policies:
        require(caller, Scope.APPROVE)
    if bundle.briefs:
        require(caller, Scope.BRIEF)
    if bundle.campaigns:
        require(caller, Scope.AUTHOR)
    require(caller, Scope.APPROVE, Scope.BRIEF, Scope.AUTHOR)


def _refuse_errors(bundle: Bundle) -> None:
    wrong = [
        one for one in bundle.findings if one.severity is Severity.ERROR or one.code is FindingCode.ID_IS_DUPLICATE
    ]
    if wrong:
        errors = tuple(_field_error(finding) for finding in wrong[:ERRORS_REPORTED_MAX])
        raise Problem(ProblemCode.DOCUMENT_IS_INVALID, "nothing was done: a document has errors", errors=errors)


def _refuse_past(bundle: Bundle) -> None:
    past = [finding for finding in bundle.findings if finding.code is FindingCode.WINDOW_IS_PAST]
    if past:
        errors = tuple(_field_error(finding) for finding in past)
        raise Problem(ProblemCode.WINDOW_IS_PAST, "nothing was published: a window is past", errors=errors)


def _field_error(finding: Finding) -> FieldError:
    place = f"{finding.file}:{finding.line}" if finding.line else str(finding.file)
    return FieldError(finding.path, f"{place}: {finding.message} ({finding.code})", finding.hint)


def _others(bundle: Bundle) -> list[tuple[str, str, Any]]:
    signatures = [("signature", one.signature.document, one) for one in bundle.signatures if one.signature is not None]
    return [
        *(("brief", one.id, one) for one in bundle.briefs),
        *signatures,
        *(("campaign", one.id, one) for one in bundle.campaigns),
    ]


async def _save(platform: Platform, caller: Caller, kind: str, subject: str, revision: str, canonical: bytes) -> None:
    await rows.save_document(platform.store.pool, caller.house.id, kind, subject, caller.principal, revision, canonical)


async def _record(platform: Platform, caller: Caller, action: str, bundle: Bundle) -> None:
    documents = (*bundle.policies, *bundle.briefs, *bundle.signatures, *bundle.campaigns)
    revisions = [document.revision for document in documents]
    subject = bundle.campaigns[0].id if bundle.campaigns else bundle.briefs[0].id if bundle.briefs else revisions[0]
    pool = platform.store.pool
    await rows.record_act(pool, caller.house.id, caller.principal, action, subject, {"revisions": revisions})


async def _propose_policy(platform: Platform, caller: Caller, document: PolicyDocument) -> Published:
    assert document.policy is not None
    currency = document.policy.currency
    await _save(platform, caller, "policy", currency, document.revision, document.canonical)
    in_force = await rows.policy_in_force(platform.store.pool, caller.house.id, currency)
    if in_force is not None and in_force["revision"] == document.revision:
        return Published("policy", currency, document.revision, State.RUNNING, (), document.findings)
    return Published("policy", currency, document.revision, State.IN_REVIEW, ("approval:1",), document.findings)


async def _advance_all(platform: Platform, caller: Caller, touched: set[str], bundle: Bundle | None) -> list[Published]:
    findings = {one.id: one.findings for one in bundle.campaigns} if bundle is not None else {}
    published = []
    for campaign_id in sorted(touched):
        if not await rows.standings(platform.store.pool, caller.house.id, campaign_id):
            continue  # A brief before its campaign.
        proposal = await advance(platform, caller, campaign_id)
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
            )
        )
    await live_set(platform, caller.house, fresh=True)
    return published


async def _policy_in_force(platform: Platform, caller: Caller, stored: dict[str, Any]) -> Published:
    """Put an approved policy in force, if everything live still reads by it, and see what can run now."""
    policy = policy_of(stored)
    await _refuse_policy_that_breaks_live(platform, caller, policy)
    pool, house = platform.store.pool, caller.house.id
    await rows.put_policy_in_force(pool, house, stored["subject"], stored["revision"])
    await rows.record_act(
        pool, house, caller.principal, "policy.in_force", stored["subject"], {"revision": stored["revision"]}
    )
    standings = await rows.standings(pool, house)
    touched = {s["campaign_id"] for s in standings if s["currency"] == stored["subject"] and s["live"] != s["proposed"]}
    await _advance_all(platform, caller, touched, None)
    return Published("policy", stored["subject"], stored["revision"], State.RUNNING, ())


async def _refuse_policy_that_breaks_live(platform: Platform, caller: Caller, policy: PolicyDocument) -> None:
    assert policy.policy is not None
    standings = await rows.standings(platform.store.pool, caller.house.id)
    live = [s["live"] for s in standings if s["live"] is not None and s["currency"] == policy.policy.currency]
    stored = await rows.documents(platform.store.pool, caller.house.id, live)
    sources = [Source(row["subject"], row["canonical"]) for row in stored.values()]
    _refuse_errors(read_documents(sources, now=Instant(0), policy=policy))


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

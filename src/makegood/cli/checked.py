"""What `makegood check` finds: documents read together, and the proof of each campaign."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from makegood.cli.beyond import beyond_campaign, beyond_policy
from makegood.cli.progress import Progress
from makegood.cli.proofs import prove
from makegood.cli.sources import collect_sources
from makegood.clock import Instant
from makegood.documents.document import BriefDocument, Bundle, CampaignDocument, PolicyDocument
from makegood.documents.read import read_documents
from makegood.documents.source import Source
from makegood.documents.summary import summarise
from makegood.documents.worst import Worst, worst_loss
from makegood.domain.campaign import Campaign
from makegood.domain.policy import Policy
from makegood.findings import Finding, FindingCode, Severity
from makegood.proof.installed import SOLVER_HINT, solver_is_there
from makegood.proof.verdict import Report


@dataclass(frozen=True, slots=True)
class Checked:
    """Everything that one call found. `others` are findings of files that are no document."""

    bundle: Bundle
    campaigns: tuple["CheckedCampaign", ...]
    others: tuple[Finding, ...]
    sources: tuple[Source, ...]

    @property
    def has_errors(self) -> bool:
        """Whether anything is refused."""
        documents: tuple[Any, ...] = (
            *self.bundle.policies,
            *self.bundle.briefs,
            *self.campaigns,
            *self.bundle.signatures,
        )
        every = (*(finding for document in documents for finding in document.findings), *self.others)
        refused = any(campaign.report is not None and not campaign.report.is_proved for campaign in self.campaigns)
        return refused or any(finding.severity is Severity.ERROR for finding in every)


@dataclass(frozen=True, slots=True)
class CheckedCampaign:
    """One campaign with what is generated from it; summary, worst loss and proof only where it could be read."""

    document: CampaignDocument
    findings: tuple[Finding, ...]
    summary: dict[str, str] | None
    worst: Worst | None
    report: Report | None = None


def check(
    paths: Sequence[Path],
    *,
    briefs: Sequence[Path] = (),
    policy_file: Path | None = None,
    live: Path | None = None,
    now: Instant,
) -> Checked:
    """Everything that is to be said about the documents at `paths`."""
    sources, unreadable = collect_sources([*paths, *briefs])
    policy_sources, more = collect_sources([policy_file] if policy_file else [])
    live_sources, yet_more = collect_sources([live] if live else [])
    known = {Path(source.file).resolve() for source in policy_sources}
    sources = [source for source in sources if Path(source.file).resolve() not in known]
    first = read_documents(policy_sources, now=now)
    given = next((document for document in first.policies if document.policy is not None), None)
    bundle = read_documents(sources, now=now, policy=given)
    bundle = replace(bundle, policies=(*first.policies, *bundle.policies))
    running = _read_live(live_sources, bundle.policies, now)
    others = (
        *unreadable,
        *more,
        *yet_more,
        *first.strays,
        *_not_a_policy(first),
        *bundle.strays,
        *running.findings,
        *_live_twice(running.campaigns),
    )
    read = (*sources, *policy_sources, *live_sources)
    by_file = {source.file: source for source in read}
    campaigns = []
    with Progress("proving", len(bundle.campaigns), look_every=1) as bar:
        for document in bundle.campaigns:
            campaigns.append(_campaign(document, bundle, running.campaigns, by_file))
            bar.step()
    return Checked(_with_beyond(bundle, by_file), tuple(campaigns), others, read)


def _with_beyond(bundle: Bundle, sources: Mapping[str, Source]) -> Bundle:
    """The bundle, with what of the policies' rules cannot be proved among their findings."""
    if not solver_is_there():
        return bundle
    policies = tuple(
        replace(each, findings=(*each.findings, *beyond_policy(each, sources.get(each.file))))
        for each in bundle.policies
    )
    return replace(bundle, policies=policies)


def _read_live(sources: Sequence[Source], policies: Iterable[PolicyDocument], now: Instant) -> Bundle:
    """What already runs, each campaign by the policy of its currency."""
    usable = [policy for policy in policies if policy.policy is not None]
    given: Sequence[PolicyDocument | None] = usable or [None]
    found, *others = [read_documents(sources, now=now, policy=policy) for policy in given]
    for other in others:
        pairs = zip(found.campaigns, other.campaigns, strict=True)
        found = replace(found, campaigns=tuple(new if old.campaign is None else old for old, new in pairs))
    return found


def _live_twice(running: Sequence[CampaignDocument]) -> Iterator[Finding]:
    """A campaign is live once: where two files hold one, no proof can say which of them it stood beside."""
    files: dict[str, str] = {}
    for document in running:
        first = files.setdefault(document.id, document.file)
        if document.id and first != document.file:
            message = f"`{document.id}` is live already, by {first}; only one of them can run"
            yield Finding(Severity.ERROR, FindingCode.ID_IS_DUPLICATE, message, "/id", document.file, 1, 1)


def _beside(campaign: CampaignDocument, running: Sequence[CampaignDocument]) -> list[Campaign]:
    """What runs in the campaign's currency, each id once."""
    found = (each.campaign for each in running if each.currency == campaign.currency)
    return list({each.id: each for each in found if each is not None}.values())


def _not_a_policy(first: Bundle) -> list[Finding]:
    """What to say where the file of `--policy` is a document of another kind."""
    others = (*first.briefs, *first.campaigns, *first.signatures)
    return [
        Finding(Severity.ERROR, FindingCode.KIND_IS_UNKNOWN, "is not a policy", "/makegood", document.file, 1, 1)
        for document in others
    ]


def _campaign(
    document: CampaignDocument, bundle: Bundle, running: Sequence[CampaignDocument], sources: Mapping[str, Source]
) -> CheckedCampaign:
    findings, briefs = [*document.findings], _briefs_of(document, bundle)
    brief = briefs[0].brief if briefs else None
    if len(briefs) > 1:
        findings.append(_two_briefs(document, briefs))
    if brief is None:
        message = f"no brief for `{document.id}` was given: nothing says what was agreed"
        findings.append(_warning(document, FindingCode.BRIEF_IS_MISSING, message, "give it with --brief"))
    policy = _policy_of(document, bundle.policies)
    if document.campaign is None or policy is None:
        findings.append(_warning(document, FindingCode.CAMPAIGN_IS_UNPROVED, "there is nothing that could be proved"))
        return CheckedCampaign(document, tuple(findings), None, None)
    report = None
    if not solver_is_there():
        found = _warning(document, FindingCode.CAMPAIGN_IS_UNPROVED, "the solver is not installed", SOLVER_HINT)
        findings.append(found)
    elif beyond := beyond_campaign(document, sources.get(document.file), policy):
        findings += beyond
    else:
        report = prove(document.campaign, brief, policy, _beside(document, running))
    if report is not None and brief is None:
        message = "without its brief, only what the policy asks for is proved"
        findings.append(_warning(document, FindingCode.CAMPAIGN_IS_UNPROVED, message))
    if report is not None and any(each.campaign is None for each in running):
        message = "some of what is live cannot be read, and was left out of its proof"
        findings.append(_warning(document, FindingCode.CAMPAIGN_IS_UNPROVED, message))
    summary, worst = summarise(document.campaign, policy), worst_loss(document.campaign, policy)
    return CheckedCampaign(document, tuple(findings), summary, worst, report)


def _briefs_of(document: CampaignDocument, bundle: Bundle) -> list[BriefDocument]:
    """The briefs for the campaign, each revision once."""
    found = {each.revision: each for each in bundle.briefs if each.id == document.id and each.brief is not None}
    return list(found.values())


def _two_briefs(document: CampaignDocument, briefs: Sequence[BriefDocument]) -> Finding:
    """A campaign is proved against the one brief that was agreed, never against the most lenient."""
    files = " and ".join(each.file for each in briefs[:2])
    message, hint = f"two briefs say what was agreed for `{document.id}`: {files}", "give the one that holds"
    return Finding(Severity.ERROR, FindingCode.ID_IS_DUPLICATE, message, "/id", document.file, 1, 1, hint)


def _warning(document: CampaignDocument, code: FindingCode, message: str, hint: str | None = None) -> Finding:
    return Finding(Severity.WARNING, code, message, "", document.file, 1, 1, hint)


def _policy_of(document: CampaignDocument, policies: Sequence[PolicyDocument]) -> Policy | None:
    found = (known.policy for known in policies if known.policy is not None)
    return next((policy for policy in found if policy.currency == document.currency), None)

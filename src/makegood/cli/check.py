"""`makegood check`: reads documents, checks them together, and tells everything that is wrong or odd."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from makegood.cli.excerpt import Excerpts, say
from makegood.cli.output import console, emit, finding_json, json_option
from makegood.cli.sources import collect_sources
from makegood.clock import Instant, system_clock
from makegood.documents.document import Bundle, CampaignDocument, PolicyDocument
from makegood.documents.read import read_documents
from makegood.documents.source import Source
from makegood.documents.summary import summarise
from makegood.documents.words import ENGLISH, money_words
from makegood.documents.worst import Worst, worst_loss
from makegood.domain.policy import Policy
from makegood.findings import Finding, FindingCode, Severity

_PATH = click.Path(exists=True, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


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
        return any(finding.severity is Severity.ERROR for finding in every)


@dataclass(frozen=True, slots=True)
class CheckedCampaign:
    """One campaign with what is generated from it; summary and worst loss only where it could be read."""

    document: CampaignDocument
    findings: tuple[Finding, ...]
    summary: dict[str, str] | None
    worst: Worst | None


@click.command("check")
@click.argument("paths", nargs=-1, required=True, type=_PATH)
@click.option("--brief", "briefs", multiple=True, type=_FILE, help="A brief, beside those at the paths.")
@click.option("--policy", "policy_file", type=_FILE, help="The policy to check by, instead of one at the paths.")
@click.option("--live", type=_PATH, help="A folder with the campaigns that already run.")
@json_option
def command(
    paths: tuple[Path, ...],
    briefs: tuple[Path, ...],
    policy_file: Path | None,
    live: Path | None,
    as_json: bool,
) -> None:
    """Check policies, briefs and campaigns in files or folders."""
    checked = check(paths, briefs=briefs, policy_file=policy_file, live=live, now=system_clock())
    emit(check_json(checked), as_json, lambda: _print(checked))
    sys.exit(1 if checked.has_errors else 0)


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
    running = read_documents(live_sources, now=now, policy=given or _usable(bundle.policies))
    policies = (*first.policies, *bundle.policies)
    bundle = replace(bundle, policies=policies)
    ids = {brief.id for brief in bundle.briefs}
    others = (
        *unreadable,
        *more,
        *yet_more,
        *first.strays,
        *_not_a_policy(first),
        *bundle.strays,
        *running.findings,
    )
    campaigns = tuple(_campaign(document, policies, ids) for document in bundle.campaigns)
    return Checked(bundle, campaigns, others, (*sources, *policy_sources, *live_sources))


def _usable(policies: Iterable[PolicyDocument]) -> PolicyDocument | None:
    return next((document for document in policies if document.policy is not None), None)


def _not_a_policy(first: Bundle) -> list[Finding]:
    """What to say where the file of `--policy` is a document of another kind."""
    others = (*first.briefs, *first.campaigns, *first.signatures)
    return [
        Finding(Severity.ERROR, FindingCode.KIND_IS_UNKNOWN, "is not a policy", "/makegood", document.file, 1, 1)
        for document in others
    ]


def _campaign(document: CampaignDocument, policies: Sequence[PolicyDocument], briefs: set[str]) -> CheckedCampaign:
    findings = [*document.findings]
    if document.id not in briefs:
        message = f"no brief for `{document.id}` was given: nothing says what was agreed"
        findings.append(_warning(document, FindingCode.BRIEF_IS_MISSING, message, "give it with --brief"))
    message = "nothing has proved that it keeps its brief yet"
    findings.append(_warning(document, FindingCode.CAMPAIGN_IS_UNPROVED, message))
    policy = _policy_of(document, policies)
    if document.campaign is None or policy is None:
        return CheckedCampaign(document, tuple(findings), None, None)
    summary = summarise(document.campaign, policy)
    return CheckedCampaign(document, tuple(findings), summary, worst_loss(document.campaign, policy))


def _warning(document: CampaignDocument, code: FindingCode, message: str, hint: str | None = None) -> Finding:
    return Finding(Severity.WARNING, code, message, "", document.file, 1, 1, hint)


def _policy_of(document: CampaignDocument, policies: Sequence[PolicyDocument]) -> Policy | None:
    found = (known.policy for known in policies if known.policy is not None)
    return next((policy for policy in found if policy.currency == document.currency), None)


def check_json(checked: Checked) -> dict[str, Any]:
    """What `--json` prints."""
    bundle = checked.bundle
    return {
        "campaigns": [_campaign_json(campaign) for campaign in checked.campaigns],
        "briefs": [_document_json(document) | {"campaign": document.id} for document in bundle.briefs],
        "policies": [
            _document_json(document) | {"id": document.policy.id if document.policy else ""}
            for document in bundle.policies
        ],
        "signatures": [_document_json(document) for document in bundle.signatures],
        "findings": [finding_json(finding) for finding in checked.others],
    }


def _document_json(document: Any) -> dict[str, Any]:
    findings = [finding_json(finding) for finding in document.findings]
    return {"file": document.file, "revision": document.revision, "findings": findings}


def _campaign_json(checked: CheckedCampaign) -> dict[str, Any]:
    worst = checked.worst
    return {
        "id": checked.document.id,
        "file": checked.document.file,
        "revision": checked.document.revision,
        "currency": checked.document.currency,
        "findings": [finding_json(finding) for finding in checked.findings],
        "proofs": [],
        "summary": checked.summary,
        "worst": None
        if worst is None
        else {
            "payment_minor": worst.payment_minor,
            "per_second_minor": worst.per_second_minor,
            "total_minor": worst.total_minor,
        },
    }


def _print(checked: Checked) -> None:
    excerpts = Excerpts(checked.sources)
    bundle = checked.bundle
    for policy in bundle.policies:
        _head("policy", policy.policy.id if policy.policy else "?", policy)
        excerpts.show(policy.findings)
    for brief in bundle.briefs:
        _head("brief", f"for {brief.id or '?'}", brief)
        excerpts.show(brief.findings)
    for campaign in checked.campaigns:
        _head("campaign", campaign.document.id or "?", campaign.document, campaign.findings)
        _generated(campaign)
        excerpts.show(campaign.findings)
    for signature in bundle.signatures:
        _head("signature", f"by {signature.signature.signer if signature.signature else '?'}", signature)
        excerpts.show(signature.findings)
    excerpts.show(checked.others)
    _last_line(checked)


def _head(kind: str, name: str, document: Any, findings: Sequence[Finding] | None = None) -> None:
    severities = {finding.severity for finding in (document.findings if findings is None else findings)}
    if Severity.ERROR in severities:
        mark = "[bold red]✗ refused[/]"
    elif severities:
        mark = "[bold yellow]✓ passes, with warnings[/]"
    else:
        mark = "[bold green]✓ fine[/]"
    console.print(f"{mark} {kind}", end=" ", soft_wrap=True)
    say(name, style="bold", end="  ")
    say(f"{document.file}  {document.revision[:16]}…", style="dim")


def _generated(campaign: CheckedCampaign) -> None:
    if campaign.summary is None or campaign.worst is None or campaign.document.currency is None:
        return
    for text in campaign.summary.values():
        say(f"  {text}")
    payment, second, total = (
        money_words(minor, campaign.document.currency, ENGLISH)
        for minor in (campaign.worst.payment_minor, campaign.worst.per_second_minor, campaign.worst.total_minor)
    )
    say(f"  worst: {payment} a payment, {second} a second, {total} in total")


def _last_line(checked: Checked) -> None:
    count = len(checked.sources)
    result = "[bold red]✗ something is refused[/]" if checked.has_errors else "[bold green]✓ nothing is refused[/]"
    console.print(f"{result} in {count} file{'' if count == 1 else 's'}")

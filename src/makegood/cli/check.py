"""`makegood check`: reads documents, checks them together, and tells everything that is wrong or odd."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from makegood.cli.checked import Checked, CheckedCampaign, check
from makegood.cli.excerpt import Excerpts, say
from makegood.cli.output import console, emit, finding_json, json_option
from makegood.cli.proofs import print_proofs, proofs_json
from makegood.clock import system_clock
from makegood.documents.source import Source
from makegood.documents.words import ENGLISH, money_words
from makegood.findings import Finding, Severity

_PATH = click.Path(exists=True, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


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
    """Check policies, briefs and campaigns in files or folders, and prove the campaigns.

    Each campaign is proved against its brief and its policy, alone and together with those of --live.
    """
    checked = check(paths, briefs=briefs, policy_file=policy_file, live=live, now=system_clock())
    emit(check_json(checked), as_json, lambda: _print(checked))
    sys.exit(1 if checked.has_errors else 0)


def check_json(checked: Checked) -> dict[str, Any]:
    """What `--json` prints."""
    bundle, sources = checked.bundle, {source.file: source for source in checked.sources}
    return {
        "campaigns": [_campaign_json(campaign, sources) for campaign in checked.campaigns],
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


def _campaign_json(checked: CheckedCampaign, sources: Mapping[str, Source]) -> dict[str, Any]:
    worst = checked.worst
    return {
        "id": checked.document.id,
        "file": checked.document.file,
        "revision": checked.document.revision,
        "currency": checked.document.currency,
        "findings": [finding_json(finding) for finding in checked.findings],
        "proofs": [] if checked.report is None else proofs_json(checked.report, sources.get(checked.document.file)),
        "exposure": None
        if checked.report is None or checked.report.exposure is None
        else asdict(checked.report.exposure),
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
        unproved = campaign.report is not None and not campaign.report.is_proved
        _head("campaign", campaign.document.id or "?", campaign.document, campaign.findings, refused=unproved)
        _generated(campaign)
        excerpts.show(campaign.findings)
        if campaign.report is not None:
            print_proofs(campaign.report, campaign.document.file, excerpts)
    for signature in bundle.signatures:
        _head("signature", f"by {signature.signature.signer if signature.signature else '?'}", signature)
        excerpts.show(signature.findings)
    excerpts.show(checked.others)
    _last_line(checked)


def _head(
    kind: str, name: str, document: Any, findings: Sequence[Finding] | None = None, *, refused: bool = False
) -> None:
    severities = {finding.severity for finding in (document.findings if findings is None else findings)}
    if refused or Severity.ERROR in severities:
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

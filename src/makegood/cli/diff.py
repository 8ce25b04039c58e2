"""`makegood diff`: what a new revision of a campaign changes, for which payments."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from makegood.cli.excerpt import say
from makegood.cli.output import console, emit, json_option
from makegood.cli.proofs import print_witness, prove_change, row_json, witness_json
from makegood.cli.sources import collect_sources
from makegood.clock import Instant, system_clock
from makegood.documents.document import Bundle, CampaignDocument, PolicyDocument
from makegood.documents.read import read_documents
from makegood.documents.words import CHINESE, ENGLISH
from makegood.domain.campaign import Campaign
from makegood.errors import FieldError, Problem, ProblemCode
from makegood.proof.installed import SOLVER_HINT, solver_is_there
from makegood.proof.verdict import Change, Verdict

_PATH = click.Path(exists=True, path_type=Path)


@dataclass(frozen=True, slots=True)
class _Side:
    """One campaign of the two, readable."""

    document: CampaignDocument
    campaign: Campaign


@click.command("diff")
@click.argument("old", type=_PATH)
@click.argument("new", type=_PATH)
@click.option(
    "--policy", "policy_file", type=_PATH, help="The policy to read them by, instead of one beside NEW or OLD."
)
@click.option("--id", "campaign_id", help="Which campaign, where a folder holds several.")
@json_option
def command(old: Path, new: Path, policy_file: Path | None, campaign_id: str | None, as_json: bool) -> None:
    """Compare two revisions of a campaign: files, or folders that hold one each.

    Exits 0 when NEW takes no more off any payment than OLD, 1 when it may.
    """
    policy = _policy(policy_file, (new, old))
    before, after = _side(old, policy, campaign_id), _side(new, policy, campaign_id)
    assert policy.policy is not None
    if before.campaign.id != after.campaign.id:  # Budgets, limits and draws belong to an id: nothing can be compared.
        ids = f"`{before.campaign.id}` and `{after.campaign.id}`"
        raise click.UsageError(f"{ids} are two campaigns, not two revisions of one")
    if not solver_is_there():
        raise click.ClickException(f"the solver is not installed; {SOLVER_HINT}")
    change = prove_change(before.campaign, after.campaign, policy.policy)
    emit(diff_json(before.document, after.document, change), as_json, lambda: _print(change))
    sys.exit(0 if change.no_new_subsidy.verdict is Verdict.PROVED else 1)


def diff_json(old: CampaignDocument, new: CampaignDocument, change: Change) -> dict[str, Any]:
    """What `--json` prints. `equivalent` and `no_new_subsidy` are true only where they are proved."""
    witness = change.no_new_subsidy.witness or change.equivalent.witness
    return {
        "id": new.id,
        "old": old.revision,
        "new": new.revision,
        "equivalent": change.equivalent.verdict is Verdict.PROVED,
        "no_new_subsidy": change.no_new_subsidy.verdict is Verdict.PROVED,
        "witness": None if witness is None else witness_json(witness),
        "gains": None if change.gains is None else witness_json(change.gains),
        "loses": None if change.loses is None else witness_json(change.loses),
        "changes": [{"path": each.path, "words": dict(each.words)} for each in change.changes],
        "proofs": [row_json(row, None) for row in (change.no_new_subsidy, change.equivalent)],
    }


def _policy(given: Path | None, beside: Sequence[Path]) -> PolicyDocument:
    """The policy that is given, or else the only one that stands beside the documents."""
    places = [given] if given is not None else [path if path.is_dir() else path.parent for path in beside]
    for place in places:
        found = [each for each in _read(place, None).policies if each.policy is not None and not each.has_errors]
        if len({each.revision for each in found}) > 1:
            raise click.UsageError(f"{place} holds several policies; name one with --policy")
        if found:
            return found[0]
    raise click.UsageError("there is no policy to read them by; give it with --policy")


def _side(path: Path, policy: PolicyDocument, campaign_id: str | None) -> _Side:
    found = [each for each in _read(path, policy).campaigns if campaign_id in (None, each.id)]
    if len(found) != 1:
        ids = ", ".join(sorted({each.id for each in found})) or "none"
        raise click.UsageError(f"{path} must hold one campaign; it holds {ids}. Name one with --id")
    document = found[0]
    if document.campaign is None:
        errors = tuple(FieldError(each.path, each.message, each.hint) for each in document.findings)
        raise Problem(ProblemCode.DOCUMENT_IS_INVALID, f"{path} cannot be read as a campaign", errors=errors)
    return _Side(document, document.campaign)


def _read(path: Path, policy: PolicyDocument | None) -> Bundle:
    sources, _ = collect_sources([path])
    return read_documents(sources, now=Instant(system_clock()), policy=policy)


def _print(change: Change) -> None:
    for each in change.changes:
        say(f"  {each.words[ENGLISH]}")
    if not change.changes:
        say("  the documents say the same")
    if change.gains is not None:
        console.print("  [bold red]✗ gains[/]  the smallest payment that gets more:")
        print_witness(change.gains)
    if change.loses is not None:
        console.print("  [bold yellow]! loses[/]  the smallest payment that gets less:")
        print_witness(change.loses)
    for row, yes, no in (
        (change.no_new_subsidy, "no payment gets more, and no limit is wider", "more money may be given"),
        (change.equivalent, "it does exactly the same", "it does not do the same"),
    ):
        proved = row.verdict is Verdict.PROVED
        console.print(
            f"  [bold green]✓ {row.obligation}[/]" if proved else f"  [bold red]✗ {row.obligation}[/]", end=": "
        )
        say(yes if proved else no if row.verdict is Verdict.REFUTED else "the solver did not decide")
        if row.witness is not None and row.witness not in (change.gains, change.loses):
            say(f"    {row.witness.words[ENGLISH]}")
            say(f"    {row.witness.words[CHINESE]}")

"""Proofs as a person reads them: ✓ or ✗ with a word, the smallest failing payment, the line, and what would mend it."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from makegood.cli.excerpt import Excerpts, say
from makegood.cli.output import console
from makegood.documents.places import place_of
from makegood.documents.source import Source
from makegood.documents.words import CHINESE, ENGLISH
from makegood.domain.brief import Brief
from makegood.domain.campaign import Campaign
from makegood.domain.policy import Policy
from makegood.proof.verdict import Change, Report, Row, Verdict, Witness

_MARKS = {
    Verdict.PROVED: "[bold green]✓ proved [/]",
    Verdict.REFUTED: "[bold red]✗ refuted[/]",
    Verdict.UNKNOWN: "[bold red]✗ unknown[/]",
}


def prove(campaign: Campaign, brief: Brief | None, policy: Policy, live: Sequence[Campaign]) -> Report:
    """The proof of a campaign. The solver is loaded here, not at the start of every command."""
    from makegood.proof.prove import prove_campaign

    return prove_campaign(campaign, brief, policy, live)


def prove_change(old: Campaign, new: Campaign, policy: Policy) -> Change:
    """What a new revision changes."""
    from makegood.proof.prove import prove_change as ask

    return ask(old, new, policy)


def proofs_json(report: Report, source: Source | None) -> list[dict[str, Any]]:
    """One object a row, with the line in the file for what is not proved."""
    return [row_json(row, source) for row in report.rows]


def row_json(row: Row, source: Source | None) -> dict[str, Any]:
    """A row with the keys that scripts read."""
    line = place_of(source, row.path)[0] if source is not None and row.verdict is not Verdict.PROVED else None
    return {
        "obligation": row.obligation,
        "verdict": row.verdict.value,
        "ms": round(row.ms, 3),
        "witness": None if row.witness is None else witness_json(row.witness),
        "path": row.path,
        "line": line,
        "hint": None if row.hint is None else dict(row.hint),
    }


def witness_json(witness: Witness) -> dict[str, Any]:
    """A witness with the keys that scripts read."""
    return {
        "payment": dict(witness.payment),
        "discount_minor": witness.discount_minor,
        "total_minor": witness.total_minor,
        "others": dict(witness.others or {}),
        "words": dict(witness.words),
    }


def print_proofs(report: Report, file: str, excerpts: Excerpts) -> None:
    """Every row; what is not proved with its witness, its line and a hint; one sentence at the end."""
    for row in report.rows:
        console.print(f"  {_MARKS[row.verdict]}", end=" ")
        say(row.obligation)
        if row.verdict is not Verdict.PROVED:
            _print_row(row, file, excerpts)
    count, failed, ms = len(report.rows), len(report.failed), sum(row.ms for row in report.rows)
    if failed:
        say(f"  {failed} of {count} obligations are not proved: it may not run", style="bold red")
    else:
        say(
            f"  all {count} obligations are proved, for every possible payment ({report.solver}, {ms:.0f} ms)",
            style="green",
        )


def _print_row(row: Row, file: str, excerpts: Excerpts) -> None:
    if row.witness is not None:
        print_witness(row.witness)
    excerpts.show_line(file, row.path)
    if row.hint is not None:
        say(f"    hint: {row.hint[ENGLISH]}")
        say(f"    提示：{row.hint[CHINESE]}")


def print_witness(witness: Witness) -> None:
    """The sentence in both languages, and the payment."""
    say(f"    {witness.words[ENGLISH]}", style="bold")
    say(f"    {witness.words[CHINESE]}", style="bold")
    say(f"    {_payment(witness.payment)}", style="dim")


def _payment(payment: Mapping[str, Any]) -> str:
    return msgspec.json.encode(payment).decode()

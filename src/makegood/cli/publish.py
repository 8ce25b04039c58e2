"""`makegood publish`: propose documents."""

import sys
from pathlib import Path
from typing import Any

import click

from makegood.cli.connect import as_caller, key_option, store_options
from makegood.cli.excerpt import say
from makegood.cli.output import console, emit, finding_json, json_option
from makegood.cli.sources import collect_sources
from makegood.documents.source import Source
from makegood.documents.words import CHINESE, ENGLISH
from makegood.errors import FieldError, Problem, ProblemCode
from makegood.services.access import Caller
from makegood.services.campaigns import Published
from makegood.services.campaigns import publish as publish_documents
from makegood.services.platform import Platform


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@key_option
@store_options
@json_option
def command(paths: tuple[Path, ...], key: str | None, database: str | None, data: str | None, as_json: bool) -> None:
    """Propose the documents in PATHS: all of them, or none if one has an error.

    A campaign runs once its brief, its proof, its signatures and its approvals are there. Exits 1 where a proof says
    no.
    """
    sources = _sources(paths)

    async def work(platform: Platform, caller: Caller) -> list[Published]:
        return await publish_documents(platform, caller, sources)

    published = as_caller(database, data, key, work)
    emit(_json(published), as_json, lambda: _show_all(published))
    sys.exit(1 if any(is_refused(one) for one in published) else 0)


def _show_all(published: list[Published]) -> None:
    for one in published:
        show(one)


def _sources(paths: tuple[Path, ...]) -> list[Source]:
    sources, unreadable = collect_sources(paths)
    if unreadable:
        errors = tuple(FieldError("", f"{one.file}: {one.message}", one.hint) for one in unreadable)
        raise Problem(ProblemCode.DOCUMENT_IS_INVALID, "nothing was published: a file cannot be read", errors=errors)
    return sources


def _json(published: list[Published]) -> dict[str, Any]:
    """The campaign's keys at the top when there is one campaign; every document below `documents`."""
    documents = [published_json(one) for one in published]
    campaigns = [one for one in documents if one["kind"] == "campaign"] or documents
    top = campaigns[0] if len(campaigns) == 1 else {"revision": None, "state": None, "missing": []}
    return {**{name: top[name] for name in ("revision", "state", "missing")}, "documents": documents}


def published_json(one: Published) -> dict[str, Any]:
    """One document as scripts read it."""
    return {
        "kind": one.kind,
        "id": one.id,
        "revision": one.revision,
        "state": one.state,
        "missing": list(one.missing),
        "proved": one.proved,
        "proof": one.proof,
        "proofs": [dict(row) for row in one.proofs],
        "hint": one.hint,
        "findings": [finding_json(finding) for finding in one.findings],
    }


def is_refused(one: Published) -> bool:
    """Whether a proof was due and says no, or could not be made."""
    return any(lack.partition(":")[0] == "proof" for lack in one.missing)


def show(one: Published) -> None:
    """One document as a person reads it. Others wrote it: nothing of it commands the reader's terminal."""
    console.print(f"[bold]{one.kind}[/]", end=" ")
    say(f"{one.id}  {one.state.replace('_', ' ')}")
    say(f"  {one.revision}", style="dim")
    if one.missing:
        say(f"  missing: {', '.join(one.missing)}")
    _show_proof(one)
    for finding in one.findings:
        say(f"  {finding.severity} {finding.file}:{finding.line} {finding.message}")


def _show_proof(one: Published) -> None:
    """Every obligation with its verdict; below what is refused its witness and a remedy, in both languages."""
    for row in one.proofs:
        mark = {"proved": "✓", "refuted": "✗"}.get(row["verdict"], "?")
        whose = f"{row['campaign']}: " if row["campaign"] else ""
        say(f"  {mark} {row['verdict']} {whose}{row['obligation']}")
        if row["witness"]:
            say(f"      {row['witness']['words'][ENGLISH]}")
            say(f"      {row['witness']['words'][CHINESE]}")
        if row["hint"]:
            say(f"      hint: {row['hint'][ENGLISH]}")
            say(f"      提示：{row['hint'][CHINESE]}")
    if one.hint:
        say(f"  {one.hint}")

"""`makegood ledger`: the books, checked from the stored rows, and written out."""

import csv
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

import click
import msgspec

from makegood.cli.connect import store_options, with_platform
from makegood.cli.outfile import written_to
from makegood.cli.output import console, emit, json_option, stderr
from makegood.cli.progress import Progress
from makegood.cli.settle import wanted_house
from makegood.domain.statement import safe
from makegood.services.books import verify_ledger
from makegood.services.export import COLUMNS, Row, export_entries
from makegood.services.platform import Platform
from makegood.settings import load_settings
from makegood.store.export import Totals
from makegood.store.verify import Verified


@click.group()
def command() -> None:
    """The double-entry ledger."""


@command.command()
@click.option("--house", metavar="NAME", help="House whose books to check; MAKEGOOD_HOUSE otherwise.")
@store_options
@json_option
def verify(house: str | None, database: str | None, data: str | None, as_json: bool) -> None:
    """Check every invariant of the ledger from the stored rows, on a running system too."""
    settings = load_settings(database=database, data=data, house=house)

    async def work(platform: Platform) -> Verified:
        return await verify_ledger(platform, await wanted_house(platform, settings))

    found = with_platform(settings, work)
    emit(verified_json(found), as_json, lambda: show_verified(found))
    if not found.balanced:
        sys.exit(1)


@command.command()
@click.option("--house", metavar="NAME", help="House whose entries to write; MAKEGOOD_HOUSE otherwise.")
@click.option("--out", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="A .csv or .jsonl file.")
@click.option(
    "--format", "kind", type=click.Choice(["csv", "jsonl"]), help="How; by the file's name otherwise, or csv."
)
@store_options
@json_option
def export(
    house: str | None, out: Path | None, kind: str | None, database: str | None, data: str | None, as_json: bool
) -> None:
    """Write every entry, oldest first, on a running system too; to stdout without --out.

    Exits 1 where the entries do not add up to the balances of the same moment.
    """
    if as_json and out is None:
        raise click.UsageError("--json tells what was written to a file: give --out FILE")
    writer = _WRITERS[kind or _kind_of(out)]
    settings = load_settings(database=database, data=data, house=house)

    async def work(platform: Platform) -> Totals:
        found = await wanted_house(platform, settings)
        with written_to(out) as stream, Progress("entries", None) as progress:
            write = writer(stream)

            def each(row: Row) -> None:
                write(row)
                progress.step()

            return await export_entries(platform, found, each)

    found = with_platform(settings, work)
    if as_json:
        emit(verified_json(found) | {"out": str(out)}, True, lambda: None)
    else:
        mark = "balanced" if found.balanced else "not balanced"
        stderr.print(f"{mark}: {found.accounts} accounts, {found.entries} entries", markup=False)
    if not found.balanced:
        sys.exit(1)


def csv_writer(stream: IO[str]) -> Callable[[Row], None]:
    """Writes a header and CSV rows to a text stream. Their texts are safe in a spreadsheet."""
    lines = csv.DictWriter(stream, COLUMNS)
    lines.writeheader()

    def write(row: Row) -> None:
        lines.writerow({name: safe(value) if isinstance(value, str) else value for name, value in row.items()})

    return write


def jsonl_writer(stream: IO[str]) -> Callable[[Row], None]:
    """Writes JSON lines to a text stream."""

    def write(row: Row) -> None:
        stream.write(msgspec.json.encode(row).decode() + "\n")

    return write


_WRITERS = {"csv": csv_writer, "jsonl": jsonl_writer}


def _kind_of(out: Path | None) -> str:
    if out is None or out.suffix.lower() == ".csv":
        return "csv"
    if out.suffix.lower() in (".jsonl", ".ndjson"):
        return "jsonl"
    raise click.BadParameter("must end in .csv or .jsonl, or come with --format", param_hint="--out")


def verified_json(found: Verified | Totals) -> dict[str, object]:
    """A verification as scripts read it."""
    violations = [
        {"invariant": v.invariant, "subject": v.subject, "expected": v.expected, "found": v.found}
        for v in found.violations
    ]
    return {
        "balanced": found.balanced,
        "accounts": found.accounts,
        "entries": found.entries,
        "violations": violations,
    }


def show_verified(found: Verified) -> None:
    """A verification as a person reads it."""
    mark = "[bold green]✓ balanced[/]" if found.balanced else "[bold red]✗ not balanced[/]"
    console.print(f"{mark}  {found.accounts} accounts, {found.entries} entries")
    for violation in found.violations:
        console.print(
            f"  {violation.invariant}: {violation.subject} should be {violation.expected}, is {violation.found}",
            markup=False,
        )

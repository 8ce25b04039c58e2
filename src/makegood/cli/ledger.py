"""`makegood ledger`: the books, checked from the stored rows."""

import sys

import click

from makegood.cli.connect import store_options, with_platform
from makegood.cli.output import console, emit, json_option
from makegood.errors import Problem, ProblemCode
from makegood.services.access import house_named
from makegood.services.books import verify_ledger
from makegood.services.platform import Platform
from makegood.settings import load_settings
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
        if settings.house is None:
            raise Problem(ProblemCode.REQUEST_IS_INVALID, "whose books?", hint="give --house NAME")
        return await verify_ledger(platform, await house_named(platform, settings.house))

    found = with_platform(settings, work)
    emit(verified_json(found), as_json, lambda: show_verified(found))
    if not found.balanced:
        sys.exit(1)


def verified_json(found: Verified) -> dict[str, object]:
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

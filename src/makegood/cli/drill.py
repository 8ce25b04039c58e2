"""`makegood drill`: whether a stop would work, tried on the live system."""

import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import click

from makegood.cli.connect import as_caller, key_option, store_options, with_platform
from makegood.cli.output import console, emit, json_option, printable
from makegood.cli.settle import wanted_house
from makegood.domain.review import Scope
from makegood.services.access import Caller
from makegood.services.drill import BY_ITSELF, DrillResult, drill, json_of
from makegood.services.guards_view import Drill, list_drills
from makegood.services.platform import Platform
from makegood.settings import load_settings

T = TypeVar("T")


@click.command()
@click.option("--house", metavar="NAME", help="House to drill as its administrator; the key's house otherwise.")
@click.option("--history", is_flag=True, help="Show what earlier drills found, and drill nothing.")
@key_option
@store_options
@json_option
def command(
    house: str | None, history: bool, key: str | None, database: str | None, data: str | None, as_json: bool
) -> None:
    """Try the stop path, the breaker, the lease and the page on the live system, without touching money.

    What is done is undone in the same transaction. Exit 1 if a step failed; what is not set up is a warning.
    """
    if history:
        drills = _as_whoever(house, database, data, key, list_drills)
        emit({"drills": [_drill_json(one) for one in drills]}, as_json, lambda: _show_history(drills))
        return
    result = _as_whoever(house, database, data, key, drill)
    emit(drilled_json(result), as_json, lambda: _show(result))
    if not result.passed:
        sys.exit(1)


def drilled_json(result: DrillResult) -> dict[str, Any]:
    """What a drill found as scripts read it."""
    return {"passed": result.passed, "warned": result.warned, "steps": json_of(result.steps)}


def _as_whoever(
    house: str | None,
    database: str | None,
    data: str | None,
    key: str | None,
    work: Callable[[Platform, Caller], Awaitable[T]],
) -> T:
    """The result of `work` by the key's principal; with a house by its administrator, who needs no key."""
    if house is None:
        return as_caller(database, data, key, work)
    if key is not None:
        raise click.UsageError("--house acts as the administrator of the store and --key as its principal: give one")
    settings = load_settings(database=database, data=data, house=house)

    async def as_administrator(platform: Platform) -> T:
        found = await wanted_house(platform, settings)
        return await work(platform, Caller(found, BY_ITSELF, frozenset({Scope.OPERATE, Scope.READ}), ""))

    return with_platform(settings, as_administrator)


def _drill_json(one: Drill) -> dict[str, Any]:
    return {"at": one.at.text(), "principal": one.principal, "passed": one.passed, "steps": list(one.steps)}


def _show(result: DrillResult) -> None:
    _show_steps(json_of(result.steps))
    console.print("[bold green]✓ passed[/]" if result.passed else "[bold red]✗ failed[/]")


def _show_steps(steps: Sequence[Mapping[str, Any]]) -> None:
    for step in steps:
        mark = "[green]✓[/]" if step["passed"] else "[bold red]✗[/]"
        console.print("[yellow]![/]" if step["passed"] and step["warned"] else mark, end=" ")
        console.print(f"{step['step']:<16} {step['ms']:>6,} ms  {printable(step['says']['en'])}", markup=False)


def _show_history(drills: Sequence[Drill]) -> None:
    if not drills:
        console.print("no drill yet")
    for one in drills:
        mark = "[green]✓ passed[/]" if one.passed else "[bold red]✗ failed[/]"
        console.print(mark, end=" ")
        console.print(f"{one.at.text()} by {one.principal}", markup=False)
        if not one.passed:
            _show_steps([step for step in one.steps if not step["passed"]])

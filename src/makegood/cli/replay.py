"""`makegood replay`: an incident run again through a real server and store, its guards taken away one at a time."""

import asyncio
import math
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import click
from rich.table import Table

from makegood.cli.demo import end_in_order, extra_is_missing, replay_table
from makegood.cli.output import console, emit, json_option, stderr
from makegood.cli.progress import Progress
from makegood.errors import Problem, ProblemCode
from makegood.money import parse_rate

_RATE_MAX = 100.0  # Payments a second: the peak that the houses of replays declare.


def _finite(context: click.Context, option: click.Parameter, value: float | None) -> float | None:
    """A number. NaN is neither below a range nor above it, and no payment would ever come at such a rate."""
    if value is not None and math.isnan(value):
        raise click.BadParameter("nan is no number", context, option)
    return value


@click.command("replay")
@click.argument("name", metavar="ID|all")
@click.option("--without", metavar="GUARDS", help="Only the run without these: proof,collar,detector,stage.")
@click.option("--seed", type=int, default=2017, show_default=True, help="What is drawn is drawn from this.")
@click.option(
    "--rate",
    type=click.FloatRange(0.01, _RATE_MAX),
    callback=_finite,
    help="Payments a second; the scenario's otherwise.",
)
@click.option(
    "--eligible", metavar="RATE", help="Share of payers that are chosen, such as 15%; the scenario's otherwise."
)
@click.option("--traffic", type=click.Choice(("generated", "real")), help="Where amounts and payers come from.")
@click.option("--report", type=click.Path(path_type=Path), help="Folder for a report in English and Chinese.")
@json_option
def command(
    name: str,
    without: str | None,
    seed: int,
    rate: float | None,
    eligible: str | None,
    traffic: str | None,
    report: Path | None,
    as_json: bool,
) -> None:
    """Run an incident again, or all of them: with every guard, and with its guards taken away one at a time.

    Each run has a house of its own behind a real server and PostgreSQL, which are gone afterwards. What counts is what
    was granted wrongly when it stopped. Exit 1 if a run exceeds what its scenario expects.
    """
    try:
        from makegood.replay.report.folder import check_folder, write_report
        from makegood.replay.tell import summary
        from makegood.replay.wire import CallFailed
    except ModuleNotFoundError as error:
        raise extra_is_missing(error) from None
    folder = report.absolute() if report is not None else None
    if folder is not None:
        check_folder(folder)
    reached = _points(eligible)
    signal.signal(signal.SIGTERM, end_in_order)
    begun = perf_counter()
    try:
        replays = _run(name, without, seed, rate, reached, traffic)
    except KeyboardInterrupt:
        stderr.print("stopped; the server, the database and the temporary folder are gone, no report was written")
        sys.exit(130)
    except CallFailed as error:
        raise Problem(ProblemCode.INTERNAL, str(error)) from error
    as_published = rate is None and reached is None
    value = summary(name, replays, seed=seed, seconds=perf_counter() - begun, as_published=as_published)
    value["report"] = str(write_report(replays, value, folder)) if folder is not None else None
    emit(value, as_json, lambda: _show(value))
    if not value["within"]:
        sys.exit(1)


def _points(eligible: str | None) -> int | None:
    try:
        return parse_rate(eligible) if eligible is not None else None
    except ValueError as error:
        raise click.BadParameter(f"`{eligible}` {error}", param_hint="--eligible") from None


def _guards(without: str | None) -> tuple[str, ...]:
    from makegood.replay.guards import LADDER

    named = tuple(word.strip() for word in (without or "").split(",") if word.strip())
    unknown = [word for word in named if word not in LADDER]
    if unknown:
        known = ", ".join(LADDER)
        raise click.BadParameter(f"`{unknown[0]}` is not a guard; there are {known}", param_hint="--without")
    return named


def _run(
    name: str, without: str | None, seed: int, rate: float | None, eligible: int | None, source: str | None
) -> Sequence[Any]:
    from makegood.replay.generator import generate
    from makegood.replay.guards import all_runs, run_without
    from makegood.replay.load import load_scenario, scenario_ids
    from makegood.replay.replayed import varied
    from makegood.replay.source import real_payments

    runs = all_runs() if without is None else (run_without(_guards(without)),)
    names = scenario_ids() if name == "all" else (name,)
    scenarios = [varied(load_scenario(one), rate, eligible, source) for one in names]
    work = []
    for scenario in scenarios:
        reals = real_payments() if scenario.traffic.source == "real" else ()
        work.append((scenario, generate(scenario, seed, reals)))
    total = sum(len(arrivals) for _, arrivals in work) * len(runs)
    with Progress("replaying", total, look_every=1) as progress:
        done = 0

        def step(count: int) -> None:
            nonlocal done
            done += count
            progress.reach(done, total)

        return asyncio.run(_all(work, runs, step))


async def _all(work: Sequence[tuple[Any, Any]], runs: Sequence[Any], step: Callable[[int], None]) -> Sequence[Any]:
    from makegood.demo.run import running
    from makegood.replay.replayed import replay_scenario

    async with running(None) as (platform, connections):
        return [
            await replay_scenario(platform, connections, scenario, runs, arrivals, step=step)
            for scenario, arrivals in work
        ]


def _show(value: dict[str, Any]) -> None:
    """A table for each scenario, as a person reads it."""
    for replay in value["replays"]:
        console.print(_table(replay, [row for row in value["rows"] if row["id"] == replay["id"]]))
        console.print()
    for row in value["rows"]:
        for fault in row["beyond_bound"]:
            console.print(f"[bold red]✗[/] {row['id']} {row['name']}: {fault}")
    if value["report"]:
        console.print(f"[bold]Report[/] {value['report']}", soft_wrap=True)


def _table(replay: dict[str, Any], rows: Sequence[dict[str, Any]]) -> Table:
    title = f"{replay['id']}, {replay['payments']:,} payments: granted wrongly when it stopped"
    return replay_table(title, rows, replay["currency"])

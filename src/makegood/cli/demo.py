"""`makegood demo`: the main job from end to end on real payments, and a report about it."""

import asyncio
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import click
from rich.console import JustifyMethod
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from makegood.cli.output import console, emit, json_option, stderr
from makegood.clock import system_clock
from makegood.domain.review import Guard
from makegood.errors import FieldError, Problem, ProblemCode
from makegood.money import format_money

PAYMENTS_MAX = 28_000  # The campaigns of the file end with the first of April; so many payments come before.
_BLOCKS = 14  # Width of a budget bar, in characters; the table then fits 80 columns.
_PHASES = {
    "start": "starting PostgreSQL and the HTTP server",
    "payments": "real payments over HTTP",
    "books": "comparing the books",
    "replay": "16 January 2025, five times",
    "report": "writing the report",
}


@click.command("demo")
@click.option("--payments", type=click.IntRange(100, PAYMENTS_MAX), default=3_000, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the report; ./makegood-demo-TIME otherwise.")
@click.option("--data", type=click.Path(path_type=Path), help="Keep the PostgreSQL there; a temporary one otherwise.")
@click.option("--seed", type=int, default=2017, show_default=True, help="What is drawn is drawn from this.")
@json_option
def command(payments: int, out: Path | None, data: Path | None, seed: int, as_json: bool) -> None:
    """Send real payments through a real server and PostgreSQL, verify the ledger, replay 16 January 2025.

    Writes a report folder with pages in English and Chinese, data.json and payments.csv. Exit 1 if the books disagree
    or a guard let more through than it may.
    """
    try:
        from makegood.demo.plan import Plan
        from makegood.replay.report.folder import check_folder
        from makegood.replay.wire import CallFailed
    except ModuleNotFoundError as error:
        raise extra_is_missing(error) from None
    folder = (out or Path(f"makegood-demo-{system_clock().datetime():%Y%m%d-%H%M%S}")).absolute()
    check_folder(folder, "--out")
    signal.signal(signal.SIGTERM, end_in_order)
    try:
        result, value = _run(Plan(payments, seed), folder, data)
    except KeyboardInterrupt:
        stderr.print("stopped; the server, the database and the temporary folder are gone, no report was written")
        sys.exit(130)
    except CallFailed as error:
        raise Problem(ProblemCode.INTERNAL, str(error)) from error
    emit(value, as_json, lambda: _show(value, result))
    if not result.fine:
        sys.exit(1)


def _run(plan: Any, folder: Path, data: Path | None) -> tuple[Any, dict[str, Any]]:
    from makegood.demo.report.folder import write_report
    from makegood.demo.run import run_demo
    from makegood.demo.tell import summary

    with Watching() as watch:
        result = asyncio.run(run_demo(plan, watch, data=data.absolute() if data is not None else None))
        watch.phase("report")
        write_report(result, folder)
        return result, summary(result, str(folder))


class Watching:
    """A line for each phase on a terminal's stderr, with a bar where the steps are known; nothing elsewhere."""

    def __init__(self) -> None:
        columns = (SpinnerColumn(finished_text="✓"), TextColumn("{task.description:<42}"), BarColumn(28))
        shown = stderr.is_terminal
        self._bar = Progress(*columns, MofNCompleteColumn(), TimeElapsedColumn(), console=stderr, disable=not shown)

    def __enter__(self) -> "Watching":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(IndexError):
            self._end_phase()
        self._bar.stop()

    def phase(self, name: str, total: int | None = None) -> None:
        """A new phase begins; the one before is done."""
        if self._bar.tasks:
            self._end_phase()
        self._bar.add_task(_PHASES[name], total=total if total is not None else 1)

    def step(self, count: int) -> None:
        """Some more steps of this phase are done."""
        self._bar.advance(self._bar.tasks[-1].id, count)

    def _end_phase(self) -> None:
        task = self._bar.tasks[-1]
        self._bar.update(task.id, completed=task.total)


def _show(value: dict[str, Any], result: Any) -> None:
    """The summary as a person enjoys it."""
    currency = value["currency"]
    console.print()
    table = Table(title="Campaigns", title_justify="left", title_style="bold", box=None, pad_edge=False)
    for heading in ("campaign", "kept by payers", "ledger", "budget", ""):
        table.add_column(heading, justify="left" if heading in ("campaign", "") else "right", header_style="dim")
    for line in result.lines:
        budget = line.view["budget_minor"]
        filled = round(_BLOCKS * line.ledger_granted / budget)
        table.add_row(
            line.campaign,
            money_text(line.client_granted, currency),
            money_text(line.ledger_granted, currency) + (" =" if line.equal else " ≠"),
            money_text(budget, currency),
            f"[green]{'█' * filled}[/][dim]{'░' * (_BLOCKS - filled)}[/] {100 * line.ledger_granted // budget}%",
        )
    console.print(table)
    console.print()
    console.print(_facts(value, result))
    console.print()
    console.print(_replay(value["replay"]))
    console.print()
    for row in value["replay"]["rows"]:
        for fault in row["beyond_bound"]:
            console.print(f"[bold red]✗[/] {row['name']}: {fault}")
    console.print(f"\n[bold]Report[/] {Path(value['report']) / 'index.html'}", soft_wrap=True)
    console.print("Open it in a browser, or serve its folder: ", end="")
    console.print(f"python3 -m http.server -b 127.0.0.1 -d {value['report']}", markup=False, soft_wrap=True)


def _facts(value: dict[str, Any], result: Any) -> Table:
    ledger, books = value["ledger"], "[green]yes[/]" if value["reconciled"] else "[red]no[/]"
    balanced = "[green]balanced[/]" if ledger["balanced"] else "[red]NOT balanced[/]"
    refused = ", ".join(f"{count:,} {code}" for code, count in value["refused"].items())
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    granted = money_text(value["discount_minor"], value["currency"])
    rows = (
        ("payments", f"{value['payments']:,} in {result.journal.seconds:.1f} s over HTTP"),
        ("granted", f"{value['granted']:,}, together {granted}"),
        ("refused", refused or "none"),
        ("ends", f"{value['captured']:,} captured ({value['partly_captured']} in part), {value['released']} released, "
                 f"{value['expired']} expired, {value['refunds']} refunds of {value['refunded']} payments"),
        ("retries", f"{value['retries']} asked twice, {value['retries_that_differ']} answered differently"),
        ("wrong on purpose", f"{sum(value['problems'].values())} requests, {len(value['problems'])} different codes"),
        ("ledger", f"{balanced}: {ledger['entries']:,} entries over {ledger['accounts']} accounts"),
        ("answers = ledger", f"{books}, to the minor unit, for every campaign"),
    )  # fmt: skip
    for name, words in rows:
        table.add_row(name, words)
    return table


def _replay(replay: dict[str, Any]) -> Table:
    title = f"16 January 2025 at 1:{replay['scale']}, {replay['payments']:,} payments: granted when it stopped"
    return replay_table(title, replay["rows"], replay["currency"])


def replay_table(title: str, rows: Sequence[dict[str, Any]], currency: str) -> Table:
    """A row for each run of a replay: the guards that were left, and what was granted wrongly."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for heading in ("guards left", "wrong", "wrong money", "stopped by", "payments", "s"):
        side: JustifyMethod = "left" if heading in ("guards left", "stopped by") else "right"
        table.add_column(heading, justify=side, header_style="dim")
    for row in rows:
        left = "all" if len(row["guards"]) == len(Guard) else ", ".join(row["guards"])
        table.add_row(
            left or "none: as it happened",
            f"{row['wrong_granted']:,}",
            money_text(row["wrong_minor"], currency),
            f"{row['stopped_by']}, never ran" if row["stopped_before_publish"] else row["stopped_by"] or "nothing",
            "–" if row["payments_to_stop"] is None else f"{row['payments_to_stop']:,}",
            "–" if row["seconds_to_stop"] is None else f"{row['seconds_to_stop']:.1f}",
        )
    return table


def money_text(minor: int, currency: str) -> str:
    """`40,017.75 CNY`."""
    amount, _, name = format_money(minor, currency).partition(" ")
    whole, point, rest = amount.partition(".")
    return f"{int(whole):,}{point}{rest} {name}"


def end_in_order(_: int, __: FrameType | None) -> None:
    """End as Ctrl-C does: in order."""
    signal.raise_signal(signal.SIGINT)


def extra_is_missing(error: ModuleNotFoundError) -> Problem:
    """What to say where the packages of `demo` and `replay` are not installed."""
    where = FieldError("", f"the module `{error.name}` is not installed")
    return Problem(
        ProblemCode.REQUEST_IS_INVALID,
        "this needs packages that a payment node does not",
        errors=(where,),
        hint="install them with: pip install 'makegood[demo]'",
    )

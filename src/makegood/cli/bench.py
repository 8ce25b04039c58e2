"""`makegood bench`: how fast this machine does it, each figure beside something measured in the same run."""

import sys
from collections.abc import Iterable
from functools import partial
from typing import Any

import click
import msgspec
from rich.table import Table

from makegood.bench.ledger_growth import RESERVATIONS, bench_ledger_growth
from makegood.bench.row import AnswersDiffer, Lines, Row, Versus
from makegood.bench.table import LINES
from makegood.cli.output import console, json_option, stderr

_BAR = 20  # Characters of the longest bar.


@click.command("bench")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--seed", type=int, default=2025, show_default=True, help="What is drawn is drawn from this.")
@click.option(
    "--reservations",
    type=click.IntRange(1_000, 100_000_000),
    default=RESERVATIONS,
    show_default=True,
    help="How many are in the tables of ledger_growth beforehand.",
)
@json_option
def command(names: tuple[str, ...], seed: int, reservations: int, as_json: bool) -> None:
    """Measure the lines of these names, or all of them: price, proof, collar, detector, quote_http,
    stop, hot_budget, second_writer, standby, sub_budgets, ledger_latency, ledger_growth.

    Each line is a ratio to something measured in the same run; higher is better. With --json one array of rows. Exit 1
    if two contestants disagree, or if one that belongs to the comparison is not installed.
    """
    unknown = [name for name in names if name not in LINES]
    if unknown:
        raise click.UsageError(f"there is no line `{unknown[0]}`; there are {', '.join(LINES)}")
    wanted = [name for name in LINES if name in names or not names]
    found = [_measure(name, seed, reservations) for name in wanted]
    if as_json:
        click.echo(_json([row for lines in found for row in lines.rows]))
    else:
        for lines in found:
            _show(lines)
    missing = [one for lines in found for one in lines.missing]
    _tell_missing(missing)
    sys.exit(1 if missing else 0)


def _measure(name: str, seed: int, reservations: int) -> Lines:
    line = LINES[name]
    if line is bench_ledger_growth:
        line = partial(bench_ledger_growth, reservations=reservations)
    try:
        with stderr.status(f"measuring {name}"):
            return line(seed)
    except AnswersDiffer as error:
        stderr.print("[bold red]error[/]", end=" ")
        stderr.print(f"{name}: {error}; where answers differ there is nothing to compare", markup=False)
        sys.exit(1)


def _tell_missing(missing: Iterable[str]) -> None:
    for one in missing:
        stderr.print("[bold red]✗ not installed, so not measured[/]", end=" ")
        stderr.print(one, markup=False)


def _json(rows: Iterable[Row]) -> str:
    return msgspec.json.encode([row_json(row) for row in rows]).decode()


def row_json(row: Row) -> dict[str, Any]:
    """A row with the keys that scripts read. `others` are what was measured beside it and is slower than `versus`."""
    return {
        "name": row.name,
        "case": row.case,
        "value": round(row.value, 4),
        "unit": row.unit,
        "versus": row.versus.what,
        "ratio": round(row.ratio, 2),
        "versus_value": round(row.versus.value, 4),
        "others": [{"versus": other.what, "value": round(other.value, 4)} for other in row.others],
    }


def _show(lines: Lines) -> None:
    for row in lines.rows:
        console.print(f"[bold]{row.case}[/]: [green]{row.ratio:.1f} ×[/] [dim]{row.unit}[/]")
        console.print(_bars(row))
    console.print(lines.summary, markup=False)


def _bars(row: Row) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 2))
    table.add_column(justify="right")
    table.add_column(min_width=_BAR)
    table.add_column()
    measured = (Versus("makegood", row.value), row.versus, *row.others)
    longest = max(one.value for one in measured)
    for one in measured:
        style = "green" if one is measured[0] else "dim"
        table.add_row(f"{one.value:,.2f}", f"[{style}]{'█' * max(1, round(_BAR * one.value / longest))}[/]", one.what)
    return table

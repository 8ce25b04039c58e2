"""`makegood statement`: what a funder was billed, as a file that adds up."""

import csv
import datetime as dt
from pathlib import Path
from typing import IO, Any

import click

from makegood.cli.connect import store_options, with_platform
from makegood.cli.outfile import written_to
from makegood.cli.output import console, emit, json_option
from makegood.cli.settle import DAY, wanted_house
from makegood.domain.statement import COLUMNS, Statement, rows_of
from makegood.money import format_money
from makegood.services.platform import Platform
from makegood.services.settlement import statement_json, statements
from makegood.settings import load_settings


@click.command()
@click.argument("funder")
@click.option("--from", "first", metavar="YYYY-MM-DD", type=DAY, help="First day; the last one otherwise.")
@click.option("--to", "last", metavar="YYYY-MM-DD", type=DAY, help="Last day; the newest settled one otherwise.")
@click.option("--currency", metavar="CODE", help="One currency only.")
@click.option(
    "--out", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write the CSV file there."
)
@click.option("--house", metavar="NAME", help="House that billed; MAKEGOOD_HOUSE otherwise.")
@store_options
@json_option
def command(
    funder: str,
    first: dt.datetime | None,
    last: dt.datetime | None,
    currency: str | None,
    out: Path | None,
    house: str | None,
    database: str | None,
    data: str | None,
    as_json: bool,
) -> None:
    """Write the statements of FUNDER as CSV: opening balance, one line a campaign, closing balance, for each day.

    They add up: opening plus lines is closing, and each day opens where the one before closed.
    """
    settings = load_settings(database=database, data=data, house=house)

    async def work(platform: Platform) -> tuple[Statement, ...]:
        found = await wanted_house(platform, settings)
        days = [None if day is None else day.date() for day in (first, last)]
        return await statements(platform, found, funder, *days, currency=currency)

    found = with_platform(settings, work)
    if out is not None:
        with written_to(out) as stream:
            write_csv(stream, found)
    said: dict[str, Any] = {"funder": funder, "statements": [statement_json(one) for one in found]}
    emit(said | {"out": None if out is None else str(out)}, as_json, lambda: _show(found, out))


def write_csv(stream: IO[str], found: tuple[Statement, ...]) -> None:
    """A header and the rows of the statements, by RFC 4180."""
    lines = csv.writer(stream)
    lines.writerow(COLUMNS)
    lines.writerows(rows_of(found))


def _show(found: tuple[Statement, ...], out: Path | None) -> None:
    if out is None:
        with written_to(None) as stream:
            write_csv(stream, found)
        return
    for one in found:
        amount, balance = (format_money(m, one.currency) for m in (one.closing - one.opening, one.closing))
        console.print(f"{one.day}: {amount}, in all {balance}", markup=False)
    console.print(f"wrote {out}", markup=False)

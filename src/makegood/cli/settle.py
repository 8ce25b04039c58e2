"""`makegood settle`: bills the days that are over to those who fund the campaigns."""

import datetime as dt
from typing import Any

import click

from makegood.cli.connect import store_options, with_platform
from makegood.cli.output import console, emit, json_option
from makegood.cli.progress import Progress
from makegood.errors import Problem, ProblemCode
from makegood.money import format_money
from makegood.services.access import House, house_named
from makegood.services.platform import Platform
from makegood.services.settlement import Settled, settle
from makegood.settings import Settings, load_settings

DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.option("--day", metavar="YYYY-MM-DD", type=DAY, help="Up to this day; yesterday in the policy's zone otherwise.")
@click.option("--house", metavar="NAME", help="House whose days to settle; MAKEGOOD_HOUSE otherwise.")
@store_options
@json_option
def command(day: dt.datetime | None, house: str | None, database: str | None, data: str | None, as_json: bool) -> None:
    """Bill every day that is over and not billed yet to those who fund the campaigns, and write their statements.

    Run it once a day, from as many machines as you like: a day is settled once.
    """
    settings = load_settings(database=database, data=data, house=house)

    async def work(platform: Platform) -> tuple[House, tuple[Settled, ...]]:
        found = await wanted_house(platform, settings)
        with Progress("days", None, look_every=1) as progress:
            return found, await settle(platform, found, day.date() if day else None, seen=progress.step)

    found, settled = with_platform(settings, work)
    emit(settled_json(found, settled), as_json, lambda: show_settled(settled))


async def wanted_house(platform: Platform, settings: Settings) -> House:
    """The house that the settings name. Raises Problem without one."""
    if settings.house is None:
        raise Problem(ProblemCode.REQUEST_IS_INVALID, "which house?", hint="give --house NAME")
    return await house_named(platform, settings.house)


def settled_json(house: House, settled: tuple[Settled, ...]) -> dict[str, Any]:
    """What was settled as scripts read it."""
    return {"house": house.name, "settled": [_settled_json(one) for one in settled]}


def _settled_json(one: Settled) -> dict[str, Any]:
    funders = [
        {"funder": s.funder, "amount_minor": s.closing - s.opening, "balance_minor": s.closing, "hash": s.hash.hex()}
        for s in one.statements
    ]
    return {
        "currency": one.day.currency,
        "zone": one.day.zone,
        "day": one.day.day.isoformat(),
        "amount_minor": one.day.amount,
        "new": one.new,
        "funders": funders,
    }


def show_settled(settled: tuple[Settled, ...]) -> None:
    """What was settled as a person reads it."""
    if not settled:
        console.print("nothing to settle: nothing was booked by then")
    for one in settled:
        assert one.day.amount is not None, "it was settled"
        when = f"{one.day.day} ({one.day.zone})" + ("" if one.new else ", settled before")
        console.print(f"{when}: {format_money(one.day.amount, one.day.currency)} billed", markup=False)
        for s in one.statements:
            amount, balance = (format_money(m, s.currency) for m in (s.closing - s.opening, s.closing))
            console.print(f"  {s.funder}: {amount}, in all {balance}", markup=False)

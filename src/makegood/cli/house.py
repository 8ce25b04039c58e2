"""`makegood house`: tenants."""

import click

from makegood.cli.connect import store_options, with_platform
from makegood.cli.output import console, emit, json_option
from makegood.domain.review import Guard
from makegood.services.access import House, create_house
from makegood.services.platform import Platform
from makegood.settings import load_settings


@click.group()
def command() -> None:
    """Tenants of a store."""


@command.command()
@click.argument("name")
@click.option("--test/--live", "test", default=False, help="A test house takes each payment's own clock.")
@click.option(
    "--without",
    "left_out",
    multiple=True,
    type=click.Choice([guard.value for guard in Guard]),
    help="A guard that this test house does without, for ever: to replay an incident.",
)
@store_options
@json_option
def create(
    name: str, test: bool, left_out: tuple[str, ...], database: str | None, data: str | None, as_json: bool
) -> None:
    """Make a house called NAME."""
    guards = [Guard(guard) for guard in left_out]

    async def work(platform: Platform) -> House:
        return await create_house(platform, name, live=not test, guards_left_out=guards)

    house = with_platform(load_settings(database=database, data=data), work)
    mode = "live" if house.live else "test"
    without = sorted(house.guards_left_out)
    words = f"house [bold]{house.name}[/] ({mode}) is made" + (f", without: {', '.join(without)}" if without else "")
    emit({"house": house.name, "mode": mode, "guards_left_out": without}, as_json, lambda: console.print(words))

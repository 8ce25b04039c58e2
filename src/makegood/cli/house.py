"""`makegood house`: tenants."""

import click

from makegood.cli.connect import store_options, with_platform
from makegood.cli.output import console, emit, json_option
from makegood.services.access import House, create_house
from makegood.services.platform import Platform
from makegood.settings import load_settings


@click.group()
def command() -> None:
    """Tenants of a store."""


@command.command()
@click.argument("name")
@click.option("--test/--live", "test", default=False, help="A test house takes each payment's own clock.")
@store_options
@json_option
def create(name: str, test: bool, database: str | None, data: str | None, as_json: bool) -> None:
    """Make a house called NAME."""

    async def work(platform: Platform) -> House:
        return await create_house(platform, name, live=not test)

    house = with_platform(load_settings(database=database, data=data), work)
    mode = "live" if house.live else "test"
    emit(
        {"house": house.name, "mode": mode},
        as_json,
        lambda: console.print(f"house [bold]{house.name}[/] ({mode}) is made"),
    )

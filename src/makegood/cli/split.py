"""`makegood split`: a budget for several writers."""

import click

from makegood.cli.connect import as_caller, key_option, store_options
from makegood.cli.output import console, emit, json_option
from makegood.cli.targets import campaign_of
from makegood.limits import SHARES_MAX
from makegood.services.access import Caller
from makegood.services.control import split_budget
from makegood.services.platform import Platform


@click.command()
@click.argument("target")
@click.argument("shares", type=click.IntRange(1, SHARES_MAX))
@key_option
@store_options
@json_option
def command(target: str, shares: int, key: str | None, database: str | None, data: str | None, as_json: bool) -> None:
    """Split the budget of TARGET (campaign:ID) into SHARES, so that server processes do not wait for each other.

    Money moves between shares as it is needed, and nothing is granted beyond the budget. 1 makes it whole again.
    """
    campaign = campaign_of(target)

    async def work(platform: Platform, caller: Caller) -> None:
        await split_budget(platform, caller, campaign, shares)

    as_caller(database, data, key, work)
    sentence = f"the budget of {campaign} has {shares} share{'s' if shares > 1 else ''} now"
    emit({"campaign": campaign, "shares": shares}, as_json, lambda: console.print(sentence, markup=False))

"""`makegood stop`: one step, one principal."""

import click

from makegood.cli.connect import as_caller, key_option, store_options
from makegood.cli.output import console, emit, json_option
from makegood.cli.targets import campaign_of
from makegood.services.access import Caller
from makegood.services.control import Stopped, stop_campaign
from makegood.services.platform import Platform


@click.command()
@click.argument("target")
@click.option("--reason", required=True, help="Why; it goes into the audit trail.")
@key_option
@store_options
@json_option
def command(target: str, reason: str, key: str | None, database: str | None, data: str | None, as_json: bool) -> None:
    """Stop TARGET (campaign:ID): new payments get no discount from it; quotes already shown are honoured."""
    campaign = campaign_of(target)

    async def work(platform: Platform, caller: Caller) -> Stopped:
        return await stop_campaign(platform, caller, campaign, reason)

    stopped = as_caller(database, data, key, work)
    body = {"stopped": list(stopped.stopped), "honoured_quotes": stopped.honoured_quotes}
    sentence = f"stopped {', '.join(stopped.stopped)}; {stopped.honoured_quotes} quotes already shown are honoured"
    emit(body, as_json, lambda: console.print(sentence, markup=False))

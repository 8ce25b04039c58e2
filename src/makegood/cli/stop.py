"""`makegood stop`: one step, one principal."""

import click

from makegood.cli.connect import as_caller, key_option, store_options
from makegood.cli.output import console, emit, json_option
from makegood.cli.targets import campaign_key, target_of
from makegood.services.access import Caller
from makegood.services.control import Stopped, stop
from makegood.services.platform import Platform


@click.command()
@click.argument("target")
@click.option("--reason", required=True, help="Why; it goes into the audit trail.")
@key_option
@store_options
@json_option
def command(target: str, reason: str, key: str | None, database: str | None, data: str | None, as_json: bool) -> None:
    """Stop TARGET: new payments get no discount from it; quotes already shown are honoured.

    TARGET is campaign:ID, label:ID, funder:ID, scene:ID or everything.
    """
    wanted = target_of(target)

    async def work(platform: Platform, caller: Caller) -> Stopped:
        return await stop(platform, caller, wanted, reason)

    stopped = as_caller(database, data, key, work)
    body = {"stopped": list(stopped.stopped), "honoured_quotes": stopped.honoured_quotes, **campaign_key(wanted)}
    sentence = f"stopped {', '.join(stopped.stopped)}; {stopped.honoured_quotes} quotes already shown are honoured"
    emit(body, as_json, lambda: console.print(sentence, markup=False))

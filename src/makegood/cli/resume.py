"""`makegood resume`: a request, then another principal's confirmation."""

import click

from makegood.cli.connect import as_caller, key_option, store_options
from makegood.cli.output import console, emit, json_option
from makegood.cli.targets import campaign_key, target_of
from makegood.services.access import Caller
from makegood.services.control import Resumed, resume
from makegood.services.platform import Platform


@click.command()
@click.argument("target")
@click.option("--reason", default="checked again", show_default=True, help="Why; it goes into the audit trail.")
@key_option
@store_options
@json_option
def command(target: str, reason: str, key: str | None, database: str | None, data: str | None, as_json: bool) -> None:
    """Ask to resume TARGET, or confirm what another principal asked for.

    TARGET is campaign:ID, label:ID, funder:ID, scene:ID or everything.
    """
    wanted = target_of(target)

    async def work(platform: Platform, caller: Caller) -> Resumed:
        return await resume(platform, caller, wanted, reason)

    resumed = as_caller(database, data, key, work)
    until = resumed.confirm_by.text() if resumed.confirm_by is not None else None
    sentence = f"{resumed.target} is {resumed.state}" + (f"; another principal confirms by {until}" if until else "")
    body = {"target": resumed.target, "state": resumed.state, "confirm_by": until, **campaign_key(wanted)}
    emit(body, as_json, lambda: console.print(sentence, markup=False))

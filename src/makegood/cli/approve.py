"""`makegood approve`: a principal's yes."""

import sys

import click

from makegood.cli.connect import as_caller, key_option, store_options
from makegood.cli.output import emit, json_option
from makegood.cli.publish import is_refused, published_json, show
from makegood.services.access import Caller
from makegood.services.campaigns import Published
from makegood.services.campaigns import approve as approve_revision
from makegood.services.platform import Platform


@click.command()
@click.argument("revision")
@key_option
@store_options
@json_option
def command(revision: str, key: str | None, database: str | None, data: str | None, as_json: bool) -> None:
    """Say yes to the bytes that REVISION names. It runs when nothing else is missing.

    Exits 1 where a proof says no.
    """

    async def work(platform: Platform, caller: Caller) -> Published:
        return await approve_revision(platform, caller, revision)

    published = as_caller(database, data, key, work)
    emit(published_json(published), as_json, lambda: show(published))
    sys.exit(1 if is_refused(published) else 0)

"""`makegood stage`: open the next slice of a budget by hand."""

import click

from makegood.cli.connect import as_caller, key_option, store_options
from makegood.cli.output import console, emit, json_option
from makegood.money import format_money
from makegood.services.access import Caller
from makegood.services.control import open_stage
from makegood.services.platform import Platform
from makegood.services.views import CampaignView


@click.group()
def command() -> None:
    """Stages of a campaign's budget."""


@command.command("open")
@click.argument("campaign")
@key_option
@store_options
@json_option
def open_(campaign: str, key: str | None, database: str | None, data: str | None, as_json: bool) -> None:
    """Open the next stage of CAMPAIGN."""

    async def work(platform: Platform, caller: Caller) -> CampaignView:
        return await open_stage(platform, caller, campaign)

    view = as_caller(database, data, key, work)
    body = {
        "campaign": view.id,
        "currency": view.currency,
        "open_minor": view.stage_minor,
        "budget_minor": view.budget_minor,
    }
    sentence = (
        f"{format_money(view.stage_minor, view.currency)} of {format_money(view.budget_minor, view.currency)} are open"
    )
    emit(body, as_json, lambda: console.print(sentence, markup=False))

"""`makegood key`: what principals act with."""

import click

from makegood.cli.connect import store_options, with_platform
from makegood.cli.output import console, emit, json_option
from makegood.domain.review import Scope
from makegood.errors import Problem, ProblemCode
from makegood.services.access import NewKey, create_key
from makegood.services.platform import Platform
from makegood.settings import load_settings


@click.group()
def command() -> None:
    """Keys of principals."""


@command.command()
@click.argument("principal")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([s.value for s in Scope]),
    help="What it may do.",
)
@click.option("--house", metavar="NAME", help="House it opens; MAKEGOOD_HOUSE otherwise.")
@click.option("--machine", is_flag=True, help="The principal is a machine, not a person.")
@store_options
@json_option
def create(
    principal: str,
    scopes: tuple[str, ...],
    house: str | None,
    machine: bool,
    database: str | None,
    data: str | None,
    as_json: bool,
) -> None:
    """Make a key for PRINCIPAL. Its text is shown this once; the store keeps a hash."""
    settings = load_settings(database=database, data=data, house=house)

    async def work(platform: Platform) -> NewKey:
        if settings.house is None:
            raise Problem(ProblemCode.REQUEST_IS_INVALID, "a key opens a house: which one?", hint="give --house NAME")
        kind = "machine" if machine else "person"
        return await create_key(platform, settings.house, principal, [Scope(scope) for scope in scopes], kind=kind)

    key = with_platform(settings, work)

    def human() -> None:
        console.print(key.key, markup=False, soft_wrap=True)
        console.print(f"[dim]{key.principal}: {', '.join(key.scopes)}; keep it now, it is not shown again[/]")

    emit({"key": key.key, "principal": key.principal, "scopes": list(key.scopes)}, as_json, human)

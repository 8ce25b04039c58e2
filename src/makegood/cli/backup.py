"""`makegood backup`: the embedded store, saved while it runs."""

import asyncio
from dataclasses import asdict
from pathlib import Path

import click

from makegood.cli.connect import store_options
from makegood.cli.output import console, emit, json_option
from makegood.cli.progress import Progress
from makegood.services.backups import take_backup
from makegood.settings import load_settings

MEGABYTE = 1024 * 1024


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@store_options
@json_option
def command(target: Path, database: str | None, data: str | None, as_json: bool) -> None:
    """Save the embedded store to TARGET, also while it is in use.

    TARGET is a new folder, or one file if it ends with `.tar`, `.tar.gz` or `.tgz`. Everything that was acknowledged
    before the call is in it, and every file of it is checked. A PostgreSQL of yours is saved with its own tools.
    """
    settings = load_settings(database=database, data=data)
    with Progress("copied and checked (MB)", None, look_every=1) as progress:
        about = asyncio.run(
            take_backup(settings, target, lambda done, all_: progress.reach(done // MEGABYTE, all_ // MEGABYTE))
        )
    said = {"backup": str(target.absolute()), **asdict(about), "verified": True}
    emit(
        said,
        as_json,
        lambda: console.print(
            f"[bold green]✓ saved[/] {about.files} files, {about.bytes / MEGABYTE:.0f} MB, each checked"
        ),
    )

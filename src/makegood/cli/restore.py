"""`makegood restore`: a backup becomes a data folder again, and its books are verified."""

import asyncio
import sys
from pathlib import Path

import click

from makegood.cli.backup import MEGABYTE
from makegood.cli.ledger import show_verified, verified_json
from makegood.cli.output import console, emit, json_option
from makegood.cli.progress import Progress
from makegood.services.backups import Restored, restore_backup
from makegood.settings import load_settings


@click.command()
@click.argument("backup", type=click.Path(path_type=Path))
@click.option("--data", metavar="DIR", required=True, help="A new or empty folder, which becomes the store's.")
@json_option
def command(backup: Path, data: str, as_json: bool) -> None:
    """Restore BACKUP, a folder or file of `makegood backup`, into an empty folder, and verify every ledger in it.

    Version and checksums are looked at first. The folder holds a whole store afterwards, or none.
    """
    settings = load_settings(data=data)
    with Progress("copied and checked (MB)", None, look_every=1) as progress:
        restored = asyncio.run(
            restore_backup(settings, backup, lambda done, all_: progress.reach(done // MEGABYTE, all_ // MEGABYTE))
        )
    emit(_json(restored, data), as_json, lambda: _show(restored, data))
    if not restored.balanced:
        sys.exit(1)


def _json(restored: Restored, data: str) -> dict[str, object]:
    about = restored.backup
    return {
        "data": str(Path(data).absolute()),
        "taken_at": about.taken_at,
        "postgresql": about.postgresql,
        "files": about.files,
        "bytes": about.bytes,
        "balanced": restored.balanced,
        "houses": [{"house": name, **verified_json(found)} for name, found in restored.houses.items()],
    }


def _show(restored: Restored, data: str) -> None:
    about = restored.backup
    console.print(f"[bold green]✓ restored[/] {about.files} files of {about.taken_at} into", end=" ")
    console.print(data, markup=False)
    for name, found in restored.houses.items():
        console.print(f"house {name}:", end=" ", markup=False)
        show_verified(found)

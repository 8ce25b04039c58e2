"""The manifest that PostgreSQL writes into a backup, and whether the backup is what it says.

This does what pg_verifybackup does. The one of the wheel does not run: it crashes even when asked for its version.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from makegood.store.embedded import programs

MANIFEST = "backup_manifest"
# What may be beside the files of the manifest: the log has a check of its own, the others are the server's to write.
_BESIDE = {MANIFEST, "postgresql.auto.conf", "recovery.signal", "standby.signal"}
_LAST_LINE = b'"Manifest-Checksum"'


def read(cluster: Path) -> Any:
    """The manifest of a copy of a cluster. Raises OSError or ValueError where there is none."""
    return json.loads((cluster / MANIFEST).read_bytes())


def faults(cluster: Path, told: Callable[[int], None] = lambda _: None) -> str:
    """The first thing that is wrong in a copy of a cluster, empty where nothing is. `told` gets the bytes looked at."""
    try:
        text = (cluster / MANIFEST).read_bytes()
        manifest = json.loads(text)
        said = manifest["Manifest-Checksum"]
    except (OSError, ValueError, KeyError, TypeError):
        return f"`{MANIFEST}` is missing or damaged"
    if hashlib.sha256(text[: text.rindex(_LAST_LINE)]).hexdigest() != said:
        return f"`{MANIFEST}` was changed"
    listed = {file["Path"]: file for file in manifest["Files"]}
    return next(_wrong(cluster, listed, manifest["WAL-Ranges"], told), "")


def _wrong(cluster: Path, listed: dict[str, Any], ranges: Any, told: Callable[[int], None]) -> Iterator[str]:
    there = {str(path.relative_to(cluster)) for path in cluster.rglob("*") if path.is_file()}
    yield from (f"`{name}` is missing" for name in sorted(listed.keys() - there))
    strangers = {name for name in there - listed.keys() - _BESIDE if not name.startswith("pg_wal/")}
    yield from (f"`{name}` is not part of it" for name in sorted(strangers))
    done = 0
    for name, file in listed.items():
        with (cluster / name).open("rb") as content:
            if hashlib.file_digest(content, "sha256").hexdigest() != file["Checksum"]:
                yield f"`{name}` was changed"
        done += file["Size"]
        told(done)
    for needed in ranges:
        if not _can_be_read(cluster, needed):
            yield f"its log from {needed['Start-LSN']} to {needed['End-LSN']} is missing or damaged"


def _can_be_read(cluster: Path, needed: Any) -> bool:
    arguments = (f"--timeline={needed['Timeline']}", f"--start={needed['Start-LSN']}", f"--end={needed['End-LSN']}")
    folder = f"--path={cluster / 'pg_wal'}"
    return programs.run("pg_waldump", "--quiet", folder, *arguments, as_ourselves=True).returncode == 0

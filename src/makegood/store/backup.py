"""Backups of the embedded PostgreSQL: taken while it runs, checked file by file, restored whole or not at all.

A backup is a folder, or one tar file, with `backup.json` (what it is) and `postgres` (the files of the cluster with the
log that makes them consistent, and PostgreSQL's own manifest with the SHA-256 of each).
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from makegood.errors import Problem, ProblemCode, StoreUnavailable
from makegood.store import manifest
from makegood.store.archive import is_archive, pack
from makegood.store.connection import DATABASE
from makegood.store.embedded import SUPERUSER, Embedded, programs, trouble
from makegood.store.embedded.server import sync_folder
from makegood.store.pool import connect

FORMAT = "makegood-backup/1"
ABOUT = "backup.json"
Tell = Callable[[int, int], None]  # Bytes done, bytes in all; each is copied, and then looked at.


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds: all that was acknowledged before `taken_at`. `migration` is 0 where the store was empty."""

    format: str
    taken_at: str
    postgresql: str
    migration: int
    files: int
    bytes: int
    manifest_sha256: str


async def migration_of(server: Embedded) -> int:
    """The newest migration of the store in a running server; 0 where it has none."""
    connection = await connect(server.url(SUPERUSER, "postgres"))
    try:
        if not await connection.fetchval("select true from pg_database where datname = $1", DATABASE):
            return 0
    finally:
        await connection.close()
    connection = await connect(server.url(SUPERUSER, DATABASE))
    try:
        if await connection.fetchval("select to_regclass('makegood.migrations') is null"):
            return 0
        return int(await connection.fetchval("select coalesce(max(number), 0) from makegood.migrations"))
    finally:
        await connection.close()


def take(server: Embedded, target: Path, migration: int, taken_at: str, tell: Tell) -> Backup:
    """A backup of a running server in `target`, checked; whatever was acknowledged before the call is in it.

    Raises Problem where `target` is there already, StoreUnavailable where it cannot be written; then nothing is left.
    """
    # 1. Copy and check in a folder beside the target. If we die here it is called unfinished, and the next one removes it.
    # 2. Write what it is, pack it if a file was asked for.
    # 3. Rename. A target that is there is whole.
    target = target.absolute()
    _check_target(server, target)
    with _making(target) as making:
        _copy(server, making / "postgres", tell)
        size = sum(file["Size"] for file in manifest.read(making / "postgres")["Files"])
        wrong = manifest.faults(making / "postgres", lambda done: tell(size + done, 2 * size))
        if wrong:
            raise StoreUnavailable(f"the backup was not made, its copy is not what the server sent: {wrong}")
        about = _about(making / "postgres", migration, taken_at)
        _write(making / ABOUT, json.dumps(asdict(about), indent=2) + "\n")
        if is_archive(target):
            pack(making, making.with_name(f"{making.name}.tar"), target, (ABOUT, "postgres"))
        else:
            making.rename(target)
        sync_folder(target.parent)
    return about


def read_about(text: bytes) -> Backup:
    """What a backup says that it is. Raises Problem(BACKUP_IS_WRONG)."""
    try:
        found: Any = json.loads(text)
        about = Backup(**found)
        assert about.format == FORMAT and isinstance(about.migration, int) and re.match(r"\d+\.", about.postgresql)
        return about
    except (ValueError, TypeError, AssertionError, RecursionError) as error:
        raise is_wrong(f"its `{ABOUT}` does not say what this version knows", "take it from the original") from error


def is_wrong(why: str, hint: str) -> Problem:
    """What is told about something that cannot be restored."""
    return Problem(ProblemCode.BACKUP_IS_WRONG, f"this is no backup that can be restored: {why}", hint=hint)


def _check_target(server: Embedded, target: Path) -> None:
    if target.exists() and (is_archive(target) or not target.is_dir() or any(target.iterdir())):
        raise Problem(ProblemCode.STATE_FORBIDS, f"`{target}` is there already", hint="name a new file or folder")
    if not target.parent.is_dir():
        raise Problem(ProblemCode.REQUEST_IS_INVALID, f"there is no folder `{target.parent}`", hint="make it first")
    if target.resolve().is_relative_to(server.data.resolve()):
        raise Problem(
            ProblemCode.REQUEST_IS_INVALID,
            f"`{target}` is inside the data folder: it would be lost together with it",
            hint="name a place outside, best on another disk",
        )


@contextmanager
def _making(target: Path) -> Iterator[Path]:
    """A folder beside the target that one process fills. What is left of it afterwards is removed."""
    making = target.with_name(f"{target.name}.unfinished")
    with _told(target.parent):
        making.mkdir(mode=0o700, exist_ok=True)
        handle = os.open(making, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for left in (making / "postgres", making.with_name(f"{making.name}.tar")):
                _remove(left)
            yield making
        except BlockingIOError:
            raise Problem(ProblemCode.STATE_FORBIDS, f"another backup is being made in `{making}`") from None
        except BaseException:
            _remove(making.with_name(f"{making.name}.tar"))
            _remove(making)
            raise
        finally:
            os.close(handle)
        _remove(making)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if trouble.is_full(folder, str(error)):
            raise trouble.full(folder, "the backup was not made", "take it again") from error
        raise StoreUnavailable(f"the backup was not made: {error}") from error


def _copy(server: Embedded, into: Path, tell: Tell) -> None:
    def progress(said: str) -> None:
        if found := re.findall(r"(\d+)/(\d+) kB", said):
            tell(int(found[-1][0]) * 1024, 2 * int(found[-1][1]) * 1024)

    done = programs.run(
        "pg_basebackup", "-D", str(into), "-h", str(server.socket), "-U", SUPERUSER, "-X", "stream", "-c", "fast",
        "--manifest-checksums=SHA256", "--no-password", "--progress", as_ourselves=True, tell=progress,
    )  # fmt: skip
    if done.returncode != 0:
        said = " / ".join(line for line in done.stderr.splitlines() if "error" in line) or done.stderr.strip()
        if trouble.is_full(into.parent, done.stderr):
            raise trouble.full(into.parent.parent, "the backup was not made", "take it again")
        raise StoreUnavailable(f"the backup was not made: {said[-500:]}")


def _about(cluster: Path, migration: int, taken_at: str) -> Backup:
    sizes = [file["Size"] for file in manifest.read(cluster)["Files"]]
    sha256 = hashlib.sha256((cluster / manifest.MANIFEST).read_bytes()).hexdigest()
    return Backup(
        format=FORMAT, taken_at=taken_at, postgresql=programs.version(),
        migration=migration, files=len(sizes), bytes=sum(sizes), manifest_sha256=sha256,
    )  # fmt: skip


def _write(file: Path, text: str) -> None:
    with file.open("w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())

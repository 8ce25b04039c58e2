"""A backup becomes a data folder again: whole, checked, or not at all."""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from makegood.errors import Problem, ProblemCode, StoreUnavailable
from makegood.store import archive, manifest
from makegood.store.backup import ABOUT, Backup, Tell, is_wrong, read_about
from makegood.store.embedded import folders, programs, trouble
from makegood.store.embedded.server import sync_folder
from makegood.store.migrate import migrations

# What may be in the folder: locks of ours, and what a restore or a start that died left behind.
_OURS = {"start.lock", "presence.lock", "postgres.new", folders.RESTORING}


def restore(source: Path, data: Path, tell: Tell) -> Backup:
    """Afterwards `data` holds the cluster of the backup, on disk, and no server runs in it yet.

    Raises Problem where the backup is damaged, incomplete or of another version, or where the folder is not empty, and
    StoreUnavailable where the folder cannot be used. Then the folder holds no cluster.
    """
    # 1. Look at what the backup says of itself, and at the folder: nothing is written before both are fine.
    # 2. Unpack and check in a folder beside. If we die here, a server refuses to start and a restore begins anew.
    # 3. Rename. A cluster that is there is whole.
    source, data = source.absolute(), data.absolute()
    about = _look(source)
    _check_fits(about)
    _check_empty(data)
    folders.own_folder(data)
    with folders.lock(data, "start"), trouble.told(data):
        _check_empty(data)
        making = data / folders.RESTORING
        shutil.rmtree(making, ignore_errors=True)
        try:
            _fill(source, making, about, tell)
            (making / "postgres").rename(data / "postgres")
            sync_folder(data)
        except BaseException:
            shutil.rmtree(making, ignore_errors=True)
            raise
        shutil.rmtree(making, ignore_errors=True)
    return about


def _look(source: Path) -> Backup:
    if not source.exists():
        raise Problem(ProblemCode.NOT_FOUND, f"there is no `{source}`")
    try:
        if source.is_file():
            return read_about(archive.read_first(source, ABOUT))
        if not (source / ABOUT).is_file():
            raise is_wrong(f"`{source}` has no `{ABOUT}`", "name the folder or file that `makegood backup` made")
        return read_about((source / ABOUT).read_bytes())
    except OSError as error:
        raise is_wrong(f"it cannot be read: {error}", "see who may read it") from error


def _check_fits(about: Backup) -> None:
    there, ours = about.postgresql.split(".")[0], programs.major_version()
    if there != ours:
        raise is_wrong(f"it is of PostgreSQL {there}, this is {ours}", "restore it with the version that made it")
    known = len(migrations())
    if about.migration > known:
        raise is_wrong(
            f"its schema has migration {about.migration}, this version knows {known}", "upgrade Makegood, then restore"
        )


def _check_empty(data: Path) -> None:
    try:
        left = {entry.name for entry in data.iterdir()} - _OURS
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreUnavailable(f"`{data}` cannot be used: {error}") from error
    if left:
        raise Problem(
            ProblemCode.STATE_FORBIDS,
            f"`{data}` is not empty: `{min(left)}` is in it",
            hint="name a new folder with --data; nothing is restored over something else",
        )


def _fill(source: Path, making: Path, about: Backup, tell: Tell) -> None:
    making.mkdir(mode=0o700)
    if source.is_file():
        archive.unpack(source, making, lambda done: tell(done, 2 * about.bytes))
    else:
        archive.copy(source / "postgres", making / "postgres", lambda done: tell(done, 2 * about.bytes))
    cluster = making / "postgres"
    _check(cluster, about, lambda done: tell(about.bytes + done, 2 * about.bytes))
    _own(cluster)
    done = programs.run("initdb", "--sync-only", "-D", str(cluster))
    if done.returncode != 0:
        raise trouble.explain(making.parent, "the restored files could not be brought to disk", "", done.stderr)


def _check(cluster: Path, about: Backup, told: Callable[[int], None]) -> None:
    try:
        sha256 = hashlib.sha256((cluster / manifest.MANIFEST).read_bytes()).hexdigest()
    except OSError:
        sha256 = ""
    wrong = (
        manifest.faults(cluster, told) if sha256 == about.manifest_sha256 else "its manifest is missing or is another's"
    )
    if wrong:
        raise is_wrong(wrong, "take another copy of it, or an older backup")


def _own(cluster: Path) -> None:
    """Afterwards everything belongs to whom PostgreSQL runs as, and nobody else may look."""
    cluster.chmod(0o700)
    who = programs.user()
    if who is None:
        return
    os.chown(cluster.parent, who.pw_uid, who.pw_gid)
    for path in (cluster, *cluster.rglob("*")):
        os.chown(path, who.pw_uid, who.pw_gid, follow_symlinks=False)

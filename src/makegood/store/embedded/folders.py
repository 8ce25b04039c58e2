"""The folders of an embedded server: the data folder, the cluster in it, and the private folder of its socket."""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from makegood.errors import StoreUnavailable
from makegood.store.embedded import programs, trouble
from makegood.telemetry import log

SOCKET_PATH_BYTES_MAX = 90  # sun_path holds 108 bytes; PostgreSQL adds "/.s.PGSQL.5432".
RESTORING = "postgres.restoring"  # What a restore unpacks into; a whole cluster is renamed to `postgres`.


def own_folder(data: Path) -> None:
    """Make the data folder, or make sure that it can be used. Raises StoreUnavailable."""
    with trouble.told(data):
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        if trouble.is_read_only(data):
            raise trouble.read_only(data)
        who = programs.user()
        if who is None:
            _check_writable(data)
            return
        held_by = data.stat().st_uid
        if held_by not in (0, who.pw_uid):
            raise _belongs_to_another(data, held_by)
        for parent in data.parents:
            if not parent.stat().st_mode & 0o001 and parent.stat().st_uid != who.pw_uid:
                raise StoreUnavailable(
                    f"PostgreSQL runs as `{who.pw_name}`, which may not enter `{parent}`: choose another folder with --data"
                )
        os.chown(data, who.pw_uid, who.pw_gid)


def _check_writable(data: Path) -> None:
    if not os.access(data, os.W_OK | os.X_OK):
        raise _belongs_to_another(data, data.stat().st_uid)


def _belongs_to_another(folder: Path, held_by: int) -> StoreUnavailable:
    there, ours = programs.owner_name(held_by), programs.owner_name(programs.owner())
    return StoreUnavailable(
        f"`{folder}` belongs to `{there}` and PostgreSQL runs as `{ours}`: give it over (`chown -R {ours} {folder}`), or "
        "choose another folder with --data"
    )


def check_cluster(cluster: Path) -> None:
    """Refuse what is no whole cluster of ours and of this version. Raises StoreUnavailable."""
    with trouble.told(cluster.parent):
        held_by = cluster.stat().st_uid
        if held_by != programs.owner():
            raise _belongs_to_another(cluster, held_by)
        there = (cluster / "PG_VERSION").read_text(errors="replace").strip()
    ours = programs.major_version()
    if there != ours:
        raise StoreUnavailable(
            f"`{cluster}` was made by PostgreSQL {there[:20]}, this is {ours}: dump it with the old version and load it anew"
        )


def is_missing(data: Path) -> bool:
    """Whether the cluster is yet to be made. Raises StoreUnavailable for a half-made one: nothing is made over it."""
    cluster = data / "postgres"
    with trouble.told(data):
        if (cluster / "PG_VERSION").exists():
            return False
        if cluster.exists() and (not cluster.is_dir() or any(cluster.iterdir())):
            raise StoreUnavailable(
                f"`{cluster}` is there and is no whole cluster (it has no PG_VERSION): move it away, or restore a backup"
            )
        if (data / RESTORING).exists():
            raise StoreUnavailable(
                f"a restore into `{data}` did not end: run `makegood restore` again, or remove `{data / RESTORING}`"
            )
    return True


def socket_folder(data: Path) -> Path:
    """The folder of the server's socket, which nobody else may enter; near the data if the path is short enough."""
    folder = data / "run"
    if len(os.fsencode(folder)) > SOCKET_PATH_BYTES_MAX:
        folder = Path(tempfile.gettempdir()) / f"makegood-{hashlib.sha256(os.fsencode(data)).hexdigest()[:16]}"
    with trouble.told(data):
        folder.mkdir(mode=0o700, exist_ok=True)
        who = programs.user()
        if who is not None and folder.lstat().st_uid == 0 and not folder.is_symlink():
            os.chown(folder, who.pw_uid, who.pw_gid)
        if folder.is_symlink() or folder.stat().st_uid != programs.owner():
            raise StoreUnavailable(f"`{folder}` belongs to somebody else: remove it, or choose a shorter --data path")
        folder.chmod(0o700)
    return folder


@contextmanager
def lock(data: Path, name: str) -> Iterator[None]:
    """One process at a time; whoever must wait for another says so in the log."""
    with trouble.told(data):
        file = (data / f"{name}.lock").open("a+")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info("store_is_busy", folder=str(data), waits_for="another process that starts, stops or restores it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield

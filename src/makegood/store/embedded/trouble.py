"""What is in the way of the embedded server, in words, with what to do."""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from makegood.errors import StoreUnavailable

ROOM_BYTES_MIN = 32 * 1024 * 1024  # Two segments of the write-ahead log: with less a server soon cannot write one.

_FULL = re.compile(r"No space left on device|Disk quota exceeded")
_NOISE = re.compile(r"LOG:  (?:starting|listening|skipping|redo|database system|checkpoint|all server|terminating)")
_CAUSES = (
    # What PostgreSQL says, and what to do about it. The first that fits is told.
    (
        r"shared memory segment .*No space left on device|could not resize shared memory",
        "there is too little shared memory: give the container more (`--shm-size=256m`)",
    ),
    (r"Read-only file system", "the file system is mounted read-only: mount it writable, or choose another folder"),
    (
        r"could not locate a valid checkpoint record|could not find the database system|PANIC:  could not (?:open|read)",
        "its files are damaged or incomplete: restore a backup into another folder (`makegood restore`)",
    ),
    (
        r"invalid permissions|wrong ownership|Permission denied",
        "its files have another owner or other permissions than it made them with: give them back",
    ),
    (
        r"pre-existing shared memory block|lock file \".*\" already exists",
        "processes of another server still use this folder: end them, then start again",
    ),
    (r"could not map anonymous shared memory", "there is too little memory: lower `shared_buffers` in `local.conf`"),
)


def full(folder: Path, what: str, then: str = "start again") -> StoreUnavailable:
    """What is told where the disk of `folder` is full; `then` is what to do once there is room."""
    free = shutil.disk_usage(folder).free // (1024 * 1024)
    return StoreUnavailable(
        f"{what}: the disk of `{folder}` is full ({free} MB free): free some space there, then {then}"
    )


def is_full(folder: Path, said: str = "") -> bool:
    """Whether the disk is full: PostgreSQL said so, or could not even say so, as its log lies on the same disk."""
    if re.search("shared memory", said):
        return False
    return bool(_FULL.search(said)) or shutil.disk_usage(folder).free < ROOM_BYTES_MIN


def explain(data: Path, what: str, log: str, stderr: str) -> StoreUnavailable:
    """What is told where a program of PostgreSQL failed: the cause and the remedy where they are known, and its words."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    said = [line for line in lines if not _NOISE.search(line)] or lines or [stderr.strip()]
    words = " / ".join(said[-4:])
    if is_full(data, log + stderr):
        then = "start again; nothing acknowledged is lost, and a running `makegood serve` starts it by itself"
        return full(data, f"{what} ({words[-300:]})" if words else what, then)
    for pattern, remedy in _CAUSES:
        if re.search(pattern, log + stderr):
            return StoreUnavailable(f"{what}, {remedy}. It said: {words[-600:]}")
    return StoreUnavailable(f"{what}: {words[-600:]}; its log is `{data / 'postgres.log'}`")


@contextmanager
def told(data: Path) -> Iterator[None]:
    """Turns what the system refuses in the data folder into StoreUnavailable."""
    try:
        yield
    except OSError as error:
        raise _refused(data, error) from error


def _refused(data: Path, error: OSError) -> StoreUnavailable:
    place = next(folder for folder in (data, *data.parents) if folder.exists())
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return full(place, "the embedded PostgreSQL has no room")
    if error.errno == errno.EROFS:
        return read_only(data)
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return StoreUnavailable(f"`{error.filename}` is a file, a folder is needed: choose another with --data")
    return StoreUnavailable(
        f"the data folder `{data}` cannot be used, {(error.strerror or str(error)).lower()} at `{error.filename}`: give it "
        "to the user who runs Makegood, or choose another with --data"
    )


def read_only(data: Path) -> StoreUnavailable:
    """What is told on a read-only mount."""
    return StoreUnavailable(
        f"`{data}` is on a file system that is mounted read-only: mount it writable, or choose another folder with --data"
    )


def is_read_only(folder: Path) -> bool:
    """Whether the folder is on a read-only mount."""
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)

"""A PostgreSQL whose processes are all suspended: a store that is gone and does not say so."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

_STOPPED = "TtZ"  # What /proc calls a process that runs no further.
_LOOK_SECONDS = 0.001
_SECONDS_MAX = 5.0


@contextmanager
def suspended(cluster: Path) -> Iterator[None]:
    """While it lasts, no process of the PostgreSQL in this folder runs. Afterwards they go on where they were.

    Raises TimeoutError where a process does not stop.
    """
    postmaster = int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
    seen: set[int] = set()
    try:
        _suspend(postmaster, seen)
        yield
    finally:
        for pid in seen:
            _send(pid, signal.SIGCONT)


def _suspend(postmaster: int, seen: set[int]) -> None:
    """The postmaster first: it starts no others then."""
    until = monotonic() + _SECONDS_MAX
    while moving := [pid for pid in (postmaster, *_children(postmaster)) if _stat(pid)[0] not in _STOPPED]:
        for pid in moving:
            seen.add(pid)
            _send(pid, signal.SIGSTOP)
        if monotonic() > until:
            raise TimeoutError(f"processes {moving} do not stop")
        sleep(_LOOK_SECONDS)


def _children(parent: int) -> list[int]:
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if _stat(pid)[1] == parent]


def _stat(pid: int) -> tuple[str, int]:
    """State and parent of a process; ("Z", 0) where there is none any more."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()[:2]
    except (OSError, IndexError):
        return "Z", 0
    return state, int(parent)


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)

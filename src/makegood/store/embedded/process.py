"""Whether a server runs in a cluster, whose process it is, and what to believe of the files that name it.

A pid proves nothing: after `kill -9` it stays in the file, and by now may be another process's.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from makegood.errors import StoreUnavailable
from makegood.store.embedded import programs
from makegood.telemetry import log

ANSWER_SECONDS_MAX = 3  # A server that is there answers at once; one that is busy starting says so.
SILENT_SECONDS_MAX = 15  # A server that is ready and answers nothing for so long hangs, or was stopped by a signal.
STOPPING_SECONDS_MAX = 15  # With the start lock in hand: nobody of ours waits for that stop any more.
LOOK_SECONDS = 0.1
TELL_SECONDS = 2.0  # Whoever waits longer than this is told, and then again as often.
START_SECONDS_MAX = 3600  # Recovery replays up to `max_wal_size` of log; a slow disk does so in minutes.

READY, REJECTS = 0, 1  # What pg_isready returns; a server that rejects is starting, recovering or stopping.


@dataclass(frozen=True, slots=True)
class Found:
    """What a lock file names."""

    pid: int
    cluster: Path
    state: str


def named_by(file: Path) -> Found | None:
    """Who a `postmaster.pid`, or the lock file of a socket, names; None without a file that names anybody."""
    try:
        lines = file.read_text(errors="replace").split("\n")
        return Found(int(lines[0]), Path(lines[1]), lines[7].strip() if len(lines) > 7 else "")
    except (OSError, ValueError, IndexError):
        return None


def server_of(cluster: Path) -> Found | None:
    """The server that runs in the cluster, as far as its files and the processes we see tell."""
    found = named_by(cluster / "postmaster.pid")
    return found if found is not None and _is_of(found, cluster) and _lives(found) else None


def _is_of(found: Found, cluster: Path) -> bool:
    """Whether that is the server of this cluster; a copied folder names the server of the original."""
    try:
        return found.cluster.samefile(cluster)
    except OSError:
        return False


def _lives(found: Found) -> bool:
    """Whether that process is there, is no zombie, and is a PostgreSQL of that folder."""
    try:
        if Path(f"/proc/{found.pid}/stat").read_text().rsplit(") ", 1)[1].startswith("Z"):
            return False
        words = Path(f"/proc/{found.pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, IndexError):
        return False
    return Path(os.fsdecode(words[0])).name == "postgres" and os.fsencode(found.cluster) in words


def answer(socket: Path, superuser: str) -> int:
    """What pg_isready says: READY, REJECTS, or another number where nobody answers."""
    return programs.run(
        "pg_isready", "-q", "-t", str(ANSWER_SECONDS_MAX), "-h", str(socket), "-U", superuser, "-d", "postgres"
    ).returncode


def is_running(cluster: Path, socket: Path, superuser: str) -> bool:
    """Whether a server runs in the cluster. Afterwards no file names a process that is not one.

    Raises StoreUnavailable where the server of another folder holds the socket.
    """
    _check_socket(cluster, socket)
    if server_of(cluster) is not None:
        return True
    found = named_by(cluster / "postmaster.pid")
    # The process may be in another container, where its number means something else: its socket tells.
    if found is not None and answer(socket, superuser) in (READY, REJECTS):
        return True
    if (cluster / "postmaster.pid").exists():
        log.warning("stale_pid_file_is_removed", folder=str(cluster), pid=found.pid if found else None)
    # PostgreSQL itself checks, by its shared memory, that no orphan of a killed server is left.
    for stale in (cluster / "postmaster.pid", socket / ".s.PGSQL.5432.lock"):
        stale.unlink(missing_ok=True)
    return False


def _check_socket(cluster: Path, socket: Path) -> None:
    holder = named_by(socket / ".s.PGSQL.5432.lock")
    if holder is not None and not _is_of(holder, cluster) and _lives(holder):
        raise StoreUnavailable(
            f"the socket in `{socket}` is taken by the PostgreSQL of `{holder.cluster}` (process {holder.pid}): stop that "
            "one, or choose another folder with --data"
        )


def wait_until_ready(cluster: Path, socket: Path, superuser: str) -> bool:
    """Wait for a server that runs. True once it is ready, False if it ended. Whoever waits long is told.

    Raises StoreUnavailable where it hangs: it is left as it is, since whoever stopped it may let it go on.
    """
    telling = Telling(cluster.parent)
    silent_since = stopping_since = None
    while (said := answer(socket, superuser)) != READY:
        found = server_of(cluster)
        if said != REJECTS and found is None:
            return False
        hangs = said != REJECTS and found is not None and found.state == "ready"
        silent_since = (silent_since or time.monotonic()) if hangs else None
        if found is not None and silent_since is not None and time.monotonic() - silent_since > SILENT_SECONDS_MAX:
            raise _hangs(found)
        stops = found is not None and found.state == "stopping"
        stopping_since = (stopping_since or time.monotonic()) if stops else None
        if stopping_since is not None and time.monotonic() - stopping_since > STOPPING_SECONDS_MAX:
            # It hangs: see `_stop` of the server. What it acknowledged is in its log.
            log.warning("store_hangs_while_it_stops", folder=str(cluster))
            programs.run("pg_ctl", "stop", "-D", str(cluster), "-w", "-m", "immediate")
        telling.look()
        time.sleep(LOOK_SECONDS)
    return True


def _hangs(found: Found) -> StoreUnavailable:
    return StoreUnavailable(
        f"the embedded PostgreSQL of `{found.cluster}` (process {found.pid}) is there and does not answer: let it go on "
        f"(`kill -CONT {found.pid}`), or end it (`kill -9 {found.pid}`), then start again"
    )


class Telling:
    """Says in the log how long a start takes and what PostgreSQL does meanwhile. Raises StoreUnavailable after an hour."""

    def __init__(self, data: Path) -> None:
        self._log = data / "postgres.log"
        self._begun = self._told = time.monotonic()

    def look(self, _: str = "") -> None:
        """Tell, if it is time to."""
        now = time.monotonic()
        if now - self._begun > START_SECONDS_MAX:
            raise StoreUnavailable(
                f"the embedded PostgreSQL is still starting after {START_SECONDS_MAX} seconds: look into `{self._log}`"
            )
        if now - self._told >= TELL_SECONDS:
            self._told = now
            log.info("store_is_starting", seconds=round(now - self._begun), doing=self._doing())

    def _doing(self) -> str:
        lines = tail(self._log, 0).splitlines()
        return lines[-1].split("LOG:")[-1].strip() if lines else ""


def tail(log_file: Path, since: int) -> str:
    """The last words of a log, at most 8 KiB, from byte `since` on."""
    try:
        with log_file.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(since, end - 8192) if since <= end else max(0, end - 8192))
            return file.read().decode(errors="replace")
    except OSError:
        return ""

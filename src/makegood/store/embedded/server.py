"""The embedded server: started by whoever comes first, stopped by whoever leaves last."""

import fcntl
import os
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from makegood.store.embedded import config, folders, process, programs, trouble

SUPERUSER = "makegood_admin"
STOP_SECONDS_MAX = 60
ORPHAN_PROBES_MAX = 25  # Children of a killed server take a moment to leave.
ORPHAN_PROBE_SECONDS = 0.2
LOG_BYTES_MAX = 16 * 1024 * 1024  # A longer log is put aside when the server is next started; one such is kept.


@dataclass(slots=True)
class Embedded:
    """A running server in `data`, reached by `socket`; `close` lets go of it."""

    data: Path
    socket: Path
    _presence: IO[str] = field(repr=False)

    def url(self, user: str, database: str) -> str:
        """The URL of a database of this server."""
        return f"postgresql://{user}@/{database}?host={self.socket}"

    def let_go(self) -> None:
        """Forget this handle; the server is left as it is."""
        self._presence.close()

    def close(self) -> None:
        """Let go; the last process to do so stops the server."""
        with folders.lock(self.data, "start"):
            try:
                fcntl.flock(self._presence, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                pass  # Somebody else still uses it.
            else:
                _stop(self.data, self.socket)
            self._presence.close()

    def close_if_ready(self) -> None:
        """Let go; a server that is recovering is left to it, whoever else uses it or not."""
        if process.answer(self.socket, SUPERUSER) == process.READY:
            self.close()
        else:
            self.let_go()


def _stop(data: Path, socket: Path) -> None:
    """Afterwards no server runs there. PostgreSQL may hang if it is stopped gently while it starts again after one of its
    processes was killed: then at once, and the next start recovers."""
    arguments = ("-D", str(data / "postgres"), "-w", "-t", str(STOP_SECONDS_MAX), "-m")
    ready = process.answer(socket, SUPERUSER) == process.READY
    if not ready or programs.run("pg_ctl", "stop", *arguments, "fast").returncode != 0:
        programs.run("pg_ctl", "stop", *arguments, "immediate")


def start(data: Path) -> Embedded:
    """A server in `data`, made if the folder is new. A recovery after a crash is waited for, and told in the log.

    Raises StoreUnavailable with what is wrong and what to do.
    """
    # 1. Make the cluster in a folder of its own, then rename it: a crash leaves no half-made cluster behind.
    # 2. Hold a shared lock, so that others see us.
    # 3. Start the server, or find it running.
    data = data.absolute()
    cluster = data / "postgres"
    folders.own_folder(data)
    with folders.lock(data, "start"), trouble.told(data):
        if folders.is_missing(data):
            _init(data)
        folders.check_cluster(cluster)
        config.write(cluster)
        config.check(cluster)
        socket = folders.socket_folder(data)
        presence = (data / "presence.lock").open("a+")
        fcntl.flock(presence, fcntl.LOCK_SH)
        try:
            _run(data, socket)
        except BaseException:
            presence.close()
            raise
        return Embedded(data, socket, presence)


def _run(data: Path, socket: Path) -> None:
    """Afterwards a server is ready."""
    cluster = data / "postgres"
    while process.is_running(cluster, socket, SUPERUSER):
        if process.wait_until_ready(cluster, socket, SUPERUSER):
            return
    probes = 0
    while failed := _start(data, socket):
        probes += 1
        if "shared memory block" not in failed[0] or probes == ORPHAN_PROBES_MAX:
            raise trouble.explain(data, "the embedded PostgreSQL did not start", *failed)
        time.sleep(ORPHAN_PROBE_SECONDS)


def _start(data: Path, socket: Path) -> tuple[str, str] | None:
    """None once the server is ready, or what it wrote to its log and what pg_ctl said."""
    log = data / "postgres.log"
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        log.replace(log.with_name("postgres.log.1"))
    since = log.stat().st_size if log.exists() else 0
    done = programs.run(
        "pg_ctl", "start", "-D", str(data / "postgres"), "-w", "-t", str(process.START_SECONDS_MAX), "-l", str(log),
        "-o", f"-k {socket}", tell=process.Telling(data).look,
    )  # fmt: skip
    return None if done.returncode == 0 else (process.tail(log, since), done.stderr)


def _init(data: Path) -> None:
    making = data / "postgres.new"
    shutil.rmtree(making, ignore_errors=True)
    try:
        programs.initdb(making, SUPERUSER)
        with (making / "postgresql.conf").open("a") as file:
            file.write(config.BASE)
            file.flush()
            os.fsync(file.fileno())
    except Exception as error:
        shutil.rmtree(making, ignore_errors=True)
        if trouble.is_full(data, str(error)):
            raise trouble.full(data, "the embedded PostgreSQL could not be made") from error
        raise
    making.rename(data / "postgres")
    sync_folder(data)


def sync_folder(folder: Path) -> None:
    """Afterwards a rename in the folder outlives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

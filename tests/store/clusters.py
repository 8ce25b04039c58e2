"""Clusters for tests of the embedded PostgreSQL: made once, then copied, on a disk of their own where it matters."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from makegood.store import embedded
from makegood.store.embedded import process, programs

HANG_SECONDS = 30  # A guard: nothing here takes so long.


def copy_cluster(made: Path, data: Path) -> None:
    """A stopped cluster in the folder `data`, a copy of the one in `made`."""
    data.mkdir(exist_ok=True)
    subprocess.run(["cp", "-a", str(made / "postgres"), str(data)], check=True)


def pid_of(data: Path) -> int:
    """The process that the folder's `postmaster.pid` names."""
    return int((data / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def runs(data: Path) -> bool:
    """Whether a server has its `postmaster.pid` there."""
    return (data / "postgres" / "postmaster.pid").exists()


def sql(server: embedded.Embedded, text: str) -> str:
    """What psql prints for a statement of the superuser's. Raises RuntimeError with what the server said."""
    address = ("-h", str(server.socket), "-U", embedded.SUPERUSER, "-d", "postgres")
    done = programs.run("psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", *address, "-c", text)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return done.stdout.strip()


def configure(data: Path, file: str, line: str) -> None:
    """Append a line to a file of the cluster's configuration, which stays the server's."""
    path = data / "postgres" / file
    with path.open("a") as config:
        config.write(f"{line}\n")
    os.chown(path, programs.owner(), -1)


def until(holds: Callable[[], bool], *, every: float = 0.01) -> None:
    """Wait for something that happens in another process, looked at every so many seconds."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < HANG_SECONDS, "it did not happen"
        time.sleep(every)


def end(data: Path) -> None:
    """Whatever a test left of a server in the folder is ended, and so are its children."""
    found = process.server_of(data / "postgres")
    if found is not None:
        os.kill(found.pid, 18)  # SIGCONT: a stopped one cannot end.
        programs.run("pg_ctl", "stop", "-D", str(data / "postgres"), "-m", "immediate", "-w")


def _quick() -> str | None:
    """A disk in memory if there is one with room: most of these tests copy a cluster."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > 2**30 else None


@contextmanager
def temporary() -> Iterator[Path]:
    """A folder with a short path that the server's user may enter."""
    path = Path(tempfile.mkdtemp(prefix="mg", dir=_quick()))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A disk of that size, mounted. Skips the test, saying so, where nothing may be mounted."""
    with temporary() as place:
        options = f"size={megabytes}m,mode=0755"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=False, capture_output=True, text=True
        )
        if done.returncode != 0:
            pytest.skip(f"NOT TESTED: a full or read-only disk needs the right to mount one: {done.stderr.strip()}")
        try:
            yield place
        finally:
            subprocess.run(["umount", "--lazy", str(place)], check=True)

"""The embedded PostgreSQL: shared, found again, refused with a reason."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from makegood.errors import StoreUnavailable
from makegood.store import embedded


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="mg"))
    path.chmod(0o755)  # As root the server runs as somebody else, who must get in.
    yield path
    if (path / "postgres" / "postmaster.pid").exists():
        embedded.start(path).close()
    shutil.rmtree(path, ignore_errors=True)


def pid_of(data: Path) -> int:
    return int((data / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def runs(data: Path) -> bool:
    return (data / "postgres" / "postmaster.pid").exists()


def test_two_share_it_and_the_last_one_stops_it(folder: Path) -> None:
    first, second = embedded.start(folder), embedded.start(folder)
    first.close()
    assert runs(folder)
    second.close()
    assert not runs(folder)


def test_it_starts_again_after_a_kill_though_the_pid_file_is_stale(folder: Path) -> None:
    first = embedded.start(folder)
    before = pid_of(folder)
    os.kill(before, signal.SIGKILL)
    second = embedded.start(folder)
    assert pid_of(folder) != before
    second.let_go()
    first.close()
    assert not runs(folder)


def test_a_server_that_a_killed_process_left_running_is_used_and_then_stopped(folder: Path) -> None:
    program = f"""
import os, pathlib
from makegood.store import embedded
embedded.start(pathlib.Path({str(folder)!r}))
os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", program], check=False)
    assert done.returncode == -signal.SIGKILL
    left = pid_of(folder)
    found = embedded.start(folder)
    assert pid_of(folder) == left
    found.close()
    assert not runs(folder)


def test_a_folder_of_another_version_is_refused_and_left_alone(folder: Path) -> None:
    embedded.start(folder).close()
    (folder / "postgres" / "PG_VERSION").write_text("12\n")
    with pytest.raises(StoreUnavailable, match="made by PostgreSQL 12, this is 18"):
        embedded.start(folder)


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    embedded.start(folder).close()
    with (folder / "postgres" / "postgresql.conf").open("a") as config:
        config.write("shared_buffers = 'a lot'\n")
    with pytest.raises(StoreUnavailable, match="shared_buffers"):
        embedded.start(folder)


def test_fsync_is_on_and_no_port_is_open(folder: Path) -> None:
    server = embedded.start(folder)
    config = (folder / "postgres" / "postgresql.conf").read_text()
    assert "\nfsync = on" in config and "\nlisten_addresses = ''" in config
    assert (server.socket.stat().st_mode & 0o777) == 0o700
    server.close()


def test_a_long_path_gets_a_short_socket(folder: Path) -> None:
    deep = folder / ("x" * 100)
    server = embedded.start(deep)
    assert len(os.fsencode(server.socket)) < 100
    server.close()
    shutil.rmtree(server.socket, ignore_errors=True)

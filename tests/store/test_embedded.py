"""The embedded PostgreSQL: shared, found again, configured, told of while it recovers."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.store.clusters import configure, copy_cluster, pid_of, runs, sql, temporary, until

from makegood.settings import Settings
from makegood.store import embedded
from makegood.store.connection import open_store
from makegood.store.embedded import config, process, programs


async def test_whoever_is_told_to_stop_while_it_starts_leaves_no_server_behind(folder: Path) -> None:
    opening = asyncio.ensure_future(open_store(Settings(data=str(folder))))
    await asyncio.sleep(0.1)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert (folder / "postgres" / "PG_VERSION").exists() and not runs(folder)


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


def test_a_stale_pid_that_is_another_process_by_now_is_seen_through(folder: Path) -> None:
    first = embedded.start(folder)
    before = pid_of(folder)
    os.kill(before, signal.SIGKILL)
    stranger = subprocess.Popen(["sleep", "60"], **programs.identity())
    pid_file = folder / "postgres" / "postmaster.pid"
    pid_file.write_text(pid_file.read_text().replace(str(before), str(stranger.pid), 1))
    second = embedded.start(folder)
    assert sql(second, "select 1") == "1" and pid_of(folder) not in (before, stranger.pid)
    assert stranger.poll() is None, "a process that is not ours is left alone"
    stranger.kill()
    stranger.wait()
    second.let_go()
    first.close()


def test_an_empty_pid_file_of_a_full_disk_is_seen_through(folder: Path) -> None:
    (folder / "postgres" / "postmaster.pid").write_text("")
    server = embedded.start(folder)
    assert sql(server, "select 1") == "1"
    server.close()


def test_whether_it_answers_is_asked_without_a_trace_in_its_log(folder: Path) -> None:
    server = embedded.start(folder)
    since = (folder / "postgres.log").stat().st_size
    assert process.answer(server.socket, embedded.SUPERUSER) == process.READY
    server.close()
    assert "FATAL" not in process.tail(folder / "postgres.log", since)


def test_a_copied_folder_does_not_take_the_originals_server_for_its_own(folder: Path) -> None:
    server = embedded.start(folder)
    with temporary() as other:
        copy_cluster(folder, other)
        assert process.server_of(folder / "postgres") is not None
        assert process.server_of(other / "postgres") is None
    server.close()


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


def _recovering(data: Path) -> int:
    """The process that replays the log, as soon as it is there."""
    found: list[int] = []

    def look() -> bool:
        with suppress(OSError, ValueError, IndexError):
            server = pid_of(data)
            for child in Path(f"/proc/{server}/task/{server}/children").read_text().split():
                if Path(f"/proc/{child}/cmdline").read_bytes().startswith(b"postgres: startup"):
                    found.append(int(child))
        return bool(found)

    until(look, every=0)  # It lives for some milliseconds.
    return found[0]


# Ten seconds are what other drivers of these programs give a recovery.
@pytest.mark.parametrize("seconds", [11 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 2])
def test_a_long_recovery_is_waited_for_and_told(folder: Path, seconds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "TELL_SECONDS", seconds / 3)
    first = embedded.start(folder)
    sql(first, "create table kept as select generate_series(1, 200000) as n")
    os.kill(pid_of(folder), signal.SIGKILL)
    until(lambda: process.server_of(folder / "postgres") is None)
    started: list[embedded.Embedded] = []
    with capture_logs() as logs:
        starting = threading.Thread(target=lambda: started.append(embedded.start(folder)))
        starting.start()
        stopped = _recovering(folder)
        os.kill(stopped, signal.SIGSTOP)  # A recovery that takes as long as we like.
        until(lambda: len([line for line in logs if line["event"] == "store_is_starting"]) >= 3)
        assert starting.is_alive() and not started
        os.kill(stopped, signal.SIGCONT)
        starting.join(30)
    assert sql(started[0], "select count(*) from kept") == "200000"
    told = [line for line in logs if line["event"] == "store_is_starting"]
    assert [line["seconds"] for line in told] == sorted(line["seconds"] for line in told)
    assert all(line["doing"] for line in told), "the last words of the log say what it does"
    first.let_go()
    started[0].close()


def test_fsync_is_on_and_no_port_is_open(folder: Path) -> None:
    server = embedded.start(folder)
    text = (folder / "postgres" / "postgresql.conf").read_text()
    assert "\nfsync = on" in text and "\nlisten_addresses = ''" in text
    assert (
        sql(server, "show fsync")
        == sql(server, "show full_page_writes")
        == sql(server, "show synchronous_commit")
        == "on"
    )
    assert (server.socket.stat().st_mode & 0o777) == 0o700
    server.close()


def test_a_cluster_of_an_older_version_gets_our_settings_and_local_ones_win(folder: Path) -> None:
    main = folder / "postgres" / "postgresql.conf"
    text = main.read_text().replace(config.INCLUDE, "checkpoint_timeout = 7min")
    main.write_text(text)
    (folder / "postgres" / config.OURS).unlink()
    configure(folder, config.LOCAL, "random_page_cost = 3")
    server = embedded.start(folder)
    shown = {name: sql(server, f"show {name}") for name in ("checkpoint_timeout", "jit", "random_page_cost")}
    assert shown == {"checkpoint_timeout": "15min", "jit": "off", "random_page_cost": "3"}
    assert sql(server, "select count(*) from pg_file_settings where error is not null") == "0"
    server.close()
    before = main.stat().st_mtime_ns
    embedded.start(folder).close()
    assert main.stat().st_mtime_ns == before, "what is there already is not written again"


def test_a_long_path_gets_a_short_socket(folder: Path) -> None:
    deep = folder / ("x" * 100)
    copy_cluster(folder, deep)
    server = embedded.start(deep)
    assert len(os.fsencode(server.socket)) < 100
    server.close()
    shutil.rmtree(server.socket, ignore_errors=True)

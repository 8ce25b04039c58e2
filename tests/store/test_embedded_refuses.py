"""What is in the way of the embedded PostgreSQL is told with what to do, and left as it is."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from tests.store.clusters import configure, copy_cluster, end, pid_of, runs, small_disk, sql, temporary, until

from makegood.errors import StoreUnavailable
from makegood.settings import Settings
from makegood.store import embedded
from makegood.store.connection import open_store
from makegood.store.embedded import process, programs

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root can give files to somebody else")


def refusal(data: Path) -> str:
    """What starting there says."""
    with pytest.raises(StoreUnavailable) as caught:
        embedded.start(data)
    return str(caught.value)


def test_a_folder_of_another_version_is_refused_and_left_alone(folder: Path) -> None:
    (folder / "postgres" / "PG_VERSION").write_text("12\n")
    assert "made by PostgreSQL 12, this is 18: dump it with the old version" in refusal(folder)
    assert (folder / "postgres" / "global" / "pg_control").exists()


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    configure(folder, "local.conf", "shared_buffers = 'a lot'")
    assert "shared_buffers" in refusal(folder)


@pytest.mark.parametrize("file", ["postgresql.conf", "postgresql.auto.conf", "local.conf"])
def test_a_configuration_without_fsync_is_refused_wherever_it_stands(folder: Path, file: str) -> None:
    configure(folder, file, "fsync = off")
    said = refusal(folder)
    assert "`fsync` is off" in said and "an acknowledged reservation could be lost" in said
    assert not runs(folder)


def test_pages_that_are_not_written_whole_are_refused(folder: Path) -> None:
    configure(folder, "local.conf", "full_page_writes = off")
    assert "`full_page_writes` is off" in refusal(folder)


async def test_a_named_server_without_fsync_is_refused(folder: Path) -> None:
    configure(folder, "local.conf", "log_min_messages = warning")
    server = embedded.start(folder)
    sql(server, "create role somebody login createrole")
    sql(server, "create database books owner somebody")
    sql(server, "alter system set fsync = off")
    sql(server, "select pg_reload_conf()")
    until(lambda: sql(server, "show fsync") == "off")
    with pytest.raises(StoreUnavailable, match=r"fsync off: .*switch it on"):
        await open_store(Settings(database=server.url("somebody", "books")))
    server.close()


def test_a_server_that_hangs_is_told_and_left_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "SILENT_SECONDS_MAX", 0)
    monkeypatch.setattr(process, "ANSWER_SECONDS_MAX", 1)
    server = embedded.start(folder)
    pid = pid_of(folder)
    os.kill(pid, signal.SIGSTOP)
    assert f"process {pid}) is there and does not answer: let it go on (`kill -CONT {pid}`)" in refusal(folder)
    assert pid_of(folder) == pid
    os.kill(pid, signal.SIGCONT)
    again = embedded.start(folder)
    assert pid_of(folder) == pid
    again.close()
    server.close()


def test_a_socket_that_another_server_holds_is_refused(folder: Path, made: Path) -> None:
    with temporary() as other:
        copy_cluster(made, other)
        taken = embedded.start(folder)
        taken.close()
        options = ("-w", "-l", str(folder / "other.log"), "-o", f"-k {taken.socket}")
        assert programs.run("pg_ctl", "start", "-D", str(other / "postgres"), *options).returncode == 0
        said = refusal(folder)
        assert f"taken by the PostgreSQL of `{other / 'postgres'}` (process {pid_of(other)})" in said
        end(other)
        embedded.start(folder).close()


@AS_ROOT
@pytest.mark.parametrize("place", [".", "postgres"])
def test_a_folder_of_somebody_elses_is_refused_and_stays_theirs(folder: Path, place: str) -> None:
    os.chown(folder / place, 1, 1)
    said = refusal(folder)
    assert "belongs to `daemon` and PostgreSQL runs as" in said and "chown -R" in said
    assert (folder / place).stat().st_uid == 1


def test_a_folder_that_may_not_be_written_is_refused() -> None:
    with temporary() as place:
        (place / "data").mkdir(mode=0o555)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:  # A process of whoever PostgreSQL runs as: root may write everywhere.
            who = programs.user()
            if who is not None:
                os.setresuid(who.pw_uid, who.pw_uid, who.pw_uid)
            try:
                embedded.start(place / "data")
            except BaseException as error:
                os.write(writer, f"{type(error).__name__}: {error}".encode())
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as told:
            said = told.read()
        os.waitpid(child, 0)
        assert said.startswith("StoreUnavailable") and f"`{place / 'data'}` belongs to" in said
        assert not list((place / "data").iterdir())


def test_a_file_where_a_folder_is_needed_is_refused() -> None:
    with temporary() as place:
        (place / "data").write_text("a note")
        assert "is a file, a folder is needed" in refusal(place / "data")


def test_a_read_only_disk_is_refused(made: Path) -> None:
    with small_disk(100) as disk:
        copy_cluster(made, disk)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert "is mounted read-only: mount it writable" in refusal(disk)
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        embedded.start(disk).close()


def test_a_half_made_cluster_is_refused_and_left_alone(folder: Path) -> None:
    (folder / "postgres" / "PG_VERSION").unlink()
    assert "is no whole cluster (it has no PG_VERSION)" in refusal(folder)
    assert (folder / "postgres" / "global" / "pg_control").exists()


def test_what_a_killed_initdb_left_is_made_anew() -> None:
    with temporary() as place:
        (place / "postgres.new" / "base").mkdir(parents=True)
        server = embedded.start(place)
        assert sql(server, "select 1") == "1" and not (place / "postgres.new").exists()
        server.close()


def test_a_restore_that_did_not_end_is_told() -> None:
    with temporary() as place:
        (place / "postgres.restoring" / "postgres").mkdir(parents=True)
        assert "did not end: run `makegood restore` again" in refusal(place)


def test_damaged_files_are_told_with_the_way_back(folder: Path) -> None:
    (folder / "postgres" / "global" / "pg_control").unlink()
    assert "damaged or incomplete: restore a backup into another folder" in refusal(folder)

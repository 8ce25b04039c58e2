"""A disk that is full: told with the folder and the remedy, and nothing acknowledged is lost."""

import os
from pathlib import Path

import pytest
from tests.store.clusters import copy_cluster, end, small_disk, sql, until

from makegood.errors import StoreUnavailable
from makegood.store import embedded
from makegood.store.embedded import process


def fill(disk: Path, leave_megabytes: int) -> Path:
    """A file that takes the room of a disk but for a little."""
    space = os.statvfs(disk)
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, space.f_bavail * space.f_frsize - leave_megabytes * 1024 * 1024)
    return ballast


def refusal(data: Path) -> str:
    """What starting there says."""
    with pytest.raises(StoreUnavailable) as caught:
        embedded.start(data)
    return str(caught.value)


def test_a_disk_too_small_for_a_cluster_is_told_and_nothing_is_left_on_it() -> None:
    with small_disk(20) as disk:
        said = refusal(disk)
        assert f"the disk of `{disk}` is full" in said and "free some space there, then start again" in said
        assert not (disk / "postgres").exists() and not (disk / "postgres.new").exists()


def test_a_disk_that_is_full_at_the_start_is_told(made: Path) -> None:
    with small_disk(100) as disk:
        copy_cluster(made, disk)
        ballast = fill(disk, 0)
        said = refusal(disk)
        assert f"the disk of `{disk}` is full" in said and "free some space there" in said
        ballast.unlink()
        server = embedded.start(disk)
        assert sql(server, "select 1") == "1"
        server.close()


def test_a_disk_that_fills_up_while_it_runs_loses_nothing_and_it_comes_back(made: Path) -> None:
    with small_disk(150) as disk:
        copy_cluster(made, disk)
        server = embedded.start(disk)
        sql(server, "create table kept (n int)")
        ballast = fill(disk, 20)
        acknowledged = 0
        with pytest.raises(RuntimeError):
            while acknowledged < 100:
                sql(server, f"insert into kept values ({acknowledged})")
                acknowledged += 1
                sql(server, "select pg_switch_wal()")  # The next row needs another 16 MB of log.
        until(lambda: process.server_of(disk / "postgres") is None)
        said = refusal(disk)
        assert f"the disk of `{disk}` is full" in said and "nothing acknowledged is lost" in said
        ballast.unlink()
        again = embedded.start(disk)
        kept = {int(n) for n in sql(again, "select n from kept").split()}
        assert 0 < acknowledged < 100 and set(range(acknowledged)) <= kept
        again.let_go()
        server.close()
        end(disk)

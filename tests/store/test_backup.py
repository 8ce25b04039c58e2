"""Backups: taken under load, whole, checked, restored elsewhere or refused."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.shop import Shop, open_spring_shop
from tests.store.clusters import sql, temporary

from makegood.errors import Problem, ProblemCode, StoreUnavailable
from makegood.services import backups, control, holds, quotes
from makegood.services.platform import Platform, close_platform, open_platform
from makegood.settings import Settings
from makegood.store import backup, embedded, restore


def untold(_done: int, _total: int) -> None:
    """Nobody watches."""


@pytest_asyncio.fixture
async def own() -> AsyncIterator[Platform]:
    """A platform whose store nobody else uses."""
    with temporary() as data:
        platform = await open_platform(Settings(data=str(data), deadline_ms=10_000, pool_size=12))
        yield platform
        await close_platform(platform)


async def _buy(shop: Shop, acknowledged: dict[str, Any], enough: asyncio.Event, done: asyncio.Event) -> None:
    while not done.is_set():
        payment = shop.payment()
        answer = await quotes.quote(shop.platform, shop.callers["till"], payment)
        if answer["quote_id"]:
            acknowledged[payment["payment_id"]] = answer
        if len(acknowledged) >= 50:
            enough.set()


async def test_a_backup_taken_under_load_holds_every_quote_acknowledged_before_it(own: Platform) -> None:
    shop = await open_spring_shop(own)
    for _ in range(3):
        await control.open_stage(own, shop.callers["olga"], "spring-qr-2027")
    acknowledged: dict[str, Any] = {}
    enough, done = asyncio.Event(), asyncio.Event()
    buyers = [asyncio.create_task(_buy(shop, acknowledged, enough, done)) for _ in range(6)]
    await enough.wait()
    before = dict(acknowledged)
    with temporary() as place:
        about = await backups.take_backup(own.settings, place / "saved.tar.gz", untold)
        after = len(acknowledged)
        done.set()
        await asyncio.gather(*buyers)
        assert about.files > 100 and after > len(before), "quotes went on meanwhile"
        restored = await backups.restore_backup(Settings(data=str(place / "again")), place / "saved.tar.gz", untold)
        assert restored.balanced and list(restored.houses) == [shop.house.name]
        assert restored.houses[shop.house.name].entries >= len(before)
        await _holds_all(Settings(data=str(place / "again")), shop, before)


async def _holds_all(settings: Settings, shop: Shop, before: dict[str, Any]) -> None:
    elsewhere = await open_platform(settings)
    for name, answer in before.items():
        stored = await holds.get_payment(elsewhere, shop.callers["till"], name)
        assert (stored["quote_id"], stored["discount_minor"]) == (answer["quote_id"], answer["discount_minor"])
    await close_platform(elsewhere)


@dataclass(frozen=True)
class Saved:
    """A store with one table, saved as a folder and as a file."""

    data: Path
    folder: Path
    file: Path


@pytest.fixture(scope="module")
def saved() -> Iterator[Saved]:
    with temporary() as place:
        made = Saved(place / "data", place / "saved", place / "saved.tar")
        server = embedded.start(made.data)
        sql(server, "create table kept as select 42 as n")
        for target in (made.folder, made.file):
            asyncio.run(backups.take_backup(Settings(data=str(made.data)), target, untold))
        server.close()
        yield made


@pytest.fixture
def place() -> Iterator[Path]:
    with temporary() as path:
        yield path


def wrong(source: Path, data: Path) -> Problem:
    """What restoring that says, after which there is no store."""
    with pytest.raises(Problem) as caught:
        restore.restore(source, data, untold)
    assert not (data / "postgres").exists() and not (data / "postgres.restoring").exists()
    return caught.value


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_a_restored_store_has_what_was_saved(saved: Saved, place: Path, kind: str) -> None:
    restore.restore(getattr(saved, kind), place / "again", untold)
    server = embedded.start(place / "again")
    assert sql(server, "select n from kept") == "42"
    server.close()


def test_a_backup_can_be_read_by_nobody_else(saved: Saved) -> None:
    assert (saved.folder.stat().st_mode & 0o777, saved.file.stat().st_mode & 0o777) == (0o700, 0o600)
    assert not list(saved.folder.parent.glob("*.unfinished*"))


def test_a_target_that_is_there_or_inside_the_store_is_refused(saved: Saved) -> None:
    for target, words in (
        (saved.file, "is there already"),
        (saved.folder, "is there already"),
        (saved.data / "copy", "is inside the data folder"),
        (saved.data.parent / "none" / "copy", "there is no folder"),
    ):
        with pytest.raises(Problem, match=words):
            asyncio.run(backups.take_backup(Settings(data=str(saved.data)), target, untold))


def test_what_a_killed_backup_left_is_no_backup_and_is_cleared_by_the_next(saved: Saved, place: Path) -> None:
    left = place / "saved.unfinished"
    (left / "postgres" / "base").mkdir(parents=True)
    assert wrong(left, place / "again").code is ProblemCode.BACKUP_IS_WRONG
    asyncio.run(backups.take_backup(Settings(data=str(saved.data)), place / "saved", untold))
    assert (place / "saved" / "backup.json").exists() and not left.exists()


def test_a_store_that_is_not_there_and_a_named_one_are_not_saved(place: Path) -> None:
    with pytest.raises(Problem, match="there is no store"):
        asyncio.run(backups.take_backup(Settings(data=str(place / "none")), place / "saved", untold))
    with pytest.raises(Problem, match="a PostgreSQL of yours"):
        asyncio.run(backups.take_backup(Settings(database="postgresql://books"), place / "saved", untold))
    assert not list(place.iterdir())


def test_nothing_is_restored_over_something_else(saved: Saved, place: Path) -> None:
    (place / "note").write_text("mine")
    assert "is not empty: `note` is in it" in str(wrong(saved.file, place))
    assert [entry.name for entry in place.iterdir()] == ["note"]


def test_a_changed_file_of_a_backup_is_found_before_it_is_a_store(saved: Saved, place: Path) -> None:
    shutil.copytree(saved.folder, place / "saved")
    victim = max((place / "saved" / "postgres" / "base").rglob("[0-9]*"), key=lambda path: path.stat().st_size)
    with victim.open("r+b") as file:
        file.seek(100)
        file.write(b"?")
    problem = wrong(place / "saved", place / "again")
    assert problem.code is ProblemCode.BACKUP_IS_WRONG and victim.name in problem.detail


def test_a_lost_file_a_lost_manifest_and_a_cut_archive_are_found(saved: Saved, place: Path) -> None:
    shutil.copytree(saved.folder, place / "saved")
    (place / "saved" / "postgres" / "stranger").write_text("?")
    assert "`stranger` is not part of it" in str(wrong(place / "saved", place / "again"))
    (place / "saved" / "postgres" / "global" / "pg_control").unlink()
    assert "`global/pg_control` is missing" in str(wrong(place / "saved", place / "again"))
    shutil.rmtree(place / "saved")
    shutil.copytree(saved.folder, place / "saved")
    for segment in (place / "saved" / "postgres" / "pg_wal").glob("0*"):
        segment.write_bytes(bytes(segment.stat().st_size))
    assert "its log from" in str(wrong(place / "saved", place / "again"))
    (place / "saved" / "postgres" / "backup_manifest").unlink()
    assert "manifest" in str(wrong(place / "saved", place / "again"))
    cut = place / "cut.tar"
    with saved.file.open("rb") as whole, cut.open("wb") as part:
        part.write(whole.read(10_000_000))
    assert wrong(cut, place / "again").code is ProblemCode.BACKUP_IS_WRONG
    cut.write_text("no tar file")
    assert wrong(cut, place / "again").code is ProblemCode.BACKUP_IS_WRONG


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("postgresql", "12.1", "it is of PostgreSQL 12, this is 18"),
        ("migration", 9_999, "upgrade Makegood|knows"),
        ("format", "makegood-backup/9", "does not say what this version knows"),
    ],
)
def test_a_backup_of_another_version_is_refused_first(
    saved: Saved, place: Path, key: str, value: object, words: str
) -> None:
    (place / "saved").mkdir()
    about = json.loads((saved.folder / "backup.json").read_text()) | {key: value}
    (place / "saved" / "backup.json").write_text(json.dumps(about))
    problem = wrong(place / "saved", place / "again")
    assert problem.code is ProblemCode.BACKUP_IS_WRONG and any(word in str(problem) for word in words.split("|"))
    assert not (place / "again").exists()


def test_an_archive_writes_nothing_outside_its_folder(saved: Saved, place: Path) -> None:
    hostile = place / "hostile.tar"
    (place / "stranger").write_text("mine")
    twice = "backup.json"
    for name, link in (("../outside", None), (str(place / "outside"), None), (twice, None), ("postgres/link", "/etc")):
        with tarfile.open(hostile, "w") as tar:
            tar.add(saved.folder / "backup.json", arcname="backup.json")
            if link is None:
                tar.add(place / "stranger", arcname=name)
            else:
                member = tarfile.TarInfo(name)
                member.type, member.linkname = tarfile.SYMTYPE, link
                tar.addfile(member)
        assert wrong(hostile, place / "again").code is ProblemCode.BACKUP_IS_WRONG
    assert not (place / "again" / "outside").exists() and not (place / "outside").exists()


def test_an_about_that_is_nested_too_deeply_is_no_backup() -> None:
    with pytest.raises(Problem, match="does not say what this version knows"):
        backup.read_about(b"[" * 60_000)


def test_a_link_into_the_data_folder_is_no_place_for_a_backup(saved: Saved, place: Path) -> None:
    (place / "link").symlink_to(saved.data)
    with pytest.raises(Problem, match="inside the data folder"):
        asyncio.run(backups.take_backup(Settings(data=str(saved.data)), place / "link" / "saved.tar", untold))


def test_a_restore_that_is_killed_leaves_no_store_and_is_begun_anew(saved: Saved, place: Path) -> None:
    program = f"""
import os, pathlib
from makegood.store import restore
def die(done, total):
    if done > total // 4:
        os.kill(os.getpid(), 9)
restore.restore(pathlib.Path({str(saved.file)!r}), pathlib.Path({str(place / "again")!r}), die)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    assert not (place / "again" / "postgres").exists()
    with pytest.raises(StoreUnavailable, match="run `makegood restore` again"):
        embedded.start(place / "again")
    restore.restore(saved.file, place / "again", untold)
    server = embedded.start(place / "again")
    assert sql(server, "select n from kept") == "42"
    server.close()


def test_the_commands_say_what_they_did(saved: Saved, place: Path) -> None:
    def makegood(*arguments: str) -> tuple[int, dict[str, Any]]:
        program = "from makegood.cli.main import main; main()"
        environment = {**os.environ, "MAKEGOOD_LOG_LEVEL": "error"}
        command = [sys.executable, "-c", program, *arguments, "--json"]
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
        return done.returncode, json.loads(done.stdout)

    code, said = makegood("backup", str(place / "b.tgz"), "--data", str(saved.data))
    assert code == 0 and said["verified"] and said["backup"] == str(place / "b.tgz") and said["files"] > 100
    code, said = makegood("restore", str(place / "b.tgz"), "--data", str(place / "again"))
    assert code == 0 and said["balanced"] and said["houses"] == []
    code, said = makegood("restore", str(place / "b.tgz"), "--data", str(place / "again"))
    assert (code, said["error"]["code"]) == (1, "state_forbids")

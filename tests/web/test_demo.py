"""`makegood demo` as a newcomer runs it: a process of its own, from another folder; and the house of `serve --demo`."""

import json
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from makegood.demo.seed import seed_demo
from makegood.domain.review import Scope
from makegood.errors import Problem
from makegood.replay.report.folder import check_folder
from makegood.services.access import authenticate
from makegood.services.books import verify_ledger
from makegood.services.campaigns import list_campaigns
from makegood.services.platform import Platform

PAYMENTS = 300
MAKEGOOD = [sys.executable, "-c", "from makegood.cli.main import main; main()"]
VOID = {"meta", "br", "hr", "img", "link", "input"}


@pytest.fixture(scope="module")
def ran() -> Iterator[tuple[dict[str, Any], Path, str]]:
    """What `--json` printed, the report's folder, and what was on stderr."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "report"
        done = subprocess.run(
            [*MAKEGOOD, "demo", "--json", "--payments", str(PAYMENTS), "--out", str(out)],
            check=False, cwd=folder, capture_output=True, text=True, timeout=240,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        yield json.loads(done.stdout), out, done.stderr


def test_the_json_has_what_scripts_read(ran: tuple[dict[str, Any], Path, str]) -> None:
    value, out, errors = ran
    for key in ("payments", "granted", "discount_minor", "refused", "ledger", "replay", "report", "currency"):
        assert key in value
    assert value["payments"] == PAYMENTS == value["granted"] + sum(value["refused"].values())
    assert value["granted"] == value["captured"] + value["released"] + value["expired"]
    assert value["report"] == str(out)
    assert (out / "index.html").is_file()
    assert errors == ""


def test_the_ledger_balances_and_agrees_with_the_answers(ran: tuple[dict[str, Any], Path, str]) -> None:
    value, _, _ = ran
    assert value["ledger"]["balanced"] is True
    assert value["ledger"]["entries"] > value["granted"]
    assert value["ledger"]["violations"] == []
    assert value["reconciled"] is True
    assert (value["retries_that_differ"], value["retries"] > 0) == (0, True)
    assert value["refunds"] > 0
    assert "undecided" not in value["refused"]


def test_every_mistake_was_refused_with_a_code(ran: tuple[dict[str, Any], Path, str]) -> None:
    problems = ran[0]["problems"]
    assert sum(problems.values()) == 18
    assert {"payment_is_invalid", "content_differs", "refund_exceeds_payment", "scope_is_missing"} <= problems.keys()


def rows_by_name(value: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in value["replay"]["rows"]}


def test_the_replay_takes_the_guards_away_one_at_a_time(ran: tuple[dict[str, Any], Path, str]) -> None:
    replay = ran[0]["replay"]
    ladder = ["proof", "collar", "detector", "stage"]
    assert [row["guards"] for row in replay["rows"]] == [ladder[gone:] for gone in range(5)]
    assert [row["stopped_by"] for row in replay["rows"]] == [*ladder, None]
    money = [row["wrong_minor"] for row in replay["rows"]]
    assert money == sorted(money)
    assert replay["balanced"] is True and replay["within"] is True


def test_each_guard_keeps_the_bound_of_its_row(ran: tuple[dict[str, Any], Path, str]) -> None:
    replay, rows = ran[0]["replay"], rows_by_name(ran[0])
    assert rows["all"]["wrong_granted"] == rows["without_proof"]["wrong_granted"] == 0
    assert 0 < rows["without_proof_collar"]["wrong_granted"] <= 12
    # Whole discounts only, so the last fen may be left, but never one fen more is given.
    staged, free = rows["without_proof_collar_detector"], rows["unguarded"]
    assert 90_000 < staged["wrong_minor"] <= 100_000 < free["wrong_minor"]
    assert staged["payments_to_stop"] < replay["payments"]
    assert free["wrong_granted"] == replay["eligible"] > 500
    assert [row["stopped_before_publish"] for row in replay["rows"]] == [True] + [False] * 4


def test_with_the_proof_the_wrong_campaign_never_ran(ran: tuple[dict[str, Any], Path, str]) -> None:
    row = rows_by_name(ran[0])["all"]
    assert (row["wrong_minor"], row["payments_to_stop"], row["stages_opened"]) == (0, 0, None)
    refused = {one["obligation"]: one for one in row["refused"]}
    assert {"inside_brief.discount_max", "inside_brief.scenes", "inside_brief.label"} <= set(refused)
    witness = refused["inside_brief.scenes"]["witness"]
    assert witness["payment"]["scene"] != "in_store_qr"
    assert witness["discount_minor"] > 0 and all(witness["words"].values())


class Balance(HTMLParser):
    """Whether every element that was opened is closed, in order; and the ids and the outside addresses there are."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.loads += [value for name, value in attrs if name in ("src", "href") and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", ["index.html", "index.zh-CN.html"])
def test_the_pages_are_well_formed_and_ask_nobody(ran: tuple[dict[str, Any], Path, str], name: str) -> None:
    text = (ran[1] / name).read_text(encoding="utf-8")
    page = Balance()
    page.feed(text)
    page.close()
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert not page.tags & {"script", "iframe", "link", "img", "object"}
    assert all((ran[1] / address).is_file() for address in page.loads)
    addresses = set(re.findall(r"https?://[^\s\"'<]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg"}
    assert "url(" not in text
    drawings = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len([ElementTree.fromstring(drawing) for drawing in drawings]) == 7


def test_the_data_beside_the_page_is_the_same(ran: tuple[dict[str, Any], Path, str]) -> None:
    value, out, _ = ran
    data = json.loads((out / "data.json").read_text())
    assert {key: data[key] for key in value} == value
    header, *rows = (out / "payments.csv").read_text().splitlines()
    assert len(rows) == PAYMENTS
    column = header.split(",").index("discount_minor")
    assert sum(int(row.split(",")[column]) for row in rows) == value["discount_minor"]


def test_a_folder_with_something_in_it_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    done = subprocess.run(
        [*MAKEGOOD, "demo", "--json", "--out", str(tmp_path)], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["code"] == "request_is_invalid"
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]


def test_a_folder_that_cannot_be_made_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(Problem, match="cannot be made"):
        check_folder(tmp_path / "file" / "report")
    check_folder(tmp_path / "new" / "report")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_no_process_and_no_folder_behind(number: signal.Signals) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        process = subprocess.Popen(
            [*MAKEGOOD, "demo", "--out", f"{folder}/report"],
            cwd=folder, env=environment(folder), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            # A shell lets what it runs in the background ignore Ctrl-C, and so would this.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not list(Path(folder).glob("makegood-*/server.log")):  # The server is starting, PostgreSQL runs.
            assert process.poll() is None
            assert time.monotonic() < deadline
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "stopped" in errors
        assert list(Path(folder).iterdir()) == []
        assert not processes_that_name(folder)


def environment(folder: str) -> dict[str, str]:
    import os

    return os.environ | {"TMPDIR": folder, "NO_COLOR": "1", "TERM": "dumb"}


def processes_that_name(folder: str) -> list[str]:
    """Command lines of running processes that mention a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if folder in line:
            found.append(line)
    return found


async def test_the_demo_house_has_bars_and_a_console_key(platform: Platform) -> None:
    hasty = replace(platform, settings=replace(platform.settings, deadline_ms=1))
    keys = dict(await seed_demo(hasty))
    caller = await authenticate(platform, keys["console"])
    assert caller.scopes == {Scope.READ, Scope.OPERATE, Scope.RESUME, Scope.APPROVE}
    assert caller.house.live is False
    campaigns = await list_campaigns(platform, caller)
    assert [campaign.state for campaign in campaigns] == ["running"] * 4
    assert all(campaign.granted_minor > 0 for campaign in campaigns)
    assert sum(campaign.open_quotes for campaign in campaigns) > 0
    assert (await verify_ledger(platform, caller)).balanced


async def test_a_second_demo_house_has_another_name(platform: Platform) -> None:
    first = await authenticate(platform, (await seed_demo(platform))[0][1])
    second = await authenticate(platform, (await seed_demo(platform))[0][1])
    assert first.house.name != second.house.name
    assert second.house.name.startswith("demo-")

"""Proofs over HTTP, on the command line and on the campaign's page."""

import html
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from tests.web.running import CAMPAIGN, EXAMPLES, Running, make_house
from tests.web.selling import signed_in

from makegood.cli.approve import command as approve_command
from makegood.cli.house import command as house_command
from makegood.cli.output import print_problem
from makegood.cli.publish import command as publish_command
from makegood.domain.review import Guard, Scope
from makegood.errors import FieldError, Problem, ProblemCode
from makegood.services.access import create_house, create_key

WRONG = ('up_to: "50.00 CNY"', 'up_to: "60.00 CNY"')


def text_of(name: str, *changes: tuple[str, str]) -> str:
    """An example document with texts replaced."""
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    return text


@pytest.fixture(scope="module")
def keys(server: Running) -> dict[str, str]:
    """A house with the example policy in force, the example brief, and a campaign that its brief does not allow."""
    made = make_house(server, "proving")
    policy = send(server, made, "risk", text_of("policy.yaml"))
    call(server, made, "finance", "POST", f"/v1/revisions/{policy['revision']}/approve", {})
    send(server, made, "wei", text_of("brief-spring.yaml"))
    made["revision"] = send(server, made, "ana", text_of("campaign-spring.yaml", WRONG))["revision"]
    return made


def call(server: Running, keys: dict[str, str], who: str, method: str, path: str, body: Any = None) -> httpx.Response:
    """One call as one of the house's people."""
    headers = {"Authorization": f"Bearer {keys[who]}", "Idempotency-Key": f"{who}{hash((path, str(body)))}"}
    return httpx.request(method, server.address + path, json=body, headers=headers, timeout=20, trust_env=False)


def send(server: Running, keys: dict[str, str], who: str, text: str) -> dict[str, Any]:
    """What became of one document."""
    response = call(server, keys, who, "POST", "/v1/documents", {"documents": [{"file": "one.yaml", "text": text}]})
    assert response.status_code == 200, response.text
    published: dict[str, Any] = response.json()["published"][-1]
    return published


def test_an_author_hears_what_is_refuted_and_by_which_payment(server: Running, keys: dict[str, str]) -> None:
    published = send(server, keys, "ana", "# again\n" + text_of("campaign-spring.yaml", WRONG))
    assert (published["proved"], published["missing"]) == (False, ["proof:inside_brief.discount_max", "approval:2"])
    row = next(row for row in published["proofs"] if row["verdict"] != "proved")
    assert (row["obligation"], row["verdict"]) == ("inside_brief.discount_max", "refuted")
    assert row["witness"]["discount_minor"] == 5_001
    assert "50.00 CNY" in row["witness"]["words"]["en"]


def test_a_proof_is_read_with_its_questions(server: Running, keys: dict[str, str]) -> None:
    proof = call(server, keys, "auditor", "GET", f"/v1/revisions/{keys['revision']}/proof").json()
    assert (proof["revision"], proof["is_proved"], proof["live"]) == (keys["revision"], False, [])
    assert all("(check-sat)" in row["question"] for row in proof["rows"])
    assert proof["solver"].startswith("z3 ")
    view = call(server, keys, "auditor", "GET", f"/v1/campaigns/{CAMPAIGN}").json()
    assert (view["proved"], view["proof"], view["guards_left_out"]) == (False, proof["proof"], ["detector"])


def test_a_revision_without_a_proof_is_not_found(server: Running, keys: dict[str, str]) -> None:
    answer = call(server, keys, "auditor", "GET", f"/v1/revisions/rev_{'0' * 64}/proof")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            (
                "1 obligation is not proved",
                "No discount is larger than the brief allows",
                "Refuted",
                "would get 50.01 CNY off",
            ),
        ),
        ("zh-CN", ("有 1 项未得到证明", "立减金额不超过活动立项单的上限", "已推翻", "会立减50.01元")),
    ],
)
def test_the_page_says_what_is_not_proved(
    server: Running, keys: dict[str, str], language: str, words: tuple[str, ...]
) -> None:
    with signed_in(server, keys["oncall"]) as client:
        page = html.unescape(client.get(f"/console/campaigns/{CAMPAIGN}", params={"lang": language}).text)
    for one in words:
        assert one in page, one


def test_a_house_without_the_guard_says_so_on_every_page(server: Running) -> None:
    server.run(create_house(server.platform(), "unguarded", live=False, guards_left_out=[Guard.PROOF]))
    key = server.run(create_key(server.platform(), "unguarded", "auditor", [Scope.READ])).key
    with signed_in(server, key) as client:
        page = client.get("/console/campaigns").text
    assert "This house was made without guards: proof." in page


def test_publishing_something_refuted_exits_1_and_prints_the_witness(
    server: Running, keys: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "wrong.yaml").write_text(text_of("campaign-spring.yaml", WRONG), encoding="utf-8")
    (tmp_path / "right.yaml").write_text(text_of("campaign-spring.yaml"), encoding="utf-8")
    store = ["--data", str(server.data), "--key", keys["ana"]]
    said = CliRunner().invoke(publish_command, [str(tmp_path / "wrong.yaml"), *store])
    assert said.exit_code == 1, said.output
    assert "✗ refuted inside_brief.discount_max" in said.output
    assert "would get 50.01 CNY off" in said.output and "会立减50.01元" in said.output
    assert said.output.count("hint: ") == said.output.count("提示：") == 1
    fine = CliRunner().invoke(publish_command, [str(tmp_path / "right.yaml"), *store, "--json"])
    assert fine.exit_code == 0, fine.output
    value = json.loads(fine.output)
    assert value["missing"] == ["approval:2"]
    assert value["documents"][0]["proved"] and {row["verdict"] for row in value["documents"][0]["proofs"]} == {"proved"}


def test_what_others_wrote_does_not_command_the_terminal_of_who_approves(
    server: Running, keys: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    odd = ('payment.scene == "in_store_qr"', 'payment.scene == "in_store_qr" && payment.payee_id == "\\x1b[2J\\u202e"')
    published = send(server, keys, "ana", text_of("campaign-spring.yaml", WRONG, odd))
    assert "\x1b[2J" in published["proofs"][0]["witness"]["words"]["en"]
    said = CliRunner().invoke(
        approve_command, [published["revision"], "--data", str(server.data), "--key", keys["finance"]]
    )
    assert (said.exit_code, "50.01 CNY off" in said.output) == (1, True)
    assert "\x1b" not in said.output and "\u202e" not in said.output
    where = FieldError("/when", "[bold]\x1b[2J", None)
    print_problem(Problem(ProblemCode.NOT_PROVED, "[red]no\x1b[2J", errors=(where,)), as_json=False)
    shown = capsys.readouterr().err
    assert "\x1b" not in shown and "[red]no" in shown and "[bold]" in shown


def test_without_the_solver_nothing_is_proved_and_it_says_how_to_get_one(
    server: Running, keys: dict[str, str], tmp_path: Path
) -> None:
    changed = ('up_to: "50.00 CNY"', 'up_to: "48.00 CNY"')
    (tmp_path / "fresh.yaml").write_text(text_of("campaign-spring.yaml", changed), encoding="utf-8")
    # As Python itself says that a module is not there.
    program = "import sys; sys.modules['z3'] = None; from makegood.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "publish", str(tmp_path / "fresh.yaml"), "--data", str(server.data),
         "--key", keys["ana"], "--json"],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    value = json.loads(done.stdout)
    assert (done.returncode, value["missing"]) == (1, ["proof", "approval:2"])
    assert "pip install 'makegood[proof]'" in value["documents"][0]["hint"]


@pytest.mark.parametrize(("mode", "code"), [("--test", 0), ("--live", 1)])
def test_only_a_test_house_is_made_without_a_guard(server: Running, mode: str, code: int) -> None:
    arguments = ["create", f"bare{mode}", mode, "--without", "proof", "--data", str(server.data), "--json"]
    said = CliRunner().invoke(house_command, arguments)
    assert bool(said.exit_code) == bool(code)
    assert (json.loads(said.output)["guards_left_out"] == ["proof"]) if code == 0 else said.exception is not None

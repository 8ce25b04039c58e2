"""`makegood diff`: what a new revision changes, for which payments."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.unit.proving import EXAMPLES

from makegood.cli.diff import command
from makegood.errors import Problem


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    return result.exit_code, result.stdout


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    text = (EXAMPLES / "campaign-spring.yaml").read_text("utf-8")
    (tmp_path / "policy.yaml").write_bytes((EXAMPLES / "policy.yaml").read_bytes())
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(text, "utf-8")
    new.write_text(text, "utf-8")
    return old, new


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def said(*arguments: object) -> tuple[int, dict[str, Any]]:
    code, text = run(*arguments, "--json")
    return code, json.loads(text)


def test_the_same_revision_is_equivalent(pair: tuple[Path, Path]) -> None:
    code, found = said(*pair)
    assert code == 0
    assert (found["equivalent"], found["no_new_subsidy"], found["witness"], found["changes"]) == (True, True, None, [])


def test_a_rate_that_rises_is_a_new_subsidy_with_the_smallest_payment_that_gains(pair: tuple[Path, Path]) -> None:
    edit(pair[1], '"20%"', '"30%"')
    code, found = said(*pair)
    assert code == 1
    assert (found["equivalent"], found["no_new_subsidy"]) == (False, False)
    assert found["witness"]["payment"]["amount"] == 10_000 and found["witness"]["discount_minor"] == 3_000
    assert [each["path"] for each in found["changes"]] == ["/benefit"]
    assert {row["obligation"]: row["verdict"] for row in found["proofs"]} == {
        "no_new_subsidy": "refuted", "equivalent": "refuted",
    }  # fmt: skip


def test_a_narrower_revision_is_no_new_subsidy_and_says_who_loses(pair: tuple[Path, Path]) -> None:
    edit(pair[1], ">= 10000", ">= 20000")
    code, found = said(*pair)
    assert (code, found["equivalent"], found["no_new_subsidy"], found["gains"]) == (0, False, True, None)
    assert found["loses"]["payment"]["amount"] == 10_000
    text = run(*pair)[1]
    assert "✓ no_new_subsidy" in text and "✗ equivalent" in text
    assert "gets nothing off; the old revision takes 20.00 CNY off" in text and "旧版本立减20.00元" in text


def test_the_policy_may_be_named_and_must_be_somewhere(pair: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").unlink()
    assert run(*pair)[0] == 2
    assert said(*pair, "--policy", EXAMPLES / "policy.yaml")[0] == 0


def test_a_folder_with_several_campaigns_needs_an_id(pair: tuple[Path, Path]) -> None:
    assert run(EXAMPLES, pair[1])[0] == 2
    code, found = said(EXAMPLES, EXAMPLES, "--id", "spend-and-save")
    assert (code, found["equivalent"]) == (0, True)


def test_a_file_that_is_no_campaign_is_a_problem_with_its_places(pair: tuple[Path, Path]) -> None:
    edit(pair[1], '"50.00 CNY"', "5000")
    result = CliRunner().invoke(command, [str(pair[0]), str(pair[1]), "--json"])
    assert isinstance(result.exception, Problem)
    assert [error.path for error in result.exception.errors] == ["/benefit/percent_off/up_to"]


def test_two_campaigns_are_no_revisions_of_one(pair: tuple[Path, Path]) -> None:
    """Budgets and limits belong to an id: beside the old campaign, another one is all new money."""
    edit(pair[1], "id: spring-qr-2027", "id: another")
    assert run(*pair)[0] == 2

"""`makegood eval`: one expression, or a file of them."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from makegood.cli.eval import command


def run(*arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(command, arguments, input=stdin)


def answer(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        (["1 + 2"], 3),
        (["x + 1", "--bind", '{"x": 41}'], 42),
        (["x.size()", "--bind", '{"x": []}', "--declare", "x=list(int)"], 0),
        (["x || true", "--declare", "x=bool"], True),
        (["t + d", "--bind", '{"t": "2027-02-01T00:00:00+08:00", "d": "3600s"}', "--declare", "t=timestamp",
          "--declare", "d=duration"], "2027-01-31T17:00:00Z"),
        (["duration('1h30m')"], "5400s"),
        (["-9223372036854775808"], -(2**63)),
        (["[1, 'a', null, duration('1s')]"], [1, "a", None, "1s"]),
        (["x == null", "--bind", '{"x": null}'], True),
        (["x", "--bind", '{"x": [1, [true]]}'], [1, [True]]),
        (["x.filter(e, e != 1)", "--bind", '{"x": [1, 2]}'], [2]),
    ],
)  # fmt: skip
def test_a_value_comes_back_as_json_from_each_machine(arguments: list[str], value: Any) -> None:
    said = answer(*arguments)
    assert set(said["result"]) == {"evaluate", "columns", "smt"}
    assert set(said["result"]) - set(said.get("notes", {})) >= {"evaluate", "columns"}
    assert {json.dumps(said["result"][name]) for name in set(said["result"]) - set(said.get("notes", {}))} == {
        json.dumps(value)
    }
    assert run(*arguments).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (["1 +"], "parse"),
        ([""], "parse"),
        (["1 + 'a'"], "type"),
        (["y"], "type"),
        (["1.5"], "unsupported"),
        (["'a'.matches('b')"], "unsupported"),
        (["(" * 1000 + "1" + ")" * 1000], "unsupported"),
        (["1 / 0"], "runtime"),
        (["x", "--declare", "x=int"], "runtime"),
        (["timestamp('noon')"], "runtime"),
        (["x", "--bind", '{"x": 1.5}'], "unsupported"),
        (["x", "--bind", '{"x": {}}'], "unsupported"),
        (["x", "--declare", "x=double"], "unsupported"),
        (["x", "--bind", '{"x": "a"}', "--declare", "x=int"], "type"),
        (["x", "--bind", '{"x": 9223372036854775808}'], "type"),
        (["x", "--bind", '{"x": true}', "--declare", "x=int"], "type"),
        (["x", "--bind", '{"x": "noon"}', "--declare", "x=timestamp"], "type"),
        (["x", "--bind", "[1]"], "type"),
        (["x.all(a, x.all(b, x.all(c, true)))", "--bind", json.dumps({"x": [1] * 500})], "unsupported"),
    ],
)
def test_an_error_says_its_kind_and_ends_with_one(arguments: list[str], kind: str) -> None:
    error = answer(*arguments)["error"]
    assert error["kind"] == kind
    assert error["message"]
    assert run(*arguments).exit_code == 1


@pytest.mark.parametrize(
    "arguments",
    [[], ["1", "--file", "x"], ["--file", "x", "--bind", "{}"], ["1", "--bind", "{"], ["--file", "/no/such"]],
)
def test_wrong_use_ends_with_two(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_a_file_gives_one_answer_a_line_and_bad_lines_do_not_end_it(tmp_path: Path) -> None:
    lines = [
        b'{"expr": "1 + 1"}', b"", b"nonsense", b'{"expr": 5}', b"\xff\xfe", b'{"expr": "x", "bind": {"x": 7}}',
        b'{"expr": "x", "declare": {"x": "int"}, "bind": {"x": 8}}',
        b'{"expr": "x", "declare": ["x=int"], "bind": {"x": 9}}',
        b'{"expr": "x", "declare": 5}', b'{"expr": "1", "bnid": {}}', b"[" * 100_000,
        b'{"expr": "' + b"1" * 2_000_000 + b'"}',
        b'{"expr": "1 / 0"}', b'{"expr": "true"}',
    ]  # fmt: skip
    file = tmp_path / "expressions.jsonl"
    file.write_bytes(b"\n".join(lines))
    result = run("--file", str(file))
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    shown = [each["result"]["evaluate"] if "result" in each else each["error"]["kind"] for each in answers]
    assert shown == [2, "parse", "parse", "parse", 7, 8, 9, "type", "parse", "parse", "parse", "runtime", True]
    assert result.exit_code == 0


def test_a_person_sees_the_value_alone() -> None:
    assert run("'a' + 'b'").stdout == '"ab"\n'
    assert "runtime error: divide by zero" in run("1 / 0").stderr


def test_a_file_may_come_from_standard_input() -> None:
    assert json.loads(run("--file", "-", stdin=b'{"expr": "2 * 3"}\n').stdout)["result"]["evaluate"] == 6

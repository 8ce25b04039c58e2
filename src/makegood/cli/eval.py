"""`makegood eval`: the value of an expression, by each of the three machines."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import click
import msgspec

from makegood.cli.machines import by_all_machines
from makegood.cli.output import emit, json_option, stderr
from makegood.findings import FindingCode, Severity
from makegood.limits import DOCUMENT_BYTES_MAX, LIST_ENTRIES_MAX
from makegood.rules.check import check_expression
from makegood.rules.environment import Environment, variable_environment
from makegood.rules.evaluate import EvaluationError
from makegood.rules.expression import Expression
from makegood.rules.finding import RuleFinding
from makegood.rules.types import CelType, parse_type
from makegood.rules.values import from_json, type_of_json

_KINDS: Final = {
    FindingCode.EXPRESSION_HAS_A_TYPE_ERROR: "type",
    FindingCode.EXPRESSION_IS_UNSUPPORTED: "unsupported",
    FindingCode.EXPRESSION_IS_TOO_LARGE: "unsupported",
}
_LINE_KEYS: Final = {"expr", "bind", "declare"}
_NAME_CHARS_MAX: Final = 200
_NAMES_MAX: Final = 100


class _Wrong(Exception):  # noqa: N818 - an answer, not a fault
    """The question has no answer; `kind` is one of unsupported, type, parse, runtime."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@click.command("eval", context_settings={"ignore_unknown_options": True})  # -1 is an expression.
@click.argument("expression", metavar="EXPR", required=False)
@click.option("--bind", metavar="JSON", help='Values of variables: {"x": 1}.')
@click.option("--declare", metavar="NAME=TYPE", multiple=True, help="A variable's type, such as x=list(string).")
@click.option("--file", "file", type=click.Path(path_type=Path), help="One {expr, bind, declare} a line; - for stdin.")
@json_option
def command(
    expression: str | None, bind: str | None, declare: tuple[str, ...], file: Path | None, as_json: bool
) -> None:
    """Evaluate a CEL expression by all three machines: Python, SQL and solver.

    A machine that cannot express it says null, and `notes` says why.
    """
    if (expression is None) == (file is None):
        raise click.UsageError("give either EXPR or --file")
    if file is not None:
        if bind is not None or declare:
            raise click.UsageError("with --file, `bind` and `declare` stand in its lines")
        _evaluate_file(file)
        return
    answer = _answer({"expr": expression, "bind": _usage_json(bind), "declare": list(declare)})
    emit(answer, as_json, lambda: _print(answer))
    if "error" in answer:
        sys.exit(1)


def _usage_json(bind: str | None) -> Any:
    if bind is None:
        return {}
    try:
        return msgspec.json.decode(bind)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise click.UsageError(f"--bind is not JSON: {error}") from None


def _print(answer: Mapping[str, Any]) -> None:
    if "error" in answer:
        stderr.print(f"{answer['error']['kind']} error: {answer['error']['message']}", markup=False)
        return
    click.echo(msgspec.json.encode(answer["result"]["evaluate"]).decode())
    for machine, note in answer.get("notes", {}).items():
        stderr.print(f"{machine}: {note}", markup=False)


def _evaluate_file(path: Path) -> None:
    try:
        stream: BinaryIO = sys.stdin.buffer if str(path) == "-" else path.open("rb")
    except OSError as error:
        raise click.UsageError(f"cannot read {path}: {error.strerror}") from None
    with stream:
        for line in _lines(stream):
            click.echo(msgspec.json.encode(_answer_line(line)).decode())


def _lines(stream: BinaryIO) -> Iterator[bytes | None]:
    """Every line that is not blank; None for one that is too long, of which only a part was ever in memory."""
    while line := stream.readline(DOCUMENT_BYTES_MAX + 1):
        if len(line) <= DOCUMENT_BYTES_MAX or line.endswith(b"\n"):
            if line.strip():
                yield line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(DOCUMENT_BYTES_MAX + 1)
        yield None


def _answer_line(line: bytes | None) -> dict[str, Any]:
    if line is None:
        return _error("parse", f"the line is longer than {DOCUMENT_BYTES_MAX} bytes")
    try:
        question = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return _error("parse", f"the line is not JSON: {error}")
    if not isinstance(question, dict) or not isinstance(question.get("expr"), str):
        return _error("parse", "a line must be an object with a text `expr`")
    if unknown := question.keys() - _LINE_KEYS:
        return _error("parse", f"`{min(unknown)[:_NAME_CHARS_MAX]}` is unknown; a line has expr, bind, declare")
    return _answer(question)


def _answer(question: Mapping[str, Any]) -> dict[str, Any]:
    """The result, or the error, of one question."""
    try:
        expression, values = _read(question["expr"], question.get("bind") or {}, question.get("declare") or {})
        return by_all_machines(expression, values)
    except _Wrong as wrong:
        return _error(wrong.kind, str(wrong))
    except EvaluationError as error:
        return _error("runtime", str(error))


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"error": {"kind": kind, "message": message}}


def _read(text: str, bind: Any, declare: Any) -> tuple[Expression, dict[str, Any]]:
    """The checked expression, and the values of its variables."""
    types, values = _variables(bind, _declared(declare))
    sizes = {name: _entries(value) for name, value in values.items() if isinstance(value, tuple)}
    checked = check_expression(text, _environment(types, sizes), want=None)
    if checked.expression is None:
        errors = [finding for finding in checked.findings if finding.severity is Severity.ERROR]
        raise _Wrong(_KINDS.get(errors[0].code, "parse"), "; ".join(_words(finding) for finding in errors))
    return checked.expression, values


def _environment(types: Mapping[str, CelType], sizes: Mapping[str, int]) -> Environment:
    try:
        return variable_environment(types, sizes=sizes)
    except RuntimeError as error:
        raise _Wrong("type", str(error).partition("\n")[0]) from None


def _entries(value: Sequence[Any]) -> int:
    """The most entries of a list or of a list inside it."""
    return max([len(value), *(_entries(each) for each in value if isinstance(each, tuple))])


def _words(finding: RuleFinding) -> str:
    hint = f" ({finding.hint})" if finding.hint else ""
    return f"{finding.line}:{finding.column}: {finding.message}{hint}"


def _declared(declare: Any) -> dict[str, CelType]:
    """Names and types of `{"x": "int"}` or `["x=int"]`."""
    if isinstance(declare, list) and all(isinstance(entry, str) and "=" in entry for entry in declare):
        declare = dict(entry.split("=", 1) for entry in declare)
    if not isinstance(declare, dict) or not all(isinstance(kind, str) for kind in declare.values()):
        raise _Wrong("type", '`declare` must be {"name": "type"} or ["name=type"]')
    try:
        return {name.strip(): parse_type(kind) for name, kind in declare.items()}
    except ValueError as error:
        raise _Wrong("unsupported", str(error)) from None


def _variables(bind: Any, declared: dict[str, CelType]) -> tuple[dict[str, CelType], dict[str, Any]]:
    """Types and values of all variables; one that is declared and not bound has no value."""
    if not isinstance(bind, dict):
        raise _Wrong("type", "`bind` must be an object of names and values")
    types = {
        **declared,
        **{name: _inferred(name, value) for name, value in bind.items() if name not in declared},
    }
    if len(types) > _NAMES_MAX or any(not name or len(name) > _NAME_CHARS_MAX for name in types):
        raise _Wrong("type", f"at most {_NAMES_MAX} names, each of 1 to {_NAME_CHARS_MAX} characters")
    return types, {name: _bound(name, value, types[name]) for name, value in bind.items()}


def _inferred(name: str, value: Any) -> CelType:
    try:
        return type_of_json(value)
    except ValueError as error:
        raise _Wrong("unsupported", f"`{name[:_NAME_CHARS_MAX]}`: {error}") from None


def _bound(name: str, value: Any, kind: CelType) -> Any:
    if isinstance(value, list) and len(value) > LIST_ENTRIES_MAX:
        raise _Wrong("unsupported", f"`{name}` has {len(value)} entries; at most {LIST_ENTRIES_MAX} are allowed")
    try:
        return from_json(value, kind)
    except ValueError as error:
        raise _Wrong("type", f"`{name}`: {error}") from None

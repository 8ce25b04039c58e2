"""How every command speaks: data on stdout, everything else on stderr."""

import sys
from collections.abc import Callable
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.markup import escape

from makegood.errors import MakegoodError, Problem, StoreUnavailable
from makegood.findings import Finding, Severity
from makegood.settings import SettingsError

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")

console = Console(highlight=False)
stderr = Console(stderr=True, highlight=False)


def emit(value: Any, as_json: bool, human: Callable[[], None]) -> None:
    """Print `value` as JSON, or let `human` print it for a person."""
    if as_json:
        click.echo(msgspec.json.encode(value).decode())
    else:
        human()


def printable(text: str) -> str:
    """The text with a blank for every character that could command a terminal."""
    return "".join(char if char.isprintable() else " " for char in text)


def print_problem(error: MakegoodError, *, as_json: bool) -> None:
    """Tell what happened, what to do, and the code."""
    code = error.code.value if isinstance(error, Problem) else _code_of(error)
    places = error.errors if isinstance(error, Problem) else ()
    hint = error.hint if isinstance(error, Problem) else None
    if as_json:
        errors = [{"path": e.path, "message": e.message, "hint": e.hint} for e in places]
        body = {"error": {"code": code, "detail": str(error), "errors": errors, "hint": hint}}
        sys.stdout.write(msgspec.json.encode(body).decode() + "\n")
        return
    stderr.print(f"[bold red]error[/] {escape(printable(str(error)))} [dim]({code})[/]", markup=True)
    for place in places:
        text = f"  {place.path or '/'} {place.message}" + (f" - {place.hint}" if place.hint else "")
        stderr.print(printable(text), markup=False)
    if hint:
        stderr.print(f"  hint: {hint}", markup=False)


def print_finding(finding: Finding) -> None:
    """One finding as `file:line:column severity code message`, its hint below."""
    place = ":".join(str(part) for part in (finding.file, finding.line, finding.column) if part is not None)
    mark = "[bold red]✗ error[/]" if finding.severity is Severity.ERROR else "[bold yellow]! warning[/]"
    console.print(mark, end=" ")
    console.print(f"{place} {finding.message} ({finding.code})", markup=False)
    if finding.hint:
        console.print(f"    hint: {finding.hint}", markup=False)


def finding_json(finding: Finding) -> dict[str, Any]:
    """A finding with the keys that scripts read."""
    names = ("severity", "code", "message", "hint", "path", "file", "line", "column")
    return {name: getattr(finding, name) for name in names}


def _code_of(error: MakegoodError) -> str:
    if isinstance(error, StoreUnavailable):
        return "store_is_unavailable"
    return "settings_are_wrong" if isinstance(error, SettingsError) else "internal"

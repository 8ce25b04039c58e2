"""Findings as a person reads them: the place, the line of the file, a caret under it, the hint."""

from collections.abc import Iterable, Sequence

from rich.cells import cell_len

from makegood.cli.output import console, printable
from makegood.documents.places import place_of
from makegood.documents.source import Source, source_lines
from makegood.findings import Finding, Severity

_WIDTH = 100  # Characters of a source line that are shown.


def say(text: str, style: str | None = None, end: str = "\n") -> None:
    """One line as it is: no markup, no wrapping, nothing that commands a terminal."""
    console.print(printable(text), style=style, end=end, markup=False, soft_wrap=True)


class Excerpts:
    """Prints findings with the lines of the files they are about."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = {source.file: source for source in sources}
        self._lines: dict[str, list[str]] = {}

    def show(self, findings: Iterable[Finding]) -> None:
        """Every finding, errors first."""
        ordered = sorted(findings, key=lambda one: (one.severity is Severity.WARNING, one.line or 0))
        for finding in ordered:
            self._show_one(finding)

    def show_line(self, file: str, path: str) -> None:
        """The line of the value that a JSON Pointer names, with a caret under it."""
        if file in self._sources:
            self._line(file, *place_of(self._sources[file], path))

    def _show_one(self, finding: Finding) -> None:
        error = finding.severity is Severity.ERROR
        console.print("  [bold red]✗ error[/]" if error else "  [bold yellow]! warning[/]", end=" ")
        place = ":".join(str(part) for part in (finding.file, finding.line, finding.column) if part is not None)
        subject = f"{finding.path} " if finding.path else ""
        say(f"{subject}{finding.message} ({finding.code})")
        say(f"    {place}", style="dim")
        if finding.path or error:
            self._excerpt(finding)
        if finding.hint:
            say(f"    hint: {finding.hint}")

    def _excerpt(self, finding: Finding) -> None:
        if finding.line is not None and finding.column is not None:
            self._line(finding.file, finding.line, finding.column)

    def _line(self, file: str | None, at: int, column: int) -> None:
        lines = self._lines_of(file)
        if not 0 < at <= len(lines):
            return
        line, before = lines[at - 1], column - 1
        cut = max(0, before - _WIDTH // 2)
        shown = printable(line[cut : cut + _WIDTH])
        number = str(at)
        caret = " " * cell_len(shown[: before - cut]) + "^"
        say(f"    {number} │ {shown}", style="dim")
        say(f"    {' ' * len(number)} │ {caret}", style="red")

    def _lines_of(self, file: str | None) -> list[str]:
        source = self._sources.get(file or "")
        if source is None:
            return []
        if source.file not in self._lines:
            self._lines[source.file] = source_lines(source.data.decode("utf-8-sig", "replace"))
        return self._lines[source.file]

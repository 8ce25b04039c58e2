"""Where a character of a value stands in the file: a finding inside an expression points at the file's own text."""

from collections.abc import Sequence

from makegood.documents.scalar import Kind
from makegood.documents.source import Node, Source, parse_source, source_lines

_ESCAPES = {"x": 2, "u": 4, "U": 8}
_SPACE = " \t\r\n\x85\u2028\u2029"


def place_in_file(lines: Sequence[str], node: Node, line: int, column: int) -> tuple[int, int]:
    """Line and column in the file of a place (both from 1) inside the text of a scalar node.

    Exact for plain, quoted and block scalars. Where value and file cannot be matched, the start of the scalar.
    """
    wanted = _offset(node.value, line, column)
    start = (node.line - 1, node.column - 1)
    walker = _Walker(lines, *start)
    if node.style in ("|", ">"):
        walker.next_line()
    elif node.style is not None:
        walker.step(1)
    found = walker.find(node.value, wanted, node.style)
    row, at = found if found is not None else start
    return row + 1, at + 1


def place_of(source: Source, path: str) -> tuple[int, int]:
    """Line and column in the file of the value that a JSON Pointer names, or of the nearest part around it."""
    node = parse_source(source).root
    return (1, 1) if node is None else _named(node, path)[1]


def place_inside(source: Source, path: str, line: int, column: int) -> tuple[int, int]:
    """Line and column in the file of a place (both from 1) inside the text that a JSON Pointer names."""
    root = parse_source(source).root
    if root is None:
        return 1, 1
    node, place = _named(root, path)
    if node.kind is not Kind.STRING:
        return place
    return place_in_file(source_lines(source.data.decode("utf-8-sig", "replace")), node, line, column)


def _named(node: Node, path: str) -> tuple[Node, tuple[int, int]]:
    """The value that a JSON Pointer names, or the nearest around it, and where it begins."""
    place = node.line, node.column
    for key in path.split("/")[1:]:
        if node.kind is Kind.MAPPING and key in node.entries():
            entry = node.entries()[key]
            node, place = entry.value, (entry.line, entry.column)
        elif node.kind is Kind.LIST and key.isdecimal() and int(key) < len(node.value):
            node = node.value[int(key)]
            place = node.line, node.column
        else:
            break
    return node, place


def _offset(text: str, line: int, column: int) -> int:
    lines = text.split("\n")
    row = min(max(line, 1), len(lines)) - 1
    before = sum(len(one) + 1 for one in lines[:row])
    return min(before + max(column, 1) - 1, len(text))


class _Walker:
    """Reads the file from a place on, character by character."""

    def __init__(self, lines: Sequence[str], row: int, at: int) -> None:
        self.lines = lines
        self.row = row
        self.at = at

    def next_line(self) -> None:
        self.row += 1
        self.at = 0

    def step(self, count: int) -> None:
        self.at += count

    def here(self) -> str | None:
        """The character here, "\\n" at the end of a line, None at the end of the file."""
        if self.row >= len(self.lines):
            return None
        line = self.lines[self.row]
        return line[self.at] if self.at < len(line) else "\n"

    def advance(self) -> None:
        if self.here() == "\n":
            self.next_line()
        else:
            self.step(1)

    def skip_space(self, style: str | None) -> None:
        """Past blanks, line ends and, in a double-quoted text, escaped line ends."""
        while (char := self.here()) is not None:
            if style == '"' and char == "\\" and self.at + 1 == len(self.lines[self.row]):
                self.next_line()
            elif char in _SPACE:
                self.advance()
            else:
                return

    def find(self, text: str, wanted: int, style: str | None) -> tuple[int, int] | None:
        """Row and column of the character number `wanted`; blanks may be folded, quotes doubled, characters escaped."""
        for index, char in enumerate(text):
            escaped = style == '"' and self.here() == "\\"
            if char not in _SPACE:
                self.skip_space(style)
                escaped = style == '"' and self.here() == "\\"
            if index == wanted:
                return (self.row, self.at) if self.here() is not None else None
            if escaped:
                self._skip_escape()
            elif char in _SPACE:
                if (here := self.here()) is not None and here in _SPACE:
                    self.advance()
            elif self.here() != char:
                return None
            else:
                self.step(2 if style == "'" and char == "'" else 1)
        return (self.row, self.at) if self.here() is not None else None

    def _skip_escape(self) -> None:
        line = self.lines[self.row]
        code = line[self.at + 1] if self.at + 1 < len(line) else ""
        self.step(2 + _ESCAPES.get(code, 0))

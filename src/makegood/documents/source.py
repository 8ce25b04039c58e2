"""From the bytes of a file to a tree in which every value knows its place; strict, and bounded in time and memory.

YAML is read as a stream of events, so nothing here recurses and nothing is expanded: anchors, aliases, tags and merge
keys are refused. A plain word becomes a number, a boolean or null only where every YAML version agrees; a word that
some tools read otherwise (`no`, `010`, `1_000`, `12:30`) is refused and has to be quoted.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from makegood.documents.scalar import Kind, how_to_write, plain_scalar
from makegood.findings import Finding, FindingCode, Severity
from makegood.limits import DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX, DOCUMENT_NODES_MAX

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is ten times faster; the events are the same.
_MARK = re.compile(rb"""(?:^|[{,])[ \t]*["']?makegood["']?[ \t]*:""", re.MULTILINE)
_LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")  # What YAML 1.1 counts as the end of a line.
HIDDEN = re.compile(  # Controls, zero-width and direction marks: a reviewer would read something else than what runs.
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufffe\uffff]"
)


@dataclass(frozen=True, slots=True)
class Source:
    """One file: the name that findings show, and its bytes."""

    file: str
    data: bytes


@dataclass(slots=True)
class Node:
    """One value. `value` is a dict of entries, a list of nodes, or the scalar; `line` and `column` count from 1."""

    kind: Kind
    value: Any
    line: int
    column: int
    style: str | None = None

    def entries(self) -> "Mapping[str, Entry]":
        """The entries of a mapping, in the order of the file."""
        assert self.kind is Kind.MAPPING
        found: Mapping[str, Entry] = self.value
        return found


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key: value` of a mapping, with the place of the key."""

    value: Node
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Tree:
    """What one file holds: its root (None when it cannot be read at all) and what is wrong with its YAML."""

    source: Source
    root: Node | None
    findings: tuple[Finding, ...]


def looks_like_a_document(data: bytes) -> bool:
    """Whether the bytes have a `makegood:` line; the way to tell our files from other YAML in a folder."""
    return _MARK.search(data) is not None


def source_lines(text: str) -> list[str]:
    """The lines of a source text, counted as YAML counts them."""
    return _LINE_BREAK.split(text)


def parse_source(source: Source) -> Tree:
    """The tree of one file. Never raises: everything that is wrong is a finding of the tree."""
    early = _unreadable(source)
    if early is not None:
        return Tree(source, None, (early,))
    return _Composer(source).compose()


def _unreadable(source: Source) -> Finding | None:
    if len(source.data) > DOCUMENT_BYTES_MAX:
        return _finding(
            source,
            FindingCode.FILE_IS_TOO_LARGE,
            f"has more than {DOCUMENT_BYTES_MAX} bytes",
        )
    try:
        text = source.data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = source.data[: error.start].decode("utf-8", "replace")
        return _finding(source, FindingCode.YAML_IS_INVALID, "is not UTF-8 from here on", *_place(before))
    hidden = HIDDEN.search(text)
    if hidden is None:
        return None
    return _finding(
        source,
        FindingCode.YAML_IS_INVALID,
        f"holds the invisible character U+{ord(hidden[0]):04X}: what is read would not be what runs",
        *_place(text[: hidden.start()]),
    )


def _place(before: str) -> tuple[int, int]:
    lines = source_lines(before)
    return len(lines), len(lines[-1]) + 1


def _finding(
    source: Source,
    code: FindingCode,
    message: str,
    line: int | None = None,
    column: int | None = None,
    hint: str | None = None,
) -> Finding:
    return Finding(Severity.ERROR, code, message, "", source.file, line, column, hint)


class _StopReading(Exception):  # noqa: N818 - a signal inside this module, not an error of anyone
    """Nothing more of this file is read: going on would cost without bound."""


@dataclass(slots=True)
class _Composer:
    """Builds the tree from events with a stack of its own."""

    source: Source
    findings: list[Finding] = field(default_factory=list)
    root: Node | None = None
    stack: list[Node] = field(default_factory=list)
    keys: list[tuple[str, int, int] | None] = field(default_factory=list)
    nodes: int = 0
    documents: int = 0

    def compose(self) -> Tree:
        data = self.source.data.removeprefix(b"\xef\xbb\xbf")
        try:
            for event in yaml.parse(data, Loader=_LOADER):
                self._take(event)
        except _StopReading:
            return Tree(self.source, None, tuple(self.findings))
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self._add(FindingCode.YAML_IS_INVALID, f"is not valid YAML: {error.problem or error.context}", mark)
            return Tree(self.source, None, tuple(self.findings))
        except yaml.YAMLError as error:
            reason = str(error).splitlines()[0]
            self.findings.append(_finding(self.source, FindingCode.YAML_IS_INVALID, f"is not valid YAML: {reason}"))
            return Tree(self.source, None, tuple(self.findings))
        if self.root is None:
            self.findings.append(_finding(self.source, FindingCode.YAML_IS_INVALID, "is empty", 1, 1))
        return Tree(self.source, self.root, tuple(self.findings))

    def _take(self, event: yaml.Event) -> None:
        match event:
            case yaml.DocumentStartEvent():
                self._start_document(event)
            case yaml.AliasEvent():
                self._refuse_anchor(event, "refers to an anchor")
                self._put(Node(Kind.BROKEN, None, *_start(event)), event)
            case yaml.ScalarEvent():
                self._check(event)
                self._put(self._scalar(event), event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._open(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self.stack.pop()
                self.keys.pop()

    def _start_document(self, event: yaml.Event) -> None:
        self.documents += 1
        if self.documents > 1:
            self._add(FindingCode.YAML_IS_INVALID, "a second document starts here; a file holds one", event.start_mark)
            raise _StopReading

    def _open(self, event: yaml.CollectionStartEvent) -> None:
        self._check(event)
        mapping = isinstance(event, yaml.MappingStartEvent)
        node = Node(Kind.MAPPING if mapping else Kind.LIST, {} if mapping else [], *_start(event))
        self._put(node, event)
        if len(self.stack) >= DOCUMENT_DEPTH_MAX:
            self._add(
                FindingCode.YAML_IS_TOO_DEEP, f"is nested deeper than {DOCUMENT_DEPTH_MAX} levels", event.start_mark
            )
            raise _StopReading
        self.stack.append(node)
        self.keys.append(None)

    def _check(self, event: yaml.NodeEvent) -> None:
        if event.anchor is not None:
            self._refuse_anchor(event, "is an anchor")
        if getattr(event, "tag", None) is not None:
            self._add(
                FindingCode.YAML_IS_INVALID,
                f"has the tag `{str(event.tag)[:64]}`",  # type: ignore[attr-defined]
                event.start_mark,
                "leave it out: the format says what every value is",
            )

    def _refuse_anchor(self, event: yaml.NodeEvent, message: str) -> None:
        self._add(
            FindingCode.YAML_HAS_AN_ANCHOR, f"`{str(event.anchor)[:64]}` {message}", event.start_mark,
            "write the value out: a document says everything where it is read",
        )  # fmt: skip

    def _scalar(self, event: yaml.ScalarEvent) -> Node:
        line, column = _start(event)
        if event.style:  # libyaml says "" and PyYAML None for a plain word.
            return Node(Kind.STRING, event.value, line, column, event.style)
        kind, value = plain_scalar(event.value)
        if kind is Kind.BROKEN and not self._is_key():
            self._add(
                FindingCode.TYPE_IS_WRONG, f"`{event.value[:64]}` is read differently by different tools",
                event.start_mark, how_to_write(event.value),
            )  # fmt: skip
        return Node(kind, value, line, column, None)

    def _is_key(self) -> bool:
        return bool(self.stack) and self.stack[-1].kind is Kind.MAPPING and self.keys[-1] is None

    def _put(self, node: Node, event: yaml.Event) -> None:
        self.nodes += 1
        if self.nodes > DOCUMENT_NODES_MAX:
            self._add(FindingCode.FILE_IS_TOO_LARGE, f"has more than {DOCUMENT_NODES_MAX} values", event.start_mark)
            raise _StopReading
        if not self.stack:
            self.root = node
        elif self.stack[-1].kind is Kind.LIST:
            self.stack[-1].value.append(node)
        elif self.keys[-1] is None:
            self.keys[-1] = self._key(node, event)
        else:
            self._entry(node, *self.keys[-1])
            self.keys[-1] = None

    def _key(self, node: Node, event: yaml.Event) -> tuple[str, int, int]:
        text = event.value if isinstance(event, yaml.ScalarEvent) else None
        if text is None:
            self._add(FindingCode.YAML_IS_INVALID, "a key must be a text", event.start_mark)
        elif text == "<<" and not event.style:  # type: ignore[attr-defined]
            self._add(FindingCode.YAML_HAS_AN_ANCHOR, "`<<` merges an anchor", event.start_mark)
        return (text or "", node.line, node.column)

    def _entry(self, node: Node, key: str, line: int, column: int) -> None:
        entries = self.stack[-1].value
        if key in entries:
            first = entries[key].line
            message = f"`{key[:64]}` is already given in line {first}"
            self.findings.append(_finding(self.source, FindingCode.KEY_IS_DUPLICATE, message, line, column))
        elif key != "<<":
            entries[key] = Entry(node, line, column)

    def _add(self, code: FindingCode, message: str, mark: Any, hint: str | None = None) -> None:
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (None, None)
        self.findings.append(_finding(self.source, code, message, line, column, hint))


def _start(event: yaml.Event) -> tuple[int, int]:
    assert event.start_mark is not None
    return event.start_mark.line + 1, event.start_mark.column + 1

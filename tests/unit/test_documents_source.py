"""The YAML layer: strict, and bounded in time and memory."""

import time

import pytest

from makegood.documents.scalar import Kind
from makegood.documents.source import Source, Tree, looks_like_a_document, parse_source
from makegood.findings import FindingCode
from makegood.limits import DOCUMENT_BYTES_MAX


def parse(text: str | bytes) -> Tree:
    return parse_source(Source("x.yaml", text.encode() if isinstance(text, str) else text))


def codes(tree: Tree) -> list[FindingCode]:
    return [finding.code for finding in tree.findings]


def test_every_value_knows_its_line_and_column() -> None:
    tree = parse("春: 节\nb:\n  - {c: 'd'}\n")
    assert tree.root is not None and tree.findings == ()
    entries = tree.root.entries()
    assert (entries["春"].line, entries["春"].value.line, entries["春"].value.column) == (1, 1, 4)
    inner = entries["b"].value.value[0].entries()["c"]
    assert (inner.line, inner.column, inner.value.line, inner.value.column) == (3, 6, 3, 9)


def test_a_byte_order_mark_moves_no_column() -> None:
    tree = parse(b"\xef\xbb\xbfab: c")
    assert tree.root is not None
    assert (tree.root.column, tree.root.entries()["ab"].value.column) == (1, 5)


@pytest.mark.parametrize(
    ("word", "kind", "value"),
    [
        ("5", Kind.INTEGER, 5),
        ("-7", Kind.INTEGER, -7),
        ("9223372036854775807", Kind.INTEGER, 2**63 - 1),
        ("9223372036854775808", Kind.NUMBER, "9223372036854775808"),
        ("1.50", Kind.NUMBER, "1.50"),
        ("1e3", Kind.NUMBER, "1e3"),
        ("true", Kind.BOOLEAN, True),
        ("false", Kind.BOOLEAN, False),
        ("null", Kind.NULL, None),
        ("~", Kind.NULL, None),
        ("", Kind.NULL, None),
        ("20%", Kind.STRING, "20%"),
        ("2027-02-01T00:00:00+08:00", Kind.STRING, "2027-02-01T00:00:00+08:00"),
        ("'5'", Kind.STRING, "5"),
        ('"no"', Kind.STRING, "no"),
    ],
)
def test_a_plain_word_is_what_every_yaml_version_says(word: str, kind: Kind, value: object) -> None:
    tree = parse(f"a: {word}")
    assert tree.root is not None and tree.findings == ()
    node = tree.root.entries()["a"].value
    assert (node.kind, node.value) == (kind, value)


@pytest.mark.parametrize(
    "word",
    ["yes", "No", "on", "OFF", "y", "True", "NULL", "010", "0x1F", "0o17", "1_000", "12:30", "1:30:00.5", ".inf"],
)
def test_a_word_that_yaml_versions_read_differently_must_be_quoted(word: str) -> None:
    tree = parse(f"a: {word}")
    assert codes(tree) == [FindingCode.TYPE_IS_WRONG]
    assert (tree.findings[0].line, tree.findings[0].column) == (1, 4)
    assert f'"{word}"' in (tree.findings[0].hint or "") or "null" in (tree.findings[0].hint or "")
    quoted = parse(f'a: "{word}"')
    assert quoted.findings == () and quoted.root is not None and quoted.root.entries()["a"].value.value == word


def test_a_key_is_always_a_text() -> None:
    tree = parse("no: a\n1: b\ntrue: c\n")
    assert tree.root is not None and tree.findings == ()
    assert list(tree.root.entries()) == ["no", "1", "true"]


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a: &x 1", FindingCode.YAML_HAS_AN_ANCHOR, 1, 4),
        ("a: [1]\nb: *x", FindingCode.YAML_HAS_AN_ANCHOR, 2, 4),
        ("<<: {a: 1}", FindingCode.YAML_HAS_AN_ANCHOR, 1, 1),
        ("a: !!str 5", FindingCode.YAML_IS_INVALID, 1, 4),
        ("a: !x [1]", FindingCode.YAML_IS_INVALID, 1, 4),
        ("a: 1\nb: 2\na: 3", FindingCode.KEY_IS_DUPLICATE, 3, 1),
        ("a: 1\n---\nb: 2", FindingCode.YAML_IS_INVALID, 2, 1),
        ("? [a]\n: 1", FindingCode.YAML_IS_INVALID, 1, 3),
        ("a: {b: 1", FindingCode.YAML_IS_INVALID, 2, 1),
        ("a: 'b", FindingCode.YAML_IS_INVALID, 1, 6),
        ("", FindingCode.YAML_IS_INVALID, 1, 1),
        ("# nothing\n", FindingCode.YAML_IS_INVALID, 1, 1),
        (b"ok: 1\nb: \xff", FindingCode.YAML_IS_INVALID, 2, 4),
        (b"b: 'a\x00'", FindingCode.YAML_IS_INVALID, 1, 6),
        (b"b: '\x1b[2J'", FindingCode.YAML_IS_INVALID, 1, 5),
        ("b: 'pay\u202eload'", FindingCode.YAML_IS_INVALID, 1, 8),
        ("b: 'zero\u200bwidth'", FindingCode.YAML_IS_INVALID, 1, 9),
    ],
)
def test_what_a_document_may_not_hold_is_found_at_its_place(
    text: str | bytes, code: FindingCode, line: int, column: int
) -> None:
    tree = parse(text)
    assert code in codes(tree)
    finding = next(finding for finding in tree.findings if finding.code is code)
    assert (finding.file, finding.line, finding.column) == ("x.yaml", line, column)


def test_several_anchors_are_all_found() -> None:
    assert codes(parse("a: &x 1\nb: *x\nc: *y\n")) == [FindingCode.YAML_HAS_AN_ANCHOR] * 3


HOSTILE = {
    "brackets": b"[" * 900_000,
    "braces": b"{a: " * 200_000,
    "dashes": b"- " * 500_000,
    "questions": b"? " * 500_000,
    "indented": b"\n".join(b" " * level + b"a:" for level in range(1_400)),
    "long list": b"[" + b"1," * 400_000 + b"]",
    "many keys": b"\n".join(b"k%d: 1" % number for number in range(80_000)),
    "open quote": b'"' + b"a" * 900_000,
    "comments": b"#\n" * 500_000,
    "tags": b"!a " * 300_000,
    "anchors": b"".join(b"a%d: &a%d [1]\n" % (number, number) for number in range(40_000)),
    "one long key": b"k" * 900_000 + b": 1",
    "too large": b"a" * (DOCUMENT_BYTES_MAX + 1),
    "billion laughs": b"a0: &a0 [x]\n"
    + b"".join(b"a%d: &a%d [%s]\n" % (n, n, b",".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 12)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_bounded_time(name: str) -> None:
    started = time.monotonic()
    tree = parse(HOSTILE[name])
    assert time.monotonic() - started < 30  # It hangs, or it is done; a busy machine is neither.
    assert tree.findings or name == "one long key"


def test_nesting_up_to_the_bound_is_read_and_one_more_is_not() -> None:
    assert parse("[" * 20 + "]" * 20).findings == ()
    assert codes(parse("[" * 21 + "]" * 21)) == [FindingCode.YAML_IS_TOO_DEEP]


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("makegood: campaign/1\n", True),
        ("# first\n  makegood: brief/1", True),
        ('{"id":"a","makegood":"policy/1"}', True),
        ("- benefit: {}\n", False),
        ("# makegood: campaign/1\n", False),
        ("see_makegood: 1", False),
    ],
)
def test_our_files_are_known_by_their_makegood_line(text: str, ours: bool) -> None:
    assert looks_like_a_document(text.encode()) is ours

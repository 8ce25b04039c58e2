"""Places inside expressions: a finding points at the file's own text, however the text is quoted."""

import pytest

from makegood.documents.places import place_in_file
from makegood.documents.source import Source, parse_source, source_lines

FORMS = {
    "single": "when: 'a && b && HERE'\n",
    "double": 'when: "a && b && HERE"\n',
    "plain": "when: a && b && HERE\n",
    "flow": "{x: 1, when: 'a && HERE'}\n",
    "doubled quotes": "when: 'a == ''b'' && HERE'\n",
    "escapes": 'when: "a == \\"b\\" \\u0026& HERE"\n',
    "literal": "when: |\n  a &&\n    b &&\n  HERE\n",
    "folded": "when: >-\n  a &&\n  b\n  && HERE\n",
    "folded with a blank line": "when: >\n  a &&\n\n  b && HERE\n",
    "folded quote": "when: 'a &&\n  b &&\n\n  HERE'\n",
    "escaped line end": 'when: "a && \\\n  HERE"\n',
    "chinese before": "when: 'a == \"春节\" && HERE'\n",
    "indented more": "when: |2-\n    a &&\n    HERE\n",
}


@pytest.mark.parametrize("name", FORMS)
def test_a_place_in_the_text_is_found_in_the_file(name: str) -> None:
    text = FORMS[name]
    tree = parse_source(Source("x", text.encode()))
    assert tree.root is not None and tree.findings == ()
    node = tree.root.entries()["when"].value
    at = node.value.index("HERE")
    line = node.value.count("\n", 0, at) + 1
    column = at - (node.value.rfind("\n", 0, at) + 1) + 1
    row, col = place_in_file(source_lines(text), node, line, column)
    assert source_lines(text)[row - 1][col - 1 :].startswith("HERE")


def test_a_place_past_the_text_stays_in_the_file() -> None:
    text = "when: 'a'"
    tree = parse_source(Source("x", text.encode()))
    assert tree.root is not None
    assert place_in_file(source_lines(text), tree.root.entries()["when"].value, 99, 99) == (1, 9)

"""Every event that the store writes is explained, and none that it does not write."""

import re
from collections.abc import Mapping
from pathlib import Path

PAGE = Path("docs/reference/events.md")
WORDS_MIN = 5  # Fewer only repeat the name.
HOLDS_END = {"quote.released", "quote.expired"}  # The type is put together: `'quote.' || p_state`.


def emitted(texts: Mapping[Path, str]) -> set[str]:
    """Types in the calls of `emit` and `emit_all`, in every migration."""
    found: set[str] = set()
    for path, text in texts.items():
        if path.suffix == ".sql":
            for given in re.findall(r"perform emit(?:_all)?\(p_house, (.+?), (?:p_|v_|'house'|'drill')", text):
                words = set(re.findall(r"'([a-z_.]+)'", given))
                found |= HOLDS_END if words == {"quote."} else words
    return found


def test_every_event_that_is_written_is_explained_and_no_other(texts: Mapping[Path, str]) -> None:
    parts = re.split(r"^### `([a-z_.]+)`$", texts[PAGE], flags=re.MULTILINE)
    explained = {name: said.split("\n## ")[0] for name, said in zip(parts[1::2], parts[2::2], strict=True)}
    types = emitted(texts)
    assert len(types) > 20, "the search of this test finds no calls any more"
    assert types - set(explained) == set(), f"explain these in {PAGE}"
    assert set(explained) - types == set(), f"nothing writes these; take them out of {PAGE}"
    assert [name for name, said in explained.items() if len(said.split()) < WORDS_MIN] == []


def test_every_call_of_emit_is_understood_by_the_search(texts: Mapping[Path, str]) -> None:
    calls = sum(text.count("perform emit") for path, text in texts.items() if path.suffix == ".sql")
    read = sum(
        len(re.findall(r"perform emit(?:_all)?\(p_house, .+?, (?:p_|v_|'house'|'drill')", text))
        for path, text in texts.items()
        if path.suffix == ".sql"
    )
    assert calls == read

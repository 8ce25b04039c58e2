"""A code of a closed list is given somewhere; a list that promises more than the code does misleads."""

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import pytest

from makegood.domain.quote import Refusal, Undecided
from makegood.errors import ProblemCode
from makegood.findings import FindingCode

LISTS: dict[type[StrEnum], str] = {
    Refusal: "refusals.md",
    Undecided: "undecided.md",
    ProblemCode: "problems.md",
    FindingCode: "findings.md",
}


@pytest.mark.parametrize("codes", LISTS)
def test_every_code_is_given_somewhere(texts: Mapping[Path, str], codes: type[StrEnum]) -> None:
    sources = [text for path, text in texts.items() if path.parts[0] == "src" and path.suffix in (".py", ".sql")]
    never = {code for code in codes if not any(_gives(text, code) for text in sources)}
    assert never == set(), "give these, or remove them before anybody relies on them"


def _gives(text: str, code: StrEnum) -> bool:
    # A member that is a key (`Code.X: ...`) says something of the code. SQL says the word itself.
    named = rf"\b(?:{type(code).__name__})\.{code.name}\b(?!\s*:)"
    return re.search(named, text) is not None or f"'{code.value}'" in text

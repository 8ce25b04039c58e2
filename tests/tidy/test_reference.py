"""The reference says everything that the code has, and nothing that it has no more."""

import importlib.util
import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from types import ModuleType

import pytest

from makegood.domain.quote import Refusal, Undecided
from makegood.domain.review import Scope, State
from makegood.errors import ProblemCode
from makegood.findings import FindingCode
from makegood.web.problems import KINDS

WORDS_MIN = 12  # Fewer words than this only repeat the code.

SEVERITIES = ("**Error.**", "**Warning.**", "**Error or warning.**")

# Pages whose order means something (precedence) or is simply kept, so that both are found the same way.
WRITTEN: dict[str, type[StrEnum]] = {
    "refusals.md": Refusal,
    "undecided.md": Undecided,
    "problems.md": ProblemCode,
    "findings.md": FindingCode,
    "scopes.md": Scope,
    "states.md": State,
}


@pytest.fixture(scope="module")
def pages(root: Path) -> Path:
    return root / "docs" / "reference"


@pytest.fixture(scope="module")
def generator(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", root / "scripts" / "reference.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", WRITTEN)
def test_every_code_is_explained_in_the_order_of_the_code(pages: Path, name: str) -> None:
    explained = [code for code, _ in _sections((pages / name).read_text(encoding="utf-8"))]
    codes = [member.value for member in WRITTEN[name]]
    assert sorted(set(codes) - set(explained)) == [], f"write a section for these in docs/reference/{name}"
    assert sorted(set(explained) - set(codes)) == [], f"the code has these no more; remove them from {name}"
    assert explained == codes, f"put the sections of docs/reference/{name} in the order of {WRITTEN[name].__name__}"


@pytest.mark.parametrize("name", WRITTEN)
def test_an_explanation_says_more_than_the_code_itself(pages: Path, name: str) -> None:
    sections = _sections((pages / name).read_text(encoding="utf-8"))
    thin = [code for code, text in sections if len(text.split()) < WORDS_MIN]
    assert thin == [], f"say what happened and what to do, in docs/reference/{name}"
    texts = [text for _, text in sections]
    assert len(set(texts)) == len(texts), f"two codes of docs/reference/{name} have the same text"


@pytest.mark.parametrize("name", ["settings.md", "commands.md", "limits.md", "metrics.md"])
def test_a_generated_page_is_as_the_code_has_it(pages: Path, generator: ModuleType, name: str) -> None:
    written = (pages / name).read_text(encoding="utf-8")
    assert written == generator.GENERATED[name](), "run `make reference` and commit docs/reference"


def test_every_generated_page_has_a_test(generator: ModuleType) -> None:
    assert set(generator.GENERATED) == {"settings.md", "commands.md", "limits.md", "metrics.md"}


def test_every_bound_has_its_reason_beside_it(generator: ModuleType) -> None:
    bounds = {name for name in vars(generator.limits) if name.isupper()}
    shown = set(re.findall(r"^\| `([A-Z_]+)` ", generator.limits_page(), re.MULTILINE))
    assert shown == bounds, "write `NAME = value  # reason` on one line of limits.py"


def test_the_index_leads_to_every_page(root: Path, files: Sequence[Path]) -> None:
    index = (root / "docs" / "index.md").read_text(encoding="utf-8")
    linked = {target.split("#")[0] for target in re.findall(r"\]\(([^)]+)\)", index)}
    pages = {path.relative_to("docs").as_posix() for path in files if path.parts[0] == "docs" and path.suffix == ".md"}
    # Decision records have an index of their own.
    missing = {page for page in pages - linked - {"index.md"} if not page.startswith("adr/")}
    assert sorted(missing) == [], "link these from docs/index.md"


def test_every_problem_says_its_http_status(pages: Path) -> None:
    sections = _sections((pages / "problems.md").read_text(encoding="utf-8"))
    said = {code: text.split(".")[0].strip("*") for code, text in sections}
    assert said == {code.value: str(kind.status) for code, kind in KINDS.items()}


def test_every_finding_says_whether_it_refuses_the_document(pages: Path) -> None:
    sections = _sections((pages / "findings.md").read_text(encoding="utf-8"))
    unclear = [code for code, text in sections if not text.startswith(SEVERITIES)]
    assert unclear == [], f"begin the section with one of {SEVERITIES}"


def _sections(text: str) -> list[tuple[str, str]]:
    parts = re.split(r"^#{2,3} `([a-z_]+)`$", text, flags=re.MULTILINE)
    return list(zip(parts[1::2], (part.split("\n## ")[0].strip() for part in parts[2::2]), strict=True))

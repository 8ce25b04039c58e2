"""Decision records: each is in the table, under its own title."""

import re
from collections.abc import Sequence
from pathlib import Path


def test_the_table_lists_every_record_by_its_title(root: Path, files: Sequence[Path]) -> None:
    folder = root / "docs" / "adr"
    table = (folder / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[(\d{4})\]\((\S+)\) \| (.+) \|$", table, re.MULTILINE)
    records = sorted(path.name for path in files if path.parent == Path("docs/adr") and path.name != "README.md")
    assert [name for _, name, _ in listed] == records
    for number, name, title in listed:
        text = (folder / name).read_text(encoding="utf-8")
        assert text.startswith(f"# {title}\n") and name.startswith(f"{number}-")


def test_every_record_says_why_and_what_it_costs(root: Path, files: Sequence[Path]) -> None:
    for path in files:
        if path.parent == Path("docs/adr") and path.name != "README.md":
            text = (root / path).read_text(encoding="utf-8")
            assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Decision", "Why", "What it costs"], path
            assert re.search(r"^\*\*Decided\*\* \d{4}-\d\d-\d\d\.$", text, re.MULTILINE), path

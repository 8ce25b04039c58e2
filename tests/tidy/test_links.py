"""A link in a page leads somewhere."""

import re
from collections.abc import Mapping
from pathlib import Path

LINK = re.compile(r"(?<!\\)\[[^\]]*\]\(([^)\s]+)\)|<img [^>]*src=\"([^\"]+)\"|srcset=\"([^\"]+)\"")


def test_every_link_between_files_leads_to_a_file_and_a_heading(texts: Mapping[Path, str], root: Path) -> None:
    faults = []
    for path, text in texts.items():
        if path.suffix != ".md":
            continue
        for target in _targets(text):
            place, _, anchor = target.partition("#")
            file = (root / path).parent / place if place else root / path
            if not file.exists():
                faults.append(f"{path}: {target}: there is no such file")
            elif anchor and anchor not in _anchors(file.read_text(encoding="utf-8")):
                faults.append(f"{path}: {target}: that page has no such heading")
    assert not faults, "\n".join(faults)


def test_the_pages_that_the_code_names_exist(texts: Mapping[Path, str], root: Path) -> None:
    faults = [
        f"{path}: {page}"
        for path, text in texts.items()
        if path.parts[0] in ("src", "scripts", "tests")
        for page in re.findall(r"\bdocs/[a-z0-9/_-]+\.md\b", text)
        if not (root / page).exists()
    ]
    assert not faults, "these pages are named and not there:\n" + "\n".join(faults)


def _targets(text: str) -> list[str]:
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    found = [next(filter(None, groups)) for groups in LINK.findall(prose)]
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def _anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}

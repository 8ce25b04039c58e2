"""What the README shows is what happens."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def example(root: Path) -> list[tuple[str, str]]:
    text = (root / "README.md").read_text(encoding="utf-8")
    return BLOCK.findall(text.split("\n## An example\n")[1].split("\n## ")[0])


def test_the_campaign_in_the_readme_is_the_one_in_the_examples(root: Path, example: list[tuple[str, str]]) -> None:
    shown = [text for kind, text in example if kind == "yaml"]
    assert shown == [(root / "examples" / "campaign-spring.yaml").read_text(encoding="utf-8")]


def test_every_command_of_the_example_prints_what_the_readme_shows(
    root: Path, example: list[tuple[str, str]], tmp_path: Path
) -> None:
    (tmp_path / "examples").symlink_to(root / "examples")
    steps = [(kind, text) for kind, text in example if kind in ("shell", "text")]
    assert [kind for kind, _ in steps] == ["shell", "text"] * (len(steps) // 2) and steps
    for (_, commands), (_, output) in zip(steps[::2], steps[1::2], strict=True):
        said = _run(commands, tmp_path)
        missing = [line for line in map(_plain, output.splitlines()) if line not in said]
        assert missing == [], f"`{commands.split()[0]}` does not print this; it prints:\n" + "\n".join(sorted(said))


def test_the_commands_of_a_newcomer_are_targets_of_make(root: Path) -> None:
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    pages = [root / name for name in ("README.md", "CONTRIBUTING.md", "tests/README.md", "docs/operations/install.md")]
    named = {target for page in pages for target in re.findall(r"(?m)(?:^|`)make ([a-z]+)", page.read_text("utf-8"))}
    assert {"demo", "test"} <= named
    missing = {target for target in named if not re.search(rf"(?m)^{target}:", makefile)}
    assert missing == set(), "the pages name targets that the Makefile has not"


def _run(commands: str, folder: Path) -> set[str]:
    makegood = str(Path(sys.executable).parent / "makegood")
    script = commands.replace(".venv/bin/makegood", makegood)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKEGOOD_")}
    done = subprocess.run(
        ["bash", "-c", script],
        check=False,  # A refused document exits 1, and that is what is shown.
        cwd=folder,
        env={**environment, "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    return set(map(_plain, done.stdout.splitlines()))


def _plain(line: str) -> str:
    return re.sub(r"\s+", " ", line).strip()

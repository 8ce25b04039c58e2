"""What the tidy tests look at: the files that are, or are about to be, part of the repository."""

import ast
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def files() -> Sequence[Path]:
    """Every file that git tracks or would add, relative to the top."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = sorted(Path(name) for name in set(listed.split("\0")) - {""})
    return [path for path in paths if (ROOT / path).is_file()]


@pytest.fixture(scope="session")
def texts(files: Sequence[Path]) -> Mapping[Path, str]:
    """The text of each file that is ours and is text. Vendored files are others' and stay as they came."""
    found = {}
    for path in files:
        data = (ROOT / path).read_bytes()
        if b"\0" not in data and "vendor" not in path.parts and path.name != "LICENSE":
            found[path] = data.decode("utf-8")
    return found


@pytest.fixture(scope="session")
def modules(texts: Mapping[Path, str]) -> Mapping[Path, ast.Module]:
    """The syntax tree of each Python file: sources, tests and scripts."""
    return {path: ast.parse(text) for path, text in texts.items() if path.suffix == ".py"}


@pytest.fixture(scope="session")
def sources(modules: Mapping[Path, ast.Module]) -> Mapping[Path, ast.Module]:
    """The syntax tree of each Python file of the package."""
    return {path: tree for path, tree in modules.items() if path.parts[0] == "src"}

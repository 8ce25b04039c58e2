"""What others wrote and the wheel carries is byte for byte what they published, with its licence."""

import hashlib
from collections.abc import Sequence
from pathlib import Path


def test_every_vendored_file_has_its_hash_written_down_and_is_unchanged(files: Sequence[Path], root: Path) -> None:
    folders = {_vendor(path) for path in files if "vendor" in path.parts}
    assert folders
    for folder in folders:
        lines = (root / folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
        written = {name: digest for digest, name in (line.split(maxsplit=1) for line in lines)}
        found = {
            path.relative_to(folder).as_posix(): hashlib.sha256((root / path).read_bytes()).hexdigest()
            for path in files
            if _inside(path, folder) and path.name not in ("SHA256SUMS", "README.md")
        }
        assert found == written, f"{folder}/SHA256SUMS: write down each file; change none"


def test_every_vendored_part_comes_with_its_licence_and_its_origin(files: Sequence[Path], root: Path) -> None:
    parts = {path.parent for path in files if "vendor" in path.parts and path.suffix in (".js", ".css")}
    assert parts
    for part in parts:
        assert (root / part / "LICENSE").is_file(), f"{part} needs the licence it came with"
        readme = (root / _vendor(part / "file") / "README.md").read_text(encoding="utf-8")
        assert part.name in readme, f"{part}: say in the README where it comes from, and its version"


def _vendor(path: Path) -> Path:
    return Path(*path.parts[: path.parts.index("vendor") + 1])


def _inside(path: Path, folder: Path) -> bool:
    return folder in path.parents

"""From the paths of a command line to the bytes of documents. Folders may hold other YAML, which is left alone."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from makegood.documents.source import Source, looks_like_a_document
from makegood.findings import Finding, FindingCode, Severity
from makegood.limits import DOCUMENT_BYTES_MAX

SUFFIXES = frozenset({".yaml", ".yml"})


def collect_sources(paths: Iterable[Path]) -> tuple[list[Source], list[Finding]]:
    """Every document at the paths, each file once, folders recursively and sorted; and the files that cannot be read.

    A file that is named is always taken; in a folder only `*.yaml` and `*.yml` with a `makegood:` line are.
    """
    sources: dict[Path, Source] = {}
    findings: list[Finding] = []
    for path in paths:
        for file, named in _files(path):
            if file.resolve() in sources:
                continue
            data = _read(file)
            if data is None:
                findings.append(_unreadable(file))
            elif named or looks_like_a_document(data):
                sources[file.resolve()] = Source(str(file), data)
    return list(sources.values()), findings


def _files(path: Path) -> Iterator[tuple[Path, bool]]:
    if not path.is_dir():
        yield path, True
        return
    for file in sorted(path.rglob("*")):
        hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
        if file.suffix.lower() in SUFFIXES and file.is_file() and not hidden:
            yield file, False


def _read(file: Path) -> bytes | None:
    """The bytes of a file, no more than tell that it is too large."""
    try:
        with file.open("rb") as stream:
            return stream.read(DOCUMENT_BYTES_MAX + 1)
    except OSError:
        return None


def _unreadable(file: Path) -> Finding:
    return Finding(Severity.ERROR, FindingCode.FILE_IS_UNREADABLE, "cannot be read", "", str(file))

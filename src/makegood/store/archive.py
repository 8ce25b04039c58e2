"""A backup as one tar file: packed, and unpacked from hands that are not trusted."""

import os
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from makegood.errors import Problem, ProblemCode

ABOUT_BYTES_MAX = 64 * 1024
_ENDINGS = (".tar", ".tar.gz", ".tgz")
# Two things of one name are damage, too: a whole archive has each once, and the folder was empty.
_TWICE = (FileExistsError, IsADirectoryError, NotADirectoryError)
_DAMAGED = (tarfile.TarError, EOFError, zlib.error, UnicodeError, *_TWICE)


def is_archive(path: Path) -> bool:
    """Whether the name asks for one file: it ends with `.tar`, `.tar.gz` or `.tgz`."""
    return path.name.endswith(_ENDINGS)


def pack(folder: Path, making: Path, target: Path, names: Iterable[str]) -> None:
    """Afterwards `target` holds what `names` of the folder, in this order, and is on disk. It is never there in part."""
    handle = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # A ledger is for nobody else to read.
    with os.fdopen(handle, "wb") as file:
        with _writing(file, target) as tar:
            for name in names:
                tar.add(folder / name, arcname=name)
        file.flush()
        os.fsync(file.fileno())
    making.rename(target)


def _writing(file: BinaryIO, target: Path) -> tarfile.TarFile:
    if target.suffix == ".tar":
        return tarfile.open(fileobj=file, mode="w")
    return tarfile.open(fileobj=file, mode="w:gz", compresslevel=1)  # A ledger shrinks well at the lowest level.


def read_first(source: Path, name: str) -> bytes:
    """The bytes of the first file of a tar file, which must have that name. Raises Problem(BACKUP_IS_WRONG)."""
    try:
        with tarfile.open(source, "r|*") as tar:
            first = tar.next()
            file = tar.extractfile(first) if first is not None and first.name == name else None
            if file is None:
                raise _wrong(f"`{source}` does not begin with `{name}`")
            return file.read(ABOUT_BYTES_MAX)
    except _DAMAGED as error:
        raise _wrong(f"`{source}` is damaged or no tar file: {error}") from error


def unpack(source: Path, into: Path, tell: Callable[[int], None]) -> None:
    """Afterwards everything of the tar file is in `into` and nothing outside it. `tell` gets the bytes so far."""
    done = 0
    try:
        with tarfile.open(source, "r|*") as tar:
            for member in tar:
                if not (member.isreg() or member.isdir()):
                    raise _wrong(f"`{source}` holds `{member.name}`, which is neither a file nor a folder")
                _place(tar, member, into)
                done += member.size
                tell(done)
    except _DAMAGED as error:
        raise _wrong(f"`{source}` is damaged: {error}") from error


def _place(tar: tarfile.TarFile, member: tarfile.TarInfo, into: Path) -> None:
    # By hand: the filter that refuses hostile names came to tarfile with Python 3.11.4. As no link is ever made, a name
    # that stays inside is enough.
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or "\0" in member.name:
        raise _wrong(f"`{member.name}` would be written outside the folder")
    if member.isdir():
        (into / name).mkdir(parents=True, exist_ok=True)
        return
    (into / name.parent).mkdir(parents=True, exist_ok=True)
    content = tar.extractfile(member)
    assert content is not None, "it is a file"
    with content, (into / name).open("xb") as file:
        shutil.copyfileobj(content, file)


def copy(source: Path, into: Path, tell: Callable[[int], None]) -> None:
    """Afterwards `into` is a copy of the folder. `tell` gets the bytes so far."""
    done = 0

    def one(start: str, end: str) -> str:
        nonlocal done
        shutil.copyfile(start, end)
        done += Path(end).stat().st_size
        tell(done)
        return end

    shutil.copytree(source, into, copy_function=one)


def _wrong(why: str) -> Problem:
    return Problem(ProblemCode.BACKUP_IS_WRONG, why, hint="take another copy of the backup, or an older one")

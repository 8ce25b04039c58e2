"""What `--out` writes: a whole file, or none."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from makegood.errors import Problem, ProblemCode


@contextmanager
def written_to(out: Path | None) -> Iterator[IO[str]]:
    """A text stream to `out`, which is there when everything was written and not before; to stdout without it.

    Raises Problem where it cannot be written.
    """
    if out is None:
        yield sys.stdout
        return
    try:
        with _whole(out) as file:
            yield file
    except OSError as error:
        raise Problem(
            ProblemCode.REQUEST_IS_INVALID, f"`{out}` cannot be written: {(error.strerror or str(error)).lower()}"
        ) from error


@contextmanager
def _whole(out: Path) -> Iterator[IO[str]]:
    file = NamedTemporaryFile(  # noqa: SIM115 - closed below, before it gets its name
        "w", encoding="utf-8", newline="", dir=out.parent, prefix=f".{out.name}.", delete=False
    )
    partial = Path(file.name)
    try:
        with file:
            yield file
        partial.chmod(0o666 & ~_mask())
        partial.replace(out)
    except BaseException:
        partial.unlink()
        raise


def _mask() -> int:
    """What this user lets nobody else do with a new file."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask

"""What `--out` writes: a whole file, or none."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO


@contextmanager
def written_to(out: Path | None) -> Iterator[IO[str]]:
    """A text stream to `out`, which is there when everything was written and not before; to stdout without it."""
    if out is None:
        yield sys.stdout
        return
    with NamedTemporaryFile(
        "w", encoding="utf-8", newline="", dir=out.parent, prefix=f".{out.name}.", delete=False
    ) as file:
        partial = Path(file.name)
        try:
            yield file
        except BaseException:
            partial.unlink()
            raise
    partial.chmod(0o644)
    partial.replace(out)

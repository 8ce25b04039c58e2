"""The report folder: pages in both languages and data.json. It is written beside and renamed, never half there."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import rmtree
from typing import Any

import msgspec

from makegood.clock import system_clock
from makegood.errors import Problem, ProblemCode
from makegood.replay.replayed import Replayed
from makegood.replay.report.page import page
from makegood.replay.report.words import FILES


def check_folder(folder: Path, option: str = "--report") -> None:
    """Refuse a folder that holds something or cannot be made. Raises Problem(REQUEST_IS_INVALID)."""
    hint = f"name another one with {option}"
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        detail = f"`{folder}` is there already and is not an empty folder"
        raise Problem(ProblemCode.REQUEST_IS_INVALID, detail, hint=hint)
    above = next(parent for parent in folder.absolute().parents if parent.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        detail = f"`{folder}` cannot be made: `{above}` may not be written to"
        raise Problem(ProblemCode.REQUEST_IS_INVALID, detail, hint=hint)


def write_report(replays: Sequence[Replayed], value: Mapping[str, Any], folder: Path) -> Path:
    """`folder` holds the whole report afterwards. Raises Problem(REQUEST_IS_INVALID)."""
    check_folder(folder)
    made_at = system_clock().datetime().strftime("%Y-%m-%d %H:%M")
    making = folder.with_name(f".{folder.name}.{os.getpid()}")
    making.mkdir(parents=True)
    try:
        for language, name in FILES.items():
            (making / name).write_text(page(replays, value, made_at, language), encoding="utf-8")
        data = msgspec.json.format(msgspec.json.encode(value), indent=2)
        (making / "data.json").write_bytes(data + b"\n")
        if folder.exists():
            folder.rmdir()
        making.rename(folder)
    except BaseException:
        rmtree(making, ignore_errors=True)
        raise
    return folder

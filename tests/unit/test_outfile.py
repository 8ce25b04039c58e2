"""What `--out` writes: a whole file, or none and a reason."""

import os
from pathlib import Path

import pytest

from makegood.cli.outfile import written_to
from makegood.errors import Problem


def test_a_file_is_there_once_it_is_whole_and_with_the_rights_of_a_new_one(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        with written_to(tmp_path / "out.csv") as stream:
            stream.write("entries")
            assert not (tmp_path / "out.csv").exists()
    finally:
        os.umask(mask)
    assert (tmp_path / "out.csv").read_text() == "entries"
    assert (tmp_path / "out.csv").stat().st_mode & 0o777 == 0o640


def test_a_writer_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("old")
    with pytest.raises(ZeroDivisionError), written_to(tmp_path / "out.csv") as stream:
        stream.write("half")
        raise ZeroDivisionError
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.csv"]
    assert (tmp_path / "out.csv").read_text() == "old"


def test_a_place_that_takes_no_file_is_told_and_nothing_is_left_there(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for place in (tmp_path / "missing" / "out.csv", tmp_path / "folder"):
        with pytest.raises(Problem, match="cannot be written"), written_to(place) as stream:
            stream.write("entries")
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]

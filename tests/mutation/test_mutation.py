"""No harmful edit of a right campaign is proved, and no harmless one is refused."""

import json
import os
import sys
from pathlib import Path

import pytest
from tests.mutation.mutator import EDITS
from tests.mutation.run import RESULT, SEED, run
from tests.mutation.trial import COLUMNS, UNEDITED, Tally

IS_NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
ROOT = Path(__file__).parents[2]
COUNT = 10_000 if IS_NIGHTLY else 500


def test_the_proof_and_the_oracle_agree_about_every_edit(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))  # The processes that share the work import by name.

    def tell(text: str) -> None:
        with capsys.disabled():
            if sys.stderr.isatty() or not text.startswith("\r"):  # A log wants the table, not how far it is.
                sys.stderr.write(text)
                sys.stderr.flush()

    tally = run(SEED, COUNT, tell)
    tell(tally.table())
    assert tally.total("made") - tally.kinds[UNEDITED]["made"] == COUNT
    assert not tally.failures, tally.failures_text()


def test_the_recorded_run_tried_every_kind_of_edit_and_none_escaped() -> None:
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    tally = Tally(result["kinds"])
    assert set(tally.kinds) == {*EDITS, UNEDITED}
    assert all(set(row) == set(COLUMNS) for row in tally.kinds.values())
    assert tally.total("made") - tally.kinds[UNEDITED]["made"] == result["count"] >= 10_000
    assert tally.total("harmful") > 1_000 < tally.total("harmless")
    wrong = {column: tally.total(column) for column in ("escaped", "wrongly_refused", "row_differs")}
    assert result["failures"] == 0 and not any(wrong.values()), wrong


def test_the_recorded_run_had_edits_of_stacking_and_of_tiers_that_matter() -> None:
    kinds = json.loads(RESULT.read_text(encoding="utf-8"))["kinds"]
    for name, least in (("group_changed", 15), ("combining_changed", 15), ("spend_changed", 5), ("units_changed", 5)):
        assert kinds[name]["harmful"] * 100 >= kinds[name]["made"] * least, name

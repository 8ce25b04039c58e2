"""The guarantee and the delays of the detector, simulated: a little of it here, the rest in `result.json`."""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.sim.delays import SCENES, N, inside, outside, watch_of
from tests.sim.real import JOURNEY_GRANTS, TAXI_SETTING, layouts, rows_of, tried
from tests.sim.run import COMMAND, RESULT, SEED, misses, run
from tests.sim.run_lengths import Powers, direct, importance

from makegood.guard.cells import Observed
from makegood.guard.detector import Detector

PAGE = Path(__file__).parents[2] / "docs" / "algorithms" / "detector.md"
IS_NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"


def test_the_recorded_result_is_of_the_whole_run_and_meets_every_target() -> None:
    found = json.loads(RESULT.read_text(encoding="utf-8"))
    assert (found["seed"], found["part"], found["command"]) == (SEED, 1.0, COMMAND)
    assert misses(found) == []
    assert {row["file"] for row in found["real"]} == {"completejourney_2017", "nyc_yellow_taxi_2018_2020"}
    assert max(row["threshold"] for row in found["run_lengths"]) == 1e6
    assert max(row["threshold"] for row in found["rare"]) >= 100 * N


def test_the_page_says_what_the_recorded_result_says() -> None:
    found = json.loads(RESULT.read_text(encoding="utf-8"))
    page = PAGE.read_text(encoding="utf-8").split("## 8. What was measured")[1].split("\n## ")[0]
    outside_rows, inside_rows, rare_rows, real_rows = _tables(page)
    assert COMMAND in page and f"`ln N` is {found['ln_n']}." in page
    for cells in outside_rows:
        rows = [_row(found["outside"], eligible=_rate(cells[0]), scenes=7, campaigns=number) for number in (1, 100)]
        assert cells[1:] == [f"{row['wrong_grants_mean']}, {row['wrong_grants_most']}" for row in rows]
    for cells in inside_rows:
        share, leak = map(_rate, cells[0].split("→"))
        row = _row(found["inside"], share=share, leak=leak, campaigns=1)
        seen = [row[key] for key in ("bound", "payments_mean", "times_bound", "cusum_mean")]
        rounded = [round(seen[0], 1), round(seen[1], 1), seen[2], round(seen[3], 1)]
        assert list(map(_number, cells[1:])) == pytest.approx(rounded, abs=0.006)
    sizes = sorted({row["threshold"] for row in found["rare"]})
    for cells in rare_rows:
        seen = [_row(found["rare"], share=_rate(cells[0]), threshold=size)["false_stops"] for size in sizes]
        assert list(map(_number, cells[1:])) == pytest.approx(seen, abs=0.006)
    counted = {(row["file"], row["payments"]) for row in found["real"]}
    assert {(cells[0].split("`")[1], int(_number(cells[2]))) for cells in real_rows} == counted
    kinds = [row["file"] + row["scenes"] for row in found["real"]]
    assert sorted(int(cells[1]) for cells in real_rows) == sorted(kinds.count(kind) for kind in set(kinds))
    assert sum(int(cells[3]) for cells in real_rows) == sum(row["false_stops"] for row in found["real"]) == 0
    ten = max(row["times_bound"] for row in found["inside"] if row["campaigns"] == 10)
    assert f"the largest ratio is {ten + 1e-9:.2f}" in page
    longer = [row["times_threshold"] for row in found["run_lengths"] if row["threshold"] * row["share"] >= 1]
    assert f"is {min(longer):.2f} to {max(longer):.1f} times the threshold" in " ".join(page.split())


def _tables(page: str) -> list[list[list[str]]]:
    """The tables of a page without their heads: rows of cells."""
    blocks = re.findall(r"(?:^\|.*\|\n)+", page, re.MULTILINE)
    rows = [[[cell.strip() for cell in line.strip("| ").split(" | ")] for line in one.splitlines()] for one in blocks]
    return [one[2:] for one in rows]


def _row(rows: list[dict[str, Any]], **keys: float) -> dict[str, Any]:
    (row,) = (row for row in rows if all(row[key] == pytest.approx(value) for key, value in keys.items()))
    return row


def _number(cell: str) -> float:
    return float(cell.replace(",", ""))


def _rate(cell: str) -> float:
    words = cell.split()
    return _number(words[0]) / _number(words[2]) if "in" in words else _number(words[0]) / 100


def test_the_simulation_by_arrays_is_the_detectors_recursion() -> None:
    chance = np.random.default_rng(5)
    watch = watch_of(0.05)
    grant = Observed(watch.campaign, watch.label, watch.funders, 2_000)
    detector, powers = Detector((watch,), 10**200), Powers.against(0.05)
    capital = np.zeros((1, len(powers.stakes)))
    for gap in chance.geometric(0.08, 200) - 1:
        for _ in range(gap):
            detector.observe(SCENES[0])
        detector.observe(SCENES[0], (grant,))
        capital = powers.step(capital, np.array([gap]))
    evidence = detector.evidence(watch.campaign)["share"]
    assert evidence == pytest.approx(float(np.log(capital.sum() / 2)))  # The share's bets have half of the capital.


@pytest.mark.parametrize("share", [1e-4, 0.05])
def test_a_false_stop_takes_as_many_payments_as_the_threshold_on_average(share: float) -> None:
    found = direct(share, 1e4, 100, SEED)
    assert found["mean_payments"] >= 1e4


def test_importance_sampling_agrees_with_counting() -> None:
    plain, sampled = direct(0.05, 1e4, 300, SEED), importance(0.05, 1e4, 5_000, 3_000, SEED)
    seldom = plain["threshold"] / plain["mean_payments"]
    assert sampled["false_stops"] == pytest.approx(seldom, rel=0.25)


def test_a_year_of_payments_has_at_most_one_false_stop() -> None:
    for share in (1e-4, 0.05):
        found = importance(share, float(N), int(500 / share), 400, SEED)
        assert found["stopped"] > 100 and found["false_stops"] + 3 * found["standard_error"] < 1


@pytest.mark.parametrize("eligible", [1.0, 0.15])
def test_a_leak_outside_the_brief_has_twelve_wrong_grants_at_most(eligible: float) -> None:
    assert outside(eligible, SCENES, 100, 40, SEED)["wrong_grants_most"] <= 12


def test_a_leak_onto_one_payment_in_a_hundred_has_twenty_wrong_grants_at_most() -> None:
    assert outside(0.01, SCENES[-1:], 1, 60, SEED)["wrong_grants_most"] <= 20


@pytest.mark.parametrize("leak", [0.25, 1.0])
def test_a_leak_inside_the_brief_lasts_no_longer_than_a_quarter_above_the_bound(leak: float) -> None:
    found = inside(0.05, leak, 1, 60, SEED)
    assert found["times_bound"] <= 1.25


def test_real_payments_raise_no_false_stop() -> None:
    layout = layouts()[0]
    rows = rows_of(layout)
    for kind in JOURNEY_GRANTS if IS_NIGHTLY else ("coupon", "lunch"):
        found = tried(layout, rows, kind)
        assert found["false_stops"] == 0 and found["payments"] == 116_529


def test_real_taxi_rides_raise_no_false_stop(capsys: pytest.CaptureFixture[str]) -> None:
    if TAXI_SETTING not in os.environ:
        said = f"taxi rides were not tried: {TAXI_SETTING} does not name their file; result.json has the recorded run"
        with capsys.disabled():
            sys.stderr.write(f"\n{said}\n")
        pytest.skip(said)
    for layout in layouts()[1:]:
        rows = rows_of(layout)
        for kind in layout.grants if IS_NIGHTLY else ("ride without charge", "tip"):
            assert tried(layout, rows, kind)["false_stops"] == 0


@pytest.mark.skipif(not IS_NIGHTLY, reason="minutes of work; result.json has the recorded run")
def test_the_whole_run_meets_every_target() -> None:
    assert misses(run(SEED, 1.0, sys.stderr.write)) == []

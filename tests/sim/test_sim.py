"""The guarantee and the delays of the detector, simulated: a little of it here, the rest in `result.json`."""

import json
import os
import sys

import numpy as np
import pytest
from tests.sim.delays import SCENES, N, inside, outside, watch_of
from tests.sim.real import JOURNEY_GRANTS, TAXI_SETTING, layouts, rows_of, tried
from tests.sim.run import COMMAND, RESULT, SEED, misses, run
from tests.sim.run_lengths import Powers, direct, importance

from makegood.guard.cells import Observed
from makegood.guard.detector import Detector

IS_NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"


def test_the_recorded_result_is_of_the_whole_run_and_meets_every_target() -> None:
    found = json.loads(RESULT.read_text(encoding="utf-8"))
    assert (found["seed"], found["part"], found["command"]) == (SEED, 1.0, COMMAND)
    assert misses(found) == []
    assert {row["file"] for row in found["real"]} == {"completejourney_2017", "nyc_yellow_taxi_2018_2020"}
    assert max(row["threshold"] for row in found["run_lengths"]) == 1e6
    assert max(row["threshold"] for row in found["rare"]) >= 100 * N


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

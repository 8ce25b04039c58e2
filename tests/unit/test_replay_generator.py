"""The traffic of a replay: bursty, within its rates, repeatable, and as mixed as the scenario says."""

from collections import Counter
from statistics import mean, variance

import pytest

from makegood.clock import SECOND
from makegood.money import BASIS_POINTS
from makegood.replay.generator import Arrival, Real, generate, is_eligible, rate_at
from makegood.replay.scenario import Scenario, load_scenario

REALS = [Real(f"payer-{n % 400}", f"store-{n % 37}", 100 + 37 * n % 9_000) for n in range(1, 3_001)]


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario("alipay-2025-01-16")


@pytest.fixture(scope="module")
def arrivals(scenario: Scenario) -> list[Arrival]:
    return generate(scenario, REALS, seed=1)


def per_second(scenario: Scenario, arrivals: list[Arrival]) -> list[int]:
    counts = Counter((arrival.occurred_at - scenario.opens) // SECOND for arrival in arrivals)
    return [counts[second] for second in range(scenario.seconds)]


def test_the_same_seed_gives_the_same_payments_and_another_gives_others(scenario: Scenario) -> None:
    assert generate(scenario, REALS, seed=1) == generate(scenario, REALS, seed=1)
    assert generate(scenario, REALS, seed=1) != generate(scenario, REALS, seed=2)


def test_payments_come_in_order_within_the_window_each_with_its_own_id(
    scenario: Scenario, arrivals: list[Arrival]
) -> None:
    moments = [arrival.occurred_at for arrival in arrivals]
    assert moments == sorted(moments)
    assert scenario.opens <= moments[0]
    assert moments[-1] < scenario.closes
    assert len({arrival.payment_id for arrival in arrivals}) == len(arrivals)


def test_the_window_is_the_five_minutes_of_the_event_in_its_own_zone(scenario: Scenario) -> None:
    assert scenario.seconds == 300
    assert scenario.opens.local(scenario.timezone).strftime("%Y-%m-%d %H:%M") == "2025-01-16 14:40"


@pytest.mark.parametrize("phase", [0.0, 0.21, 0.5, 0.83])
def test_the_arrival_rate_never_leaves_its_bounds(scenario: Scenario, phase: float) -> None:
    rates = [rate_at(scenario, second, phase) for second in range(scenario.seconds)]
    assert min(rates) >= scenario.rate_low == 13
    assert max(rates) <= scenario.rate_high == 27
    assert max(rates) - min(rates) > 5  # It moves.


@pytest.mark.parametrize("seed", range(5))
def test_counts_scatter_more_widely_than_poisson_ones(scenario: Scenario, seed: int) -> None:
    counts = per_second(scenario, generate(scenario, REALS, seed))
    assert scenario.rate_low <= mean(counts) <= scenario.rate_high
    assert 1.5 < variance(counts) / mean(counts) < 15


def test_the_mix_of_scenes_is_that_of_the_scenario(scenario: Scenario, arrivals: list[Arrival]) -> None:
    counts = Counter(arrival.scene for arrival in arrivals)
    for mix in scenario.scenes:
        assert counts[mix.scene] / len(arrivals) == pytest.approx(mix.share / BASIS_POINTS, abs=0.02)


def test_amounts_are_real_ones_times_the_factor_of_their_scene(scenario: Scenario, arrivals: list[Arrival]) -> None:
    scale = {mix.scene: mix.scale for mix in scenario.scenes}
    real = {real.amount for real in REALS}
    in_store = [arrival.amount for arrival in arrivals if scale[arrival.scene] == 1.0]
    assert in_store
    assert set(in_store) <= real
    assert all(arrival.amount >= 1 for arrival in arrivals)


def test_eligibility_belongs_to_the_payer_and_reaches_about_the_share_that_is_said(
    scenario: Scenario, arrivals: list[Arrival]
) -> None:
    by_payer: dict[str, set[bool]] = {}
    for arrival in arrivals:
        by_payer.setdefault(arrival.payer_id, set()).add(arrival.eligible)
    assert all(len(answers) == 1 for answers in by_payer.values())
    payers = [is_eligible(scenario, f"payer-{n}", scenario.scale) for n in range(20_000)]
    assert sum(payers) / len(payers) == pytest.approx(scenario.eligible / BASIS_POINTS, abs=0.01)

"""The traffic of a replay: repeatable, within its rates, and of the shapes that were measured on real traffic."""

import math
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import pairwise
from random import Random
from statistics import linear_regression, mean, stdev, variance

import pytest

from makegood.clock import SECOND, Instant
from makegood.money import BASIS_POINTS
from makegood.replay import shapes
from makegood.replay.generator import FUEL, Arrival, Real, generate, is_eligible, rate_at
from makegood.replay.load import load_scenario
from makegood.replay.replayed import varied
from makegood.replay.scenario import Scenario
from makegood.replay.source import real_payments

REALS = [Real(f"payer-{n % 400}", f"store-{n % 37}", 100 + 37 * n % 9_000) for n in range(1, 3_001)]
DAYS = 60
DAY_SECONDS = 86_400


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario("alipay-2025-01-16")


@pytest.fixture(scope="module")
def arrivals(scenario: Scenario) -> list[Arrival]:
    return generate(scenario, 1, REALS)


@pytest.fixture(scope="module")
def long(scenario: Scenario) -> Scenario:
    """Two months of 200 payments a day, in one scene, so that the shapes of days and payers can be seen."""
    rate = 200 / DAY_SECONDS
    traffic = replace(scenario.traffic, low=rate, high=rate, burst_seconds=DAY_SECONDS, variance_over_mean=9)
    opens = Instant.parse("2025-03-01T00:00:00+08:00")
    return replace(scenario, opens=opens, closes=opens.plus(DAYS * DAY_SECONDS), traffic=traffic)


@pytest.fixture(scope="module", params=[1, 2])
def months(long: Scenario, request: pytest.FixtureRequest) -> list[Arrival]:
    return generate(long, request.param)


def test_the_same_seed_gives_the_same_payments_and_another_gives_others(scenario: Scenario) -> None:
    assert generate(scenario, 1, REALS) == generate(scenario, 1, REALS)
    assert generate(scenario, 1, REALS) != generate(scenario, 2, REALS)
    assert generate(scenario, 1) == generate(scenario, 1)


def test_payments_come_in_order_within_the_window_each_with_its_own_id(
    scenario: Scenario, arrivals: list[Arrival]
) -> None:
    moments = [arrival.occurred_at for arrival in arrivals]
    assert moments == sorted(moments)
    assert scenario.opens <= moments[0] and moments[-1] < scenario.closes
    assert len({arrival.payment_id for arrival in arrivals}) == len(arrivals)
    assert all(1 <= arrival.amount <= scenario.amount_max for arrival in arrivals)


@pytest.mark.parametrize("phase", [0.0, 0.21, 0.5, 0.83])
def test_the_arrival_rate_never_leaves_its_bounds(scenario: Scenario, phase: float) -> None:
    rates = [rate_at(scenario.traffic, second, phase) for second in range(scenario.seconds)]
    assert min(rates) >= scenario.traffic.low == 13
    assert max(rates) <= scenario.traffic.high == 27
    assert max(rates) - min(rates) > 5  # It moves.


def test_the_mix_of_scenes_is_that_of_the_scenario(scenario: Scenario, arrivals: list[Arrival]) -> None:
    counts = Counter(arrival.scene for arrival in arrivals)
    for mix in scenario.traffic.scenes:
        assert counts[mix.scene] / len(arrivals) == pytest.approx(mix.share / BASIS_POINTS, abs=0.02)


def test_amounts_are_real_ones_times_the_factor_of_their_scene(scenario: Scenario, arrivals: list[Arrival]) -> None:
    plain = {mix.scene for mix in scenario.traffic.scenes if mix.times == 1.0}
    in_store = {arrival.amount for arrival in arrivals if arrival.scene in plain}
    assert in_store and in_store <= {real.amount for real in REALS}


def test_eligibility_belongs_to_the_payer_and_reaches_about_the_share_that_is_said(
    scenario: Scenario, arrivals: list[Arrival]
) -> None:
    by_payer: dict[str, set[bool]] = defaultdict(set)
    for arrival in arrivals:
        by_payer[arrival.payer_id].add(arrival.eligible)
    assert all(len(answers) == 1 for answers in by_payer.values())
    for share in (500, 1_500, 2_500, 10_000):
        other = varied(scenario, None, share)
        chosen = [is_eligible(other, f"payer-{n}") for n in range(5_000)]
        assert sum(chosen) / len(chosen) == pytest.approx(share / BASIS_POINTS, abs=0.02)


def test_another_rate_scales_the_number_of_payments(scenario: Scenario) -> None:
    assert len(generate(varied(scenario, 2.0, None), 1)) == pytest.approx(600, rel=0.25)


def test_an_eighth_of_the_payments_meets_the_stale_node() -> None:
    knight = generate(load_scenario("knight-2012-08-01"), 1)
    assert sum(arrival.stale for arrival in knight) / len(knight) == pytest.approx(1 / 8, abs=0.06)


def test_the_real_source_is_the_file_of_the_package() -> None:
    reals = real_payments(500)
    assert len(reals) == 500 and len({real.payer_id for real in reals}) > 100
    assert {real.merchant_category for real in reals} <= {"5411", "5541"}


# -- the measured shapes ------------------------------------------------------------------------------


def test_counts_of_a_day_scatter_five_to_fifteen_times_as_widely_as_poisson_ones(
    long: Scenario, months: list[Arrival]
) -> None:
    counts = Counter((arrival.occurred_at - long.opens) // (DAY_SECONDS * SECOND) for arrival in months)
    days = [counts[day] for day in range(DAYS)]
    assert 5 <= variance(days) / mean(days) <= 15


def test_the_hour_from_two_in_the_afternoon_has_more_than_the_mean(long: Scenario, months: list[Arrival]) -> None:
    counts = Counter(arrival.occurred_at.local(long.timezone).hour for arrival in months)
    assert 1.4 <= counts[14] * 24 / len(months) <= 1.7


def test_the_tenth_of_payers_that_pays_most_makes_over_a_third_of_the_payments(months: list[Arrival]) -> None:
    counts = sorted(Counter(arrival.payer_id for arrival in months).values(), reverse=True)
    assert 0.35 <= sum(counts[: len(counts) // 10]) / len(months) <= 0.43


def test_nine_in_a_hundred_gaps_of_a_payer_are_shorter_than_an_hour(months: list[Arrival]) -> None:
    by_payer = defaultdict(list)
    for arrival in months:
        by_payer[arrival.payer_id].append(arrival.occurred_at)
    gaps = [b - a for moments in by_payer.values() for a, b in pairwise(moments)]
    assert sum(gap < 3_600 * SECOND for gap in gaps) / len(gaps) == pytest.approx(0.09, abs=0.015)


def test_merchants_are_visited_by_the_law_of_zipf(months: list[Arrival]) -> None:
    counts = Counter(arrival.payee_id.split("-", 1)[1] for arrival in months)
    often = [count for _, count in counts.most_common(60)]
    slope = linear_regression([math.log(rank) for rank in range(1, 61)], [math.log(one) for one in often]).slope
    assert 0.85 <= -slope <= 0.95


def test_amounts_are_log_normal_across_merchants_and_within_one() -> None:
    draw = Random(1)
    sellers = shapes.merchants(2_000, draw)
    assert stdev(seller.middle for seller in sellers) == pytest.approx(2.0, abs=0.1)
    for seller in sellers[:20]:
        logs = [draw.gauss(seller.middle, seller.sigma) for _ in range(500)]
        assert 0.5 * 0.9 <= stdev(logs) <= 1.2 * 1.1
    dear = next(one for one in sellers if one.middle > 9 and not one.fuel)
    logs = [math.log(shapes.amount_at(dear, draw)) for _ in range(3_000)]
    assert mean(logs) == pytest.approx(dear.middle, abs=0.1)
    assert stdev(logs) == pytest.approx(dear.sigma, rel=0.06)


def test_nearly_half_of_fuel_purchases_are_whole_amounts(long: Scenario) -> None:
    bought = [one for seed in range(3) for one in generate(long, seed) if one.merchant_category == FUEL]
    plain = [one.amount for one in bought if one.scene == "in_store_qr" and 1_000 <= one.amount < long.amount_max]
    assert len(plain) > 300
    assert sum(amount % 100 == 0 for amount in plain) / len(plain) == pytest.approx(0.45, abs=0.06)


def test_a_poisson_count_has_its_mean_and_its_variance_also_where_it_is_large() -> None:
    draw = Random(3)
    for expected in (0.3, 7.0, 180.0):
        counts = [shapes.poisson(expected, draw) for _ in range(2_000)]
        assert mean(counts) == pytest.approx(expected, rel=0.12)
        assert variance(counts) == pytest.approx(expected, rel=0.15)

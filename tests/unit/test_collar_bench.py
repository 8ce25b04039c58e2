"""The line `collar` of the bench: a row for each case, and no figure for a collar that drops what it must keep."""

from dataclasses import replace

import pytest

from makegood.bench import collar as line
from makegood.bench.collar import Asked, Effort, bench_collar
from makegood.bench.price import build_world
from makegood.bench.row import AnswersDiffer
from makegood.bench.shape import NOW
from makegood.engine.price import price
from makegood.guard.collar_state import CollarState

SMALL = Effort(payments=200, repeats=1, size=40)


def test_the_line_collar_has_two_percentiles_of_each_case() -> None:
    lines = bench_collar(7, SMALL)
    cases = ("no grant", "one grant", "3 grants", "note a decision")
    assert [row.case for row in lines.rows] == [f"{case}, {word}" for case in cases for word in ("p50", "p99")]
    assert all(row.value > 0 and row.versus.value > 0 for row in lines.rows)


def test_a_collar_that_drops_a_grant_of_a_good_campaign_stops_the_bench() -> None:
    world = build_world(SMALL.size, 7, SMALL.payments)
    asked = [Asked(one, price(one, world.snapshot, {}, NOW).grants) for one in world.payments]
    numbers = line._numbers(SMALL.size, 7)
    line._expect_all_kept(asked, numbers, CollarState())
    some = next(one.grants[0] for one in asked if one.grants)
    tight = {**numbers, some.campaign: replace(numbers[some.campaign], discount_max=some.discount - 1)}
    with pytest.raises(AnswersDiffer, match="drops a grant"):
        line._expect_all_kept(asked, tight, CollarState())

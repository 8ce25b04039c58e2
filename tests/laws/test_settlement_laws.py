"""Whatever the days and refunds: funders are billed the split of a running total, within one unit and to the cent."""

import datetime as dt
import itertools

from hypothesis import given
from hypothesis import strategies as st

from makegood.clock import Instant
from makegood.domain.brief import Share
from makegood.domain.settlement import Funding, bill_between, billed_for, days_between, end_of_day, funding_of
from makegood.limits import MONEY_MINOR_MAX

WEIGHTS = st.lists(st.integers(0, 10_000), min_size=1, max_size=20).filter(any)
TOTALS = st.lists(st.integers(0, MONEY_MINOR_MAX), max_size=30)
ZONES = st.sampled_from(["Asia/Shanghai", "UTC", "America/Sao_Paulo", "Pacific/Apia", "Africa/Cairo", "Europe/London"])


def _funding(weights: list[int]) -> Funding:
    return Funding(tuple(f"f{n:02d}" for n in range(len(weights))), tuple(weights))


@given(WEIGHTS, TOTALS)
def test_bills_of_any_days_add_up_to_the_split_of_the_total(weights: list[int], totals: list[int]) -> None:
    funding = _funding(weights)
    billed = [0] * len(weights)
    for before, after in itertools.pairwise([0, *totals]):
        bill = bill_between(before, after, funding)
        assert sum(bill) == after - before
        billed = [old + new for old, new in zip(billed, bill, strict=True)]
        assert tuple(billed) == billed_for(after, funding)


@given(WEIGHTS, st.integers(0, MONEY_MINOR_MAX))
def test_a_funder_is_never_a_whole_unit_away_from_the_exact_share(weights: list[int], total: int) -> None:
    for part, weight in zip(billed_for(total, _funding(weights)), weights, strict=True):
        assert abs(part * sum(weights) - total * weight) < sum(weights)


@given(WEIGHTS, TOTALS, TOTALS)
def test_the_way_to_a_total_does_not_matter(weights: list[int], one_way: list[int], other_way: list[int]) -> None:
    funding = _funding(weights)
    for way in (one_way, other_way):
        steps = [bill_between(old, new, funding) for old, new in itertools.pairwise([0, *way, 4_711])]
        assert tuple(map(sum, zip(*steps, strict=True))) == billed_for(4_711, funding)


@given(st.permutations([Share("b", 3_333), Share("a", 3_333), Share("c", 3_334)]))
def test_the_order_of_funders_in_a_document_means_nothing(shares: list[Share]) -> None:
    assert funding_of(shares) == Funding(("a", "b", "c"), (3_333, 3_333, 3_334))


def test_a_part_may_shrink_by_one_unit_while_the_total_grows() -> None:
    funding = _funding([6, 6, 2])
    assert billed_for(10, funding) == (4, 4, 2)
    assert billed_for(11, funding) == (5, 5, 1)
    assert bill_between(10, 11, funding) == (1, 1, -1)


@given(ZONES, st.dates(dt.date(2020, 1, 1), dt.date(2040, 1, 1)))
def test_a_day_ends_with_its_last_microsecond(zone: str, day: dt.date) -> None:
    end = end_of_day(day, zone)
    assert end.day(zone) > day
    assert Instant(end - 1_000).day(zone) <= day


def test_days_between_are_all_of_them_and_none_backwards() -> None:
    first, last = dt.date(2027, 2, 27), dt.date(2027, 3, 2)
    assert days_between(first, last) == [dt.date(2027, 2, 27), dt.date(2027, 2, 28), dt.date(2027, 3, 1), last]
    assert days_between(last, first) == []

"""Money: what holds for every amount, currency, rate and split."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from makegood.limits import MONEY_MINOR_MAX
from makegood.money import (
    BASIS_POINTS,
    Money,
    format_money,
    format_rate,
    parse_money,
    parse_rate,
    returned_after,
    share,
    split,
)

amounts = st.integers(0, MONEY_MINOR_MAX)
rates = st.integers(0, BASIS_POINTS)
weights = st.lists(st.integers(0, 10**6), min_size=1, max_size=30).filter(any)


@given(amounts, st.sampled_from(["CNY", "USD", "JPY", "KWD", "CLF"]))
def test_what_is_written_is_read_back(minor: int, currency: str) -> None:
    assert parse_money(format_money(minor, currency)) == Money(minor, currency)


@given(rates)
def test_a_written_rate_is_read_back(basis_points: int) -> None:
    assert parse_rate(format_rate(basis_points)) == basis_points


@given(amounts, rates)
def test_a_share_is_the_largest_whole_number_that_does_not_exceed_it(minor: int, basis_points: int) -> None:
    part = share(minor, basis_points)
    assert part * BASIS_POINTS <= minor * basis_points < (part + 1) * BASIS_POINTS


@given(amounts, amounts, rates, rates)
def test_a_share_grows_with_the_amount_and_with_the_rate(a: int, b: int, r: int, s: int) -> None:
    assert share(min(a, b), min(r, s)) <= share(max(a, b), max(r, s))


@given(amounts, weights)
def test_a_split_sums_exactly_and_no_part_is_off_by_a_unit(total: int, by: list[int]) -> None:
    parts = split(total, by)
    whole = sum(by)
    assert sum(parts) == total
    assert all(abs(part * whole - total * weight) < whole for part, weight in zip(parts, by, strict=True))


@given(amounts, weights)
def test_who_weighs_nothing_gets_nothing_and_who_weighs_more_gets_no_less(total: int, by: list[int]) -> None:
    by_weight = sorted(zip(by, split(total, by), strict=True))
    assert all(part == 0 for weight, part in by_weight if weight == 0)
    assert all(a[1] <= b[1] for a, b in pairwise(by_weight) if a[0] < b[0])


@st.composite
def refunds(draw: st.DrawFn) -> tuple[int, int, list[int]]:
    """A grant, an amount, and refunds that add up to at most the amount."""
    amount = draw(st.integers(1, 10**6))
    granted = draw(st.integers(0, amount))
    parts: list[int] = []
    while sum(parts) < amount and len(parts) < 12 and draw(st.booleans()):
        parts.append(draw(st.integers(1, amount - sum(parts))))
    return granted, amount, parts


@given(refunds())
def test_refunds_never_return_more_than_was_granted_nor_take_anything_back(case: tuple[int, int, list[int]]) -> None:
    granted, amount, parts = case
    so_far = [returned_after(granted, sum(parts[:count]), amount) for count in range(len(parts) + 1)]
    steps = [after - before for before, after in pairwise(so_far)]
    assert all(step >= 0 for step in steps)
    assert sum(steps) == so_far[-1] <= granted
    assert all(back * amount <= granted * sum(parts[:count]) for count, back in enumerate(so_far))


@given(refunds())
def test_refunding_nothing_returns_nothing_and_everything_returns_the_grant(case: tuple[int, int, list[int]]) -> None:
    granted, amount, _ = case
    assert returned_after(granted, 0, amount) == 0
    assert returned_after(granted, amount, amount) == granted

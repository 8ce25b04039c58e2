"""The amounts that have to be tried: both sides of every place where a discount, or what is said of one, changes.

Between two such places a sum of discounts grows by the same sum with every period of its rates, so what is linear in
amount and discounts is at its best and at its worst within a period of either end.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import gcd, lcm

from tests.mutation.constants import Constants
from tests.mutation.granting import ceiling, gross_bounds

from makegood.domain.benefit import AmountOff, Benefit, BuyXGetY, FreeItem, ItemsOff, PercentOff, RandomOff, Tiers
from makegood.domain.brief import Brief
from makegood.domain.campaign import Campaign

BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class Segment:
    """Amounts from `low` to `high` on which every condition says the same, and those of them to try, ascending."""

    low: int
    high: int
    tried: tuple[int, ...]


def segments(
    bounds: tuple[int, int],
    conditions: Constants,
    rules: Constants,
    brief: Brief,
    sets: Sequence[tuple[Campaign, ...]],
) -> tuple[Segment, ...]:
    """The whole domain of amounts, cut where a condition may change."""
    cuts = sorted({bounds[0], bounds[1] + 1, *_inside(bounds, _after(conditions.ints["amount"]))})
    fine = sorted({*cuts, *_inside(bounds, _breaks(bounds, rules, brief, sets))})
    fine = sorted({*fine, *(cut for members in sets for cut in _ratio_breaks(fine, members, brief))})
    return tuple(
        Segment(low, past - 1, _tried(low, past - 1, fine, sets)) for low, past in pairwise(cuts)
    )  # fmt: skip


def most_off(members: Iterable[Campaign], amount: int) -> int:
    """The largest gross discount of all together."""
    return sum(gross_bounds(one.benefit, amount)[1] for one in members)


def first_where(holds: Callable[[int], bool], low: int, high: int) -> int | None:
    """The smallest number of [low, high] where it holds, for what holds from somewhere on."""
    found = low + bisect_left(range(low, high + 1), True, key=holds)
    return found if found <= high else None


def _inside(bounds: tuple[int, int], cuts: Iterable[int]) -> Iterator[int]:
    return (cut for cut in cuts if bounds[0] < cut <= bounds[1])


def _after(values: Iterable[int]) -> Iterator[int]:
    """A comparison with a value changes at it or just after it."""
    for value in values:
        yield value
        yield value + 1


def _breaks(bounds: tuple[int, int], rules: Constants, brief: Brief, sets: Sequence[Sequence[Campaign]]) -> set[int]:
    """Where a discount, or a sum of them, reaches something that it is compared with."""
    cuts = {*_after(rules.ints["amount"]), brief.spend_min}
    for members in sets:
        marks = {*_after(rules.money)}
        if len(members) == 1:
            marks |= {*_after((brief.discount_max, ceiling(members[0])))}
            marks |= {1, *_steps(members[0].benefit)}
            cuts |= _edges(members[0].benefit)
        for mark in marks:
            cut = first_where(lambda a, m=mark, s=members: most_off(s, a) >= m, *bounds)  # type: ignore[misc]
            cuts |= {cut} if cut is not None else set()
    return cuts


def _edges(benefit: Benefit) -> set[int]:
    """Amounts where the benefit is another function, or where it first fits the amount."""
    match benefit:
        case Tiers(tiers=tiers):
            return {edge for tier in tiers for edge in (tier.spend, tier.off)}
        case AmountOff(amount=amount) | ItemsOff(off=AmountOff(amount=amount)):
            return {amount}
        case RandomOff(min=low, max=high):
            return {low, low + 1, high - 1, high}
    return set()


def _steps(benefit: Benefit) -> set[int]:
    """The discounts at which the benefit stops growing."""
    match benefit:
        case PercentOff(up_to=cap) | ItemsOff(off=PercentOff(up_to=cap)) | BuyXGetY(up_to=cap) | FreeItem(up_to=cap):
            return {cap}
    return set()


def _ratio_breaks(fine: Sequence[int], members: Sequence[Campaign], brief: Brief) -> Iterator[int]:
    """Where a sum passes the amount, or the brief's share of it."""
    for rate in {BASIS_POINTS, brief.rate_max if len(members) == 1 else BASIS_POINTS}:
        for low, past in pairwise(fine):

            def above(amount: int, rate: int = rate) -> bool:
                return most_off(members, amount) * BASIS_POINTS > rate * amount

            first, last = above(low), above(past - 1)
            if first != last:
                found = first_where(lambda a, test=above, last=last: test(a) == last, low, past - 1)  # type: ignore[misc]
                assert found is not None
                yield found


def _tried(low: int, high: int, fine: Sequence[int], sets: Sequence[Sequence[Campaign]]) -> tuple[int, ...]:
    periods = {one.benefit: period for members in sets for one in members if (period := _period(one.benefit))}
    span = lcm(*periods.values())
    found = {low, high}
    for cut in fine:
        if low <= cut <= high + 1:
            found |= {cut - 1, cut, cut + 1}
            for benefit in periods:
                found |= set(_jumps(benefit, max(cut - 1 - span, 0), cut + span))
    return tuple(sorted(amount for amount in found if low <= amount <= high))


def _period(benefit: Benefit) -> int:
    """After so many minor units of amount, the benefit takes a whole number of them more; 0 where it has no rate.

    A free item takes off each of them, and has nothing between that could be missed.
    """
    match benefit:
        case PercentOff(rate=rate) | ItemsOff(off=PercentOff(rate=rate)):
            return BASIS_POINTS // gcd(BASIS_POINTS, rate) if rate else 0
        case BuyXGetY(buy=buy, get=get, rate=rate) if rate:
            units, share = (buy.count + get.count, get.count) if buy.where == get.where else (1, 1)
            return units * BASIS_POINTS // gcd(BASIS_POINTS, rate * share)
    return 0


def _jumps(benefit: Benefit, low: int, high: int) -> Iterator[int]:
    """The amounts at which the benefit takes one minor unit more, and those just before."""
    before = gross_bounds(benefit, low)[1]
    while low < high and gross_bounds(benefit, high)[1] > before:
        found = first_where(lambda amount, most=before: gross_bounds(benefit, amount)[1] > most, low, high)  # type: ignore[misc]
        assert found is not None
        yield found
        yield found - 1
        low, before = found, gross_bounds(benefit, found)[1]

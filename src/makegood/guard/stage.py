"""Stages by money: how a budget opens in slices, bounded by policy and brief whatever the campaign file says.

Slices are cumulative minor units, as in the file: the first opens at once, the last is the whole budget.
"""

from collections.abc import Sequence

from makegood.domain.policy import StageBounds
from makegood.money import share

FIRST_BASIS_POINTS = 10  # 0.1 % of the budget opens first where the campaign does not say.
GROWTH_LEAST = 2  # A stage that may not even double would need more stages than anybody waits for.


def plan(
    stages: Sequence[int], *, budget: int, largest: int, bounds: StageBounds, brief_first_max: int | None = None
) -> tuple[int, ...]:
    """The slices that are really used: strictly increasing, the last one is the budget.

    `stages` is what the file says; empty means the default. `largest` is one largest discount. The first slice holds
    one largest discount where policy and brief allow so much; it is never above what they allow. Each next one is at
    most `growth_max` times the one before (of one minor unit, where that is 0). More slices are put in where the file
    jumps further; steps of the file that do not rise, or lie beyond the budget, are left out, and one that is less than
    twice a slice that was put in is taken as that slice. All in minor units.
    """
    if budget <= 0:
        return (0,)
    growth = max(bounds.growth_max, GROWTH_LEAST)
    slices = [_first(stages, budget, largest, first_max(bounds, brief_first_max))]
    for wanted in (*(stage for stage in stages if stage < budget), budget):
        # A crumb between a slice that was put in and the file's own would hold no evidence for the next.
        while slices[-1] < wanted and (wanted == budget or slices[-1] in stages or wanted >= slices[-1] * GROWTH_LEAST):
            slices.append(min(max(slices[-1], 1) * growth, wanted))
    return tuple(slices)


def first_max(bounds: StageBounds, brief_first_max: int | None) -> int:
    """The most that may open at once: the smaller one of the policy's and the brief's. 0 means zero."""
    allowed = bounds.first_max if brief_first_max is None else min(bounds.first_max, brief_first_max)
    return max(allowed, 0)


def following(slices: Sequence[int], opened: int) -> int | None:
    """The slice after what is open, cumulative minor units, or None where the whole budget is open."""
    return next((stage for stage in slices if stage > opened), None)


def last_step(slices: Sequence[int], opened: int) -> int:
    """How much the newest open slice added, minor units: what its evidence has to be gathered from."""
    before = max((stage for stage in slices if stage < opened), default=0)
    return max(opened - before, 0)


def _first(stages: Sequence[int], budget: int, largest: int, most: int) -> int:
    said = stages[0] if stages else share(budget, FIRST_BASIS_POINTS)
    return min(max(said, largest, 1), most, budget)

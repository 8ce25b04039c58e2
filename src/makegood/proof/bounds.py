"""How much the campaigns of one group can take off at most: simple bounds that spare the solver a search.

Choosing one of twenty campaigns in each of five groups is millions of cases; that none of a group takes off more than
so much is one fact. The bounds are guesses from the documents. The solver proves them before it uses them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import z3

from makegood.domain.benefit import PercentOff, largest_discount
from makegood.domain.campaign import Campaign
from makegood.limits import MONEY_MINOR_MAX
from makegood.money import BASIS_POINTS
from makegood.proof.offer import largest_grant
from makegood.rules.expression import Expression
from makegood.rules.terms import Range, necessary_terms

_STEPS_MAX = 10  # Amounts at which the bounds of a group change; more of them cost more than they spare.


@dataclass(frozen=True, slots=True)
class Bound:
    """Below `amount` (None: at any amount), a discount is at most `most` minor units and `rate` basis points."""

    amount: int | None
    most: int
    rate: int

    def holds(self, amount: Any, discount: Any) -> Any:
        """The bound as a formula about these terms."""
        kept = z3.And(discount <= self.most, discount * BASIS_POINTS <= amount * self.rate)
        return kept if self.amount is None else z3.Implies(amount < self.amount, kept)


def bounds_of(campaigns: Sequence[Campaign], conditions: Mapping[str, Expression]) -> Iterator[Bound]:
    """Bounds of one group of campaigns: at any amount, and below each amount from which more of them apply."""
    lows = {campaign.id: _amount_low(conditions[campaign.id]) for campaign in campaigns}
    steps = sorted(set(lows.values()))[1 : _STEPS_MAX + 1]
    for step in (None, *steps):
        below = [campaign for campaign in campaigns if step is None or lows[campaign.id] < step]
        most = max(_largest(campaign, step) for campaign in below)
        rate = max(_rate(campaign, lows[campaign.id], _largest(campaign, step)) for campaign in below)
        yield Bound(step, most, rate)


def _amount_low(condition: Expression) -> int:
    """The smallest amount for which the condition can be true, as far as it says so plainly; at least 1."""
    ranges = [term for term in necessary_terms(condition) if isinstance(term, Range) and term.field == "amount"]
    return max([1, *(term.low for term in ranges if term.low is not None)])


def _largest(campaign: Campaign, below: int | None) -> int:
    amount = MONEY_MINOR_MAX if below is None else below - 1
    return min(largest_discount(campaign.benefit, amount), largest_grant(campaign))


def _rate(campaign: Campaign, low: int, largest: int) -> int:
    """Basis points of the amount, rounded up; a discount is never above the amount."""
    by_amount = -(-largest * BASIS_POINTS // low)
    if isinstance(campaign.benefit, PercentOff):
        by_amount = min(by_amount, campaign.benefit.rate)
    return min(by_amount, BASIS_POINTS)

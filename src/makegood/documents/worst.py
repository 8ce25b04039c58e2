"""The most that a campaign can lose, if everything goes wrong that its document lets go wrong."""

from dataclasses import dataclass

from makegood.domain.benefit import AmountOff, Benefit, ItemsOff, RandomOff, Tiers, largest_discount
from makegood.domain.campaign import Campaign
from makegood.domain.limit import Limit, Period, Subject
from makegood.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class Worst:
    """Minor units: for one payment, in one second at the declared peak, and in total."""

    payment_minor: int
    per_second_minor: int
    total_minor: int


def worst_loss(campaign: Campaign, policy: Policy) -> Worst:
    """Upper bounds from benefit, budget and limits. Conditions are not used, so a wrong one changes nothing."""
    payment = _worst_payment(campaign, policy)
    total = min([campaign.budget, *_bounds(campaign, payment, (Period.EVER,))])
    per_second = min([payment * policy.payments_per_second, total, *_bounds(campaign, payment, tuple(Period))])
    return Worst(payment, per_second if payment else 0, total if payment else 0)


def _worst_payment(campaign: Campaign, policy: Policy) -> int:
    """A discount is granted whole or not at all, so one above the amount or above any limit is never granted."""
    if any(limit.count_max == 0 for limit in campaign.limits):
        return 0
    amounts = [limit.amount_max for limit in campaign.limits if limit.amount_max is not None]
    ceiling = min([policy.schema.amount_max, campaign.budget, *amounts])
    return _largest_below(campaign.benefit, ceiling, policy.schema.amount_max)


def _largest_below(benefit: Benefit, ceiling: int, amount_max: int) -> int:
    match benefit:
        case AmountOff(amount=amount) | ItemsOff(off=AmountOff(amount=amount)):
            return amount if amount <= ceiling else 0
        case Tiers(tiers=tiers):
            return max((tier.off for tier in tiers if tier.off <= ceiling and tier.spend <= amount_max), default=0)
        case RandomOff(min=low, max=high):
            return min(high, ceiling) if low <= ceiling else 0
        case _:
            return min(largest_discount(benefit, amount_max), ceiling)


def _bounds(campaign: Campaign, payment: int, periods: tuple[Period, ...]) -> list[int]:
    """What each limit over everything allows in its period, minor units."""
    return [
        _most(limit, payment) for limit in campaign.limits if limit.subject is Subject.ALL and limit.period in periods
    ]


def _most(limit: Limit, payment: int) -> int:
    by_count = limit.count_max * payment if limit.count_max is not None else None
    known = [bound for bound in (by_count, limit.amount_max) if bound is not None]
    assert known, "a limit bounds something"
    return min(known)

"""The most that a campaign can lose: the largest grant that a payment can get, times what its limits let through."""

from makegood.domain.benefit import largest_discount
from makegood.domain.campaign import Campaign
from makegood.domain.limit import Limit, Period, Subject
from makegood.domain.policy import Policy
from makegood.proof.offer import Offer, largest_grant
from makegood.proof.solver import Solver
from makegood.proof.verdict import Exposure


def largest_of(offer: Offer, solver: Solver, amount_max: int) -> int | None:
    """The largest discount that any payment is granted, minor units; None where the solver does not know."""
    most = min(largest_discount(offer.campaign.benefit, amount_max), largest_grant(offer.campaign))
    return solver.largest(offer.discount, most, offer.granted)


def exposure_of(campaign: Campaign, policy: Policy, largest: int) -> Exposure:
    """What follows from the largest grant, the budget and the limits."""
    if largest == 0:
        return Exposure(0, 0, 0, 0)
    total = min([campaign.budget, *_most(campaign, Subject.ALL, (Period.EVER,), largest)])
    payer = min([total, *_most(campaign, Subject.PAYER, (Period.EVER,), largest)])
    second = min([largest * policy.payments_per_second, total, *_most(campaign, Subject.ALL, tuple(Period), largest)])
    return Exposure(largest, payer, second, total)


def _most(campaign: Campaign, subject: Subject, periods: tuple[Period, ...], largest: int) -> list[int]:
    return [
        bound
        for limit in campaign.limits
        if limit.subject is subject and limit.period in periods
        for bound in _bounds(limit, largest)
    ]


def _bounds(limit: Limit, largest: int) -> list[int]:
    by_count = limit.count_max * largest if limit.count_max is not None else None
    return [bound for bound in (by_count, limit.amount_max) if bound is not None]

"""Step 4: whether what a campaign has left covers a discount."""

from collections.abc import Mapping

from makegood.domain.campaign import Campaign
from makegood.domain.limit import Balance, Limit, Period, Subject, Used
from makegood.domain.quote import REFUSAL_ORDER, Refusal

_UNUSED = Used()

_REFUSAL_OF: Mapping[tuple[Subject, Period], Refusal] = {
    (Subject.ALL, Period.EVER): Refusal.LIMIT_IS_REACHED,
    (Subject.ALL, Period.DAY): Refusal.DAY_LIMIT_IS_REACHED,
    (Subject.ALL, Period.HOUR): Refusal.HOUR_LIMIT_IS_REACHED,
    **{(Subject.PAYER, period): Refusal.PAYER_LIMIT_IS_REACHED for period in Period},
    **{(Subject.DEVICE, period): Refusal.DEVICE_LIMIT_IS_REACHED for period in Period},
    **{(Subject.PAYEE, period): Refusal.PAYEE_LIMIT_IS_REACHED for period in Period},
}


def refusal_by_balance(campaign: Campaign, balance: Balance, discount: int) -> Refusal | None:
    """Why `discount` minor units do not fit what is left, the first in precedence; None where they fit."""
    if balance.budget < discount:
        return Refusal.BUDGET_IS_EXHAUSTED
    if balance.stage < discount:
        return Refusal.STAGE_IS_EXHAUSTED
    first: Refusal | None = None
    for limit in campaign.limits:
        used = balance.used.get((limit.subject, limit.period), _UNUSED)
        if not limit.admits(used.count, used.amount, discount):
            first = earlier(first, refusal_of_limit(limit))
    return first


def refusal_of_limit(limit: Limit) -> Refusal:
    """The refusal that a payment gets when this limit is reached."""
    return _REFUSAL_OF[limit.subject, limit.period]


def earlier(one: Refusal | None, other: Refusal | None) -> Refusal | None:
    """Of two refusals the one that comes first in precedence; None stands behind all."""
    if one is None or other is None:
        return one or other
    return one if REFUSAL_ORDER[one] <= REFUSAL_ORDER[other] else other

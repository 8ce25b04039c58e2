"""Step 4: whether what a campaign has left covers a discount; and whether grants fit together across campaigns."""

from collections.abc import Iterable, Mapping, Sequence

from makegood.domain.campaign import Campaign
from makegood.domain.limit import Balance, Balances, Limit, Period, Subject, Used
from makegood.domain.policy import SharedLimit
from makegood.domain.quote import REFUSAL_ORDER, Refusal

_UNUSED = Used()

Wanted = tuple[str, int, Sequence[SharedLimit]]
"""A campaign's id, the minor units it would take off, and the limits across campaigns that it counts against."""

_REFUSAL_OF: Mapping[tuple[Subject, Period], Refusal] = {
    (Subject.ALL, Period.EVER): Refusal.LIMIT_IS_REACHED,
    (Subject.ALL, Period.DAY): Refusal.DAY_LIMIT_IS_REACHED,
    (Subject.ALL, Period.HOUR): Refusal.HOUR_LIMIT_IS_REACHED,
    **{(Subject.PAYER, period): Refusal.PAYER_LIMIT_IS_REACHED for period in Period},
    **{(Subject.DEVICE, period): Refusal.DEVICE_LIMIT_IS_REACHED for period in Period},
    **{(Subject.PAYEE, period): Refusal.PAYEE_LIMIT_IS_REACHED for period in Period},
}


def refusal_by_balance(
    campaign: Campaign, balance: Balance, discount: int, shared: Sequence[SharedLimit] = ()
) -> Refusal | None:
    """Why `discount` minor units do not fit what is left, the first in precedence; None where they fit.

    `shared` are the limits across campaigns that the campaign counts against.
    """
    if balance.budget < discount:
        return Refusal.BUDGET_IS_EXHAUSTED
    if balance.stage < discount:
        return Refusal.STAGE_IS_EXHAUSTED
    first: Refusal | None = None
    for limit in campaign.limits:
        used = balance.used.get((limit.subject, limit.period), _UNUSED)
        if not limit.admits(used.count, used.amount, discount):
            first = earlier(first, refusal_of_limit(limit))
    for one in shared:
        used = balance.shared.get(one.id, _UNUSED)
        if not one.limit.admits(used.count, used.amount, discount):
            first = earlier(first, refusal_of_limit(one.limit))
    return first


def refusals_together(wanted: Iterable[Wanted], balances: Balances) -> dict[str, Refusal]:
    """Which grants of one payment do not fit the limits across campaigns together, and why, by campaign id.

    They are charged in the order given. One that does not fit beside those charged before it is refused, and is not
    charged itself. A campaign whose balance is not known is left to the store.
    """
    charged: dict[str, Used] = {}
    refused: dict[str, Refusal] = {}
    for campaign, discount, limits in wanted:
        balance = balances.get(campaign) if limits else None
        refusal = None if balance is None else _refusal_beside(charged, balance, discount, limits)
        if refusal is not None:
            refused[campaign] = refusal
            continue
        for one in limits:
            before = charged.get(one.id, _UNUSED)
            charged[one.id] = Used(before.count + 1, before.amount + discount)
    return refused


def _refusal_beside(
    charged: Mapping[str, Used], balance: Balance, discount: int, limits: Iterable[SharedLimit]
) -> Refusal | None:
    first: Refusal | None = None
    for one in limits:
        used, beside = balance.shared.get(one.id, _UNUSED), charged.get(one.id, _UNUSED)
        if not one.limit.admits(used.count + beside.count, used.amount + beside.amount, discount):
            first = earlier(first, refusal_of_limit(one.limit))
    return first


def refusal_of_limit(limit: Limit) -> Refusal:
    """The refusal that a payment gets when this limit is reached."""
    return _REFUSAL_OF[limit.subject, limit.period]


def earlier(one: Refusal | None, other: Refusal | None) -> Refusal | None:
    """Of two refusals the one that comes first in precedence; None stands behind all."""
    if one is None or other is None:
        return one or other
    return one if REFUSAL_ORDER[one] <= REFUSAL_ORDER[other] else other

"""What one campaign takes off the payment in question: steps 2 to 4 of pricing as terms of the solver.

The solver's terms are written from the meaning of the documents and not from the engine, so that a mistake in pricing
is not proved right by itself; tests/agree compares the two.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import z3

from makegood.domain.benefit import AmountOff, Benefit, BuyXGetY, FreeItem, ItemsOff, PercentOff, RandomOff, Tiers
from makegood.domain.campaign import Campaign
from makegood.domain.limit import Subject
from makegood.money import BASIS_POINTS
from makegood.proof.basket import NO_LINES, Reach, bound_of, bounds_on
from makegood.rules.expression import Expression
from makegood.rules.smt import SymbolicPayment


@dataclass(frozen=True, slots=True)
class Offer:
    """Whether the campaign by itself is granted to the payment, and what it then takes off, minor units.

    `most` is the most that it may be, which is the discount itself unless chance or a basket decides on it; `bounds`
    then say what it may be, granted or not.
    """

    campaign: Campaign
    granted: Any
    discount: Any
    most: Any
    bounds: tuple[Any, ...] = ()


def offer_of(campaign: Campaign, condition: Expression, payment: SymbolicPayment, reach: Reach = NO_LINES) -> Offer:
    """The campaign's offer to the payment, whatever its limits have left: they bound what one grant may be.

    `reach` is what the lines can be worth that an item-level benefit applies to.
    """
    discount, most, bounds = discount_of(campaign.id, campaign.benefit, payment.amount, reach)
    ceiling = largest_grant(campaign)
    holds = [
        *bounds,
        payment.holds(condition),
        payment.occurred_at >= int(campaign.window.opens),
        payment.occurred_at < int(campaign.window.closes),
        discount >= 1,
        discount <= payment.amount,
        discount <= ceiling,
        *_known(campaign, payment),
    ]
    return Offer(campaign, z3.And(holds), discount, most, bounds)


def discount_of(name: str, benefit: Benefit, amount: Any, reach: Reach) -> tuple[Any, Any, tuple[Any, ...]]:
    """The gross discount, the most it may be, and what bounds it where chance or a basket decides on it."""
    if isinstance(benefit, RandomOff):
        # One name for one campaign and one pair of bounds: two revisions that draw alike draw the same.
        draw = z3.Int(f"draw {name} {benefit.min} {benefit.max}", amount.ctx)
        return draw, z3.IntVal(benefit.max, amount.ctx), (draw >= benefit.min, draw <= benefit.max)
    if isinstance(benefit, ItemsOff | BuyXGetY | FreeItem):
        taken = z3.Int(f"lines {name} {benefit}", amount.ctx)
        return taken, bound_of(benefit, amount, reach.most), bounds_on(benefit, taken, amount, reach)
    term = _certain(benefit, amount)
    return term, term, ()


def _certain(benefit: PercentOff | AmountOff | Tiers, amount: Any) -> Any:
    """The discount as a term of the amount."""
    match benefit:
        case PercentOff(rate=rate, up_to=up_to):
            part = amount * rate / BASIS_POINTS
            return z3.If(part < up_to, part, up_to)
        case AmountOff(amount=fixed):
            return z3.IntVal(fixed, amount.ctx)
        case Tiers(tiers=tiers):
            term = z3.IntVal(0, amount.ctx)
            for tier in tiers:
                term = z3.If(amount >= tier.spend, z3.IntVal(tier.off, amount.ctx), term)
            return term


def largest_grant(campaign: Campaign) -> int:
    """The most that one grant may be by the campaign's limits alone, minor units; a limit of 0 means zero."""
    if any(limit.count_max == 0 for limit in campaign.limits):
        return 0
    return min([campaign.budget, *(limit.amount_max for limit in campaign.limits if limit.amount_max is not None)])


def _known(campaign: Campaign, payment: SymbolicPayment) -> Iterator[Any]:
    """Whom its limits count is known, and its code is given."""
    subjects = {limit.subject for limit in campaign.limits}
    if Subject.PAYER in subjects:
        yield payment.present("payer_id")
    if Subject.DEVICE in subjects:
        yield payment.present("device_id")
    if campaign.code is not None:
        yield payment.lists_text("codes", campaign.code)

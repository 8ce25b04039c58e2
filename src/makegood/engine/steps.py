"""Steps 2 to 6 of pricing, each defined once: `price` and `explain` are made of them.

docs/algorithms/pricing.md says the same in prose, with worked examples.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from makegood.clock import Instant
from makegood.domain.benefit import Draw, RandomOff, gross_discount
from makegood.domain.limit import Balances
from makegood.domain.payment import Payment
from makegood.domain.quote import Refusal
from makegood.engine.entry import Entry
from makegood.engine.limits import earlier, refusal_by_balance, refusals_together
from makegood.rules.evaluate import EvaluationError

Offer = tuple[Entry, int]
"""A campaign and the minor units it would take off. A plain tuple, for pricing makes one for every payment."""


def refusal_by_time(entry: Entry, now: Instant, *, scene_is_stopped: bool = False) -> Refusal | None:
    """Step 2: stopped, or outside its window."""
    if entry.stopped:
        return Refusal.CAMPAIGN_IS_STOPPED
    if scene_is_stopped:
        return Refusal.SCENE_IS_STOPPED
    if now < entry.opens:
        return Refusal.WINDOW_IS_NOT_OPEN
    return Refusal.WINDOW_IS_OVER if now >= entry.closes else None


def refusal_by_condition(entry: Entry, fields: Mapping[str, Any]) -> Refusal | None:
    """Step 2: its condition. An error in it is never eligible."""
    try:
        return None if entry.condition(fields) else Refusal.CONDITION_IS_NOT_MET
    except EvaluationError:
        return Refusal.CONDITION_FAILED


def error_of_condition(entry: Entry, fields: Mapping[str, Any]) -> str | None:
    """The text of the error that the condition ends in, if it does."""
    try:
        entry.condition(fields)
    except EvaluationError as error:
        return str(error)
    return None


def refusal_by_code(entry: Entry, payment: Payment) -> Refusal | None:
    """Step 2: its code, if it has one, is among those of the payment."""
    return None if entry.code is None or entry.code in payment.codes else Refusal.CODE_IS_MISSING


def refusal_by_identity(entry: Entry, payment: Payment) -> Refusal | None:
    """Step 2: whoever its limits count is known."""
    if entry.needs_payer and payment.payer_id is None:
        return Refusal.PAYER_IS_UNKNOWN
    return Refusal.DEVICE_IS_UNKNOWN if entry.needs_device and payment.device_id is None else None


def discount_of(entry: Entry, payment: Payment, now: Instant, zone: str, secret: bytes) -> int:
    """Step 3: the gross discount, minor units. A random one is drawn for the payer and the local day of
    `now`; an item-level one takes nothing off a payment without items.
    """
    if entry.gross is not None:
        return entry.gross(payment.amount)
    if entry.basket is not None:
        return entry.basket(payment.items)
    benefit = entry.campaign.benefit
    assert isinstance(benefit, RandomOff)
    draw = Draw(secret, entry.id, payment.payer_id or payment.payment_id, now.day(zone))
    return gross_discount(benefit, payment.amount, draw)


def refusal_by_discount(discount: int, amount: int) -> Refusal | None:
    """Step 3: a discount of nothing, or of more than the amount, is dropped whole."""
    if discount <= 0:
        return Refusal.DISCOUNT_IS_ZERO
    return Refusal.DISCOUNT_EXCEEDS_AMOUNT if discount > amount else None


def refusal_by_limits(
    entry: Entry, discount: int, balances: Balances, excluded: Mapping[str, Refusal]
) -> Refusal | None:
    """Step 4: what is left does not cover it, or the store said so already."""
    balance = balances.get(entry.id)
    refusal = None if balance is None else refusal_by_balance(entry.campaign, balance, discount, entry.shared)
    return earlier(refusal, excluded.get(entry.id)) if excluded else refusal


def beats(offer: Offer, rival: Offer) -> bool:
    """Step 5: whether it is better for the payer than another of its group; ties: higher priority, then
    smaller id.
    """
    if offer[1] != rival[1]:
        return offer[1] > rival[1]
    return offer[0].rank < rival[0].rank


def best_of_groups(offers: Iterable[Offer]) -> list[Offer]:
    """Step 5: of each group the offer that beats the others."""
    best: dict[str, Offer] = {}
    for offer in offers:
        group = offer[0].group
        if group not in best or beats(offer, best[group]):
            best[group] = offer
    return list(best.values())


def combine(winners: Collection[Offer], amount: int) -> tuple[tuple[Offer, ...], Mapping[str, Refusal]]:
    """Step 6: the offers that are granted, by priority, and why each other winner is not, by campaign id."""
    if len(winners) <= 1:  # Nothing to combine, and no offer exceeds the amount by itself.
        return tuple(winners), {}
    refused: dict[str, Refusal] = {}
    kept: list[Offer] = []
    for entry, discount in sorted(winners, key=_rank):
        stacking = entry.campaign.stacking
        if all(stacking.combines(other.campaign.stacking) for other, _ in kept):
            kept.append((entry, discount))
        else:
            refused[entry.id] = Refusal.GROUP_DOES_NOT_COMBINE
    while sum(discount for _, discount in kept) > amount:
        refused[kept.pop()[0].id] = Refusal.SUM_EXCEEDS_AMOUNT
    return tuple(kept), refused


def refusals_of_combined(kept: Collection[Offer], balances: Balances) -> Mapping[str, Refusal]:
    """Step 6: which of the offers that combine do not fit the limits across campaigns together, by campaign id.

    Each by itself fits, or step 4 would have left it out. Where any is refused, steps 4 to 6 run again without it.
    """
    if len(kept) <= 1:
        return {}
    return refusals_together([(entry.id, discount, entry.shared) for entry, discount in kept], balances)


def _rank(offer: Offer) -> int:
    return offer[0].rank

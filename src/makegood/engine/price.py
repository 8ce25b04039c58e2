"""Pricing, steps 1 to 6: a payment and a snapshot in, grants out. The same input gives the same answer."""

from collections.abc import Mapping

from makegood.clock import Instant
from makegood.domain.limit import Balances
from makegood.domain.payment import Payment
from makegood.domain.quote import Grant, Priced, Refusal
from makegood.engine.snapshot import Snapshot
from makegood.engine.steps import (
    Offer,
    beats,
    combine,
    discount_of,
    refusal_by_condition,
    refusal_by_discount,
    refusal_by_identity,
    refusal_by_limits,
)

NOTHING = Priced(())
_NOBODY: Mapping[str, Refusal] = {}


def price(
    payment: Payment,
    snapshot: Snapshot,
    balances: Balances,
    now: Instant,
    *,
    excluded: Mapping[str, Refusal] = _NOBODY,
) -> Priced:
    """What `payment` is granted at `now`, in order of priority; never more than its amount, never a part of
    an offer.

    `excluded` holds campaigns that the store has refused for this payment: they are left out as if their
    limits were reached. `now` is also what rules read as `payment.occurred_at`.
    """
    seen = snapshot.as_seen(payment, now)
    best: dict[str, Offer] = {}
    for entry in snapshot.candidates(seen, now):
        if refusal_by_identity(entry, seen) or not (entry.proven or refusal_by_condition(entry, seen.fields) is None):
            continue
        discount = discount_of(entry, seen, now, snapshot.zone, snapshot.secret)
        if refusal_by_discount(discount, seen.amount):
            continue
        offer = Offer(entry, discount)
        # Balances are asked last: most offers do not beat the best one anyway.
        if beats(offer, best.get(entry.group)) and refusal_by_limits(offer, balances, excluded) is None:
            best[entry.group] = offer
    return Priced(tuple(map(grant_of, combine(best.values(), seen.amount)[0]))) if best else NOTHING


def grant_of(offer: Offer) -> Grant:
    """The grant that an offer becomes."""
    campaign = offer.entry.campaign
    return Grant(campaign.id, offer.entry.revision, campaign.label, campaign.stacking.group, offer.discount)

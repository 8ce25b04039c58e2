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
    amount, anonymous = seen.amount, seen.payer_id is None
    best: dict[str, Offer] = {}
    for entry in snapshot.candidates(seen, now):
        # The order of the steps does not matter here, for an offer must pass them all: the cheap ones come first.
        if (anonymous or entry.needs_device) and refusal_by_identity(entry, seen):
            continue
        if not entry.proven and refusal_by_condition(entry, seen.fields):
            continue
        discount = discount_of(entry, seen, now, snapshot.zone, snapshot.secret)
        rival = best.get(entry.group)
        if rival is not None and not beats(discount, entry, rival):
            continue
        if (
            refusal_by_discount(discount, amount) is None
            and refusal_by_limits(entry, discount, balances, excluded) is None
        ):
            best[entry.group] = Offer(entry, discount)
    if not best:
        return NOTHING
    return Priced(tuple([grant_of(offer) for offer in combine(best.values(), amount)[0]]))


def grant_of(offer: Offer) -> Grant:
    """The grant that an offer becomes."""
    campaign = offer.entry.campaign
    return Grant(campaign.id, offer.entry.revision, campaign.label, campaign.stacking.group, offer.discount)

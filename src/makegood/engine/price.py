"""Pricing, steps 1 to 6: a payment and a snapshot in, grants out. The same input gives the same answer."""

from collections.abc import Mapping, Sequence

from makegood.clock import Instant
from makegood.domain.limit import Balances
from makegood.domain.payment import Payment
from makegood.domain.quote import Grant, Priced, Refusal
from makegood.engine.entry import Entry
from makegood.engine.lane import NOBODY
from makegood.engine.snapshot import Snapshot
from makegood.engine.steps import (
    Offer,
    best_of_groups,
    combine,
    discount_of,
    refusal_by_condition,
    refusal_by_identity,
    refusal_by_limits,
    refusals_of_combined,
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
    offers = best_offers(payment, snapshot, balances, now, excluded)
    if not offers:
        return NOTHING
    kept = combine(offers, payment.amount)[0]
    if balances and snapshot.shares_limits:
        while refused := refusals_of_combined(kept, balances):  # Each round leaves out one campaign more at least.
            excluded = {**excluded, **refused}
            kept = combine(best_offers(payment, snapshot, balances, now, excluded), payment.amount)[0]
    return Priced(tuple([grant_of(offer) for offer in kept]))


def best_offers(
    payment: Payment, snapshot: Snapshot, balances: Balances, now: Instant, excluded: Mapping[str, Refusal] = _NOBODY
) -> Sequence[Offer]:
    """Steps 2 to 5: the best offer of each group, before groups are combined.

    For a campaign to be offered it must pass every step, so their order does not matter: the cheap ones come first.
    """
    if snapshot.stopped_scenes and payment.fields["scene"] in snapshot.stopped_scenes:
        return ()
    seen = snapshot.as_seen(payment, now) if snapshot.reads_time else payment
    stretch = snapshot.index.stretch(seen, now)
    if stretch is NOBODY:
        return ()
    sure, anonymous = stretch.sure, seen.payer_id is None
    if sure is not None and not anonymous and not balances and not excluded:
        return sure  # Often, for the store is asked for balances only once something is offered.
    amount = seen.amount
    offers: list[Offer] = []
    for lane in stretch.lanes:
        best = None
        least = 1  # Only who takes off so much is looked at: first anything at all, then as much as the best.
        for most, gross, careful, entry in lane:
            if most < least:
                break
            if (careful and _is_refused(entry, seen)) or (anonymous and entry.needs_payer):
                continue
            discount = most if gross is None else gross(amount)
            if discount is None:
                discount = discount_of(entry, seen, now, snapshot.zone, snapshot.secret)
            if discount < least or discount > amount:
                continue
            if best is not None and discount == least and best.rank < entry.rank:
                continue
            if (balances or excluded) and refusal_by_limits(entry, discount, balances, excluded) is not None:
                continue
            best, least = entry, discount
        if best is not None:
            offers.append((best, least))
    return offers if len(offers) < 2 else best_of_groups(offers)


def _is_refused(entry: Entry, seen: Payment) -> bool:
    """Whether the payment does not meet what the index could not ask of it."""
    if seen.amount < entry.amount_low or refusal_by_identity(entry, seen) is not None:
        return True
    return not entry.proven and refusal_by_condition(entry, seen.fields) is not None


def grant_of(offer: Offer) -> Grant:
    """The grant that an offer becomes."""
    entry, discount = offer
    campaign = entry.campaign
    return Grant(campaign.id, entry.revision, campaign.label, campaign.stacking.group, discount, campaign.funding)

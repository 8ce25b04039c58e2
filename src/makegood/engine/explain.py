"""Why a payment gets what it gets: every campaign of the snapshot, granted or refused. Worked out when asked
for.
"""

from collections.abc import Mapping

from makegood.clock import Instant
from makegood.domain.limit import Balances
from makegood.domain.payment import Payment
from makegood.domain.quote import Considered, Refusal
from makegood.engine.entry import Entry
from makegood.engine.snapshot import Snapshot
from makegood.engine.steps import (
    Offer,
    best_of_groups,
    combine,
    discount_of,
    error_of_condition,
    refusal_by_code,
    refusal_by_condition,
    refusal_by_discount,
    refusal_by_identity,
    refusal_by_limits,
    refusal_by_time,
    refusals_of_combined,
)

_NOBODY: Mapping[str, Refusal] = {}


def explain(
    payment: Payment,
    snapshot: Snapshot,
    balances: Balances,
    now: Instant,
    *,
    excluded: Mapping[str, Refusal] = _NOBODY,
) -> tuple[Considered, ...]:
    """Every campaign by id, with its grant or the first refusal in precedence; agrees with `price` on the
    same input.

    The discount of a refused campaign is 0, so that the discounts add up to what is granted.
    """
    seen = snapshot.as_seen(payment, now)
    refused: dict[str, Refusal] = {}
    offers: list[Offer] = []
    for entry in snapshot.entries:
        outcome = _offered(entry, seen, snapshot, now)
        if not isinstance(outcome, Refusal):
            outcome = refusal_by_limits(*outcome, balances, excluded) or outcome
        if isinstance(outcome, Refusal):
            refused[entry.id] = outcome
        else:
            offers.append(outcome)
    fitting = _fitting(offers, seen.amount, balances, refused) if snapshot.shares_limits else offers
    granted = _choose(fitting, seen.amount, refused)
    return tuple(_considered(entry, seen, granted, refused) for entry in snapshot.entries)


def _offered(entry: Entry, seen: Payment, snapshot: Snapshot, now: Instant) -> Offer | Refusal:
    refusal = (
        refusal_by_time(entry, now, scene_is_stopped=seen.fields["scene"] in snapshot.stopped_scenes)
        or refusal_by_condition(entry, seen.fields)
        or refusal_by_code(entry, seen)
        or refusal_by_identity(entry, seen)
    )
    if refusal:
        return refusal
    discount = discount_of(entry, seen, now, snapshot.zone, snapshot.secret)
    return refusal_by_discount(discount, seen.amount) or (entry, discount)


def _fitting(offers: list[Offer], amount: int, balances: Balances, refused: dict[str, Refusal]) -> list[Offer]:
    """The offers without those that do not fit the limits across campaigns beside better placed ones."""
    while beside := refusals_of_combined(combine(best_of_groups(offers), amount)[0], balances):
        refused.update(beside)
        offers = [offer for offer in offers if offer[0].id not in beside]
    return offers


def _choose(offers: list[Offer], amount: int, refused: dict[str, Refusal]) -> Mapping[str, int]:
    best = best_of_groups(offers)
    chosen = {entry.id for entry, _ in best}
    refused.update({entry.id: Refusal.ANOTHER_IS_BETTER for entry, _ in offers if entry.id not in chosen})
    granted, left_out = combine(best, amount)
    refused.update(left_out)
    return {entry.id: discount for entry, discount in granted}


def _considered(entry: Entry, seen: Payment, granted: Mapping[str, int], refused: Mapping[str, Refusal]) -> Considered:
    refusal = refused.get(entry.id)
    error = error_of_condition(entry, seen.fields) if refusal is Refusal.CONDITION_FAILED else None
    return Considered(entry.id, entry.revision, granted.get(entry.id, 0), refusal, error)

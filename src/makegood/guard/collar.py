"""The collar: the last check inside the payment call, between pricing and reservation.

A second implementation of what a brief and a policy say: it shares no code with pricing and is fed from their numbers,
never from the campaign. A grant that fails is dropped and the payment goes on. docs/concepts/collar.md has the table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from makegood.domain.payment import Payment
from makegood.domain.quote import Grant
from makegood.guard.checks import CollarCheck, Fault, PaymentSeen, Trip, shown
from makegood.guard.collar_brief import fault_of_brief, fault_of_discount, fault_of_origin, fault_of_payment
from makegood.guard.collar_node import fault_of_node, fault_of_spend, fault_of_use, fault_together
from makegood.guard.collar_state import CollarState, Moment
from makegood.guard.numbers import Numbers


@dataclass(frozen=True, slots=True)
class Verdict:
    """`kept` go on to reservation, in their order; `dropped` says of each other one which check it failed first."""

    kept: tuple[Grant, ...]
    dropped: tuple[Trip, ...] = ()

    @property
    def trips(self) -> tuple[Trip, ...]:
        """Those after which the breaker of the campaign opens."""
        return tuple(trip for trip in self.dropped if trip.opens_breaker)


NOTHING = Verdict(())


def check(
    payment: Payment, grants: Sequence[Grant], moment: Moment, numbers: Mapping[str, Numbers], state: CollarState
) -> Verdict:
    """What of `grants` may be granted to `payment`. Nothing changes; `state.note` takes the decision in afterwards.

    `numbers` are by campaign id, of the same live set as the grants. `grants` are in order of priority: where they are
    too much together, the last ones are dropped.
    """
    if not grants:
        return NOTHING
    age = state.watch.age(moment)
    node = fault_of_node(payment, grants, moment, state)
    kept: list[Grant] = []
    dropped: list[Trip] = []
    together: dict[str, int] = {}
    for grant in grants:
        known = numbers.get(grant.campaign)
        if known is None:
            dropped.append(_trip(payment, grant, moment, (CollarCheck.CAMPAIGN_IS_UNKNOWN, grant.campaign, "")))
            continue
        fault = _fault_of_campaign(payment, grant, moment, known, state, age) or fault_together(
            payment, grant, known, together
        )
        if fault is None:
            together[grant.campaign] = together.get(grant.campaign, 0) + grant.discount
            fault = node or fault_of_use(payment, grant, known, state, age)
        if fault is None:
            kept.append(grant)
        else:
            dropped.append(_trip(payment, grant, moment, fault))
    return Verdict(tuple(kept), tuple(dropped))


def _fault_of_campaign(
    payment: Payment, grant: Grant, moment: Moment, known: Numbers, state: CollarState, age: int
) -> Fault | None:
    """The first check that a grant fails by itself, and that no grant of a healthy campaign can fail."""
    return (
        fault_of_origin(grant, known)
        or fault_of_payment(payment, known)
        or fault_of_discount(payment, grant, known)
        or fault_of_brief(payment, grant, moment.now, known)
        or fault_of_spend(grant, known, state, age)
    )


def _trip(payment: Payment, grant: Grant, moment: Moment, fault: Fault) -> Trip:
    failed, seen, allowed = fault
    about = PaymentSeen(
        str(shown(payment.payment_id)),
        moment.now,
        shown(payment.amount),
        str(shown(payment.currency)),
        str(shown(payment.fields.get("scene", ""))),
        shown(grant.discount),
    )
    return Trip(grant.campaign, grant.revision, failed, shown(seen), shown(allowed), about)

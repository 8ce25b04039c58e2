"""A grant against what its node remembers, and against the others of its payment: the first check failed, or None."""

from collections.abc import Mapping, Sequence

from makegood.clock import SECOND
from makegood.domain.payment import Payment
from makegood.domain.quote import Grant
from makegood.guard.checks import CollarCheck, Fault
from makegood.guard.collar_state import CollarState, Moment, granted_of
from makegood.guard.numbers import Numbers
from makegood.limits import COLLAR_DEVICE_GRANTS_HOUR_MAX, COLLAR_LEASE_SECONDS_MAX
from makegood.money import BASIS_POINTS

_LEASE_MAX = COLLAR_LEASE_SECONDS_MAX * SECOND


def fault_of_spend(grant: Grant, known: Numbers, state: CollarState, age: int) -> Fault | None:
    """What the campaign granted here within a minute, far above the maximum that its brief expects."""
    spent = state.spends.seen(grant.campaign, age)[1] + grant.discount
    return (CollarCheck.SPEND_IS_FAR_ABOVE_EXPECTED, spent, known.spend_max) if spent > known.spend_max else None


def fault_together(payment: Payment, grant: Grant, known: Numbers, before: Mapping[str, int]) -> Fault | None:
    """One more grant beside those `before` it to the same payment, by campaign.

    As each campaign keeps its brief, the sum over campaigns is at most the sum of what their briefs allow.
    """
    if not before:
        return None
    if grant.campaign in before:
        most = min(known.discount_max, payment.amount * known.rate_max // BASIS_POINTS)
        twice = before[grant.campaign] + grant.discount
        if twice > most:
            return CollarCheck.GRANTS_ARE_ABOVE_BRIEF, twice, most
        return CollarCheck.CAMPAIGN_IS_GRANTED_TWICE, 2, 1
    total = sum(before.values()) + grant.discount
    return (CollarCheck.SUM_IS_ABOVE_AMOUNT, total, payment.amount) if total > payment.amount else None


def fault_of_node(payment: Payment, grants: Sequence[Grant], moment: Moment, state: CollarState) -> Fault | None:
    """What withholds every grant of the payment: the node may not grant now, or not to this payer."""
    if not 0 < moment.lease_left <= _LEASE_MAX:
        return CollarCheck.LEASE_IS_NOT_FRESH, moment.lease_left, _LEASE_MAX
    jump = state.watch.jump(moment)
    if jump:
        return CollarCheck.CLOCK_JUMPED, jump, 0
    earlier = state.payments.get(payment.payment_id)
    if earlier is not None and earlier != granted_of(grants):
        return CollarCheck.PAYMENT_WAS_GRANTED_OTHERWISE, len(grants), len(earlier)
    payer = payment.payer_id
    if payer is None:
        return None
    if payer == payment.payee_id:
        return CollarCheck.PAYER_IS_PAYEE, 1, 0
    return (CollarCheck.PAYER_IS_REFERRER, 1, 0) if payer == payment.fields.get("referrer_id") else None


def fault_of_use(payment: Payment, grant: Grant, known: Numbers, state: CollarState, age: int) -> Fault | None:
    """What this node granted lately: of the open stage, to the payer, to the device, at the payee."""
    campaign, discount = grant.campaign, grant.discount
    left = state.left(campaign, age)
    if left is not None and discount > left:
        return CollarCheck.STAGE_IS_NOT_OPEN, discount, left
    if payment.payer_id is not None:
        fault = _fault_of_payer(payment.payer_id, grant, known, state, age)
        if fault is not None:
            return fault
    if payment.device_id is not None:
        count = state.devices.seen((campaign, payment.device_id), age)[0] + 1
        if count > COLLAR_DEVICE_GRANTS_HOUR_MAX:
            return CollarCheck.DEVICE_COUNT_IS_FAR_ABOVE, count, COLLAR_DEVICE_GRANTS_HOUR_MAX
    spent = state.payees.seen((campaign, payment.payee_id), age)[1] + discount
    return (
        (CollarCheck.PAYEE_SPEND_IS_FAR_ABOVE, spent, known.payee_spend_max) if spent > known.payee_spend_max else None
    )


def _fault_of_payer(payer: str, grant: Grant, known: Numbers, state: CollarState, age: int) -> Fault | None:
    most = known.per_payer.amount
    if most is not None and grant.discount > most:
        return CollarCheck.DISCOUNT_IS_ABOVE_PAYERS, grant.discount, most
    count, amount = state.payers.seen((grant.campaign, payer), age)
    if known.payer_count_max is not None and count >= known.payer_count_max:
        return CollarCheck.PAYER_COUNT_IS_FAR_ABOVE, count + 1, known.payer_count_max
    amount += grant.discount
    if known.payer_amount_max is not None and amount > known.payer_amount_max:
        return CollarCheck.PAYER_AMOUNT_IS_FAR_ABOVE, amount, known.payer_amount_max
    return None

"""A grant against the numbers of its brief and of the policy: the first check it fails, or None.

Comparisons say what is right, not what is wrong: with a NaN every one of them fails.
"""

from collections.abc import Iterable

from makegood.clock import Instant
from makegood.domain.brief import Share
from makegood.domain.payment import Payment
from makegood.domain.quote import Grant
from makegood.guard.checks import CollarCheck, Fault, listed, moment_text
from makegood.guard.numbers import Numbers
from makegood.money import BASIS_POINTS, format_rate


def fault_of_origin(grant: Grant, known: Numbers) -> Fault | None:
    """The revision first: of another one these numbers say nothing."""
    if grant.revision != known.revision:
        if grant.revision in known.earlier:
            return CollarCheck.REVISION_IS_REPLACED, grant.revision, known.revision
        return CollarCheck.REVISION_IS_NOT_APPROVED, grant.revision, known.revision
    return known.fault


def fault_of_payment(payment: Payment, known: Numbers) -> Fault | None:
    """What no payment of the house can be. Comparisons say what is right, for with a NaN every one of them fails."""
    policy, amount = known.policy, payment.amount
    if payment.currency != policy.currency:
        return CollarCheck.CURRENCY_DIFFERS, payment.currency, policy.currency
    if type(amount) is not int or not policy.amount_min <= amount <= policy.amount_max:
        low = type(amount) is int and amount < policy.amount_min
        return CollarCheck.AMOUNT_IS_OUT_OF_BOUNDS, amount, policy.amount_min if low else policy.amount_max
    scene = payment.fields.get("scene")
    if policy.scenes is not None and scene not in policy.scenes:
        return CollarCheck.SCENE_IS_NOT_DECLARED, str(scene), listed(policy.scenes)
    if known.needs_payer and payment.payer_id is None:
        return CollarCheck.PAYER_IS_MISSING, 0, 1
    return None


def fault_of_discount(payment: Payment, grant: Grant, known: Numbers) -> Fault | None:
    """The discount by itself, and against the amount."""
    discount, amount = grant.discount, payment.amount
    if type(discount) is not int or discount <= 0:
        return CollarCheck.DISCOUNT_IS_NOT_MONEY, discount, 1
    if discount > amount:
        return CollarCheck.DISCOUNT_IS_ABOVE_AMOUNT, discount, amount
    if discount > known.discount_max:
        return CollarCheck.DISCOUNT_IS_ABOVE_MAX, discount, known.discount_max
    if discount * BASIS_POINTS > amount * known.rate_max:
        return CollarCheck.RATE_IS_ABOVE_MAX, discount, amount * known.rate_max // BASIS_POINTS
    return None


def fault_of_brief(payment: Payment, grant: Grant, now: Instant, known: Numbers) -> Fault | None:
    """What else the brief says of one grant."""
    discount, window = grant.discount, known.window
    if payment.amount < known.spend_min:
        return CollarCheck.AMOUNT_IS_BELOW_SPEND_MIN, payment.amount, known.spend_min
    if payment.fields.get("scene") not in known.scenes:
        return CollarCheck.SCENE_IS_NOT_IN_BRIEF, str(payment.fields.get("scene")), listed(known.scenes)
    if grant.label != known.label:
        return CollarCheck.LABEL_DIFFERS, grant.label, known.label
    if grant.funders != known.funders and sorted(map(_share, grant.funders)) != sorted(map(_share, known.funders)):
        return CollarCheck.FUNDERS_DIFFER, _shares(grant.funders), _shares(known.funders)
    if not window.opens <= now < window.closes:
        return (
            CollarCheck.WINDOW_IS_NOT_OPEN,
            moment_text(now),
            f"{moment_text(window.opens)}/{moment_text(window.closes)}",
        )
    if discount > known.first_max:
        return CollarCheck.DISCOUNT_IS_ABOVE_FIRST_STAGE, discount, known.first_max
    if discount > known.budget:
        return CollarCheck.DISCOUNT_IS_ABOVE_BUDGET, discount, known.budget
    return None


def _share(one: Share) -> tuple[str, int]:
    return one.funder, one.basis_points


def _shares(funders: Iterable[Share]) -> str:
    """Who pays how much of it, for a person; the order says nothing."""
    return listed([f"{one.funder} {format_rate(one.basis_points)}" for one in funders]) or "-"

"""What a brief expects, and which numbers would be absurd: nothing could be watched against them."""

from collections.abc import Iterable

from makegood.domain.brief import Brief
from makegood.domain.policy import Policy
from makegood.errors import FieldError
from makegood.money import BASIS_POINTS, format_money


def absurd(brief: Brief, policy: Policy) -> tuple[FieldError, ...]:
    """Why nothing could be watched against the brief's expectations, each with its place; empty where it can be."""
    return (*_absurd_share(brief), *_absurd_mean(brief), *_absurd_spend(brief, policy))


def _absurd_share(brief: Brief) -> Iterable[FieldError]:
    share = brief.expect.share_of_payments
    if share <= 0:
        yield FieldError("/expect/share_of_payments", "is 0 %: then the first grant is already too many")
    if share > BASIS_POINTS:
        yield FieldError("/expect/share_of_payments", "is above 100 %: a payment gets a campaign's discount once")


def _absurd_mean(brief: Brief) -> Iterable[FieldError]:
    mean, most = brief.expect.discount_mean, brief.discount_max
    if mean <= 0:
        yield FieldError("/expect/discount_mean", "is zero: a discount is at least one minor unit")
    if mean > most:
        yield FieldError("/expect/discount_mean", "is above `discount_max`: no mean is above the largest")


def _absurd_spend(brief: Brief, policy: Policy) -> Iterable[FieldError]:
    expect, path = brief.expect, "/expect/spend_per_minute"
    spend = expect.spend_per_minute
    reachable = policy.payments_per_second * 60 * expect.share_of_payments * expect.discount_mean // BASIS_POINTS
    if spend < expect.discount_mean:
        yield FieldError(path, "is below `discount_mean`: one discount of that size would already be too much")
    if spend > brief.budget:
        yield FieldError(path, "is above `budget`: there is no second minute to spend it in")
    if spend > reachable > 0:
        most = format_money(reachable, policy.currency)
        hint = f"at the policy's peak, this share of payments and this mean, a minute spends at most {most}"
        yield FieldError(path, "is more than the other two expectations allow at the declared peak", hint)

"""What the collar checks: a closed list in order of precedence, and what is kept of a grant that fails.

docs/concepts/collar.md says of each why a healthy campaign cannot fail it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from makegood.clock import Instant
from makegood.limits import COLLAR_COUNTER_MAX, ID_CHARS_MAX


class CollarCheck(StrEnum):
    """What may be wrong with a grant that pricing proposes. Closed; the order is the precedence.

    The checks above `LEASE_IS_NOT_FRESH` trip, but for `REVISION_IS_REPLACED`; that one and those from it on withhold.
    """

    CAMPAIGN_IS_UNKNOWN = "campaign_is_unknown"
    REVISION_IS_NOT_APPROVED = "revision_is_not_approved"
    REVISION_IS_REPLACED = "revision_is_replaced"
    LABEL_IS_NOT_DECLARED = "label_is_not_declared"
    OWNER_DOES_NOT_FUND = "owner_does_not_fund"
    FUNDER_IS_NOT_DECLARED = "funder_is_not_declared"
    SHARES_DO_NOT_ADD_UP = "shares_do_not_add_up"
    CURRENCY_DIFFERS = "currency_differs"
    AMOUNT_IS_OUT_OF_BOUNDS = "amount_is_out_of_bounds"
    SCENE_IS_NOT_DECLARED = "scene_is_not_declared"
    PAYER_IS_MISSING = "payer_is_missing"
    DISCOUNT_IS_NOT_MONEY = "discount_is_not_money"
    DISCOUNT_IS_ABOVE_AMOUNT = "discount_is_above_amount"
    DISCOUNT_IS_ABOVE_MAX = "discount_is_above_max"
    RATE_IS_ABOVE_MAX = "rate_is_above_max"
    AMOUNT_IS_BELOW_SPEND_MIN = "amount_is_below_spend_min"
    SCENE_IS_NOT_IN_BRIEF = "scene_is_not_in_brief"
    LABEL_DIFFERS = "label_differs"
    FUNDERS_DIFFER = "funders_differ"
    WINDOW_IS_NOT_OPEN = "window_is_not_open"
    DISCOUNT_IS_ABOVE_FIRST_STAGE = "discount_is_above_first_stage"
    DISCOUNT_IS_ABOVE_BUDGET = "discount_is_above_budget"
    SPEND_IS_FAR_ABOVE_EXPECTED = "spend_is_far_above_expected"
    GRANTS_ARE_ABOVE_BRIEF = "grants_are_above_brief"
    CAMPAIGN_IS_GRANTED_TWICE = "campaign_is_granted_twice"
    SUM_IS_ABOVE_AMOUNT = "sum_is_above_amount"
    LEASE_IS_NOT_FRESH = "lease_is_not_fresh"
    CLOCK_JUMPED = "clock_jumped"
    PAYMENT_WAS_GRANTED_OTHERWISE = "payment_was_granted_otherwise"
    PAYER_IS_PAYEE = "payer_is_payee"
    PAYER_IS_REFERRER = "payer_is_referrer"
    STAGE_IS_NOT_OPEN = "stage_is_not_open"
    DISCOUNT_IS_ABOVE_PAYERS = "discount_is_above_payers"
    PAYER_COUNT_IS_FAR_ABOVE = "payer_count_is_far_above"
    PAYER_AMOUNT_IS_FAR_ABOVE = "payer_amount_is_far_above"
    DEVICE_COUNT_IS_FAR_ABOVE = "device_count_is_far_above"
    PAYEE_SPEND_IS_FAR_ABOVE = "payee_spend_is_far_above"


WITHHOLDS = frozenset(
    {
        CollarCheck.REVISION_IS_REPLACED,
        CollarCheck.LEASE_IS_NOT_FRESH,
        CollarCheck.CLOCK_JUMPED,
        CollarCheck.PAYMENT_WAS_GRANTED_OTHERWISE,
        CollarCheck.PAYER_IS_PAYEE,
        CollarCheck.PAYER_IS_REFERRER,
        CollarCheck.STAGE_IS_NOT_OPEN,
        CollarCheck.DISCOUNT_IS_ABOVE_PAYERS,
        CollarCheck.PAYER_COUNT_IS_FAR_ABOVE,
        CollarCheck.PAYER_AMOUNT_IS_FAR_ABOVE,
        CollarCheck.DEVICE_COUNT_IS_FAR_ABOVE,
        CollarCheck.PAYEE_SPEND_IS_FAR_ABOVE,
    }
)
"""Checks that a healthy campaign may fail, by the hand of a payer or by a late message: they open no breaker."""

Number = int | str
_NAMES_SHOWN = 5
Fault = tuple[CollarCheck, Number, Number]
"""A check that fails, what was seen, and what is allowed. A plain tuple, for it is made inside the payment call."""


@dataclass(frozen=True, slots=True)
class PaymentSeen:
    """What evidence keeps of the payment: nothing that names a person. `amount` and `discount` are minor units."""

    payment_id: str
    at: Instant
    amount: Number
    currency: str
    scene: str
    discount: Number


@dataclass(frozen=True, slots=True)
class Trip:
    """One grant that was dropped: by which check, what it saw, and what it allows, in the unit of the check."""

    campaign: str
    revision: str
    check: CollarCheck
    seen: Number
    allowed: Number
    payment: PaymentSeen

    @property
    def opens_breaker(self) -> bool:
        """Whether the breaker of the campaign opens; if not, this one grant is withheld and that is all."""
        return self.check not in WITHHOLDS


def shown(value: object) -> Number:
    """A value as evidence keeps it, whatever it is: an integer of 64 bits, or a short text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return max(-COLLAR_COUNTER_MAX, min(int(value), COLLAR_COUNTER_MAX))
    return value[: 4 * ID_CHARS_MAX] if isinstance(value, str) else f"{type(value).__name__} {value!r}"[:ID_CHARS_MAX]


def listed(names: Collection[str]) -> str:
    """The first few names of a list, for a person."""
    first = sorted(names)[:_NAMES_SHOWN]
    return ", ".join(first) + (", …" if len(names) > len(first) else "")


def moment_text(moment: int) -> str:
    """An instant in RFC 3339; one that no calendar holds as nanoseconds since the epoch."""
    try:
        return Instant(moment).text()
    except (ValueError, OverflowError):
        return f"{shown(moment)} ns"

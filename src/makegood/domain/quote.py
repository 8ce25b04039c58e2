"""The answer to a payment: what it is granted, and why it is not granted more."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from makegood.domain.brief import Share


class Refusal(StrEnum):
    """Why a payment gets nothing from a campaign. Closed; the order is the precedence.

    docs/reference/refusals.md explains each, in the same order.
    """

    CAMPAIGN_IS_STOPPED = "campaign_is_stopped"
    SCENE_IS_STOPPED = "scene_is_stopped"
    WINDOW_IS_NOT_OPEN = "window_is_not_open"
    WINDOW_IS_OVER = "window_is_over"
    CONDITION_FAILED = "condition_failed"
    CONDITION_IS_NOT_MET = "condition_is_not_met"
    CODE_IS_MISSING = "code_is_missing"
    PAYER_IS_UNKNOWN = "payer_is_unknown"
    DEVICE_IS_UNKNOWN = "device_is_unknown"
    DISCOUNT_IS_ZERO = "discount_is_zero"
    DISCOUNT_EXCEEDS_AMOUNT = "discount_exceeds_amount"
    BUDGET_IS_EXHAUSTED = "budget_is_exhausted"
    STAGE_IS_EXHAUSTED = "stage_is_exhausted"
    LIMIT_IS_REACHED = "limit_is_reached"
    DAY_LIMIT_IS_REACHED = "day_limit_is_reached"
    HOUR_LIMIT_IS_REACHED = "hour_limit_is_reached"
    PAYER_LIMIT_IS_REACHED = "payer_limit_is_reached"
    DEVICE_LIMIT_IS_REACHED = "device_limit_is_reached"
    PAYEE_LIMIT_IS_REACHED = "payee_limit_is_reached"
    ANOTHER_IS_BETTER = "another_is_better"
    GROUP_DOES_NOT_COMBINE = "group_does_not_combine"
    SUM_EXCEEDS_AMOUNT = "sum_exceeds_amount"
    COLLAR_DROPPED_IT = "collar_dropped_it"


REFUSAL_ORDER: Mapping[Refusal, int] = {refusal: index for index, refusal in enumerate(Refusal)}


class Undecided(StrEnum):
    """Why an answer is full price with `decided: false`. Closed. The payment goes on."""

    DEADLINE_PASSED = "deadline_passed"
    STORE_IS_UNAVAILABLE = "store_is_unavailable"
    LIVE_SET_IS_UNKNOWN = "live_set_is_unknown"
    LEASE_IS_OVER = "lease_is_over"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Grant:
    """One campaign's discount for one payment, minor units, by the revision that granted it and those who pay it."""

    campaign: str
    revision: str
    label: str
    group: str
    discount: int
    funders: tuple[Share, ...] = ()


@dataclass(frozen=True, slots=True)
class Considered:
    """One campaign in an explanation: granted (`refusal` None), or refused."""

    campaign: str
    revision: str
    discount: int
    refusal: Refusal | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Priced:
    """Steps 1 to 6 done: the grants in order of priority."""

    grants: tuple[Grant, ...]

    @property
    def discount(self) -> int:
        """Total discount, minor units."""
        return sum(grant.discount for grant in self.grants)

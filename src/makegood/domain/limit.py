"""Limits: caps on count or amount of grants, for a subject and a period.

Counters belong to the campaign id; those of a limit across campaigns to that limit's id.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Subject(StrEnum):
    """Whose grants are counted."""

    ALL = "all"
    PAYER = "payer"
    DEVICE = "device"
    PAYEE = "payee"


class Period(StrEnum):
    """Over what time; days and hours are those of the policy's zone, on the day of the decision."""

    EVER = "ever"
    DAY = "day"
    HOUR = "hour"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count_max` grants and `amount_max` minor units; None is no cap of that kind, 0 means zero."""

    subject: Subject
    period: Period
    count_max: int | None = None
    amount_max: int | None = None

    def admits(self, count: int, amount: int, discount: int) -> bool:
        """Whether one more grant of `discount` fits, after `count` grants of `amount` in all."""
        return (self.count_max is None or count + 1 <= self.count_max) and (
            self.amount_max is None or amount + discount <= self.amount_max
        )


@dataclass(frozen=True, slots=True)
class Used:
    """Grants counted so far against one limit."""

    count: int = 0
    amount: int = 0


@dataclass(frozen=True, slots=True)
class Balance:
    """What one payment sees of one campaign: minor units left, and what its limits have used.

    `used` has one value for each (subject, period) of the campaign's limits, for this payment's payer, device, payee,
    day and hour; a missing one reads as nothing used. `shared` is the same by id for the limits across campaigns that
    the campaign counts against.
    """

    budget: int
    stage: int
    used: Mapping[tuple[Subject, Period], Used]
    shared: Mapping[str, Used] = field(default_factory=dict)


Balances = Mapping[str, Balance]
"""By campaign id. A campaign that is missing is not refused for its balance: the store has the last word."""

"""The brief: what the budget owner agreed before the campaign was built."""

from collections.abc import Mapping
from dataclasses import dataclass

from makegood.clock import Instant


@dataclass(frozen=True, slots=True)
class Share:
    """`basis_points` of every discount are paid by `funder`."""

    funder: str
    basis_points: int


@dataclass(frozen=True, slots=True)
class Window:
    """From `opens` (inclusive) until `closes` (exclusive)."""

    opens: Instant
    closes: Instant

    def holds(self, moment: Instant) -> bool:
        """Whether the window is open at that moment."""
        return self.opens <= moment < self.closes


@dataclass(frozen=True, slots=True)
class PerPayer:
    """Largest count and amount (minor units) for one payer; None is no bound of that kind."""

    count: int | None
    amount: int | None


@dataclass(frozen=True, slots=True)
class Expectation:
    """Maxima over the payments submitted in the brief's scenes. Basis points and minor units."""

    share_of_payments: int
    discount_mean: int
    spend_per_minute: int


@dataclass(frozen=True, slots=True)
class Brief:
    """One campaign's brief. Money is minor units, `rate_max` basis points of the payment's amount."""

    campaign: str
    purpose: Mapping[str, str]
    label: str
    funding: tuple[Share, ...]
    window: Window
    scenes: tuple[str, ...]
    spend_min: int
    discount_max: int
    rate_max: int
    budget: int
    per_payer: PerPayer
    stage_first_max: int
    expect: Expectation

"""A scenario: what is known of an incident, what its house was, what went wrong in it, and what each guard can do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from makegood.clock import SECOND, Instant
from makegood.domain.brief import Brief
from makegood.domain.campaign import Campaign
from makegood.replay.guards import Run

Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SceneMix:
    """How often a scene occurs, in basis points, and what an amount of the source is multiplied by."""

    scene: str
    share: int
    times: float


@dataclass(frozen=True, slots=True)
class Traffic:
    """Payments a second are between `low` and `high`, but for bursts: counts in so many seconds scatter that much.

    `eligible`: basis points of payers in the segment `chosen`. Of `nodes`, `stale` still have the wrong revision.
    """

    source: str
    low: float
    high: float
    burst_seconds: int
    variance_over_mean: float
    eligible: int
    scenes: tuple[SceneMix, ...]
    nodes: int = 1
    stale: int = 1


@dataclass(frozen=True, slots=True)
class Bound:
    """The most that is granted wrongly while a guard is there: payments, minor units; None is no bound of that kind.

    `by` is the obligation that a proof refuses.
    """

    guard: str
    grants: int | None
    minor: int | None
    by: str | None
    why: Texts


@dataclass(frozen=True, slots=True)
class Stop:
    """Somebody asks to stop the campaign so many seconds after the start; `by` may lack the right to."""

    after_seconds: int
    by: str


@dataclass(frozen=True, slots=True)
class House:
    """The documents as their files would say them: the policy's differences, the brief, and the right campaign."""

    policy: Mapping[str, Any]
    brief: Mapping[str, Any]
    campaign: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scenario:
    """An incident. `brief`, `right` and `wrong` are the documents of its house, read.

    `happens`: at least so many wrong grants with nothing left, or the replay shows nothing. `amount_max`: minor units.
    """

    id: str
    title: Texts
    facts: tuple[Texts, ...]
    guesses: tuple[Texts, ...]
    analogue: Texts | None
    opens: Instant
    closes: Instant
    timezone: str
    currency: str
    scale: int | None
    traffic: Traffic
    house: House
    mistake: Texts
    changes: Mapping[str, Any]
    stop: Stop | None
    bounds: tuple[Bound, ...]
    happens: int
    amount_max: int
    brief: Brief
    right: Campaign
    wrong: Campaign

    @property
    def seconds(self) -> int:
        """How long it lasted."""
        return (self.closes - self.opens) // SECOND

    def bound_of(self, run: Run) -> tuple[int | None, int | None]:
        """The most wrong grants and the most money, minor units, in a run: what its strongest guards allow."""
        there = [bound for bound in self.bounds if bound.guard in run.guards]
        return (
            min((bound.grants for bound in there if bound.grants is not None), default=None),
            min((bound.minor for bound in there if bound.minor is not None), default=None),
        )

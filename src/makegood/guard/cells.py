"""What is watched of a campaign, and against which numbers of its brief."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from makegood.domain.brief import Brief
from makegood.money import BASIS_POINTS

OUTSIDE_SHARE = 1e-4  # What is expected outside the brief: one in ten thousand, by the semantics of a brief.
SECONDS_A_YEAR = 31_557_600  # Of 365.25 days.


class Measure(StrEnum):
    """What a cell counts, and of which payments.

    The payments of two `SCENE` cells of a campaign are never the same, for a payment has one scene; the others are
    further views of the same payments.
    """

    SHARE = "share"
    """Grants as the brief agreed them, of the payments in all its scenes."""

    MEAN = "mean"
    """What such a grant is worth, of those grants."""

    SCENE = "scene"
    """Grants with another label or funders, or any in a scene that is not the brief's, of that scene's payments."""

    OUTSIDE = "outside"
    """The same grants, of all payments: a leak spread over many scenes."""


WEIGHTS: Mapping[Measure, float] = {
    Measure.SHARE: 0.5,
    Measure.OUTSIDE: 0.25,
    Measure.SCENE: 0.125,
    Measure.MEAN: 0.125,
}
"""Of the capital that a campaign has for one payment; 1 in all, for a payment is seen by each measure once at most."""


@dataclass(frozen=True, slots=True)
class Observed:
    """One discount that a payment was granted, as it is watched.

    `amount` is minor units, `funders` whoever pays a part of it: those of the revision that granted it.
    """

    campaign: str
    label: str
    funders: frozenset[str]
    amount: int


@dataclass(frozen=True, slots=True)
class Watch:
    """A campaign as its brief expects it.

    `share` is between 0 and 1; `mean` and `most` are minor units of one discount. Without scenes everything that the
    campaign grants is outside.
    """

    campaign: str
    scenes: frozenset[str]
    label: str
    funders: frozenset[str]
    share: float
    mean: int
    most: int

    @classmethod
    def of(cls, brief: Brief) -> "Watch":
        """What a brief expects. The brief is one that `absurd` has nothing to say about."""
        assert brief.expect.share_of_payments > 0 and 0 < brief.expect.discount_mean <= brief.discount_max
        return cls(
            brief.campaign,
            frozenset(brief.scenes),
            brief.label,
            frozenset(one.funder for one in brief.funding),
            brief.expect.share_of_payments / BASIS_POINTS,
            brief.expect.discount_mean,
            brief.discount_max,
        )

    def agreed(self, scene: str, grant: Observed) -> bool:
        """Whether a grant in that scene has scene, label and funders of the brief."""
        return scene in self.scenes and grant.label == self.label and grant.funders == self.funders


def payments_a_year(payments_per_second: int) -> int:
    """Payments of a year at the declared peak: with that threshold one false stop a year, or fewer."""
    return payments_per_second * SECONDS_A_YEAR

"""The campaign: the configuration that runs."""

from collections.abc import Mapping
from dataclasses import dataclass

from makegood.domain.benefit import Benefit
from makegood.domain.brief import Share, Window
from makegood.domain.limit import Limit


@dataclass(frozen=True, slots=True)
class Stacking:
    """Best one of a group wins; groups combine unless either lists `combines_with`, then each must list the other."""

    group: str
    priority: int
    combines_with: tuple[str, ...] | None = None

    def combines(self, other: "Stacking") -> bool:
        """Whether two winners of different groups may both be granted."""
        if self.combines_with is None and other.combines_with is None:
            return True
        return other.group in (self.combines_with or ()) and self.group in (other.combines_with or ())


@dataclass(frozen=True, slots=True)
class Campaign:
    """One revision. `budget` and `stages` are minor units; stages are cumulative and end with the budget.

    `opens_by_hand`: a person opens the next stage, also where the evidence for it is there.
    """

    id: str
    title: Mapping[str, str]
    label: str
    funding: tuple[Share, ...]
    window: Window
    when: str
    benefit: Benefit
    budget: int
    limits: tuple[Limit, ...]
    stages: tuple[int, ...]
    stacking: Stacking
    code: str | None = None
    opens_by_hand: bool = False

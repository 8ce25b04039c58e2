"""What the client side of a demo saw: one record a payment, and the acts around them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from makegood.clock import Instant
from makegood.domain.quote import REFUSAL_ORDER, Refusal

UNDECIDED = "undecided"  # Nobody decided in time; the payment went on at full price.


@dataclass(slots=True)
class Record:
    """One payment as its client knows it. Money in minor units; `seconds` is None for a member of a batch."""

    payment_id: str
    occurred_at: Instant
    amount: int
    benefits: dict[str, int] = field(default_factory=dict)
    refusal: str | None = None
    state: str | None = None
    refunded: int = 0
    refunds: int = 0
    partly: bool = False
    returned: int = 0
    seconds: float | None = None

    @property
    def discount(self) -> int:
        """What was granted, minor units."""
        return sum(self.benefits.values())

    def kept(self, campaign: str) -> int:
        """What the payer keeps of a campaign: of the grant less its share of what was refunded, rounded down."""
        granted = self.benefits.get(campaign, 0)
        if self.state != "captured":
            return 0
        # Written again from the rule, on purpose: it judges the ledger's own arithmetic.
        return 0 if self.refunded == self.amount else granted - granted * self.refunded // self.amount


@dataclass(frozen=True, slots=True)
class Opening:
    """A stage that opened, by hand or by itself: after which payment, and how much is open since, minor units."""

    at: Instant
    after: int
    campaign: str
    stage_minor: int


@dataclass(frozen=True, slots=True)
class Mistake:
    """A deliberately wrong request and what came back."""

    what: str
    status: int
    code: str


@dataclass(slots=True)
class Journal:
    """Everything of one run, in the order of the payments."""

    records: list[Record]
    openings: list[Opening] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    retries: int = 0
    retries_that_differ: int = 0
    answers_that_differ: int = 0
    seconds: float = 0.0

    def refused(self) -> dict[str, int]:
        """Payments that got nothing, by the refusal that came furthest; the most frequent first."""
        counts = Counter(record.refusal for record in self.records if record.refusal is not None)
        return dict(counts.most_common())


def furthest(explanation: Iterable[Mapping[str, object]]) -> str | None:
    """Of the refusals of all campaigns the one that came furthest in the order of precedence."""
    refusals = [Refusal(str(one["refusal"])) for one in explanation if one["refusal"] is not None]
    found = max(refusals, key=REFUSAL_ORDER.__getitem__, default=None)
    return None if found is None else found.value

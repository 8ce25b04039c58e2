"""What was granted wrongly, by the numbers of the brief alone.

Wrong money is what was granted minus the most that the brief allows that payment, 0 where it allows none; it is counted
when the payment is answered. Nothing here knows how a discount is worked out.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from makegood.clock import Instant
from makegood.domain.brief import Brief, Share
from makegood.money import share


@dataclass(frozen=True, slots=True)
class Answered:
    """One payment with what one campaign granted it: minor units, under a label, paid by its funders."""

    occurred_at: Instant
    payer_id: str | None
    amount: int
    scene: str
    discount: int
    label: str
    funding: tuple[Share, ...]


def most_allowed(brief: Brief, answered: Answered) -> int:
    """The most that the brief allows that payment by itself, minor units, whatever was granted before it."""
    outside = (
        answered.scene not in brief.scenes
        or answered.amount < brief.spend_min
        or not brief.window.holds(answered.occurred_at)
        or answered.label != brief.label
        or set(answered.funding) != set(brief.funding)
    )
    return 0 if outside else max(0, min(brief.discount_max, share(answered.amount, brief.rate_max)))


@dataclass(slots=True)
class Tally:
    """Wrong money of one campaign, payment by payment, within the brief's budget and its limits for a payer."""

    brief: Brief
    _rightly: int = 0
    _payers: dict[str, tuple[int, int]] = field(default_factory=lambda: defaultdict(lambda: (0, 0)))

    def wrong_of(self, answered: Answered) -> int:
        """What is wrong of this grant, minor units, 0 to all of it; the rest uses up budget and limits."""
        if answered.discount <= 0:
            return 0
        payer = answered.payer_id
        count, amount = self._payers[payer] if payer is not None else (0, 0)
        allowed = min(most_allowed(self.brief, answered), self._left(payer, count, amount))
        rightly = min(answered.discount, allowed)
        self._rightly += rightly
        if payer is not None and rightly:
            self._payers[payer] = (count + 1, amount + rightly)
        return answered.discount - rightly

    def _left(self, payer: str | None, count: int, amount: int) -> int:
        """What budget and limits still allow this payer; nobody is allowed anything without a name."""
        limit = self.brief.per_payer
        if payer is None or (limit.count is not None and count >= limit.count):
            return 0
        left = [self.brief.budget - self._rightly]
        if limit.amount is not None:
            left.append(limit.amount - amount)
        return max(0, min(left))

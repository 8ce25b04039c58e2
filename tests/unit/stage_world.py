"""A campaign that runs second by second on a simulated clock, and a keeper that looks at its stage once a second."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from makegood.clock import SECOND
from makegood.guard.health import Evidence
from makegood.guard.health_watch import StageWatch, look
from makegood.guard.stage import following, last_step
from makegood.guard.stage_decision import Because, Loudness, StageDecision, Terms, decide_stage

QUIET = Loudness(2.0, 24.0, quiet=True)


@dataclass(slots=True)
class Shop:
    """What a stage sees: so many payments a second that get `discount`, each captured in the same second.

    `is_wronged` says of a payer, by number, whether a complaint comes. `trips_from` and `loud_from` are seconds.
    """

    slices: Sequence[int]
    largest: int
    spend_per_minute: int
    discount: int
    payments_per_second: int
    is_wronged: Callable[[int], bool] = lambda payer: False
    trips_from: int | None = None
    loud_from: int | None = None
    judged: bool = True
    opened: int = 0
    spent: int = 0
    served: int = 0
    parts: dict[str, int] = field(default_factory=dict)

    def serve(self) -> None:
        """One second of payments, as far as the money of the open slices goes."""
        count = min(self.payments_per_second, (self.opened - self.spent) // self.discount)
        wronged = sum(self.is_wronged(payer) for payer in range(self.served, self.served + count))
        self.served += count
        self.spent += count * self.discount
        for name, more in (("captured", count), ("payers", count), ("payers_bad", wronged)):
            self.parts[name] = self.parts.get(name, 0) + more

    def evidence(self, second: int) -> Evidence:
        """Of the stage that is open, as the store would count it."""
        tripped = self.trips_from is not None and second >= self.trips_from
        captured = self.parts.get("captured", 0)
        return Evidence(
            captured=captured,
            judged=captured if self.judged else 0,
            spent_minor=captured * self.discount,
            payers=self.parts.get("payers", 0),
            payers_bad=self.parts.get("payers_bad", 0),
            payers_of_one_payee=self.parts.get("payers", 0) // 5,
            trips=int(tripped),
        )

    def terms(self) -> Terms:
        """Of the stage that is open."""
        step = last_step(self.slices, self.opened)
        left = self.opened - self.spent
        return Terms(following(self.slices, self.opened), step, left, self.largest, self.spend_per_minute)


def run(shop: Shop, seconds: int) -> tuple[dict[int, int], StageDecision]:
    """When each slice opened, by its cumulative amount, and the last decision. Ends early once everything is open."""
    shop.opened = shop.slices[0]
    openings = {shop.opened: 0}
    watch: StageWatch | None = None
    for second in range(seconds):
        shop.serve()
        watch = look(watch, "rev_1", shop.opened, shop.evidence(second), 7 * SECOND + second * SECOND)
        loud = shop.loud_from is not None and second >= shop.loud_from
        decision = decide_stage(watch, shop.terms(), Loudness(25.0, 24.0, quiet=False) if loud else QUIET)
        if decision.open_next:
            assert decision.next_minor is not None
            shop.opened = decision.next_minor
            shop.parts = {}
            openings[shop.opened] = second
        if decision.because is Because.ALL_IS_OPEN:
            break
    return openings, decision

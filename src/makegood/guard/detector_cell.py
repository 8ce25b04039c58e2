"""One cell of the detector: the evidence of its bets, its CUSUM, and what was seen."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from makegood.guard.cusum import Cusum
from makegood.guard.edetector import CAPITAL_MAX, Bets, Steps, composed, stepped

PAYMENTS_KEPT = 20  # Payments an alarm shows; a leak outside the brief is over before there are as many.


@dataclass(slots=True)
class Block:
    """What a cell saw since it was last told to others: a step of its bets, and of its CUSUM, that can be repeated."""

    steps: Steps
    whole: Cusum = field(default_factory=Cusum)
    best: Cusum = field(default_factory=Cusum)

    def see(self, steps: Steps, score: float, payments: int, grants: int, amount: int) -> None:
        """So much more was seen, at which the bets did `steps` and the CUSUM's ln L was `score`."""
        self.steps = composed(self.steps, steps)
        self.best.see(score, payments, grants, amount)
        self.whole.add(score, payments, grants, amount)


@dataclass(slots=True)
class CellState:
    """`seen` counts the payments of the cell's population that are in `capital`; those after it had no grant.

    With `block`, everything that happens is noted there, too.
    """

    bets: Bets
    capital: Sequence[float]
    seen: int
    cusum: Cusum = field(default_factory=Cusum)
    last: deque[str] = field(default_factory=lambda: deque(maxlen=PAYMENTS_KEPT))
    block: Block | None = None

    @classmethod
    def new(cls, bets: Bets) -> "CellState":
        """No payment has been seen."""
        return cls(bets, (0.0,) * len(bets.stakes), 0)

    def begin_block(self) -> None:
        """From now on what happens is noted for others, too."""
        count = len(self.bets.stakes)
        self.block = Block(((1.0,) * count, (0.0,) * count))

    def quiet_until(self, seen: int) -> None:
        """The payments up to number `seen` were granted nothing that is not counted yet."""
        gap = seen - self.seen
        if gap > 0:
            self.seen = seen
            steps, score = self.bets.nothing(gap), gap * self.bets.ln_nothing
            self.capital = stepped(self.capital, steps)
            self.cusum.see(score, gap, 0, 0)
            if self.block is not None:
                self.block.see(steps, score, gap, 0, 0)

    def granted(self, seen: int, amount: int, payment: str) -> float:
        """The evidence after payment number `seen` was granted `amount`, and those since the last grant nothing."""
        bets = self.bets
        if self.block is not None:
            self.quiet_until(seen - 1)
        gap = seen - self.seen - 1
        if gap > 0:
            self.cusum.see(gap * bets.ln_nothing, gap, 0, 0)
        self.seen = seen
        return self._granted(bets.granted_after(max(gap, 0)), bets.ln_granted, amount, payment)

    def worth(self, odds: float, amount: int, payment: str) -> float:
        """The evidence after one more grant of `amount`, which is `odds` times what is expected of one."""
        self.seen += 1
        return self._granted(*self.bets.worth(odds), amount, payment)

    def _granted(self, steps: Steps, score: float, amount: int, payment: str) -> float:
        times, added = steps
        self.capital = after = [m * a + b for m, a, b in zip(self.capital, times, added)]  # noqa: B905 - each is a bet
        evidence = sum(after)
        if evidence > CAPITAL_MAX:
            self.capital = [min(one, CAPITAL_MAX) for one in after]
        cusum = self.cusum
        # What `see` does, without a call: this runs for every grant.
        if cusum.score + score > 0:
            cusum.score += score
            cusum.payments += 1
            cusum.grants += 1
            cusum.amount += amount
        else:
            cusum.restart()
        if self.block is not None:
            self.block.see(steps, score, 1, 1, amount)
        if cusum.grants <= 1:
            self.last.clear()
        self.last.append(payment)
        return evidence

    def absorb(self, block: Block, last: Iterable[str]) -> float:
        """The evidence after what another saw of this cell's population."""
        self.seen += block.whole.payments
        self.capital = stepped(self.capital, block.steps)
        self.cusum.then(block.whole, block.best)
        self.last.extend(last)
        return sum(self.capital)

    def restart(self) -> None:
        """The evidence is gone; it begins again with the next payment."""
        self.capital = (0.0,) * len(self.capital)
        self.cusum.restart()
        self.last.clear()

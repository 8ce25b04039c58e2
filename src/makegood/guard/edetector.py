"""A Shiryaev-Roberts e-detector by betting: evidence that a mean has risen, with no distribution assumed.

What is watched is X ≥ 0, one number a payment, and the claim that its mean, given everything before, is at most m.
A bet stakes the fraction c of its capital at the fair odds X / m:

    L = (1 - c) + c · X / m,    E[L | past] ≤ 1 for every 0 ≤ c ≤ 1, whatever the distribution of X is.

That is betting as in Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting" (JRSS B 2024).
Each payment starts the bet anew with a small capital w and lets all earlier starts go on (Shiryaev and Roberts):

    M ← (M + w) · L,    so that E[M after t payments] ≤ w · t.

The sum over several c, and over several cells, with all w together at most 1 a payment, is an e-detector: it stops at
M ≥ N no sooner than after N payments on average (Shin, Ramdas and Rinaldo, "E-detectors: a nonparametric framework
for sequential change detection", NEJSDS 2024, theorem 2.4). When what stopped begins again at 0, more is true: with K
stops so far, K·N + M - t is a supermartingale, so that t payments have at most t / N false stops on average.

A payment without a grant multiplies every bet by 1 - c; a run of them has a closed form, so it costs nothing until the
next grant. A step is `M ← M · a + b`; steps compose to one such step, which is what nodes send each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log1p, sqrt

CAPITAL_MAX = 1e280  # A bet that wins without end stays a number; it stopped the campaign long before.

_GRID = 9  # Bets beside the CUSUM's own. More cost time, fewer lose evidence where a leak lies between two.
_STAKE_MAX = 0.97  # A bet of everything would be lost for good with the first payment without a grant.
_STEPS_KEPT = 256  # Gaps between grants, and sizes of discounts, whose steps are remembered: the common ones.

Steps = tuple[Sequence[float], Sequence[float]]
"""Of each bet what its capital is multiplied by, and what is added then."""


def stakes(mean: float) -> tuple[float, ...]:
    """Fractions of the capital to stake against a mean of at most `mean`, which lies between 0 and 1.

    They are spread evenly in ratio, from half the mean (or 1 in 20) to nearly everything: a leak of unknown size is
    near one of them. The last is the stake of the CUSUM, `design_stake`.
    """
    assert 0 < mean < 1
    low = min(mean / 2, 0.05)
    ratio = (_STAKE_MAX / low) ** (1 / (_GRID - 1))
    return (*(low * ratio**number for number in range(_GRID)), design_stake(mean))


def design_stake(mean: float) -> float:
    """The best stake where the mean has risen to its square root: from 1 in 10,000 to 1 in 100, from 5 % to 22 %."""
    return sqrt(mean) / (1 + sqrt(mean))


@dataclass(frozen=True, slots=True)
class Bets:
    """The bets of one kind of cell against a mean of at most `mean`; all of them begin with `weight` a payment.

    `ln_nothing` and `ln_granted` are ln L of the CUSUM's bet, the last. Cells with equal bets share one of these.
    """

    mean: float
    weight: float
    stakes: tuple[float, ...]
    ln_nothing: float
    ln_granted: float
    _gaps: dict[int, Steps] = field(default_factory=dict, compare=False, repr=False)
    _odds: dict[float, tuple[Steps, float]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def against(cls, mean: float, weight: float) -> "Bets":
        """Bets that a mean is above `mean`, strictly between 0 and 1."""
        assert 0 < weight <= 1
        stake = design_stake(mean)
        return cls(mean, weight, stakes(mean), log1p(-stake), log1p(stake * (1 / mean - 1)))

    def worth(self, odds: float) -> tuple[Steps, float]:
        """The step of one payment whose X is `odds` times the mean, and ln L of the CUSUM's bet."""
        found = self._odds.get(odds)
        if found is None:
            found = self._step(odds, None), log1p(self.stakes[-1] * (odds - 1))
            if len(self._odds) < _STEPS_KEPT:
                self._odds[odds] = found
        return found

    def granted_after(self, gap: int) -> Steps:
        """The step of `gap` payments without a grant and then one with: X is 0, then 1."""
        found = self._gaps.get(gap)
        if found is None:
            found = self._step(1 / self.mean, self.nothing(gap))
            if gap < _STEPS_KEPT:
                self._gaps[gap] = found
        return found

    def nothing(self, gap: int) -> Steps:
        """The step of `gap` payments without a grant: (1 - c)^gap, and a geometric sum of the starts meanwhile."""
        each = self.weight / len(self.stakes)
        left = tuple((1 - stake) ** gap for stake in self.stakes)
        return left, tuple(
            each * (1 - stake) * (1 - rest) / stake for stake, rest in zip(self.stakes, left, strict=True)
        )

    def _step(self, odds: float, before: Steps | None) -> Steps:
        each = self.weight / len(self.stakes)
        times = tuple(1 - stake + stake * odds for stake in self.stakes)
        if before is None:
            return times, tuple(each * one for one in times)
        scaled, added = before
        return (
            tuple(a * one for a, one in zip(scaled, times, strict=True)),
            tuple((b + each) * one for b, one in zip(added, times, strict=True)),
        )


def stepped(capital: Sequence[float], steps: Steps) -> Sequence[float]:
    """Capital of each bet after a step."""
    times, added = steps
    after = [m * a + b for m, a, b in zip(capital, times, added)]  # noqa: B905 - all are as long as the stakes
    return after if sum(after) <= CAPITAL_MAX else [min(one, CAPITAL_MAX) for one in after]


def composed(first: Steps, then: Steps) -> Steps:
    """The one step that does what `first` and `then` do."""
    times = tuple(min(a * b, CAPITAL_MAX) for a, b in zip(first[0], then[0], strict=True))
    return times, stepped(first[1], then)

"""How many payments go by until a false stop, by arrays: directly, and by importance sampling where it takes too long.

The recursion is written here again, for many runs at a time. Payments without a grant are skipped by its closed form,
from a table of powers. Every payment is granted something with exactly the share that is expected: the worst case.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from makegood.guard.edetector import stakes

Array = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Powers:
    """Of each gap and bet: what capital is multiplied by, and what starts meanwhile have become; then a grant."""

    stakes: Array
    left: Array
    begun: Array
    won: Array

    @classmethod
    def against(cls, mean: float) -> "Powers":
        """For gaps that are longer once in 10^8 times at most."""
        stake = np.array(stakes(mean))
        gaps = np.arange(int(18.5 / mean) + 2)[:, None]
        left = np.exp(gaps * np.log1p(-stake))
        begun = (1 - stake) * (1 - left) / stake / len(stake)
        return cls(stake, left, begun, 1 - stake + stake / mean)

    def step(self, capital: Array, gap: Whole) -> Array:
        """Capital after so many payments without a grant, and one with."""
        at = np.minimum(gap, len(self.left) - 1)
        return np.asarray((capital * self.left[at] + self.begun[at] + 1 / len(self.stakes)) * self.won)


def direct(mean: float, threshold: float, runs: int, seed: int) -> Mapping[str, Any]:
    """The mean number of payments until the evidence of one cell reaches the threshold."""
    chance, powers = np.random.default_rng(seed), Powers.against(mean)
    capital, at = np.zeros((runs, len(powers.stakes))), np.zeros(runs, dtype=np.int64)
    lengths: list[int] = []
    while len(at):
        gap = chance.geometric(mean, len(at)) - 1
        capital, at = powers.step(capital, gap), at + gap + 1
        over = capital.sum(axis=1) >= threshold
        if over.any():
            lengths += at[over].tolist()
            capital, at = capital[~over], at[~over]
    found = np.array(lengths)
    error = float(found.std() / np.sqrt(runs))
    row = {"share": mean, "threshold": threshold, "runs": runs, "mean_payments": round(float(found.mean()))}
    return {**row, "standard_error": round(error), "times_threshold": round(float(found.mean()) / threshold, 2)}


def importance(mean: float, threshold: float, payments: int, runs: int, seed: int) -> Mapping[str, Any]:
    """False stops in as many payments as the threshold, of which the theorem allows 1.

    Runs are drawn with a leak: from a payment chosen evenly among `payments` on, of the size that a bet chosen evenly
    is made for. The ratio of the two laws at a stop is the evidence itself, with the payments not reached:
    (M + payments - t) / payments. A run that stops counts its inverse, which is at most payments / threshold.
    """
    chance, powers = np.random.default_rng(seed), Powers.against(mean)
    start = chance.integers(1, payments + 1, runs)
    leak = (mean + powers.stakes * (1 - mean))[chance.integers(0, len(powers.stakes), runs)]
    capital, at, weights = np.zeros((runs, len(powers.stakes))), np.zeros(runs, dtype=np.int64), []
    while len(at):
        gap = _gap(chance, mean, leak, start - 1 - at)
        capital, at = powers.step(capital, gap), at + gap + 1
        total = capital.sum(axis=1)
        stopped, late = (total >= threshold) & (at <= payments), at > payments
        weights += (payments / (total[stopped] + payments - at[stopped])).tolist()
        going = ~(stopped | late)
        capital, at, start, leak = capital[going], at[going], start[going], leak[going]
    rate = np.zeros(runs)
    rate[: len(weights)] = weights
    scale = threshold / payments
    row = {"share": mean, "threshold": threshold, "payments": payments, "runs": runs, "stopped": len(weights)}
    return {
        **row,
        "false_stops": round(float(rate.mean()) * scale, 4),
        "standard_error": round(float(rate.std() / np.sqrt(runs)) * scale, 4),
    }


def _gap(chance: np.random.Generator, mean: float, leak: Array, before: Whole) -> Whole:
    """Payments without a grant before the next one; `before` payments from here on come before the leak."""
    kept = chance.geometric(mean, len(leak)) - 1
    leaked = chance.geometric(leak) - 1
    return np.where(kept < before, kept, np.maximum(before, 0) + leaked)

"""The shapes of real payment traffic that a generator has to keep, each as it was measured.

- Amounts are log-normal: the logarithm scatters by about 2 between merchants, by 0.5 to 1.2 within one.
- 45 % of fuel purchases are whole amounts.
- Merchants are visited by Zipf's law, its exponent 0.85 to 0.95.
- The tenth of payers that pays most makes 35 to 43 % of the payments.
- 9 % of a payer's gaps are shorter than an hour.
- The hour from 14:00 has 1.4 to 1.7 times the mean of a day's hours.
- Counts of a day scatter with a variance of 5 to 15 times their mean; Poisson's would be 1, and flatter a detector.
"""

import math
import random
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

ACROSS_SIGMA = 2.0
WITHIN_SIGMA = (0.5, 1.2)
MIDDLE_MINOR = 3_500  # The merchant in the middle sells for so much at a time: 35 yuan.
FUEL_WHOLE = 0.45
FUEL_SHARE = 0.08  # Of merchants: a choice.
ZIPF = 0.9
PAYER_SIGMA = 1.0  # Log-normal weights: the share of the top tenth is then Φ(1.0 - 1.2816) = 39 %.
AGAIN = 0.065  # Of payments: the same payer pays once more within the hour. Chance adds the rest of the 9 %.
AGAIN_SECONDS = (60, 3_300)
MINOR_UNITS = 100

# Payments by local hour, relative to each other.
HOURS = (
    0.25, 0.15, 0.10, 0.10, 0.12, 0.25, 0.50, 0.85, 1.15, 1.30, 1.40, 1.50,
    1.52, 1.53, 1.50, 1.52, 1.55, 1.60, 1.55, 1.40, 1.20, 0.95, 0.65, 0.40,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Merchant:
    """Who is paid: amounts are log-normal with this mean and spread of their natural logarithm (minor units)."""

    payee_id: str
    middle: float
    sigma: float
    fuel: bool


def merchants(count: int, draw: random.Random) -> list[Merchant]:
    """Merchants, the most visited first. What one sells for does not depend on how many visit it."""
    return [
        Merchant(
            f"merchant-{number}",
            draw.gauss(math.log(MIDDLE_MINOR), ACROSS_SIGMA),
            draw.uniform(*WITHIN_SIGMA),
            draw.random() < FUEL_SHARE,
        )
        for number in range(1, count + 1)
    ]


def amount_at(merchant: Merchant, draw: random.Random) -> int:
    """What one purchase costs, minor units, at least one."""
    amount = draw.lognormvariate(merchant.middle, merchant.sigma)
    if merchant.fuel and draw.random() < FUEL_WHOLE:
        return max(1, round(amount / MINOR_UNITS)) * MINOR_UNITS
    return max(1, round(amount))


def by_zipf(count: int) -> list[float]:
    """Cumulated weights of ranks: the n-th has 1 ÷ n to the power of ZIPF."""
    return list(accumulate(1 / rank**ZIPF for rank in range(1, count + 1)))


def by_payer(count: int, draw: random.Random) -> list[float]:
    """Cumulated weights of payers: how often each pays, relative to the others."""
    return list(accumulate(draw.lognormvariate(0, PAYER_SIGMA) for _ in range(count)))


def drawn(cumulated: Sequence[float], draw: random.Random) -> int:
    """An index with the probability of its weight."""
    return min(bisect_right(cumulated, draw.random() * cumulated[-1]), len(cumulated) - 1)


def hour_weight(hour: int) -> float:
    """How many times the mean of a day's hours comes in this one."""
    return HOURS[hour] * len(HOURS) / sum(HOURS)


def poisson(mean: float, draw: random.Random) -> int:
    """A Poisson count, by the product of uniforms (Knuth, The Art of Computer Programming 2, 3.4.1), in parts of 50."""
    if mean > 50:
        return poisson(50, draw) + poisson(mean - 50, draw)
    count, product, floor = 0, draw.random(), math.exp(-mean)
    while product > floor:
        count += 1
        product *= draw.random()
    return count


def bursts(count: int, mean: float, variance_over_mean: float, draw: random.Random) -> list[float]:
    """Factors of mean one, gamma distributed: counts of mean `mean` times one scatter as is asked for.

    The counts are then negative binomial: their variance is mean + mean² ÷ shape.
    """
    if variance_over_mean <= 1 or mean <= 0:
        return [1.0] * count
    shape = mean / (variance_over_mean - 1)
    return [draw.gammavariate(shape, 1 / shape) for _ in range(count)]

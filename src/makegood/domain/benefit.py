"""Benefits: what one payment receives from a campaign, and its gross discount in minor units."""

import hashlib
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import accumulate

from makegood.money import share


@dataclass(frozen=True, slots=True)
class PercentOff:
    """`rate` basis points of the amount, at most `up_to` minor units."""

    rate: int
    up_to: int


@dataclass(frozen=True, slots=True)
class AmountOff:
    """`amount` minor units off."""

    amount: int


@dataclass(frozen=True, slots=True)
class Tier:
    """From `spend` minor units on, `off` minor units off."""

    spend: int
    off: int


@dataclass(frozen=True, slots=True)
class Tiers:
    """The best tier that the amount reaches. Strictly increasing in `spend` and in `off`."""

    tiers: tuple[Tier, ...]


@dataclass(frozen=True, slots=True)
class RandomOff:
    """Uniform on [min, max] minor units, one draw a payer and local day."""

    min: int
    max: int


Benefit = PercentOff | AmountOff | Tiers | RandomOff


@dataclass(frozen=True, slots=True)
class Draw:
    """Everything a random benefit depends on. `who` is the payer, or the payment where there is no payer."""

    secret: bytes
    campaign: str
    who: str
    day: date


def gross_discount(benefit: Benefit, amount: int, draw: Draw | None = None) -> int:
    """Minor units that `benefit` takes off `amount`, before any limit; 0 where it takes nothing off.

    It may exceed the amount: pricing then drops it whole. `draw` is required for `RandomOff` only.
    """
    if isinstance(benefit, RandomOff):
        assert draw is not None
        return draw_uniform(benefit.min, benefit.max, draw)
    return discount_function(benefit)(amount)


def discount_function(benefit: PercentOff | AmountOff | Tiers) -> Callable[[int], int]:
    """The gross discount of a benefit without chance as a function of the amount, both in minor units.

    The payment call runs it for every candidate, so it captures plain values and does as little as it can.
    """
    match benefit:
        case PercentOff(rate=rate, up_to=up_to):
            return lambda amount: off if (off := share(amount, rate)) < up_to else up_to
        case AmountOff(amount=fixed):
            return lambda _: fixed
        case Tiers(tiers=tiers):
            spends = [tier.spend for tier in tiers]
            offs = [0, *accumulate((tier.off for tier in tiers), max)]
            return lambda amount: offs[bisect_right(spends, amount)]


def largest_discount(benefit: Benefit, amount_max: int) -> int:
    """The most that `benefit` can take off any payment of at most `amount_max`, minor units."""
    if isinstance(benefit, RandomOff):
        return benefit.max
    return gross_discount(benefit, amount_max)


def draw_uniform(low: int, high: int, draw: Draw) -> int:
    """A number uniform on [low, high], the same for the same draw.

    Rejection sampling from SHA-256(secret ‖ campaign ‖ who ‖ day ‖ counter), each part preceded by its
    length, so that no two draws share an input. Nobody without the secret can predict it; nobody can grind
    for a better one.
    """
    span = high - low + 1
    ceiling = 2**64 - 2**64 % span
    counter = 0
    while True:
        parts = (draw.secret, draw.campaign.encode(), draw.who.encode(), draw.day.isoformat().encode())
        data = b"".join(len(part).to_bytes(4, "big") + part for part in parts) + counter.to_bytes(4, "big")
        value = int.from_bytes(hashlib.sha256(data).digest()[:8], "big")
        if value < ceiling:
            return low + value % span
        counter += 1

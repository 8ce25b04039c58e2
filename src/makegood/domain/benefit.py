"""Benefits: what one payment receives from a campaign, and its gross discount in minor units."""

import hashlib
from dataclasses import dataclass
from datetime import date

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
    match benefit:
        case PercentOff(rate=rate, up_to=up_to):
            return min(share(amount, rate), up_to)
        case AmountOff(amount=off):
            return off
        case Tiers(tiers=tiers):
            return max((tier.off for tier in tiers if tier.spend <= amount), default=0)
        case RandomOff():
            assert draw is not None
            return draw_uniform(benefit.min, benefit.max, draw)


def largest_discount(benefit: Benefit, amount_max: int) -> int:
    """The most that `benefit` can take off any payment of at most `amount_max`, minor units."""
    if isinstance(benefit, RandomOff):
        return benefit.max
    return gross_discount(benefit, amount_max)


def draw_uniform(low: int, high: int, draw: Draw) -> int:
    """A number uniform on [low, high], the same for the same draw.

    Rejection sampling from SHA-256(secret ‖ campaign ‖ who ‖ day ‖ counter), each part preceded by its length, so
    that no two draws share an input. Nobody without the secret can predict it; nobody can grind for a better one.
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

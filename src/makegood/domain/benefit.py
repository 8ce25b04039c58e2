"""Benefits: what one payment receives from a campaign, and its gross discount in minor units."""

import hashlib
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import accumulate

from makegood.money import BASIS_POINTS, share


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


@dataclass(frozen=True, slots=True)
class ItemsOff:
    """`off` the lines that match `where`: worked out once, on the sum of their amounts, not line by line.

    `where` is CEL over `item`, one line of the basket. An amount off is whole or not at all: lines that are worth
    less get nothing.
    """

    where: str
    off: PercentOff | AmountOff


@dataclass(frozen=True, slots=True)
class Units:
    """`count` units, at least one, of lines that match `where`."""

    where: str
    count: int


@dataclass(frozen=True, slots=True)
class BuyXGetY:
    """For each `buy.count` units, `get.count` further ones get `rate` basis points off; `up_to` minor units in all.

    As many times as the basket holds, and the cheapest units are the ones that are got. No unit is both bought and
    got.
    """

    buy: Units
    get: Units
    rate: int
    up_to: int


@dataclass(frozen=True, slots=True)
class FreeItem:
    """The cheapest unit of all lines that match `where` is free, up to `up_to` minor units of it."""

    where: str
    up_to: int


PaymentBenefit = PercentOff | AmountOff | Tiers | RandomOff
ItemBenefit = ItemsOff | BuyXGetY | FreeItem
Benefit = PaymentBenefit | ItemBenefit


@dataclass(frozen=True, slots=True)
class Draw:
    """Everything a random benefit depends on. `who` is the payer, or the payment where there is no payer."""

    secret: bytes
    campaign: str
    who: str
    day: date


def gross_discount(benefit: PaymentBenefit, amount: int, draw: Draw | None = None) -> int:
    """Minor units that `benefit` takes off `amount`, before any limit; 0 where it takes nothing off.

    It may exceed the amount: pricing then drops it whole. `draw` is required for `RandomOff` only. What an item-level
    benefit takes off a basket is worked out in `makegood.domain.basket`.
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
            # `share`, written out: the call would cost as much as the rest.
            return lambda amount: off if (off := amount * rate // BASIS_POINTS) < up_to else up_to
        case AmountOff(amount=fixed):
            return lambda _: fixed
        case Tiers(tiers=tiers):
            spends = [tier.spend for tier in tiers]
            offs = [0, *accumulate((tier.off for tier in tiers), max)]
            return lambda amount: offs[bisect_right(spends, amount)]


def largest_discount(benefit: Benefit, amount_max: int) -> int:
    """The most that `benefit` can take off any payment of at most `amount_max`, minor units."""
    match benefit:
        case RandomOff(max=most):
            return most
        case ItemsOff() | BuyXGetY() | FreeItem():
            return item_bound(benefit, amount_max, amount_max)
    return gross_discount(benefit, amount_max)


def taken_off(benefit: ItemBenefit, worth: int) -> int:
    """Minor units that `benefit` takes off the units it applies to, which are worth `worth`; never more than that."""
    match benefit:
        case FreeItem(up_to=up_to):
            return min(worth, up_to)
        case BuyXGetY(rate=rate, up_to=up_to):
            return min(share(worth, rate), up_to)
        case ItemsOff(off=off):
            discount = discount_function(off)(worth)
            return discount if discount <= worth else 0


def item_bound(benefit: ItemBenefit, amount: int, matching_max: int) -> int:
    """The largest discount on any basket of `amount` whose lines that match are worth at most `matching_max`.

    The lines that match are those of `where`, of `get.where` in a `BuyXGetY`. With E = min(amount, matching_max), X
    units to buy and Y to get, the units that it applies to are worth at most

    - E for `ItemsOff` and `FreeItem`;
    - for `BuyXGetY` where both conditions are the same text: the Y cheapest of X + Y units, which is
      Y × (E div (X + Y)) + max(0, E mod (X + Y) - X), and nothing where E < X + Y. It is never above
      floor(E × Y ÷ (X + Y));
    - for any other `BuyXGetY`: min(E, amount - X), for each unit that is bought costs something, and nothing where
      that is below Y.

    The discount is `taken_off` of that: floor(worth × rate ÷ 10,000), at most `up_to`; an amount off whole or not at
    all. It rises with both bounds, is never exceeded, and some basket reaches it where the conditions can be met.
    """
    worth = min(amount, matching_max)
    return taken_off(benefit, _most_got(benefit, amount, worth) if isinstance(benefit, BuyXGetY) else worth)


def _most_got(benefit: BuyXGetY, amount: int, worth: int) -> int:
    bought, got = benefit.buy.count, benefit.get.count
    if benefit.buy.where != benefit.get.where:
        most = min(worth, amount - bought)
        return most if most >= got else 0
    each, rest = divmod(worth, bought + got)
    return each * got + max(0, rest - bought) if each else 0


def wheres(benefit: Benefit) -> tuple[str, ...]:
    """The conditions on lines that the benefit has; none where it is no item-level one."""
    match benefit:
        case ItemsOff(where=where) | FreeItem(where=where):
            return (where,)
        case BuyXGetY(buy=buy, get=get):
            return (buy.where, get.where)
    return ()


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

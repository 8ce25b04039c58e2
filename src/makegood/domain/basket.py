"""Item-level benefits: what each line of a basket is worth to a benefit, and its discount in minor units.

A line without units matches nothing. Where units are counted or given, a unit is worth its line's amount ÷ quantity,
rounded down, and one that costs nothing is neither bought, nor got, nor free.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from makegood.domain.benefit import BuyXGetY, FreeItem, ItemBenefit, ItemsOff, taken_off
from makegood.domain.payment import Item
from makegood.money import split

Holds = Mapping[str, Callable[[Mapping[str, Any]], bool]]
"""By the text of a condition: a function from `Item.fields` to whether it holds. It must not raise."""


def basket_discount(benefit: ItemBenefit, items: Sequence[Item], holds: Holds) -> int:
    """Minor units that `benefit` takes off these lines, before any limit; never above what they cost."""
    return taken_off(benefit, sum(worth_by_line(benefit, items, holds)))


def split_by_line(benefit: ItemBenefit, items: Sequence[Item], holds: Holds) -> tuple[int, ...]:
    """The same discount line by line, by the largest remainder: it adds up exactly and no line exceeds its amount."""
    worth = worth_by_line(benefit, items, holds)
    return split(taken_off(benefit, sum(worth)), worth)


def worth_by_line(benefit: ItemBenefit, items: Sequence[Item], holds: Holds) -> list[int]:
    """What the units that the benefit applies to cost, line by line, minor units. Work is bounded by the lines."""
    match benefit:
        case ItemsOff(where=where):
            test = holds[where]
            return [item.amount if item.quantity and test(item.fields) else 0 for item in items]
        case FreeItem(where=where):
            return _cheapest(items, _units(items, holds[where]))
        case BuyXGetY():
            return _got(benefit, items, holds)


def _units(items: Sequence[Item], test: Callable[[Mapping[str, Any]], bool]) -> dict[int, int]:
    """Price of one unit by line, for the lines that match and whose units cost something."""
    prices = {index: item.amount // item.quantity for index, item in enumerate(items) if item.quantity}
    return {index: price for index, price in prices.items() if price and test(items[index].fields)}


def _cheapest(items: Sequence[Item], prices: Mapping[int, int]) -> list[int]:
    worth = [0] * len(items)
    if prices:
        index = min(prices, key=prices.__getitem__)
        worth[index] = prices[index]
    return worth


def _got(benefit: BuyXGetY, items: Sequence[Item], holds: Holds) -> list[int]:
    """The cheapest units that may be got, in as many rounds as the basket holds.

    Every unit is used once, so n rounds are possible if there are enough units to buy, enough to get, and enough of
    both together. Lines that match both conditions give what is not needed to buy with.
    """
    bought, got = _units(items, holds[benefit.buy.where]), _units(items, holds[benefit.get.where])
    to_buy = sum(items[index].quantity for index in bought)
    to_get = sum(items[index].quantity for index in got)
    shared = sum(items[index].quantity for index in got if index in bought)
    each, free = benefit.buy.count, benefit.get.count
    rounds = min(to_buy // each, to_get // free, (to_buy + to_get - shared) // (each + free))
    left, spare = rounds * free, shared - max(0, rounds * each - (to_buy - shared))
    worth = [0] * len(items)
    for index in sorted(got, key=lambda line: (got[line], line)):
        units = min(left, items[index].quantity, spare if index in bought else left)
        worth[index] = units * got[index]
        left -= units
        spare -= units if index in bought else 0
    return worth

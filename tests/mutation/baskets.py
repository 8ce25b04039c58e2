"""What item-level benefits take off baskets, written a second time, unit by unit, and tried on a few baskets.

The lines of a basket are told apart only by which of a benefit's conditions they meet, so the conditions may read
`sku` and `category` and nothing else.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, product
from typing import Any

from tests.mutation.constants import checked

from makegood.domain.benefit import AmountOff, BuyXGetY, FreeItem, ItemBenefit, ItemsOff
from makegood.rules.environment import item_environment
from makegood.rules.evaluate import EvaluationError, compile_condition

BASIS_POINTS = 10_000
OTHER = "zz-other"
_AMOUNT_MAX = 1_000_000  # No condition reads an amount.


@dataclass(frozen=True, slots=True)
class Line:
    """Units of one price each and what is left of the line's amount; for `buy` (or the only condition), for `get`."""

    buy: bool
    get: bool
    amount: int
    quantity: int = 1

    @property
    def price(self) -> int:
        """Of one unit, rounded down."""
        return self.amount // self.quantity


def off_lines(benefit: ItemBenefit, lines: Sequence[Line]) -> int:
    """What the benefit takes off, minor units."""
    match benefit:
        case ItemsOff(off=off):
            worth = sum(line.amount for line in lines if line.buy and line.quantity)
            if isinstance(off, AmountOff):
                return off.amount if worth >= off.amount else 0
            return min(worth * off.rate // BASIS_POINTS, off.up_to)
        case FreeItem(up_to=up_to):
            prices = [line.price for line in lines if line.buy and line.quantity and line.price]
            return min(min(prices, default=0), up_to)
        case BuyXGetY(rate=rate, up_to=up_to):
            return min(_got(benefit, lines) * rate // BASIS_POINTS, up_to)


def _got(benefit: BuyXGetY, lines: Sequence[Line]) -> int:
    """The price of the units got: of all choices with the most rounds, the cheapest."""
    units = [line for line in lines if line.quantity and line.price for _ in range(line.quantity)]
    may_get = [index for index, unit in enumerate(units) if unit.get]
    for rounds in range(len(units) // (benefit.buy.count + benefit.get.count), 0, -1):
        prices = [
            sum(units[index].price for index in got)
            for got in combinations(may_get, rounds * benefit.get.count)
            if sum(unit.buy for index, unit in enumerate(units) if index not in got) >= rounds * benefit.buy.count
        ]
        if prices:
            return min(prices)
    return 0


def off_items(benefit: ItemBenefit, items: Iterable[Any]) -> int:
    """What the benefit takes off the items of a payment, minor units."""
    first, second = (_matches(where) for where in _conditions(benefit))
    lines = [Line(first(one.fields), second(one.fields), one.amount, one.quantity) for one in items]
    return off_lines(benefit, lines)


@lru_cache(maxsize=200_000)
def off_bounds(benefit: ItemBenefit, amount: int) -> tuple[int, int]:
    """The smallest discount above zero and the largest on any basket tried that costs the amount; 0 where none is."""
    found = [off for lines in baskets(benefit, amount) if (off := off_lines(benefit, lines))]
    return min(found, default=0), max(found, default=0)


def baskets(benefit: ItemBenefit, amount: int) -> Iterator[Sequence[Line]]:
    """Baskets of that amount: all of it in the lines that count, as little as can be, and between."""
    kinds = kinds_of(_conditions(benefit))
    if isinstance(benefit, BuyXGetY):
        yield from _deals(benefit, kinds, amount)
        return
    if (True, True) not in kinds:
        return
    rate = benefit.off.rate if isinstance(benefit, ItemsOff) and not isinstance(benefit.off, AmountOff) else 0
    for worth in {amount, amount // 2, 1, -(-BASIS_POINTS // rate) if rate else 1}:
        yield from _with_rest([Line(True, True, worth)], amount, kinds)
    yield [Line(True, True, amount, 2)]


def _deals(benefit: BuyXGetY, kinds: Iterable[tuple[bool, bool]], amount: int) -> Iterator[Sequence[Line]]:
    bought, got = benefit.buy.count, benefit.get.count
    buy = next((kind for kind in ((True, False), (True, True)) if kind in kinds), None)
    get = next((kind for kind in ((False, True), (True, True)) if kind in kinds), None)
    if buy is None or get is None:
        return
    for times in (1, 2):
        prices = _spread(amount, times * (bought + got))
        yield [Line(*(get if place < times * got else buy), price) for place, price in enumerate(prices)]
    least = -(-BASIS_POINTS // benefit.rate) if benefit.rate else 1
    for worth in {amount - bought, amount // 2, max(least, got)}:
        dear = _spread(worth, got)
        for price in {1, dear[-1]}:
            lines = [Line(*buy, price) for _ in range(bought)] + [Line(*get, each) for each in dear]
            yield from _with_rest(lines, amount, kinds)


def _spread(amount: int, parts: int) -> list[int]:
    """The amount in parts that differ by one at most, ascending."""
    each, dearer = divmod(amount, parts)
    return [each + (place >= parts - dearer) for place in range(parts)]


def _with_rest(lines: list[Line], amount: int, kinds: Iterable[tuple[bool, bool]]) -> Iterator[list[Line]]:
    """The lines and one that meets no condition, if they fit the amount together."""
    rest = amount - sum(line.amount for line in lines)
    if rest >= 0 and all(line.amount >= 0 for line in lines) and (rest == 0 or (False, False) in kinds):
        yield [*lines, *([Line(False, False, rest)] if rest else [])]


def _conditions(benefit: ItemBenefit) -> tuple[str, str]:
    """The condition of what is bought and of what is got; the same one twice where there is one."""
    if isinstance(benefit, BuyXGetY):
        return benefit.buy.where, benefit.get.where
    return benefit.where, benefit.where


@lru_cache(maxsize=1_000)
def kinds_of(conditions: tuple[str, str]) -> frozenset[tuple[bool, bool]]:
    """Which of the two conditions a line can meet together."""
    return frozenset(tuple(_matches(where)(fields) for where in conditions) for fields in fields_of(conditions))


def fields_of(conditions: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Lines with every name that the conditions hold, and with another, and without a category."""
    names = [*dict.fromkeys(name for where in conditions for name in re.findall(r'"([^"]*)"', where)), OTHER]
    for sku, category in product(names, [*names, None]):
        yield {"sku": sku, "amount": 1, "quantity": 1} | ({} if category is None else {"category": category})


@lru_cache(maxsize=1_000)
def _matches(where: str) -> Any:
    condition = compile_condition(checked(where, item_environment(_AMOUNT_MAX)))

    def matches(fields: Any) -> bool:
        try:
            return condition(fields)
        except EvaluationError:
            return False

    return matches

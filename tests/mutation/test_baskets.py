"""The oracle's own baskets: what a benefit takes off lines made by hand, and the most of a few baskets against all."""

from itertools import combinations_with_replacement, product

import pytest
from tests.mutation.baskets import Line, baskets, kinds_of, off_bounds, off_lines

from makegood.domain.benefit import AmountOff, BuyXGetY, FreeItem, ItemBenefit, ItemsOff, PercentOff, Units

LATTE, CAKE = 'item.sku == "latte"', 'has(item.category) && item.category == "cakes"'
BOTH, ONE, TWO, NONE = (True, True), (True, False), (False, True), (False, False)
SAME = BuyXGetY(Units(LATTE, 2), Units(LATTE, 1), 10_000, 9_999)
OTHER = BuyXGetY(Units(LATTE, 1), Units(CAKE, 2), 5_000, 9_999)
BENEFITS: dict[str, ItemBenefit] = {
    "share": ItemsOff(LATTE, PercentOff(5_000, 15)), "fixed": ItemsOff(LATTE, AmountOff(5)),
    "free": FreeItem(LATTE, 20), "same": SAME, "other": OTHER, "two of three": BuyXGetY(SAME.buy, SAME.buy, 9_000, 7),
}  # fmt: skip


def lines(*amounts: int, kind: tuple[bool, bool] = BOTH) -> list[Line]:
    """Lines of one unit each."""
    return [Line(*kind, amount) for amount in amounts]


@pytest.mark.parametrize(
    ("benefit", "basket", "expected"),
    [
        (ItemsOff(LATTE, PercentOff(5_000, 1_500)), [*lines(2_001), *lines(9_000, kind=NONE)], 1_000),
        (ItemsOff(LATTE, AmountOff(500)), lines(300, 200), 500),
        (ItemsOff(LATTE, AmountOff(500)), lines(499), 0),
        (FreeItem(LATTE, 2_000), [Line(*BOTH, 1_000, 3)], 333),
        (SAME, lines(3_000, 2_000), 0),
        (SAME, lines(3_000, 2_000, 2_500, 2_800, 2_900, 2_100), 4_100),
        (OTHER, [*lines(1_000, kind=ONE), *lines(300, 500, kind=TWO)], 400),
        (OTHER, lines(300, 500, kind=TWO), 0),
    ],
)
def test_a_benefit_takes_off_what_the_page_on_pricing_says(
    benefit: ItemBenefit, basket: list[Line], expected: int
) -> None:
    assert off_lines(benefit, basket) == expected


@pytest.mark.parametrize("name", BENEFITS)
def test_no_basket_of_few_lines_gets_more_or_less_than_those_that_are_tried(name: str) -> None:
    benefit = BENEFITS[name]
    kinds = sorted(kinds_of((LATTE, CAKE)) if benefit is OTHER else [BOTH, NONE])
    found: dict[int, set[int]] = {}
    for count in range(1, 5):
        for prices in combinations_with_replacement(range(1, 6), count):
            for chosen in product(kinds, repeat=count):
                basket = [Line(*kind, price) for kind, price in zip(chosen, prices, strict=True)]
                found.setdefault(sum(prices), set()).add(off_lines(benefit, basket))
    for amount, offs in found.items():
        low, high = off_bounds(benefit, amount)
        assert max(offs) <= high and min(offs - {0}, default=low) >= low, amount
    assert any(max(offs) for offs in found.values())


def test_every_basket_that_is_tried_costs_the_amount() -> None:
    for benefit, amount in product(BENEFITS.values(), (1, 2, 3, 7, 1_000)):
        assert all(sum(line.amount for line in basket) == amount for basket in baskets(benefit, amount))

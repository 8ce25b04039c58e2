"""Item-level benefits: what they take off the lines of a basket, and which line it comes off."""

from collections.abc import Mapping
from typing import Any

import pytest

from makegood.domain.basket import Holds, basket_discount, split_by_line, worth_by_line
from makegood.domain.benefit import (
    AmountOff,
    Benefit,
    BuyXGetY,
    FreeItem,
    ItemBenefit,
    ItemsOff,
    PercentOff,
    Units,
    item_bound,
    largest_discount,
    taken_off,
    wheres,
)
from makegood.domain.payment import Item

LATTE, CAKE, ANY = "latte", "cake", "any"


def _is(sku: str) -> Any:
    return lambda fields: fields["sku"] == sku


def _any(_: Mapping[str, Any]) -> bool:
    return True


HOLDS: Holds = {LATTE: _is("latte"), CAKE: _is("cake"), ANY: _any}
BASKET = (Item("latte", 6000, "coffee", 2), Item("cake", 2501, None, 1), Item("bag", 0, None, 1))
HALF = ItemsOff(LATTE, PercentOff(5000, 1500))
THIRD_FREE = BuyXGetY(Units(LATTE, 2), Units(LATTE, 1), 10_000, 10**6)
CAKE_WITH_LATTE = BuyXGetY(Units(LATTE, 1), Units(CAKE, 1), 5000, 10**6)


def lattes(*prices: int) -> tuple[Item, ...]:
    return tuple(Item("latte", price) for price in prices)


@pytest.mark.parametrize(
    ("benefit", "items", "discount"),
    [
        (HALF, BASKET, 1500),
        (HALF, (Item("latte", 2001), Item("cake", 9000)), 1000),
        (HALF, (Item("latte", 2001), Item("latte", 2001)), 1500),
        (ItemsOff(LATTE, PercentOff(3333, 10**6)), lattes(1, 1, 1), 0),
        (ItemsOff(LATTE, PercentOff(3334, 10**6)), lattes(1, 1, 1), 1),
        (HALF, (Item("cake", 9000),), 0),
        (HALF, (), 0),
        (HALF, (Item("latte", 3000, None, 0),), 0),
        (ItemsOff(LATTE, AmountOff(500)), lattes(300, 200), 500),
        (ItemsOff(LATTE, AmountOff(500)), (*lattes(499), Item("cake", 9000)), 0),
        (FreeItem(ANY, 10_000), BASKET, 2501),
        (FreeItem(LATTE, 10_000), BASKET, 3000),
        (FreeItem(LATTE, 2000), BASKET, 2000),
        (FreeItem(LATTE, 2000), (Item("latte", 1000, None, 3),), 333),
        (FreeItem(LATTE, 2000), (Item("latte", 2, None, 3),), 0),
        (THIRD_FREE, lattes(3000, 2000), 0),
        (THIRD_FREE, lattes(3000, 2000, 2500), 2000),
        (THIRD_FREE, lattes(3000, 2000, 2500, 2800, 2900), 2000),
        (THIRD_FREE, lattes(3000, 2000, 2500, 2800, 2900, 2100), 4100),
        (THIRD_FREE, (Item("latte", 9000, None, 3),), 3000),
        (THIRD_FREE, (Item("latte", 9000, None, 2), Item("cake", 1)), 0),
        (THIRD_FREE, (Item("latte", 3, None, 10**9),), 0),
        (CAKE_WITH_LATTE, (Item("latte", 3000), Item("cake", 2501)), 1250),
        (CAKE_WITH_LATTE, (Item("latte", 3000), Item("cake", 5002, None, 2)), 1250),
        (CAKE_WITH_LATTE, (Item("latte", 6000, None, 2), Item("cake", 5002, None, 2)), 2501),
        (CAKE_WITH_LATTE, (Item("cake", 2501),), 0),
        (BuyXGetY(Units(LATTE, 1), Units(CAKE, 1), 5000, 700), (Item("latte", 3000), Item("cake", 2501)), 700),
    ],
)
def test_a_basket_gets_what_the_benefit_says(benefit: ItemBenefit, items: tuple[Item, ...], discount: int) -> None:
    assert basket_discount(benefit, items, HOLDS) == discount
    assert sum(split_by_line(benefit, items, HOLDS)) == discount


def test_a_unit_that_may_be_bought_and_got_is_used_once() -> None:
    benefit = BuyXGetY(Units(ANY, 2), Units(LATTE, 1), 10_000, 10**6)
    assert basket_discount(benefit, lattes(1000, 2000), HOLDS) == 0
    assert basket_discount(benefit, (*lattes(1000, 2000), Item("cake", 500)), HOLDS) == 1000
    # Two rounds take all six units. Four are bought, two cakes and two lattes: the cheapest two lattes are got.
    assert basket_discount(benefit, (*lattes(1000, 2000, 3000, 4000), Item("cake", 100, None, 2)), HOLDS) == 3000


def test_units_that_must_be_bought_are_not_got() -> None:
    benefit = BuyXGetY(Units(LATTE, 1), Units(ANY, 1), 10_000, 10**6)
    # One round only. The single latte has to be bought, so the cake is got, though it costs more.
    assert worth_by_line(benefit, (Item("latte", 1000), Item("cake", 5000)), HOLDS) == [0, 5000]


def test_a_discount_is_split_over_the_lines_it_comes_from() -> None:
    items = (Item("latte", 1001), Item("cake", 5000), Item("latte", 2002))
    assert split_by_line(ItemsOff(LATTE, PercentOff(5000, 10**6)), items, HOLDS) == (500, 0, 1001)
    assert split_by_line(ItemsOff(LATTE, AmountOff(100)), items, HOLDS) == (33, 0, 67)
    assert split_by_line(FreeItem(ANY, 10**6), items, HOLDS) == (1001, 0, 0)
    assert split_by_line(THIRD_FREE, lattes(3000, 2000, 2500), HOLDS) == (0, 2000, 0)
    assert split_by_line(HALF, (), HOLDS) == ()


def test_the_work_does_not_grow_with_quantities() -> None:
    asked: list[str] = []

    def counted(fields: Mapping[str, Any]) -> bool:
        asked.append(fields["sku"])
        return True

    items = (Item("latte", 10**15, None, 10**12), Item("cake", 10**15, None, 10**14))
    got = (10**12 + 10**14) // 3  # Of so many units, and the cakes are the cheap ones: 10 each.
    assert worth_by_line(THIRD_FREE, items, {LATTE: counted}) == [0, got * 10]
    assert len(asked) == 2 * len(items)


@pytest.mark.parametrize(
    ("benefit", "amount", "matching", "bound"),
    [
        (ItemsOff(LATTE, PercentOff(5000, 1500)), 2001, 2001, 1000),
        (ItemsOff(LATTE, PercentOff(5000, 1500)), 9000, 9000, 1500),
        (ItemsOff(LATTE, PercentOff(5000, 1500)), 9000, 800, 400),
        (ItemsOff(LATTE, AmountOff(500)), 499, 499, 0),
        (ItemsOff(LATTE, AmountOff(500)), 9000, 500, 500),
        (FreeItem(LATTE, 1000), 800, 10**6, 800),
        (FreeItem(LATTE, 1000), 5000, 5000, 1000),
        (THIRD_FREE, 2, 2, 0),
        (THIRD_FREE, 3, 3, 1),
        (THIRD_FREE, 9002, 9002, 3000),
        (BuyXGetY(Units(LATTE, 2), Units(LATTE, 2), 10_000, 10**6), 6, 6, 2),
        (BuyXGetY(Units(LATTE, 2), Units(LATTE, 2), 10_000, 10**6), 7, 7, 3),
        (CAKE_WITH_LATTE, 1, 1, 0),
        (CAKE_WITH_LATTE, 5003, 5003, 2501),
        (CAKE_WITH_LATTE, 5003, 100, 50),
    ],
)
def test_a_bound_is_the_largest_discount_of_any_basket(
    benefit: ItemBenefit, amount: int, matching: int, bound: int
) -> None:
    assert item_bound(benefit, amount, matching) == bound


def test_the_largest_discount_is_the_bound_at_the_largest_amount() -> None:
    assert largest_discount(HALF, 50_000_000) == 1500
    assert largest_discount(FreeItem(LATTE, 2000), 50_000_000) == 2000
    assert largest_discount(THIRD_FREE, 9000) == 3000
    assert largest_discount(ItemsOff(LATTE, AmountOff(500)), 400) == 0


def test_nothing_is_taken_off_beyond_what_the_units_are_worth() -> None:
    for benefit in (ItemsOff(LATTE, PercentOff(10_000, 10**6)), FreeItem(LATTE, 10**6), THIRD_FREE):
        assert taken_off(benefit, 777) == 777


@pytest.mark.parametrize(
    ("benefit", "texts"),
    [(HALF, (LATTE,)), (FreeItem(ANY, 1), (ANY,)), (CAKE_WITH_LATTE, (LATTE, CAKE)), (AmountOff(5), ())],
)
def test_a_benefit_names_its_conditions_on_lines(benefit: Benefit, texts: tuple[str, ...]) -> None:
    assert wheres(benefit) == texts

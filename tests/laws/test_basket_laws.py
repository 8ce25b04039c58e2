"""Item-level benefits: what holds for every basket, beside a slow definition that handles units one by one."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from hypothesis import assume, example, given
from hypothesis import strategies as st

from makegood.domain.basket import Holds, basket_discount, split_by_line, worth_by_line
from makegood.domain.benefit import (
    AmountOff,
    BuyXGetY,
    FreeItem,
    ItemBenefit,
    ItemsOff,
    PercentOff,
    Units,
    item_bound,
    taken_off,
)
from makegood.domain.payment import Item

SKUS = {"x": "ac", "y": "bc", "any": "abcd", "none": ""}  # `c` is in both of the first two, `d` in neither.


def _matches(skus: str) -> Any:
    def holds(fields: Mapping[str, Any]) -> bool:
        return fields["sku"] in skus

    return holds


HOLDS: Holds = {where: _matches(skus) for where, skus in SKUS.items()}
conditions = st.sampled_from(list(SKUS))
caps = st.sampled_from([0, 5, 100, 10**9])
rates = st.sampled_from([0, 1, 3333, 5000, 9999, 10_000])
units = st.builds(Units, conditions, st.integers(1, 3))
deals = st.builds(BuyXGetY, units, units, rates, caps)
offs: st.SearchStrategy[PercentOff | AmountOff] = st.builds(PercentOff, rates, caps) | st.builds(
    AmountOff, st.integers(0, 60)
)
benefits: st.SearchStrategy[ItemBenefit] = st.one_of(
    st.builds(ItemsOff, conditions, offs), deals, st.builds(FreeItem, conditions, caps)
)
skus = st.sampled_from("abcd")
baskets = st.lists(
    st.builds(Item, skus, st.integers(0, 60), st.none(), st.sampled_from([0, 1, 1, 2, 3, 20])), max_size=6
)
small_baskets = st.lists(st.builds(Item, skus, st.integers(0, 9), st.none(), st.integers(0, 2)), max_size=4)


def matching(benefit: ItemBenefit, items: Sequence[Item]) -> int:
    """What the lines cost that the benefit may take something off."""
    where = benefit.get.where if isinstance(benefit, BuyXGetY) else benefit.where
    return sum(item.amount for item in items if HOLDS[where](item.fields))


def got_one_by_one(deal: BuyXGetY, items: Sequence[Item]) -> int:
    """As many rounds as the units allow; of all ways to hand them out, the one in which the got ones cost least."""
    each = [(item, item.amount // item.quantity) for item in items for _ in range(item.quantity)]
    each = [(item, price) for item, price in each if price]
    ways = [
        way
        for way in product(("", "buy", "get"), repeat=len(each))
        if all(_allowed(deal, use, item) for use, (item, _) in zip(way, each, strict=True))
    ]
    rounds = max(min(way.count("buy") // deal.buy.count, way.count("get") // deal.get.count) for way in ways)
    return min(
        sum(price for use, (_, price) in zip(way, each, strict=True) if use == "get")
        for way in ways
        if way.count("get") == rounds * deal.get.count and way.count("buy") >= rounds * deal.buy.count
    )


def _allowed(deal: BuyXGetY, use: str, item: Item) -> bool:
    return not use or HOLDS[deal.buy.where if use == "buy" else deal.get.where](item.fields)


@given(deals, small_baskets)
@example(BuyXGetY(Units("x", 1), Units("any", 1), 10_000, 10**9), [Item("a", 1), Item("b", 9)])
def test_a_deal_gives_the_cheapest_units_in_as_many_rounds_as_there_can_be(deal: BuyXGetY, items: list[Item]) -> None:
    assume(sum(item.quantity for item in items) <= 7)
    assert sum(worth_by_line(deal, items, HOLDS)) == got_one_by_one(deal, items)


@given(benefits, baskets)
def test_no_basket_gets_more_than_the_bound(benefit: ItemBenefit, items: list[Item]) -> None:
    amount = sum(item.amount for item in items)
    discount = basket_discount(benefit, items, HOLDS)
    assert 0 <= discount <= item_bound(benefit, amount, matching(benefit, items)) <= amount


@given(benefits, st.integers(0, 300), st.integers(0, 300))
def test_some_basket_reaches_the_bound_where_the_conditions_can_be_met(
    benefit: ItemBenefit, amount: int, most: int
) -> None:
    items = richest(benefit, amount, min(most, amount))
    assume(items is not None)
    assert items is not None and sum(item.amount for item in items) == amount
    assert basket_discount(benefit, items, HOLDS) == item_bound(benefit, amount, most)


def richest(benefit: ItemBenefit, amount: int, worth: int) -> list[Item] | None:
    """A basket of `amount` whose matching lines cost `worth`, made to give much; None where none is known."""
    if not isinstance(benefit, BuyXGetY):
        sku = SKUS[benefit.where][:1]
        rest = [Item("d", amount - worth)] if benefit.where != "any" else []
        return [Item(sku, worth), *rest] if sku and (rest or worth == amount) else None
    buy, get = benefit.buy, benefit.get
    if buy.where == get.where and SKUS[buy.where] and buy.where != "any":
        dear, cheap = _prices(worth, buy.count, get.count)
        return [*(Item("c", price) for price in (*dear, *cheap)), Item("d", amount - worth)]
    if {buy.where, get.where} == {"x", "y"}:  # A unit of 1 to be bought, and all the rest for the others.
        bought, got = ("a", "b") if buy.where == "x" else ("b", "a")
        worth = min(worth, amount - buy.count)
        if worth < get.count:
            return [Item("d", amount)]
        each, left = divmod(worth, get.count)
        prices = [each + (number < left) for number in range(get.count)]
        spent = buy.count + worth
        return [Item(bought, buy.count, None, buy.count), *(Item(got, price) for price in prices),
                Item("d", amount - spent)]  # fmt: skip
    return None


def _prices(worth: int, bought: int, got: int) -> tuple[list[int], list[int]]:
    """Prices of X + Y units that add up to `worth`, as equal as can be, the dearer ones to be bought."""
    each, rest = divmod(worth, bought + got)
    prices = [each + (number < rest) for number in range(bought + got)]
    return prices[:bought], prices[bought:]


@given(benefits, st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_bound_rises_with_the_amount_and_with_the_lines(
    benefit: ItemBenefit, amount: int, more: int, most: int
) -> None:
    bound = item_bound(benefit, amount, most)
    assert bound <= item_bound(benefit, amount + more, most)
    assert bound <= item_bound(benefit, amount, most + more)
    if isinstance(benefit, BuyXGetY) and benefit.buy.where == benefit.get.where:
        worth, count = min(amount, most), benefit.get.count
        assert bound <= taken_off(benefit, worth * count // (benefit.buy.count + count))


@given(benefits, baskets)
def test_a_split_adds_up_and_no_line_gets_more_than_it_costs(benefit: ItemBenefit, items: list[Item]) -> None:
    parts = split_by_line(benefit, items, HOLDS)
    assert len(parts) == len(items)
    assert sum(parts) == basket_discount(benefit, items, HOLDS)
    assert all(0 <= part <= item.amount for part, item in zip(parts, items, strict=True))
    worth = worth_by_line(benefit, items, HOLDS)
    assert all(part == 0 for part, own in zip(parts, worth, strict=True) if own == 0)


@given(benefits, baskets, st.randoms(use_true_random=False))
def test_the_order_of_the_lines_changes_no_discount(benefit: ItemBenefit, items: list[Item], random: Any) -> None:
    shuffled = list(items)
    random.shuffle(shuffled)
    assert basket_discount(benefit, shuffled, HOLDS) == basket_discount(benefit, items, HOLDS)

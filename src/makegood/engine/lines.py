"""Item-level benefits in the payment call: their conditions on lines are compiled once a snapshot."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from makegood.domain.basket import basket_discount
from makegood.domain.benefit import Benefit, BuyXGetY, FreeItem, ItemsOff, wheres
from makegood.domain.payment import Item
from makegood.rules.check import check_expression
from makegood.rules.environment import Environment
from makegood.rules.evaluate import EvaluationError, compile_condition

OfBasket = Callable[[Sequence[Item]], int]
"""The discount by the lines, minor units, before any limit; a payment without lines gets none."""


def of_basket(benefit: Benefit, environment: Environment) -> OfBasket | None:
    """What an item-level benefit takes off a basket; None for every other one."""
    if not isinstance(benefit, ItemsOff | BuyXGetY | FreeItem):
        return None
    return partial(basket_discount, benefit, holds={text: matches(text, environment) for text in wheres(benefit)})


def matches(where: str, environment: Environment) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a line matches, by its fields. One for which the condition ends in an error does not.

    The condition was checked before, so one that does not check is a bug: an assert.
    """
    expression = check_expression(where, environment).expression
    assert expression is not None, "a condition on lines does not check"
    condition = compile_condition(expression)

    def holds(fields: Mapping[str, Any]) -> bool:
        try:
            return condition(fields)
        except EvaluationError:
            return False

    return holds

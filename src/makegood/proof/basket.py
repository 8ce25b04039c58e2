"""Item-level benefits before the solver: how much the lines of a basket let them take off, and a basket that does.

A discount may be anything from nothing to the bound that the lines give (`makegood.domain.benefit.item_bound`). The
most that the lines that match can be worth is asked of the solver first: it finds the largest line that a `where` lets
through.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import z3

from makegood.domain.basket import basket_discount
from makegood.domain.benefit import AmountOff, BuyXGetY, FreeItem, ItemBenefit, ItemsOff, PercentOff, wheres
from makegood.domain.payment import Item, item_schema
from makegood.domain.policy import Policy
from makegood.money import BASIS_POINTS, share
from makegood.proof.effort import Deadline
from makegood.proof.solver import Solver, value_of
from makegood.proof.verdict import Verdict
from makegood.rules.check import check_expression
from makegood.rules.environment import item_environment
from makegood.rules.evaluate import EvaluationError, compile_condition
from makegood.rules.expression import Expression
from makegood.rules.smt import SymbolicPayment, symbolic_payment


@dataclass(frozen=True, slots=True)
class Reach:
    """The smallest amount of a line that matches, and the most that all that match can be worth, minor units.

    A `most` of 0 means that no line can match one of the conditions.
    """

    least: int
    most: int


NO_LINES = Reach(0, 0)


class Lines:
    """What the solver knows of the lines that the conditions of one benefit let through."""

    def __init__(self, benefit: ItemBenefit, policy: Policy, deadline: Deadline) -> None:
        self._benefit, self._schema, self._deadline = benefit, policy.schema, deadline
        environment = item_environment(policy.schema.amount_max)
        self._known: Reach | None = None
        self._trees: dict[str, Expression] = {}
        for where in wheres(benefit):
            tree = check_expression(where, environment).expression
            assert tree is not None, "its `where` was checked before"
            self._trees[where] = tree

    def reach(self) -> Reach:
        """What the lines that the benefit applies to can be worth.

        What the solver does not decide counts as a match: bounds may be too wide, never too narrow.
        """
        if self._known is None:
            pairs = [self._worth(tree) for tree in self._trees.values()]
            largest = pairs[-1][1] if all(pair[1] for pair in pairs) else 0
            most = min(self._schema.amount_max, largest * self._schema.items_max)
            self._known = Reach(max(pair[0] for pair in pairs), most)
        return self._known

    def basket(self, amount: int, discount: int) -> list[dict[str, Any]] | None:
        """Lines of a payment of this amount that get this discount; None where the obvious ones do not."""
        holds = {where: _test_of(tree) for where, tree in self._trees.items()}
        for wanted in self._shapes(amount):
            lines = [self._of(where, units, worth) for where, units, worth in wanted if worth]
            found = [line for line in lines if line is not None]
            rest = amount - sum(line["amount"] for line in found)
            if len(found) < len(lines) or rest < 0:
                continue
            if rest and (other := self._of(None, 1, rest)) is not None:
                found.append(other)
            items = [Item(line["sku"], line["amount"], line.get("category"), line["quantity"]) for line in found]
            if (
                sum(item.amount for item in items) == amount
                and basket_discount(self._benefit, items, holds) == discount
            ):
                return found
        return None

    def _shapes(self, amount: int) -> Iterator[Sequence[tuple[str, int | None, int]]]:
        """Baskets worth trying: for each line its condition, units (None: any), and amount."""
        match self._benefit:
            case BuyXGetY(buy=buy, get=get) if buy.where == get.where:
                each, dearer = divmod(amount, buy.count + get.count)
                cheaper = buy.count + get.count - dearer
                yield (buy.where, dearer, dearer * (each + 1)), (buy.where, cheaper, cheaper * each)
            case BuyXGetY(buy=buy, get=get):
                yield (buy.where, buy.count, buy.count), (get.where, get.count, amount - buy.count)
            case ItemsOff(where=where):
                yield ((where, None, amount),)
                yield ((where, None, self.reach().most),)
            case FreeItem(where=where):
                yield ((where, 1, amount),)
                yield ((where, 1, self.reach().most),)

    def _of(self, where: str | None, units: int | None, worth: int) -> dict[str, Any] | None:
        """A line of so many units, worth so much together, that meets the condition; without one, that meets none."""
        line, solver = self._line()
        trees = self._trees.values()
        meets = line.holds(self._trees[where]) if where is not None else z3.Not(z3.Or([line.holds(t) for t in trees]))
        counted = () if units is None else (_quantity(line) == units,)
        answer = solver.ask(meets, line.amount == worth, *counted)
        return line.read(answer.model) if answer.model is not None else None

    def _line(self) -> tuple[SymbolicPayment, Solver]:
        context = z3.Context()
        schema = item_schema(self._schema.amount_max)
        line = symbolic_payment(schema, self._trees.values(), context=context, subject="item")
        return line, Solver(context, (*line.domain, _quantity(line) >= 1), self._deadline)

    def _worth(self, tree: Expression) -> tuple[int, int]:
        """The amounts of the smallest and of the largest line that matches and costs something; 0 where none does."""
        line, solver = self._line()
        matches = z3.And(line.holds(tree), line.amount >= 1)
        answer, most = solver.ask(matches), solver.largest(line.amount, self._schema.amount_max, matches)
        least = (
            0 if answer.model is None else value_of(solver.smallest(answer.model, line.amount, 1, matches), line.amount)
        )
        # A search that was broken off is no bound.
        least = least if not least or solver.ask(matches, line.amount < least).verdict is Verdict.PROVED else 1
        return least, self._schema.amount_max if most is None else most


def bounds_on(benefit: ItemBenefit, taken: Any, amount: Any, reach: Reach) -> tuple[Any, ...]:
    """What may be taken off: nothing, or what lines of a payment of this amount can give."""
    most = bound_of(benefit, amount, reach.most)
    some = [taken <= most, amount >= reach.least]
    if isinstance(benefit, ItemsOff) and isinstance(benefit.off, AmountOff):
        some.append(taken == benefit.off.amount)
    if isinstance(benefit, BuyXGetY):  # Every unit that is got costs something.
        some.append(taken >= min(share(benefit.get.count, benefit.rate), benefit.up_to))
    return taken >= 0, z3.Or(taken == 0, z3.And(some))


def bound_of(benefit: ItemBenefit, amount: Any, matching_max: int) -> Any:
    """`item_bound` as a term of the amount, minor units."""
    worth = _least(amount, matching_max)
    match benefit:
        case FreeItem(up_to=up_to):
            return _least(worth, up_to)
        case ItemsOff(off=AmountOff(amount=fixed)):
            return z3.If(worth >= fixed, z3.IntVal(fixed, amount.ctx), z3.IntVal(0, amount.ctx))
        case ItemsOff(off=PercentOff(rate=rate, up_to=up_to)):
            return _least(worth * rate / BASIS_POINTS, up_to)
        case BuyXGetY(rate=rate, up_to=up_to):
            return _least(_got(benefit, amount, worth) * rate / BASIS_POINTS, up_to)


def _got(benefit: BuyXGetY, amount: Any, worth: Any) -> Any:
    bought, got = benefit.buy.count, benefit.get.count
    none = z3.IntVal(0, amount.ctx)
    if benefit.buy.where != benefit.get.where:
        most = _least(worth, amount - bought)
        return z3.If(most >= got, most, none)
    each, rest = worth / (bought + got), worth % (bought + got)
    return z3.If(each >= 1, each * got + z3.If(rest > bought, rest - bought, none), none)


def _least(term: Any, most: Any) -> Any:
    return z3.If(term < most, term, most)


def _test_of(where: Expression) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a line matches, by its fields. One for which the condition ends in an error does not."""
    condition = compile_condition(where)

    def holds(fields: Mapping[str, Any]) -> bool:
        try:
            return condition(fields)
        except EvaluationError:
            return False

    return holds


def _quantity(line: SymbolicPayment) -> Any:
    return line.terms.whole(line.fields["quantity"].value)


def lines_of(benefits: Mapping[str, Any], policy: Policy, deadline: Deadline) -> dict[str, Lines]:
    """The lines of each item-level benefit, by campaign id; benefits of other kinds have none."""
    kinds = (ItemsOff, BuyXGetY, FreeItem)
    return {name: Lines(each, policy, deadline) for name, each in benefits.items() if isinstance(each, kinds)}

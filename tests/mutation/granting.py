"""What one payment may be granted, written a second time from the page on semantics and from nothing else."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, product
from typing import Any

from tests.mutation.baskets import off_bounds
from tests.mutation.constants import Constants, checked, constants_of

from makegood.domain.benefit import AmountOff, Benefit, PercentOff, RandomOff, Tiers
from makegood.domain.campaign import Campaign
from makegood.domain.limit import Subject
from makegood.rules.environment import Environment
from makegood.rules.evaluate import EvaluationError, compile_condition
from makegood.rules.expression import And, Expression

Fields = Mapping[str, Any]


def gross_bounds(benefit: Benefit, amount: int) -> tuple[int, int]:
    """The smallest and the largest discount that chance or a basket may give that amount, before any limit.

    What lies between is possible too; nothing, where no line matches, is not counted.
    """
    match benefit:
        case PercentOff(rate=rate, up_to=cap):
            off = min(amount * rate // 10_000, cap)
        case AmountOff(amount=off):
            pass
        case Tiers(tiers=tiers):
            off = max((tier.off for tier in tiers if tier.spend <= amount), default=0)
        case RandomOff(min=low, max=high):
            return low, high
        case _:
            return off_bounds(benefit, amount)
    return off, off


def ceiling(campaign: Campaign) -> int:
    """The largest discount that budget and limits let through, whatever was used before."""
    if any(limit.count_max == 0 for limit in campaign.limits):
        return 0
    return min([campaign.budget, *(limit.amount_max for limit in campaign.limits if limit.amount_max is not None)])


def discount_bounds(campaign: Campaign, amount: int) -> tuple[int, int] | None:
    """The smallest and largest discount that can be granted on that amount; None where none can."""
    low, high = gross_bounds(campaign.benefit, amount)
    low, high = max(low, 1), min(high, amount, ceiling(campaign))
    return (low, high) if low <= high else None


def may_combine(one: Campaign, other: Campaign) -> bool:
    """Whether both may be granted on one payment."""
    mine, theirs = one.stacking, other.stacking
    if mine.group == theirs.group:
        return False
    if mine.combines_with is None and theirs.combines_with is None:
        return True
    return theirs.group in (mine.combines_with or ()) and mine.group in (theirs.combines_with or ())


def sets_with(campaign: Campaign, live: Sequence[Campaign]) -> Iterator[tuple[Campaign, ...]]:
    """Every set that holds the campaign and may be granted together, the campaign first."""
    for count in range(len(live) + 1):
        for others in combinations(live, count):
            members = (campaign, *others)
            if all(may_combine(one, other) for one, other in combinations(members, 2)):
                yield members


def draws_of(bounds: Sequence[tuple[int, int]], amount: int, marks: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Discounts of the members of a set that together do not exceed the amount.

    Where a member is random: its ends and their neighbours, the marks, and what takes the total to a mark.
    """
    if all(low == high for low, high in bounds):
        if sum(low for low, _ in bounds) <= amount:
            yield tuple(low for low, _ in bounds)
        return
    seen: set[tuple[int, ...]] = set()
    alone = len(bounds) == 1
    choices = [{low, high, *((low + 1, high - 1, *marks) if alone else ())} for low, high in bounds]
    for base in product(*choices):
        for index, (low, high) in enumerate(bounds):
            rest = sum(base) - base[index]
            for value in {base[index], amount - rest, *(mark - rest for mark in marks)} if low < high else {low}:
                draw = (*base[:index], value, *base[index + 1 :])
                if draw not in seen and sum(draw) <= amount and all(
                    lowest <= off <= highest for off, (lowest, highest) in zip(draw, bounds, strict=True)
                ):  # fmt: skip
                    seen.add(draw)
                    yield draw


@dataclass(frozen=True, slots=True)
class Link:
    """One term of a condition, with the fields that it reads."""

    names: frozenset[str]
    holds: Callable[[Fields], bool]

    def passes(self, fields: Fields) -> bool:
        """Whether it is true; an error is not."""
        try:
            return self.holds(fields)
        except EvaluationError:
            return False


@dataclass(frozen=True, slots=True)
class Plan:
    """A campaign with its condition as links that must all be true: so a chain of `&&` is true without error."""

    campaign: Campaign
    links: tuple[Link, ...]
    constants: Constants
    expression: Expression

    def takes(self, fields: Fields) -> bool:
        """Whether the payment is a candidate: window, code, payer and device known, condition true."""
        return self.knows(fields) and all(link.passes(fields) for link in self.links)

    def knows(self, fields: Fields) -> bool:
        """The same without the condition."""
        campaign = self.campaign
        subjects = {limit.subject for limit in campaign.limits}
        return (
            campaign.window.opens <= fields["occurred_at"] < campaign.window.closes
            and (campaign.code is None or campaign.code in fields.get("codes", ()))
            and not (Subject.PAYER in subjects and "payer_id" not in fields)
            and not (Subject.DEVICE in subjects and "device_id" not in fields)
        )


def plan_of(campaign: Campaign, environment: Environment) -> Plan:
    """The plan of a campaign whose condition was checked before."""
    return Plan(campaign, *_condition(campaign.when, _Key(environment)))


class _Key:
    """An environment as a key: two of one schema object are one."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment

    def __hash__(self) -> int:
        return id(self.environment.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.environment.schema is self.environment.schema


@lru_cache(maxsize=2_000)
def _condition(text: str, key: _Key) -> tuple[tuple[Link, ...], Constants, Expression]:
    expression = checked(text, key.environment)
    terms = expression.terms if isinstance(expression, And) else (expression,)
    return tuple(map(_link, terms)), constants_of([expression]), expression


def _link(term: Expression) -> Link:
    return Link(frozenset(constants_of([term]).names), compile_condition(term))

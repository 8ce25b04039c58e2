"""Every set of campaigns that one payment may be granted, and the policy's rules over all of them.

Limits may leave any campaign out of any payment, so priorities and the best of a group do not matter: the sets that
pricing can grant are exactly those of distinct groups, pairwise combining, each campaign granted by itself, whose sum
is not above the amount. (Any such set is what steps 4 to 6 give when the limits of all others are used up; and those
steps give nothing else.) docs/algorithms/proof.md has the argument in full.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import z3

from makegood.domain.campaign import Campaign, Stacking
from makegood.domain.policy import FieldType, Policy
from makegood.proof.bounds import bounds_of
from makegood.proof.effort import Deadline
from makegood.proof.offer import Offer
from makegood.proof.texts import RuleText
from makegood.rules.expression import Expression
from makegood.rules.smt import SymbolicPayment
from makegood.rules.terms import Range, Term, necessary_terms


@dataclass(frozen=True, slots=True)
class Member:
    """A campaign that may be in the set. `chosen` says that it is: always so for the campaign in question."""

    offer: Offer
    chosen: Any


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Sets of members. `allowed` are the formulas that make a choice of members one that pricing can grant.

    `hints` follow from `allowed` and spare the solver a search; `doubt` is true where one of them would not follow.
    """

    members: tuple[Member, ...]
    total: Any
    allowed: tuple[Any, ...]
    hints: tuple[Any, ...] = ()
    doubt: Any = None


def alone(offer: Offer) -> Portfolio:
    """The set of one campaign."""
    return Portfolio((Member(offer, z3.BoolVal(True, offer.granted.ctx)),), offer.discount, (offer.granted,))


def together(
    offers: Sequence[Offer], conditions: Mapping[str, Expression], amount: Any, pinned: Offer | None = None
) -> Portfolio:
    """Every set of `offers`; with `pinned` every set that holds it, and only offers that may stand beside it."""
    context = amount.ctx
    members = [Member(offer, z3.Bool(f"chosen {offer.campaign.id}", context)) for offer in offers]
    groups: defaultdict[str, list[Member]] = defaultdict(list)
    for member in members:
        groups[member.offer.campaign.stacking.group].append(member)
    parts = {name: _part(name, inside, context) for name, inside in groups.items()}
    allowed = [z3.Implies(member.chosen, member.offer.granted) for member in members]
    allowed += [*_exclusions(members, groups), *(formula for _, formulas in parts.values() for formula in formulas)]
    sums = [part for part, _ in parts.values()]
    if pinned is not None:
        members.insert(0, alone(pinned).members[0])
        allowed.append(pinned.granted)
        sums.append(pinned.discount)
    total = z3.Sum(sums) if sums else z3.IntVal(0, context)
    hints = [
        bound.holds(amount, parts[name][0])
        for name, inside in groups.items()
        if len(inside) > 1  # Of one campaign alone they would say no more than its discount does.
        for bound in bounds_of([member.offer.campaign for member in inside], conditions)
    ]
    doubt = z3.Or([*(z3.Not(hint) for hint in hints), z3.BoolVal(False, context)])
    return Portfolio(tuple(members), total, (*allowed, total <= amount), tuple(hints), doubt)


def _part(name: str, members: Sequence[Member], context: Any) -> tuple[Any, tuple[Any, ...]]:
    """What a group adds to the total, minor units, as a number of its own, and what defines it."""
    part = z3.Int(f"part {name}", context)
    chosen = [z3.Implies(member.chosen, part == member.offer.discount) for member in members]
    none = z3.Implies(z3.Not(z3.Or([member.chosen for member in members])), part == 0)
    return part, (*chosen, none)


def _exclusions(members: Iterable[Member], groups: Mapping[str, Sequence[Member]]) -> Iterator[Any]:
    """At most one of a group, and none of two classes that do not combine. Members of a class stack alike."""
    classes: defaultdict[tuple[str, tuple[str, ...] | None], list[Member]] = defaultdict(list)
    for member in members:
        stacking = member.offer.campaign.stacking
        classes[stacking.group, stacking.combines_with].append(member)
    for inside in groups.values():
        yield from _at_most_one([member.chosen for member in inside])
    some = [(each[0].offer.campaign.stacking, z3.Or([m.chosen for m in each])) for each in classes.values()]
    for number, (stacking, any_of) in enumerate(some):
        for other, any_other in some[:number]:
            if stacking.group != other.group and not stacking.combines(other):
                yield z3.Not(z3.And(any_of, any_other))


def _at_most_one(chosen: Sequence[Any]) -> Iterator[Any]:
    """A ladder: linear in the number, and in the words of any solver."""
    before = chosen[0]
    for one in chosen[1:]:
        yield z3.Not(z3.And(one, before))
        before = z3.Or(before, one)


def violation(text: RuleText, portfolio: Portfolio, payment: SymbolicPayment, deadline: Deadline) -> Any:
    """The rule is broken, or cannot be evaluated, for a member of the set, with its discount, label and funders.

    Raises OutOfTime where there are more members than there is time.
    """
    broken: dict[Any, list[Any]] = {}
    for member in portfolio.members:
        for known in _readings(text, member):
            broken.setdefault(known, []).append(member)
    cases = []
    for (label, funder, _), members in broken.items():
        deadline.check()
        variables = {"total": portfolio.total, "discount": members[0].offer.discount, "label": label, "funder": funder}
        term = payment.encode(text.expression, variables)
        bad = z3.Or(term.error, term.value if text.rule.negated else z3.Not(term.value))
        cases.append(z3.And(z3.Or([member.chosen for member in members]), bad))
    return z3.Or(cases) if cases else z3.BoolVal(False, payment.context)


def _readings(text: RuleText, member: Member) -> Iterator[tuple[str, str, str]]:
    """What tells members apart for this rule: label, funder and discount, each only if the rule reads it."""
    campaign = member.offer.campaign
    for share in campaign.funding:
        yield (
            campaign.label if "label" in text.reads else "",
            share.funder if "funder" in text.reads else "",
            campaign.id if "discount" in text.reads else "",
        )
        if "funder" not in text.reads:
            return


def may_stand_beside(campaign: Campaign, others: Iterable[Campaign]) -> list[Campaign]:
    """The others that stacking and windows let one payment get together with the campaign."""
    return [
        other
        for other in others
        if other.stacking.group != campaign.stacking.group
        and campaign.stacking.combines(other.stacking)
        and max(campaign.window.opens, other.window.opens) < min(campaign.window.closes, other.window.closes)
    ]


def may_meet(
    campaign: Campaign, others: Iterable[Campaign], conditions: Mapping[str, Expression], policy: Policy
) -> list[Campaign]:
    """Those of `others` whose conditions do not exclude the campaign's, as far as can be seen without a solver."""
    ours = conditions[campaign.id]
    return [other for other in others if not _disjoint(ours, conditions[other.id], policy)]


def _disjoint(left: Expression, right: Expression, policy: Policy) -> bool:
    """Whether what the two conditions require of one field cannot both be."""
    terms = {term.field: term for term in necessary_terms(left) if isinstance(term, Term)}
    ranges = {term.field: term for term in necessary_terms(left) if isinstance(term, Range)}
    for term in necessary_terms(right):
        if isinstance(term, Term):
            if policy.schema.fields[term.field].type is FieldType.STRINGS or term.field not in terms:
                continue
            if not term.values & terms[term.field].values:
                return True
        elif term.field in ranges and _apart(term, ranges[term.field]):
            return True
    return False


def _apart(left: Range, right: Range) -> bool:
    return any(
        one.high is not None and two.low is not None and one.high < two.low
        for one, two in ((left, right), (right, left))
    )


def same_stacking(left: Stacking, right: Stacking) -> bool:
    """Whether two campaigns stack alike, whatever their priorities."""
    return (left.group, frozenset(left.combines_with or ()), left.combines_with is None) == (
        right.group, frozenset(right.combines_with or ()), right.combines_with is None
    )  # fmt: skip

"""From a campaign to an entry: the condition is compiled, and what it requires of a payment is drawn out of
it.
"""

from collections.abc import Iterable, Mapping
from math import prod
from typing import Any

from makegood.domain.benefit import AmountOff, Benefit, PercentOff, Tiers, discount_function
from makegood.domain.campaign import Campaign
from makegood.domain.limit import Subject
from makegood.domain.policy import FieldType, Policy
from makegood.engine.entry import Entry, Gross
from makegood.engine.lines import of_basket
from makegood.limits import INDEX_KEYS_MAX
from makegood.money import BASIS_POINTS
from makegood.rules.check import check_expression
from makegood.rules.environment import item_environment, payment_environment
from makegood.rules.evaluate import compile_condition
from makegood.rules.expression import And, Compare, Expression, Field, Has, In, Not, Or
from makegood.rules.terms import Range, Term, necessary_terms

_AMOUNT = "amount"
_INDEXED_TYPES = (FieldType.STRING, FieldType.BOOL, FieldType.INT)


class Compiler:
    """Makes entries for one policy."""

    def __init__(self, policy: Policy) -> None:
        self._schema = policy.schema
        self._shared = {label: policy.limits_on(label) for label in policy.labels}
        self._environment = payment_environment(policy.schema)
        self._line = item_environment(policy.schema.amount_max)

    def compile(self, campaign: Campaign, revision: str, *, stopped: bool, rank: int) -> Entry:
        """The entry of a campaign. Its condition was checked before, so one that does not check is a bug."""
        expression = check_expression(campaign.when, self._environment).expression
        assert expression is not None, f"{campaign.id}: its condition does not check"
        keys = narrowed(self._keys(necessary_terms(expression)))
        shared = self._shared[campaign.label]
        counted = {limit.subject for limit in (*campaign.limits, *(one.limit for one in shared))}
        return Entry(
            campaign=campaign,
            revision=revision,
            stopped=stopped,
            rank=rank,
            condition=compile_condition(expression),
            keys=keys,
            amount_low=_amount_low(necessary_terms(expression)),
            proven=all(_is_covered(link, keys) for link in _links(expression)),
            needs_payer=Subject.PAYER in counted,
            needs_device=Subject.DEVICE in counted,
            shared=shared,
            id=campaign.id,
            group=campaign.stacking.group,
            opens=int(campaign.window.opens),
            closes=int(campaign.window.closes),
            code=campaign.code,
            gross=_gross(campaign.benefit),
            basket=of_basket(campaign.benefit, self._line),
            turns=_turns(campaign.benefit),
        )

    def _keys(self, terms: Iterable[Term | Range]) -> dict[str, frozenset[Any]]:
        keys: dict[str, frozenset[Any]] = {}
        for term in terms:
            if isinstance(term, Term) and self._schema.fields[term.field].type in _INDEXED_TYPES:
                keys[term.field] = keys.get(term.field, term.values) & term.values
        return keys


def narrowed(keys: Mapping[str, frozenset[Any]]) -> Mapping[str, frozenset[Any]]:
    """The fields to index a campaign by: all, less the ones with most values while the combinations are too
    many.
    """
    names = sorted(keys, key=lambda name: (len(keys[name]), name))
    while prod(len(keys[name]) for name in names) > INDEX_KEYS_MAX:
        names.pop()
    return {name: keys[name] for name in sorted(names)}


def _amount_low(terms: Iterable[Term | Range]) -> int:
    lows = [term.low for term in terms if isinstance(term, Range) and term.field == _AMOUNT]
    return max((low for low in lows if low is not None), default=0)


def _gross(benefit: Benefit) -> Gross | None:
    return discount_function(benefit) if isinstance(benefit, PercentOff | AmountOff | Tiers) else None


def _turns(benefit: Benefit) -> tuple[int, ...]:
    match benefit:
        case PercentOff(rate=rate, up_to=up_to) if rate:
            return (-(-up_to * BASIS_POINTS // rate),)  # From here on it is at its cap.
        case Tiers(tiers=tiers):
            return tuple(tier.spend for tier in tiers)
    return ()


def _links(expression: Expression) -> Iterable[Expression]:
    return expression.terms if isinstance(expression, And) else (expression,)


def _is_covered(link: Expression, keys: Mapping[str, frozenset[Any]]) -> bool:
    """Whether a link of the chain is true for every payment that the index finds, so that nothing is left to
    ask.
    """
    match link:
        case Has(field=field):
            return field.name in keys  # It has one of the values, so it is there.
        case Field() | Not(operand=Field()) | In() | Compare():
            terms = necessary_terms(link)
            return len(terms) == 1 and _is_asked(terms[0], keys)
        case Or(terms=branches):  # `f == a || f == b`: a term of the whole is one of every branch.
            terms = necessary_terms(link)
            single = all(isinstance(branch, Field | In | Compare) for branch in branches)
            return single and len(terms) == 1 and _is_asked(terms[0], keys)
    return False


def _is_asked(term: Term | Range, keys: Mapping[str, frozenset[Any]]) -> bool:
    if isinstance(term, Term):
        return term.field in keys
    return term.field == _AMOUNT and term.high is None

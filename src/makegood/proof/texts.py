"""Conditions and rules as checked trees, and what else of text a question names."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from makegood.documents.policy import RULE_VARIABLES
from makegood.domain.brief import Brief
from makegood.domain.campaign import Campaign
from makegood.domain.policy import Field, PaymentSchema, Policy, Rule
from makegood.limits import PROOF_TEXT_KEPT_MAX
from makegood.rules.check import check_expression
from makegood.rules.environment import payment_environment
from makegood.rules.expression import Expression, Variable, walk


@dataclass(frozen=True, slots=True)
class RuleText:
    """A policy rule, its tree, and which of the rules' variables it reads."""

    rule: Rule
    expression: Expression
    reads: frozenset[str]


def conditions_of(campaigns: Iterable[Campaign], policy: Policy) -> Mapping[str, Expression]:
    """The trees of the campaigns' conditions by campaign id. They were checked before: one that does not is a bug."""
    shape = tuple(policy.schema.fields.values())
    found = {}
    for campaign in campaigns:
        known = _known if len(campaign.when) <= PROOF_TEXT_KEPT_MAX else _checked
        expression = known(campaign.when, shape, policy.currency)
        assert expression is not None, f"{campaign.id}: its condition does not check"
        assert campaign.id not in found, f"{campaign.id}: a campaign is live once"
        found[campaign.id] = expression
    return found


def _checked(text: str, shape: tuple[Field, ...], currency: str) -> Expression | None:
    """The tree of a condition over payments with these fields."""
    schema = PaymentSchema(currency, {each.name: each for each in shape})
    return check_expression(text, payment_environment(schema)).expression


# What is live is read again for every proof beside it, and a tree never changes.
_known = lru_cache(maxsize=1024)(_checked)


def rules_of(policy: Policy) -> Sequence[RuleText]:
    """The trees of the policy's rules, in its order."""
    environment = payment_environment(policy.schema, RULE_VARIABLES)
    found = []
    for rule in policy.rules:
        expression = check_expression(rule.expression, environment).expression
        assert expression is not None, f"{rule.id}: it does not check"
        reads = frozenset(node.name for node in walk(expression) if isinstance(node, Variable))
        found.append(RuleText(rule, expression, reads))
    return found


def texts_of(campaigns: Iterable[Campaign], brief: Brief | None = None) -> Mapping[str, tuple[str, ...]]:
    """Texts by payment field that questions name beside those in conditions: codes, and the brief's scenes."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for campaign in campaigns:
        if campaign.code is not None:
            found["codes"].append(campaign.code)
    if brief is not None:
        found["scene"].extend(brief.scenes)
    return {name: tuple(dict.fromkeys(texts)) for name, texts in found.items()}

"""What a machine of the rules cannot express in a document: findings with their places, before anything is proved."""

from collections.abc import Iterator
from dataclasses import replace

from makegood.documents.document import CampaignDocument, PolicyDocument
from makegood.documents.places import place_inside
from makegood.documents.policy import RULE_VARIABLES
from makegood.documents.source import Source
from makegood.domain.benefit import BuyXGetY, FreeItem, ItemsOff
from makegood.domain.payment import ItemSchema, item_schema
from makegood.domain.policy import PaymentSchema, Policy
from makegood.findings import Finding
from makegood.rules.check import check_expression
from makegood.rules.environment import Environment, item_environment, payment_environment


def beyond_campaign(document: CampaignDocument, source: Source | None, policy: Policy) -> list[Finding]:
    """What of a campaign's conditions cannot be proved."""
    campaign = document.campaign
    if campaign is None:
        return []
    found = list(_beyond(campaign.when, "/when", payment_environment(policy.schema), policy.schema, source))
    lines, amount_max = item_schema(policy.schema.amount_max), policy.schema.amount_max
    for path, where in _wheres(campaign.benefit):
        found += _beyond(where, path, item_environment(amount_max), lines, source)
    return [replace(each, file=document.file) for each in found]


def beyond_policy(document: PolicyDocument, source: Source | None) -> list[Finding]:
    """What of a policy's rules cannot be proved."""
    policy = document.policy
    if policy is None:
        return []
    environment = payment_environment(policy.schema, RULE_VARIABLES)
    found: list[Finding] = []
    for number, rule in enumerate(policy.rules):
        found += _beyond(rule.expression, f"/rules/{number}/{rule.word}", environment, policy.schema, source)
    return [replace(each, file=document.file) for each in found]


def _wheres(benefit: object) -> Iterator[tuple[str, str]]:
    match benefit:
        case ItemsOff(where=where):
            yield "/benefit/items/where", where
        case FreeItem(where=where):
            yield "/benefit/free_item/where", where
        case BuyXGetY(buy=buy, get=get):
            yield "/benefit/buy_x_get_y/buy/where", buy.where
            yield "/benefit/buy_x_get_y/get/where", get.where


def _beyond(
    text: str, path: str, environment: Environment, schema: PaymentSchema | ItemSchema, source: Source | None
) -> Iterator[Finding]:
    from makegood.rules.smt import inexpressible

    expression = check_expression(text, environment).expression
    for each in inexpressible(expression, schema) if expression is not None else ():
        line, column = place_inside(source, path, each.line, each.column) if source is not None else (1, 1)
        yield Finding(each.severity, each.code, each.message, path, None, line, column, each.hint)

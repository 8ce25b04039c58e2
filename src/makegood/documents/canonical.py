"""Canonical bytes: one spelling for each document, in the keys of its file, so that a hash can name it.

JSON with sorted keys, no blanks, UTF-8. Money has all its digits, rates no needless ones, instants are UTC, defaults
are written out. The reader reads the bytes back to an equal object with the same revision.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from makegood.documents.limits import PERIOD_KEYS, SUBJECT_KEYS
from makegood.documents.scalar import Kind
from makegood.documents.signature import Signature
from makegood.documents.source import Node
from makegood.documents.stages import BY_HAND
from makegood.domain.benefit import (
    AmountOff,
    Benefit,
    BuyXGetY,
    FreeItem,
    ItemsOff,
    PercentOff,
    RandomOff,
    Tiers,
    Units,
)
from makegood.domain.brief import Brief, Share, Window
from makegood.domain.campaign import Campaign
from makegood.domain.limit import Limit, Period, Subject
from makegood.domain.policy import CORE_FIELD_NAMES, Field, Policy, SharedLimit
from makegood.money import format_money, format_rate


def revision_of(canonical: bytes) -> str:
    """The name of a revision: `rev_` and the SHA-256 of its canonical bytes."""
    return "rev_" + hashlib.sha256(canonical).hexdigest()


def canonical_bytes(value: Mapping[str, Any]) -> bytes:
    """The one spelling of a JSON object."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def raw_bytes(root: Node) -> bytes:
    """The spelling of a document that could not be read: what it says, as it says it."""
    return json.dumps(_raw(root), ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()


def _raw(node: Node) -> Any:
    if node.kind is Kind.MAPPING:
        return {key: _raw(entry.value) for key, entry in node.entries().items()}
    return [_raw(one) for one in node.value] if node.kind is Kind.LIST else node.value


def canonical_policy(policy: Policy) -> bytes:
    """Canonical bytes of a policy."""
    c = policy.currency
    approvals = [
        {"approvers": tier.approvers} | ({} if tier.up_to is None else {"up_to": format_money(tier.up_to, c)})
        for tier in policy.approvals
    ]
    labels = {
        label.id: {"text": dict(label.text)} | ({} if label.owner is None else {"owner": label.owner})
        for label in policy.labels.values()
    }
    limits = [_shared_limit(one, c) for one in policy.limits]
    return canonical_bytes(
        {
            "makegood": "policy/1",
            "id": policy.id,
            "currency": c,
            "timezone": policy.timezone,
            "payment": _schema(policy),
            "peak": {"payments_per_second": policy.payments_per_second},
            "labels": labels,
            "funders": {funder.id: {"keys": list(funder.keys)} for funder in policy.funders.values()},
            "rules": [{"id": rule.id, rule.word: rule.expression} for rule in policy.rules],
            "stages": {
                "first_max": format_money(policy.stages.first_max, c),
                "growth_max": policy.stages.growth_max,
            },
            "worst": {
                "per_second": format_money(policy.worst.per_second, c),
                "total": format_money(policy.worst.total, c),
            },
            "approvals": approvals,
        }
        | ({"limits": limits} if limits else {})
    )


def _schema(policy: Policy) -> dict[str, Any]:
    schema, c = policy.schema, policy.currency
    payment: dict[str, Any] = {
        "amount": {"min": format_money(schema.amount_min, c), "max": format_money(schema.amount_max, c)},
        "items": {"max": schema.items_max},
        "attributes": {
            name: _attribute(field) for name, field in schema.fields.items() if name not in CORE_FIELD_NAMES
        },
    }
    for name in ("scene", "channel", "instrument"):
        listed = schema.fields[name].values
        if listed is not None:
            payment[name] = list(listed)
    return payment


def _attribute(field: Field) -> dict[str, Any]:
    names = ("min", "max", "max_length", "max_items")
    said: dict[str, Any] = {name: getattr(field, name) for name in names if getattr(field, name) is not None}
    said["type"] = field.type.value
    if field.values is not None:
        said["values"] = list(field.values)
    if field.optional:
        said["optional"] = True
    return said


def canonical_brief(brief: Brief, currency: str) -> bytes:
    """Canonical bytes of a brief."""
    caps = _caps(brief.per_payer.count, brief.per_payer.amount, currency)
    return canonical_bytes(
        {
            "makegood": "brief/1",
            "campaign": brief.campaign,
            "purpose": dict(brief.purpose),
            "label": brief.label,
            "funding": _funding(brief.funding),
            "window": _window(brief.window),
            "scenes": list(brief.scenes),
            "spend_min": format_money(brief.spend_min, currency),
            "discount_max": format_money(brief.discount_max, currency),
            "rate_max": format_rate(brief.rate_max),
            "budget": format_money(brief.budget, currency),
            "per_payer": caps,
            "stages": {"first_max": format_money(brief.stage_first_max, currency)},
            "expect": {
                "share_of_payments": format_rate(brief.expect.share_of_payments),
                "discount_mean": format_money(brief.expect.discount_mean, currency),
                "spend_per_minute": format_money(brief.expect.spend_per_minute, currency),
            },
        }
    )


def canonical_campaign(campaign: Campaign, currency: str) -> bytes:
    """Canonical bytes of a campaign; stages that its file left to the default are written out."""
    said: dict[str, Any] = {
        "makegood": "campaign/1",
        "id": campaign.id,
        "title": dict(campaign.title),
        "label": campaign.label,
        "funding": _funding(campaign.funding),
        "window": _window(campaign.window),
        "when": campaign.when,
        "benefit": _benefit(campaign.benefit, currency),
        "limits": _limits(campaign.budget, campaign.limits, currency),
        "stages": [format_money(stage, currency) for stage in campaign.stages],
        "stacking": {"group": campaign.stacking.group, "priority": campaign.stacking.priority},
    }
    if campaign.opens_by_hand:
        said["stages_open"] = BY_HAND
    if campaign.stacking.combines_with is not None:
        said["stacking"]["combines_with"] = list(campaign.stacking.combines_with)
    if campaign.code is not None:
        said["codes"] = {"single": campaign.code}
    return canonical_bytes(said)


def _funding(shares: Sequence[Share]) -> list[dict[str, str]]:
    return [{"funder": share.funder, "share": format_rate(share.basis_points)} for share in shares]


def _window(window: Window) -> dict[str, str]:
    return {"from": window.opens.text(), "until": window.closes.text()}


def _benefit(benefit: Benefit, currency: str) -> dict[str, Any]:
    match benefit:
        case PercentOff(rate=rate, up_to=up_to):
            return {"percent_off": {"rate": format_rate(rate), "up_to": format_money(up_to, currency)}}
        case AmountOff(amount=amount):
            return {"amount_off": {"amount": format_money(amount, currency)}}
        case Tiers(tiers=tiers):
            lines = [
                {"spend": format_money(tier.spend, currency), "off": format_money(tier.off, currency)} for tier in tiers
            ]
            return {"tiers": lines}
        case RandomOff(min=low, max=high):
            return {"random_off": {"min": format_money(low, currency), "max": format_money(high, currency)}}
        case ItemsOff(where=where, off=off):
            return {"items": {"where": where} | _benefit(off, currency)}
        case BuyXGetY(buy=buy, get=get, rate=rate, up_to=up_to):
            got = _units(get) | {"rate": format_rate(rate)}
            return {"buy_x_get_y": {"buy": _units(buy), "get": got, "up_to": format_money(up_to, currency)}}
        case FreeItem(where=where, up_to=up_to):
            return {"free_item": {"where": where, "up_to": format_money(up_to, currency)}}


def _units(units: Units) -> dict[str, Any]:
    return {"where": units.where, "count": units.count}


def _limits(budget: int, limits: Sequence[Limit], currency: str) -> dict[str, Any]:
    said: dict[str, Any] = {"budget": format_money(budget, currency)}
    for limit in limits:
        _say_limit(said, limit, currency)
    return said


def _shared_limit(shared: SharedLimit, currency: str) -> dict[str, Any]:
    said: dict[str, Any] = {"id": shared.id}
    if shared.labels is not None:
        said["labels"] = list(shared.labels)
    _say_limit(said, shared.limit, currency)
    return said


def _say_limit(said: dict[str, Any], limit: Limit, currency: str) -> None:
    """Add a limit to what `said` holds, under the keys of its subject and period."""
    subjects = {subject: key for key, subject in SUBJECT_KEYS.items()}
    periods = {period: key for key, period in PERIOD_KEYS.items()}
    where = said if limit.subject is Subject.ALL else said.setdefault(subjects[limit.subject], {})
    caps = _caps(limit.count_max, limit.amount_max, currency)
    if limit.period is Period.EVER:
        where.update(caps)
    else:
        where[periods[limit.period]] = caps


def _caps(count: int | None, amount: int | None, currency: str) -> dict[str, Any]:
    caps: dict[str, Any] = {} if count is None else {"count": count}
    return caps if amount is None else caps | {"amount": format_money(amount, currency)}


def canonical_signature(signature: Signature) -> bytes:
    """Canonical bytes of a signature."""
    return canonical_bytes(
        {
            "makegood": "signature/1",
            "document": signature.document,
            "signer": signature.signer,
            "key": signature.key,
            "signature": signature.signature,
        }
    )

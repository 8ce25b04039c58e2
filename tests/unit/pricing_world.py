"""A small house for tests: its schema, policy, payments and campaigns, each with defaults that a test
overrides.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from makegood.clock import Instant
from makegood.domain.benefit import AmountOff, Benefit
from makegood.domain.brief import Share, Window
from makegood.domain.campaign import Campaign, Stacking
from makegood.domain.limit import Limit
from makegood.domain.payment import Payment, parse_payment
from makegood.domain.policy import (
    CORE_FIELDS,
    ApprovalTier,
    Field,
    FieldType,
    Funder,
    Label,
    PaymentSchema,
    Policy,
    SharedLimit,
    StageBounds,
    WorstBounds,
)
from makegood.engine.snapshot import Live, Snapshot, build_snapshot

NOON = Instant.parse("2027-02-03T12:00:00+08:00")
OPENS = Instant.parse("2027-02-01T00:00:00+08:00")
CLOSES = Instant.parse("2027-02-15T00:00:00+08:00")
REVISION = "rev_" + "0" * 64

_CORE = {field.name: field for field in CORE_FIELDS}
_ATTRIBUTES = (
    Field("city", FieldType.STRING, max_length=64),
    Field("items_count", FieldType.INT, min=0, max=10_000),
    Field("payer_is_new", FieldType.BOOL),
    Field("payer_segments", FieldType.STRINGS, max_items=20, max_length=32, optional=True),
    Field("store_type", FieldType.STRING, values=("chain", "independent"), optional=True),
    Field("member_since", FieldType.TIMESTAMP, optional=True),
)
SCHEMA = PaymentSchema(
    "CNY",
    {
        **_CORE,
        "amount": replace(_CORE["amount"], min=1, max=50_000_000),
        "currency": replace(_CORE["currency"], values=("CNY",)),
        "scene": replace(_CORE["scene"], values=("in_store_qr", "online", "transfer")),
        "channel": replace(_CORE["channel"], values=("app", "mini_program", "web")),
        **{field.name: field for field in _ATTRIBUTES},
    },
)
POLICY = Policy(
    "house", "CNY", "Asia/Shanghai", SCHEMA, 1000,
    {"merchant_coupon": Label("merchant_coupon", {"zh-CN": "商家优惠", "en": "Merchant discount"})},
    {"platform": Funder("platform")}, (),
    StageBounds(100_000, 10), WorstBounds(10_000_000, 1_000_000_000), (ApprovalTier(None, 1),),
)  # fmt: skip


def raw_payment(**changes: Any) -> dict[str, Any]:
    """A payment of 120.00 in a shop in Hangzhou, as JSON; a change to None leaves the field out."""
    raw = {
        "payment_id": "p-1",
        "occurred_at": NOON.text(),
        "payer_id": "payer-1",
        "payee_id": "shop-1",
        "amount": 12_000,
        "currency": "CNY",
        "scene": "in_store_qr",
        "channel": "app",
        "instrument": "balance",
        "city": "Hangzhou",
        "items_count": 2,
        "payer_is_new": False,
    } | changes
    return {name: value for name, value in raw.items() if value is not None}


def payment(**changes: Any) -> Payment:
    """The same, parsed."""
    return parse_payment(raw_payment(**changes), SCHEMA)


def campaign(
    identity: str = "spring",
    *,
    when: str = "payment.amount > 0",
    benefit: Benefit = AmountOff(500),  # noqa: B008 - immutable
    budget: int = 100_000_000,
    limits: tuple[Limit, ...] = (),
    group: str = "instant_discount",
    priority: int = 100,
    combines_with: tuple[str, ...] | None = None,
    window: tuple[Instant, Instant] = (OPENS, CLOSES),
    code: str | None = None,
) -> Campaign:
    """A campaign that takes 5.00 off everything, unless told otherwise."""
    return Campaign(
        identity, {"en": identity}, "merchant_coupon", (Share("platform", 10_000),), Window(*window), when, benefit,
        budget, limits, (budget,), Stacking(group, priority, combines_with), code,
    )  # fmt: skip


def snapshot(*campaigns: Campaign, stopped: Iterable[str] = (), policy: Policy = POLICY) -> Snapshot:
    """The snapshot of these campaigns."""
    live = [Live(one, f"rev_{one.id}", one.id in set(stopped)) for one in campaigns]
    return build_snapshot(policy, live, policy_revision=REVISION, secret=b"house secret")


def policy_with(*limits: SharedLimit) -> Policy:
    """The policy with limits across campaigns."""
    return replace(POLICY, limits=limits)

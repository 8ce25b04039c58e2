"""What the line `quote_http` prices: a test house with one campaign that grants and others that do not fit."""

from collections.abc import Sequence

from makegood.bench.quote_http_payments import GRANTED_CITY
from makegood.documents.source import Source
from makegood.domain.review import Guard, Scope
from makegood.services.access import Caller, authenticate, create_house, create_key
from makegood.services.campaigns import approve, publish
from makegood.services.platform import Platform

HOUSE = "bench"
OTHERS = 9

_SCOPES = {"author": Scope.AUTHOR, "brief": Scope.BRIEF, "risk": Scope.APPROVE, "finance": Scope.APPROVE}
_POLICY = """
makegood: policy/1
id: house
currency: CNY
timezone: Asia/Shanghai
payment:
  amount: {min: "0.01 CNY", max: "500000.00 CNY"}
  scene: [in_store_qr, online]
  channel: [app, web]
  attributes:
    city: {type: string, max_length: 64}
    items_count: {type: int, min: 0, max: 10000}
    payer_is_new: {type: bool}
    payer_segments: {type: list(string), max_items: 20, max_length: 32}
peak: {payments_per_second: 10000}
labels:
  merchant_coupon: {text: {zh-CN: 商家优惠, en: Merchant discount}}
funders:
  platform: {keys: []}
rules: []
stages: {first_max: "1000000000.00 CNY", growth_max: 10}
worst: {per_second: "100000000.00 CNY", total: "100000000000.00 CNY"}
approvals:
  - {approvers: 1}
"""
_SHARED = """label: merchant_coupon
funding: [{{funder: platform, share: "100%"}}]
window: {{from: "2027-02-01T00:00:00+08:00", until: "2027-02-15T00:00:00+08:00"}}
"""
_BRIEF = """makegood: brief/1
campaign: {name}
purpose: {{zh-CN: 测速, en: bench}}
{shared}scenes: [in_store_qr]
spend_min: "100.00 CNY"
discount_max: "20.00 CNY"
rate_max: "20%"
budget: "1000000000.00 CNY"
per_payer: {{count: 3, amount: "100.00 CNY"}}
stages: {{first_max: "1000000000.00 CNY"}}
expect: {{share_of_payments: "100%", discount_mean: "20.00 CNY", spend_per_minute: "10000000.00 CNY"}}
"""
_CAMPAIGN = """makegood: campaign/1
id: {name}
title: {{zh-CN: 测速, en: bench}}
{shared}when: 'payment.scene == "in_store_qr" && payment.amount >= 10000 && payment.city == "{city}"'
benefit: {{percent_off: {{rate: "20%", up_to: "20.00 CNY"}}}}
limits:
  budget: "1000000000.00 CNY"
  per_payer: {{count: 3, amount: "100.00 CNY", per_day: {{count: 1}}}}
stages: ["1000000000.00 CNY"]
stacking: {{group: instant_discount, priority: 100}}
"""


async def open_bench_house(
    platform: Platform, name: str = HOUSE, *, others: int = OTHERS, left_out: Sequence[Guard] = (Guard.PROOF,)
) -> str:
    """A test house with its campaigns running, made without some guards. The key of its checkout."""
    await create_house(platform, name, live=False, guards_left_out=left_out)
    people = {who: await _caller(platform, name, who, scope) for who, scope in _SCOPES.items()}
    for one in await publish(platform, people["risk"], [Source("policy", _POLICY.encode())]):
        await approve(platform, people["finance"], one.revision)
    for number in range(others + 1):
        city = GRANTED_CITY if number == 0 else f"City {number}"
        named = {"name": f"campaign-{number}", "city": city, "shared": _SHARED.format()}
        await publish(platform, people["brief"], [Source("brief", _BRIEF.format(**named).encode())])
        for one in await publish(platform, people["author"], [Source("campaign", _CAMPAIGN.format(**named).encode())]):
            await approve(platform, people["finance"], one.revision)
    return (await create_key(platform, name, "checkout", [Scope.QUOTE])).key


async def _caller(platform: Platform, house: str, who: str, scope: Scope) -> Caller:
    return await authenticate(platform, (await create_key(platform, house, who, [scope])).key)

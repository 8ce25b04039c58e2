"""What the house under attack offers: three campaigns with little money, and what each grants, worked out by hand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

Payment = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Offer:
    """A campaign. Money in minor units; None where it has no such limit."""

    id: str
    budget: int
    per_payer_count: int
    per_payer_amount: int | None
    per_day_amount: int | None
    benefit: str
    group: str
    when: str
    off: Callable[[Payment], int]

    def documents(self, now: datetime) -> tuple[str, str]:
        """The brief and the campaign as files, in a window around `now`."""
        window = _window(now)
        per_payer = f"{{count: {self.per_payer_count}{_amount(', amount', self.per_payer_amount)}}}"
        brief = f"""\
makegood: brief/1
campaign: {self.id}
purpose: {{zh-CN: 故障试验, en: Money to be fought over}}
label: merchant_coupon
{_FUNDING}
{window}
scenes: [in_store_qr, online]
spend_min: "10.00 CNY"
discount_max: "50.00 CNY"
rate_max: "30%"
budget: {money(self.budget)}
per_payer: {per_payer}
stages: {{first_max: {money(self.budget)}}}
expect: {{share_of_payments: "100%", discount_mean: "50.00 CNY", spend_per_minute: {money(self.budget)}}}
"""
        campaign = f"""\
makegood: campaign/1
id: {self.id}
title: {{zh-CN: 故障试验, en: Money to be fought over}}
label: merchant_coupon
{_FUNDING}
{window}
when: '{self.when}'
benefit: {{{self.benefit}}}
limits:
  budget: {money(self.budget)}
  per_payer: {per_payer}
{_amount("  per_day", self.per_day_amount)}
stages: [{money(self.budget)}]
stacking: {{group: {self.group}, priority: 10}}
"""
        return brief, campaign


_FUNDING = 'funding: [{funder: platform, share: "70%"}, {funder: merchant-lin, share: "30%"}]'

POLICY = """\
makegood: policy/1
id: house
currency: CNY
timezone: UTC
payment:
  amount: {min: "0.01 CNY", max: "1000.00 CNY"}
  scene: [in_store_qr, online]
  channel: [app]
peak: {payments_per_second: 1000}
labels:
  merchant_coupon: {text: {zh-CN: 商家优惠, en: Merchant discount}}
funders:
  platform: {keys: []}
  merchant-lin: {keys: []}
rules:
  - {id: half-at-most, always: 'total * 2 <= payment.amount'}
stages: {first_max: "100000.00 CNY", growth_max: 10}
worst: {per_second: "1000000.00 CNY", total: "10000000.00 CNY"}
approvals:
  - {approvers: 1}
limits:
  - {id: payer-gifts, per_payer: {count: 4}}
  - {id: payer-day, per_payer: {per_day: "92.00 CNY"}}
"""
SHARED_PER_PAYER_COUNT = 4  # What payers may get of all campaigns together.
SHARED_PER_PAYER_DAY_AMOUNT = 9_200


def money(minor: int) -> str:
    """Money as a file says it."""
    return f'"{minor // 100}.{minor % 100:02} CNY"'


def _amount(name: str, minor: int | None) -> str:
    return "" if minor is None else f"{name}: {money(minor)}"


def _window(now: datetime) -> str:
    opens, closes = now - timedelta(days=1), now + timedelta(days=30)
    return f'window: {{from: "{opens:%Y-%m-%dT00:00:00Z}", until: "{closes:%Y-%m-%dT00:00:00Z}"}}'


def _share(payment: Payment) -> int:
    if payment["scene"] != "in_store_qr" or payment["amount"] < 10_000:
        return 0
    return int(min(payment["amount"] * 20 // 100, 5_000))


def _gift(payment: Payment) -> int:
    return 500 if payment["scene"] == "in_store_qr" and payment["amount"] >= 5_000 else 0


def _hot(payment: Payment) -> int:
    return 300 if payment["scene"] == "online" and payment["amount"] >= 1_000 else 0


# One where payers race for their own right, one that stacks on it with a day's limit, one whose budget everybody wants.
OFFERS: tuple[Offer, ...] = (
    Offer(
        "fair-share", 1_000_000, 2, 9_000, None,
        'percent_off: {rate: "20%", up_to: "50.00 CNY"}', "shares",
        'payment.scene == "in_store_qr" && payment.amount >= 10000', _share,
    ),
    Offer(
        "small-gift", 500_000, 3, None, 60_000,
        'amount_off: {amount: "5.00 CNY"}', "gifts",
        'payment.scene == "in_store_qr" && payment.amount >= 5000', _gift,
    ),
    Offer(
        "hot-budget", 30_000, 100_000, None, None,
        'amount_off: {amount: "3.00 CNY"}', "hot",
        'payment.scene == "online" && payment.amount >= 1000', _hot,
    ),
)  # fmt: skip
BY_ID: Mapping[str, Offer] = {offer.id: offer for offer in OFFERS}

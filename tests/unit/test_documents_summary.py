"""The generated sentence, word for word."""

from pathlib import Path

import pytest

from makegood.clock import Instant
from makegood.documents.audience import audience_words
from makegood.documents.read import read_documents
from makegood.documents.source import Source
from makegood.documents.summary import summarise
from makegood.domain.policy import Policy

EXAMPLES = Path(__file__).parents[2] / "examples"
NOW = Instant.parse("2027-01-15T00:00:00Z")
POLICY_TEXT = (EXAMPLES / "policy.yaml").read_text("utf-8")


def policy() -> Policy:
    found = read_documents([Source("p", POLICY_TEXT.encode())], now=NOW).policies[0].policy
    assert found is not None
    return found


def summary(name: str, old: str = "", new: str = "") -> dict[str, str]:
    text = (EXAMPLES / name).read_text("utf-8")
    assert old in text
    sources = [
        Source("p", POLICY_TEXT.encode()),
        Source("c", text.replace(old, new).encode() if old else text.encode()),
    ]
    campaign = read_documents(sources, now=NOW).campaigns[0].campaign
    assert campaign is not None
    return summarise(campaign, policy())


def test_the_spring_campaign_in_one_english_sentence() -> None:
    assert summary("campaign-spring.yaml", '  per_day: "100000.00 CNY"\n')["en"] == (
        "20% off, at most 50.00 CNY, for in-store QR payments of at least 100.00 CNY in Hangzhou,"
        " from 1 Feb 2027 00:00 until 15 Feb 2027 00:00 (Asia/Shanghai);"
        " each payer 3 times and 100.00 CNY, once a day;"
        " budget 1,000,000.00 CNY, 1,000.00 CNY open first;"
        " paid 70% by platform, 30% by merchant-lin; shown as “Merchant discount”."
    )


def test_the_spring_campaign_in_one_chinese_sentence() -> None:
    assert summary("campaign-spring.yaml")["zh-CN"] == (
        "在Hangzhou到店扫码支付满100.00元，立减20%，最高50.00元；"
        "2027年2月1日00:00至2027年2月15日00:00（Asia/Shanghai）；"
        "全部合计限每天100,000.00元；每位付款方限3次、共100.00元、每天1次；"
        "预算1,000,000.00元，首期放量1,000.00元；由platform承担70%、merchant-lin承担30%；"
        "向付款方显示为“商家优惠”。"
    )


@pytest.mark.parametrize(
    ("name", "english", "chinese"),
    [
        ("coffee", "5.00 CNY off, for", "，立减5.00元；"),
        ("tiers", "10.00 CNY off from 100.00 CNY, 30.00 CNY off from 200.00 CNY", "满100.00元减10.00元，满200.00元减"),
        ("lucky", "A random 0.10 CNY to 8.80 CNY off, for", "，随机立减0.10元至8.80元；"),
        (
            "coffee-items",
            "50% off items with category coffee, at most 15.00 CNY, for in-store QR payments",
            "，类别为coffee的商品立减50%，最高15.00元；",
        ),
        (
            "latte",
            "For every 2 items with SKU latte, 1 more free, the cheapest first, at most 30.00 CNY, for",
            "，每买2件SKU为latte的商品，另1件免费（低价优先），最高30.00元；",
        ),
    ],
)
def test_every_benefit_has_its_words(name: str, english: str, chinese: str) -> None:
    said = summary(f"campaign-{name}.yaml")
    assert english in said["en"] and chinese in said["zh-CN"]


def test_a_code_and_limits_of_devices_and_payees_are_said() -> None:
    said = summary("campaign-coffee.yaml")
    assert "with the code COFFEE5" in said["en"] and "使用优惠码COFFEE5" in said["zh-CN"]
    assert "each device twice a day; each payee 500.00 CNY a day" in said["en"]
    assert "每台设备限每天2次；每个收款方限每天500.00元" in said["zh-CN"]


def test_what_payers_see_is_the_label_and_not_the_title() -> None:
    said = summary("campaign-16-january.yaml", "zh-CN: 政府补贴, en: Government subsidy", "zh-CN: 测试, en: A test")
    assert "shown as “Government subsidy”" in said["en"] and "显示为“政府补贴”" in said["zh-CN"]
    assert "A test" not in said["en"]


AUDIENCES = [
    ("true", "for every payment", "所有支付"),
    ('payment.scene in ["online", "bill"]', "for online payments and bill payments", "线上支付或生活缴费"),
    ('payment.scene == "online" || "bill" == payment.scene', "for online payments and bill payments",
     "线上支付或生活缴费"),
    ("payment.amount > 99 && 500 >= payment.amount", "for payments of at least 1.00 CNY and at most 5.00 CNY",
     "支付满1.00元且不超过5.00元"),
    ("payment.amount < 500", "for payments of at most 4.99 CNY", "支付不超过4.99元"),
    ("payment.payer_is_new", "for payments by new payers", "新付款方支付"),
    ("!payment.payer_is_new", "for payments by payers who are not new", "非新付款方支付"),
    ('has(payment.store_type) && payment.store_type == "chain"', "for payments with store type chain",
     "门店类型为chain的支付"),
    ('payment.channel != "web" && payment.items_count > 3',
     "for payments with channel not web and number of items > 3", "渠道不为web、商品件数>3的支付"),
    ('payment.city in ["Hangzhou", "Ningbo"]', "for payments in Hangzhou or Ningbo", "在Hangzhou或Ningbo支付"),
    ('payment.scene == "in_store_qr" && payment.scene == "online"',
     "for in-store QR payments with `scene` online", "`scene`为online的到店扫码支付"),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "english", "chinese"), AUDIENCES)
def test_a_common_condition_is_put_into_words(condition: str, english: str, chinese: str) -> None:
    assert audience_words(condition, policy(), "en") == english
    assert audience_words(condition, policy(), "zh-CN") == chinese


@pytest.mark.parametrize(
    "condition",
    [
        "payment.amount % 2 == 0 && payment.payer_is_new",
        "payment.amount >= 100 || payment.payer_is_new",
        "payment.amount >= -5",
        "has(payment.store_type)",
        'payment.city == "Hangzhou, for every payment;"',
        'payment.city.startsWith("H")',
        "payment.amount == 500",
        'payment.occurred_at > timestamp("2027-01-01T00:00:00Z")',
        'payment.city > "H"',
        '!(payment.scene == "online" || payment.city == "Hangzhou")',
    ],
)
def test_a_condition_that_is_not_wholly_understood_is_quoted_whole(condition: str) -> None:
    assert audience_words(condition, policy(), "en") == f"for payments where `{condition}`"
    assert audience_words(condition, policy(), "zh-CN") == f"满足条件`{condition}`的支付"


def test_a_window_is_said_in_the_zone_of_the_policy() -> None:
    said = summary("campaign-spring.yaml", "2027-02-15T00:00:00+08:00", "2027-02-15T12:30:15Z")
    assert "until 15 Feb 2027 20:30:15 (Asia/Shanghai)" in said["en"]

"""Item-level benefits in documents: how they are read, and what is found wrong in them and where."""

from pathlib import Path

import pytest

from makegood.clock import Instant
from makegood.documents.document import CampaignDocument
from makegood.documents.read import read_documents
from makegood.documents.source import Source, source_lines
from makegood.documents.summary import benefit_words
from makegood.documents.worst import Worst, worst_loss
from makegood.domain.benefit import AmountOff, Benefit, BuyXGetY, FreeItem, ItemsOff, PercentOff, Units
from makegood.findings import Severity

EXAMPLES = Path(__file__).parents[2] / "examples"
NOW = Instant.parse("2027-01-15T00:00:00Z")
POLICY = Source("policy.yaml", (EXAMPLES / "policy.yaml").read_bytes())
HOUSE = read_documents([POLICY], now=NOW).policies[0]
SPRING = (EXAMPLES / "campaign-spring.yaml").read_text("utf-8")
PERCENT = '{percent_off: {rate: "20%", up_to: "50.00 CNY"}}'
HALF = 'percent_off: {rate: "50%", up_to: "15.00 CNY"}'
CAP = 'up_to: "30.00 CNY"'
LATTE = "'item.sku == \"latte\"'"


def text_with(benefit: str) -> str:
    assert PERCENT in SPRING
    return SPRING.replace(PERCENT, benefit)


def read(text: str) -> CampaignDocument:
    return read_documents([Source("c.yaml", text.encode())], now=NOW, policy=HOUSE).campaigns[0]


def deal(buy: str = f"{{where: {LATTE}, count: 2}}", get: str = f'{{where: {LATTE}, count: 1, rate: "100%"}}') -> str:
    return f"{{buy_x_get_y: {{buy: {buy}, get: {get}, {CAP}}}}}"


READ: list[tuple[str, Benefit]] = [
    (f"{{items: {{where: {LATTE}, {HALF}}}}}", ItemsOff('item.sku == "latte"', PercentOff(5000, 1500))),
    ("{items: {where: item.quantity > 1, amount_off: {amount: \"5.00 CNY\"}}}",
     ItemsOff("item.quantity > 1", AmountOff(500))),
    (deal(), BuyXGetY(Units('item.sku == "latte"', 2), Units('item.sku == "latte"', 1), 10_000, 3000)),
    (f"{{free_item: {{where: {LATTE}, {CAP}}}}}", FreeItem('item.sku == "latte"', 3000)),
]  # fmt: skip


@pytest.mark.parametrize(("benefit", "meaning"), READ)
def test_an_item_level_benefit_is_read_and_has_nothing_to_find(benefit: str, meaning: Benefit) -> None:
    document = read(text_with(benefit))
    assert document.findings == ()
    assert document.campaign is not None and document.campaign.benefit == meaning


@pytest.mark.parametrize("name", ["coffee-items", "latte"])
def test_the_item_level_examples_have_nothing_to_find(name: str) -> None:
    sources = [Source(file, (EXAMPLES / file).read_bytes()) for file in (f"campaign-{name}.yaml", f"brief-{name}.yaml")]
    bundle = read_documents([POLICY, *sources], now=NOW)
    assert bundle.findings == ()
    assert bundle.campaigns[0].campaign is not None and bundle.briefs[0].brief is not None
    assert bundle.briefs[0].id == bundle.campaigns[0].id


# benefit, code, JSON Pointer, what the excerpt begins with, part of the hint
WRONG = [
    (f"{{items: {{{HALF}}}}}", "key_is_missing", "/benefit/items/where", "{perc", None),
    ("{items: {where: 'true'}}", "key_is_missing", "/benefit/items", "{where", None),
    (f'{{items: {{where: {LATTE}, {HALF}, amount_off: {{amount: "1.00 CNY"}}}}}}', "value_is_wrong",
     "/benefit/items", "{where", None),
    (f"{{items: {{where: {LATTE}, percent_off: {{rate: \"50%\"}}}}}}", "cap_is_missing",
     "/benefit/items/percent_off/up_to", "{rate", "up_to:"),
    (f"{{items: {{where: '', {HALF}}}}}", "condition_is_empty", "/benefit/items/where", "''", "true"),
    (f"{{items: {{where: 'item.skuu == \"a\"', {HALF}}}}}", "expression_has_a_type_error", "/benefit/items/where",
     "skuu", "`sku`"),
    (f"{{items: {{where: 'payment.amount > 1', {HALF}}}}}", "expression_has_a_type_error", "/benefit/items/where",
     "payment.amount", "`when`"),
    (f"{{items: {{where: 'item.amount', {HALF}}}}}", "expression_has_a_type_error", "/benefit/items/where", "item.am",
     None),
    (f"{{items: {{where: 'item == item', {HALF}}}}}", "expression_is_unsupported", "/benefit/items/where", "item",
     "fields"),
    (deal(buy="{where: 'true', count: 0}"), "value_is_wrong", "/benefit/buy_x_get_y/buy/count", "0", None),
    (deal(buy="{where: 'true', count: 1001}"), "value_is_wrong", "/benefit/buy_x_get_y/buy/count", "1001", None),
    (deal(buy=f"{{where: {LATTE}, cuont: 1, count: 1}}"), "key_is_unknown", "/benefit/buy_x_get_y/buy/cuont", "cuont",
     "`count`"),
    (deal(get=f"{{where: {LATTE}, count: 1, rate: 50}}"), "rate_is_bare", "/benefit/buy_x_get_y/get/rate", "50",
     '"50%"'),
    (deal(get=f"{{where: {LATTE}, count: 1}}"), "key_is_missing", "/benefit/buy_x_get_y/get/rate", "{where", None),
    (deal(get="latte"), "type_is_wrong", "/benefit/buy_x_get_y/get", "latte", None),
    (f"{{buy_x_get_y: {{buy: {{where: {LATTE}, count: 2}}, {CAP}}}}}", "key_is_missing", "/benefit/buy_x_get_y/get",
     "{buy", None),
    (deal().replace(f", {CAP}", ""), "cap_is_missing", "/benefit/buy_x_get_y/up_to", "{buy", "up_to:"),
    ("{free_item: {where: 'item.sku == \"a\"'}}", "cap_is_missing", "/benefit/free_item/up_to", "{where", "up_to:"),
    (f"{{free_item: {{sku: latte, where: {LATTE}, {CAP}}}}}", "key_is_unknown", "/benefit/free_item/sku", "sku", None),
    ("{free_item: latte}", "type_is_wrong", "/benefit/free_item", "latte", None),
    ("{free_items: {}}", "key_is_unknown", "/benefit/free_items", "free_items", "`free_item`"),
]  # fmt: skip


@pytest.mark.parametrize(("benefit", "code", "path", "excerpt", "hint"), WRONG)
def test_a_mistake_in_an_item_level_benefit_is_found_in_its_place(
    benefit: str, code: str, path: str, excerpt: str, hint: str | None
) -> None:
    text = text_with(benefit)
    document = read(text)
    found = next(one for one in document.findings if one.severity is Severity.ERROR)
    assert (found.code, found.path) == (code, path)
    assert found.line is not None and found.column is not None
    assert source_lines(text)[found.line - 1][found.column - 1 :].startswith(excerpt)
    assert hint is None or hint in (found.hint or "")
    assert document.campaign is None


def test_reading_a_category_without_a_guard_is_a_warning_in_its_place() -> None:
    text = text_with(f'{{items: {{where: \'item.sku != "a" && item.category == "coffee"\', {HALF}}}}}')
    document = read(text)
    (found,) = document.findings
    assert (found.severity, found.code) == (Severity.WARNING, "optional_is_unguarded")
    assert found.line is not None and found.column is not None
    assert source_lines(text)[found.line - 1][found.column - 1 :].startswith("item.category ==")
    assert "does not match" in found.message and "has(item.category)" in (found.hint or "")
    assert document.campaign is not None


def test_every_line_is_a_warning() -> None:
    document = read(text_with(f"{{items: {{where: 'true', {HALF}}}}}"))
    assert [(one.severity, one.code, one.path) for one in document.findings] == [
        ("warning", "condition_is_everyone", "/benefit/items/where")
    ]


@pytest.mark.parametrize(
    "benefit",
    [
        f'{{items: {{where: {LATTE}, percent_off: {{rate: "0%", up_to: "1.00 CNY"}}}}}}',
        f'{{items: {{where: {LATTE}, amount_off: {{amount: "0.00 CNY"}}}}}}',
        deal().replace("30.00", "0.00"),
        f'{{free_item: {{where: {LATTE}, up_to: "0.00 CNY"}}}}',
    ],
)
def test_an_item_level_benefit_that_takes_nothing_off_is_a_warning(benefit: str) -> None:
    assert [(one.severity, one.message) for one in read(text_with(benefit)).findings] == [
        ("warning", "takes nothing off any payment")
    ]


def test_the_worst_payment_of_an_item_level_benefit_is_its_cap() -> None:
    document = read((EXAMPLES / "campaign-latte.yaml").read_text("utf-8"))
    assert document.campaign is not None and HOUSE.policy is not None
    assert worst_loss(document.campaign, HOUSE.policy) == Worst(3000, 3_000_000, 5_000_000)


WORDS: list[tuple[Benefit, str, str]] = [
    (FreeItem("true", 2000), "the cheapest item free, at most 20.00 CNY", "任意商品中最便宜的一件免费，最高20.00元"),
    (FreeItem('item.sku in ["a", "b"]', 2000), "the cheapest item with SKU a or b free, at most 20.00 CNY",
     "SKU为a或b的商品中最便宜的一件免费，最高20.00元"),
    (ItemsOff('!(item.sku == "a")', AmountOff(500)), "5.00 CNY off items with SKU not a", "SKU不为a的商品立减5.00元"),
    (ItemsOff("item.amount  >\n 3", AmountOff(500)), "5.00 CNY off items where `item.amount > 3`",
     "满足条件`item.amount > 3`的商品立减5.00元"),
    (BuyXGetY(Units('item.sku == "latte"', 1), Units('item.sku == "cake"', 2), 5000, 3000),
     "for every 1 item with SKU latte, 2 items with SKU cake at 50% off, the cheapest first, at most 30.00 CNY",
     "每买1件SKU为latte的商品，另2件SKU为cake的商品立减50%（低价优先），最高30.00元"),
]  # fmt: skip


@pytest.mark.parametrize(("benefit", "english", "chinese"), WORDS)
def test_an_item_level_benefit_is_put_into_words(benefit: Benefit, english: str, chinese: str) -> None:
    assert benefit_words(benefit, "CNY", "en") == english
    assert benefit_words(benefit, "CNY", "zh-CN") == chinese

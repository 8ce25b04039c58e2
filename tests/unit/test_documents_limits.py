"""Limits across campaigns in a policy: how they are written, what is wrong with them, and what people read of them."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import makegood.documents
from makegood.clock import Instant
from makegood.documents.document import PolicyDocument
from makegood.documents.read import read_documents
from makegood.documents.source import Source
from makegood.documents.summary import summarise
from makegood.domain.limit import Limit, Period, Subject
from makegood.domain.policy import SharedLimit
from makegood.findings import FindingCode

EXAMPLES = Path(__file__).parents[2] / "examples"
SCHEMA = Path(makegood.documents.__file__).parent / "schemas" / "policy.json"
NOW = Instant.parse("2027-01-15T00:00:00Z")
POLICY = (EXAMPLES / "policy.yaml").read_text("utf-8")
VALIDATOR = Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))


def document(limits: str) -> PolicyDocument:
    """The example policy with these lines under `limits:`."""
    text = f"{POLICY}limits:\n{limits}"
    return read_documents([Source("policy.yaml", text.encode())], now=NOW).policies[0]


def limits_of(entry: str) -> tuple[SharedLimit, ...]:
    found = document(f"  - {entry}\n")
    assert found.findings == () and found.policy is not None
    return found.policy.limits


WRITTEN: list[tuple[str, SharedLimit]] = [
    (
        '{id: a, labels: [platform_gift], per_payer: {per_day: {count: 20, amount: "500.00 CNY"}}}',
        SharedLimit("a", Limit(Subject.PAYER, Period.DAY, 20, 50_000), ("platform_gift",)),
    ),
    ('{id: a, count: 7, amount: "9.00 CNY"}', SharedLimit("a", Limit(Subject.ALL, Period.EVER, 7, 900))),
    ('{id: a, amount: "9.00 CNY"}', SharedLimit("a", Limit(Subject.ALL, Period.EVER, None, 900))),
    ('{id: a, per_hour: "100.00 CNY"}', SharedLimit("a", Limit(Subject.ALL, Period.HOUR, None, 10_000))),
    ("{id: a, per_day: {count: 0}}", SharedLimit("a", Limit(Subject.ALL, Period.DAY, 0))),
    ('{id: a, per_device: "9.00 CNY"}', SharedLimit("a", Limit(Subject.DEVICE, Period.EVER, None, 900))),
    ("{id: a, per_payee: {count: 3}}", SharedLimit("a", Limit(Subject.PAYEE, Period.EVER, 3))),
    ("{id: a, per_payee: {per_hour: {count: 3}}}", SharedLimit("a", Limit(Subject.PAYEE, Period.HOUR, 3))),
]


@pytest.mark.parametrize(("entry", "limit"), WRITTEN)
def test_a_limit_across_campaigns_has_the_keys_of_a_campaigns_own(entry: str, limit: SharedLimit) -> None:
    assert limits_of(entry) == (limit,)


@pytest.mark.parametrize("entry", [entry for entry, _ in WRITTEN])
def test_its_canonical_bytes_are_read_back_and_fit_the_schema(entry: str) -> None:
    first = document(f"  - {entry}\n")
    VALIDATOR.validate(json.loads(first.canonical))
    again = read_documents([Source("p.yaml", first.canonical)], now=NOW).policies[0]
    assert (again.policy, again.canonical, again.revision) == (first.policy, first.canonical, first.revision)


def test_a_policy_without_limits_keeps_the_revision_it_has_always_had() -> None:
    plain = read_documents([Source("policy.yaml", POLICY.encode())], now=NOW).policies[0]
    empty = document("  []\n")
    assert empty.findings == () and empty.revision == plain.revision
    assert b'"limits"' not in plain.canonical


def test_another_limit_is_another_revision() -> None:
    found = {document(f"  - {entry}\n").revision for entry, _ in WRITTEN}
    assert len(found) == len(WRITTEN)


FOUND: list[tuple[str, FindingCode, str]] = [
    ("{id: a, labels: [platform_gft], count: 1}", FindingCode.NAME_IS_UNKNOWN, "/limits/0/labels/0"),
    ("{id: a, labels: [platform_gift, platform_gift], count: 1}", FindingCode.VALUE_IS_WRONG, "/limits/0/labels/1"),
    ("{id: a, labels: [], count: 1}", FindingCode.VALUE_IS_WRONG, "/limits/0/labels"),
    ("{id: a}", FindingCode.LIMIT_IS_MISSING, "/limits/0"),
    ("{id: a, per_payer: {}}", FindingCode.LIMIT_IS_MISSING, "/limits/0/per_payer"),
    ("{id: a, per_payer: {per_day: {}}}", FindingCode.LIMIT_IS_MISSING, "/limits/0/per_payer/per_day"),
    ("{id: a, count: 1, per_day: {count: 1}}", FindingCode.VALUE_IS_WRONG, "/limits/0"),
    ("{id: a, per_payer: {count: 1, per_day: {count: 1}}}", FindingCode.VALUE_IS_WRONG, "/limits/0"),
    ('{id: a, per_day: "1.00 USD"}', FindingCode.CURRENCY_DIFFERS, "/limits/0/per_day"),
    ("{id: a, per_day: 100}", FindingCode.MONEY_IS_BARE, "/limits/0/per_day"),
    ("{id: a, count: -1}", FindingCode.VALUE_IS_WRONG, "/limits/0/count"),
    ("{count: 1}", FindingCode.KEY_IS_MISSING, "/limits/0/id"),
    ("{id: A B, count: 1}", FindingCode.VALUE_IS_WRONG, "/limits/0/id"),
    ('{id: a, budget: "1.00 CNY"}', FindingCode.KEY_IS_UNKNOWN, "/limits/0/budget"),
    ("{id: a, count: 1}\n  - {id: a, count: 2}", FindingCode.ID_IS_DUPLICATE, "/limits/1"),
]


@pytest.mark.parametrize(("entries", "code", "path"), FOUND)
def test_what_is_wrong_with_a_limit_is_told_at_its_place(entries: str, code: FindingCode, path: str) -> None:
    found = document(f"  - {entries}\n")
    assert found.policy is None
    assert (found.findings[0].code, found.findings[0].path) == (code, path)


def test_a_limit_that_says_several_things_is_told_to_be_several_entries() -> None:
    finding = document("  - {id: a, count: 1, per_day: {count: 1}}\n").findings[0]
    assert finding.message == "holds 2 limits; one entry is one limit with an id of its own"
    assert finding.hint == "write an entry for each"


def test_an_unknown_label_gets_the_nearest_one_as_a_hint() -> None:
    assert document("  - {id: a, labels: [platform_gft], count: 1}\n").findings[0].hint == (
        "did you mean `platform_gift`?"
    )


def test_a_policy_has_a_bounded_number_of_limits() -> None:
    def entries(count: int) -> str:
        return "".join(f"  - {{id: a{number}, count: 1}}\n" for number in range(count))

    assert document(entries(100)).policy is not None
    assert document(entries(101)).policy is None


def test_a_limit_covers_its_labels_and_without_labels_every_one() -> None:
    gift = SharedLimit("gift", Limit(Subject.ALL, Period.DAY, 1), ("platform_gift",))
    every = SharedLimit("every", Limit(Subject.ALL, Period.DAY, 1))
    found = document(
        "  - {id: gift, labels: [platform_gift], per_day: {count: 1}}\n  - {id: every, per_day: {count: 1}}\n"
    )
    assert found.policy is not None
    assert found.policy.limits_on("platform_gift") == (gift, every)
    assert found.policy.limits_on("merchant_coupon") == (every,)


SUMMARIES: list[tuple[str, str, str]] = [
    (
        "{id: a, per_payer: {per_day: {count: 20}}}",
        "in all campaigns together, each payer 20 times a day",
        "所有营销活动合计，每位付款方限每天20次",
    ),
    (
        '{id: a, labels: [platform_gift, merchant_coupon], per_hour: "100.00 CNY"}',
        "in all campaigns shown as “Platform gift” or “Merchant discount” together, 100.00 CNY an hour",
        "显示为“平台红包”或“商家优惠”的营销活动合计限每小时100.00元",
    ),
]


@pytest.mark.parametrize(("entry", "english", "chinese"), SUMMARIES)
def test_a_campaigns_summary_says_the_limits_it_shares(entry: str, english: str, chinese: str) -> None:
    said = summary(entry)
    assert f"; {english}; budget" in said["en"] and f"；{chinese}；预算" in said["zh-CN"]


def test_a_campaigns_summary_is_silent_about_limits_of_other_labels() -> None:
    assert "in all campaigns" not in summary("{id: a, labels: [platform_gift], count: 1}")["en"]


def summary(entry: str) -> dict[str, Any]:
    house = document(f"  - {entry}\n")
    source = Source("c.yaml", (EXAMPLES / "campaign-spring.yaml").read_bytes())
    campaign = read_documents([source], now=NOW, policy=house).campaigns[0].campaign
    assert campaign is not None and house.policy is not None
    return summarise(campaign, house.policy)


def test_the_example_of_the_reference_is_read_as_it_stands() -> None:
    page = (EXAMPLES.parent / "docs" / "reference" / "documents.md").read_text("utf-8")
    block = page.partition("### Limits across campaigns")[2].partition("```yaml\n")[2].partition("```")[0]
    found = read_documents([Source("policy.yaml", f"{POLICY}{block}".encode())], now=NOW).policies[0]
    assert found.findings == () and found.policy is not None
    assert [limit.id for limit in found.policy.limits] == ["payer-day", "house-hour"]

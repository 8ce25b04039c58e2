"""What is wrong in a document is found: its code, its place, and a hint that mends it."""

import time
from pathlib import Path

import pytest

from makegood.clock import Instant
from makegood.documents.document import Bundle
from makegood.documents.read import read_documents
from makegood.documents.source import Source, source_lines
from makegood.findings import Finding, Severity

EXAMPLES = Path(__file__).parents[2] / "examples"
NOW = Instant.parse("2027-01-15T00:00:00Z")
TEXTS = {
    "policy": (EXAMPLES / "policy.yaml").read_text("utf-8"),
    "brief": (EXAMPLES / "brief-spring.yaml").read_text("utf-8"),
    "campaign": (EXAMPLES / "campaign-spring.yaml").read_text("utf-8"),
}


def read(now: Instant = NOW, **changed: str | None) -> Bundle:
    texts = TEXTS | changed
    sources = [Source(f"{kind}.yaml", text.encode()) for kind, text in texts.items() if text is not None]
    return read_documents(sources, now=now)


def mutated(kind: str, old: str, new: str) -> str:
    assert TEXTS[kind].count(old) >= 1, f"{old!r} is not in the example"
    return TEXTS[kind].replace(old, new, 1)


def errors(bundle: Bundle) -> list[Finding]:
    return [finding for finding in bundle.findings if finding.severity is Severity.ERROR]


def test_the_examples_have_nothing_to_find() -> None:
    bundle = read()
    assert bundle.findings == ()
    assert bundle.policies[0].policy is not None and bundle.briefs[0].brief is not None
    assert bundle.campaigns[0].campaign is not None


CASES = [
    # kind, text in the example, what it becomes, code, JSON Pointer, what the excerpt begins with, part of the hint
    ("campaign", "benefit:", "benfit:", "key_is_unknown", "/benfit", "benfit", "`benefit`"),
    ("campaign", "when: 'pay", "# when: 'pay", "key_is_missing", "/when", "makegood", None),
    ("campaign", "priority: 100", "priority: high", "type_is_wrong", "/stacking/priority", "high", None),
    ("campaign", "priority: 100", "priority: -1", "value_is_wrong", "/stacking/priority", "-1", None),
    ("campaign", "priority: 100", "priority: 1_0", "type_is_wrong", "", "1_0", '"1_0"'),
    ("campaign", '"50.00 CNY"', "5000", "money_is_bare", "/benefit/percent_off/up_to", "5000",
     'write "50.00 CNY" or "5000.00 CNY"'),
    ("campaign", '"50.00 CNY"', '"5000"', "money_is_bare", "/benefit/percent_off/up_to", '"5000"',
     'write "50.00 CNY" or "5000.00 CNY"'),
    ("campaign", '"50.00 CNY"', "50.0", "money_is_bare", "/benefit/percent_off/up_to", "50.0", 'write "50.00 CNY"'),
    ("campaign", '"50.00 CNY"', '"¥50"', "money_is_wrong", "/benefit/percent_off/up_to", '"¥50"', None),
    ("campaign", '"50.00 CNY"', '"50.0 CNY"', "money_is_wrong", "/benefit/percent_off/up_to", '"50.0', None),
    ("campaign", '"50.00 CNY"', '"-50.00 CNY"', "money_is_wrong", "/benefit/percent_off/up_to", '"-50', None),
    ("campaign", '"50.00 CNY"', "[5]", "type_is_wrong", "/benefit/percent_off/up_to", "[5]", None),
    ("campaign", '"50.00 CNY"', '"50.00 USD"', "currency_differs", "/benefit/percent_off/up_to", '"50.00', None),
    ("campaign", '"20%"', "20", "rate_is_bare", "/benefit/percent_off/rate", "20", 'write "20%" or "0.2%"'),
    ("campaign", '"20%"', "0.2", "rate_is_bare", "/benefit/percent_off/rate", "0.2", 'write "20%" or "0.2%"'),
    ("campaign", '"20%"', '"120%"', "rate_is_wrong", "/benefit/percent_off/rate", '"120%"', None),
    ("campaign", ', up_to: "50.00 CNY"', "", "cap_is_missing", "/benefit/percent_off/up_to", "{rate", "up_to:"),
    ("campaign", '  budget: "1000000.00 CNY"\n', "", "limit_is_missing", "/limits/budget", "per_day", "budget:"),
    ("campaign", "  per_payer: {count: 3", "  per_payee: {count: 3", "limit_is_missing", "/limits/per_payer",
     "budget", "per_payer:"),
    ("campaign", "{count: 3, amount: \"100.00 CNY\", per_day: {count: 1}}", "{}", "limit_is_missing",
     "/limits/per_payer", "{}", None),
    ("campaign", "{count: 1}", "{}", "limit_is_missing", "/limits/per_payer/per_day", "{}", None),
    ("campaign", "{count: 1}", "{count: 1.5}", "type_is_wrong", "/limits/per_payer/per_day/count", "1.5", None),
    ("campaign", "count: 3", "count: 99999999999", "value_is_wrong", "/limits/per_payer/count", "9999", None),
    ("campaign", "campaign/1", "campaing/1", "kind_is_unknown", "/makegood", "campaing", "`campaign/1`"),
    ("campaign", "makegood: campaign/1\n", "", "kind_is_unknown", "/makegood", "id:", "makegood:"),
    ("campaign", "id: spring-qr-2027", "id: Spring QR", "value_is_wrong", "/id", "Spring", "small letters"),
    ("campaign", "id: spring-qr-2027", "id: 2027", "type_is_wrong", "/id", "2027", '`"2027"`'),
    ("campaign", "label: merchant_coupon", "label: merchant_cupon", "name_is_unknown", "/label", "merchant_cupon",
     "`merchant_coupon`"),
    ("campaign", "funder: platform", "funder: plattform", "name_is_unknown", "/funding/0/funder", "plattform",
     "`platform`"),
    ("campaign", '"30%"', '"40%"', "shares_are_not_whole", "/funding", "[{funder", None),
    ("campaign", "merchant-lin", "platform", "value_is_wrong", "/funding", "[{funder", "add its shares up"),
    ("campaign", "2027-02-15T00:00:00+08:00", "2027-01-15T00:00:00+08:00", "window_is_empty", "/window/until",
     '"2027', None),
    ("campaign", "2027-02-15T00:00:00+08:00", "2027-02-15 00:00", "instant_is_wrong", "/window/until", '"2027', None),
    ("campaign", "2027-02-15T00:00:00+08:00", "2027-02-30T00:00:00+08:00", "instant_is_wrong", "/window/until",
     '"2027', None),
    ("campaign", "{zh-CN: 春节扫码立减, en: Spring QR discount}", "Spring", "type_is_wrong", "/title", "Spring", None),
    ("campaign", ", en: Spring QR discount", "", "key_is_missing", "/title/en", "{zh-CN", None),
    ("campaign", '"10000.00 CNY"', '"500.00 CNY"', "stages_are_wrong", "/stages/1", '"500.00', None),
    ("campaign", '"100000.00 CNY", "1000000.00 CNY"]', '"100000.00 CNY"]', "stages_are_wrong", "/stages/2",
     '"100000', None),
    ("campaign", '["1000.00 CNY"', '["10.00 CNY", "1000.00 CNY"', "stages_are_wrong", "/stages/0", '"10.00', None),
    ("campaign", '["1000.00 CNY", ', "[", "stages_are_wrong", "/stages/0", '"10000', None),
    ("campaign", '"1000.00 CNY", "10000.00 CNY", ', '"1000.00 CNY", ', "stages_are_wrong", "/stages/1", '"100000',
     None),
    ("campaign", '{percent_off: {rate: "20%", up_to: "50.00 CNY"}}', "{}", "key_is_missing", "/benefit", "{}",
     "`percent_off`"),
    ("campaign", 'percent_off: {', 'amount_off: {amount: "1.00 CNY"}, percent_off: {', "value_is_wrong", "/benefit",
     "{amount_off", None),
    ("campaign", "percent_off", "percent_of", "key_is_unknown", "/benefit/percent_of", "percent_of", "`percent_off`"),
    ("campaign", "stacking:", "codes: {}\nstacking:", "key_is_missing", "/codes/single", "{}", None),
    ("campaign", "stacking:", "codes: {single: 0123}\nstacking:", "type_is_wrong", "", "0123", '"0123"'),
    ("campaign", "stacking:", "codes: {single: A B}\nstacking:", "value_is_wrong", "/codes/single", "A B", None),
    ("brief", "scenes: [in_store_qr]", "scenes: [in_store]", "name_is_unknown", "/scenes/0", "in_store",
     "`in_store_qr`"),
    ("brief", "scenes: [in_store_qr]", "scenes: []", "value_is_wrong", "/scenes", "[]", None),
    ("brief", "[in_store_qr]", "[in_store_qr, in_store_qr]", "value_is_wrong", "/scenes/1", "in_store_qr", None),
    ("brief", 'budget: "1000000.00 CNY"\n', "", "limit_is_missing", "/budget", "makegood", "budget:"),
    ("brief", 'per_payer: {count: 3, amount: "100.00 CNY"}', "per_payer: {}", "limit_is_missing", "/per_payer", "{}",
     None),
    ("brief", 'share_of_payments: "5%"', "share_of_payments: 5", "rate_is_bare", "/expect/share_of_payments", "5",
     '"5%"'),
    ("brief", "stages: {first_max: \"1000.00 CNY\"}", "stages: 5", "type_is_wrong", "/stages", "5", None),
    ("brief", "discount_max:", "discount_mx:", "key_is_unknown", "/discount_mx", "discount_mx", "`discount_max`"),
    ("policy", "timezone: Asia/Shanghai", "timezone: Asia/Hangzhou", "value_is_wrong", "/timezone", "Asia", "Shanghai"),
    ("policy", "currency: CNY", "currency: RMB", "value_is_wrong", "/currency", "RMB", "CNY"),
    ("policy", "city: {type: string", "city: {type: text", "value_is_wrong", "/payment/attributes/city/type", "text",
     None),
    ("policy", "    city:", "    has-city:", "value_is_wrong", "/payment/attributes/has-city", "has-city", None),
    ("policy", "    city:", "    amount:", "value_is_wrong", "/payment/attributes/amount", "amount", None),
    ("policy", "    city:", "    in:", "value_is_wrong", "/payment/attributes/in", "in", None),
    ("policy", "payer_is_new: {type: bool}", "payer_is_new: {type: bool, max: 1}", "key_is_unknown",
     "/payment/attributes/payer_is_new/max", "1", None),
    ("policy", "min: 0, max: 10000", "min: 10, max: 0", "value_is_wrong", "/payment/attributes/items_count/max", "0",
     None),
    ("policy", "scene: [in_store_qr, ", "scene: [online, ", "value_is_wrong", "/payment/scene/1", "online", None),
    ("policy", "owner: gov-hangzhou", "owner: gov-hangzou", "name_is_unknown",
     "/labels/government_subsidy/owner", "gov-hangzou", "`gov-hangzhou`"),
    ("policy", "platform: {keys: []}", "platform: {keys: [abc]}", "value_is_wrong", "/funders/platform/keys/0", "abc",
     None),
    ("policy", "id: half-at-most,", "id: never-on-transfers,", "id_is_duplicate", "/rules/1", "{id", None),
    ("policy", "never: 'payment.scene", "nevr: 'payment.scene", "key_is_unknown", "/rules/0/nevr", "nevr", "`never`"),
    ("policy", "always: 'total", "never: 'false', always: 'total", "value_is_wrong", "/rules/1", "{id", None),
    ("policy", "always: 'total * 2 <= payment.amount'", "always: ''", "condition_is_empty", "/rules/1/always", "''",
     None),
    ("policy", "growth_max: 10", "growth_max: 1", "value_is_wrong", "/stages/growth_max", "1", None),
    ("policy", "{approvers: 3}", '{up_to: "2000000.00 CNY", approvers: 3}', "tiers_are_wrong", "/approvals/2",
     "{up_to", None),
    ("policy", '{up_to: "10000.00 CNY", approvers: 1}', "{approvers: 1}", "key_is_missing", "/approvals/0",
     "{approvers", None),
    ("policy", '"10000.00 CNY", approvers: 1', '"9000000.00 CNY", approvers: 1', "tiers_are_wrong", "/approvals/1",
     "{up_to", None),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "old", "new", "code", "path", "excerpt", "hint"), CASES)
def test_a_mistake_is_found_where_it_is_with_a_hint(
    kind: str, old: str, new: str, code: str, path: str, excerpt: str, hint: str | None
) -> None:
    text = mutated(kind, old, new)
    bundle = read(NOW, **{kind: text})
    found = [one for one in errors(bundle) if one.code == code and one.path == path]
    assert len(found) == 1, errors(bundle)
    finding = found[0]
    assert finding.file == f"{kind}.yaml" and finding.line is not None and finding.column is not None
    assert source_lines(text)[finding.line - 1][finding.column - 1 :].startswith(excerpt)
    assert (hint or "") in (finding.hint or "")


@pytest.mark.parametrize("empty", ["''", "'  '", "", "null", "~", '""'])
def test_an_empty_condition_is_refused(empty: str) -> None:
    start, end = TEXTS["campaign"].index("when: ") + 6, TEXTS["campaign"].index("\nbenefit")
    bundle = read(campaign=TEXTS["campaign"][:start] + empty + TEXTS["campaign"][end:])
    assert [finding.code for finding in errors(bundle)] == ["condition_is_empty"]
    assert bundle.campaigns[0].campaign is None


def _with_condition(condition: str) -> str:
    start, end = TEXTS["campaign"].index("when: ") + 6, TEXTS["campaign"].index("\nbenefit")
    return TEXTS["campaign"][:start] + condition + TEXTS["campaign"][end:]


def test_everyone_is_a_warning_and_must_be_written() -> None:
    bundle = read(campaign=_with_condition("'true'"))
    assert [(finding.severity, finding.code) for finding in bundle.findings] == [("warning", "condition_is_everyone")]
    assert bundle.campaigns[0].campaign is not None
    assert [finding.hint for finding in errors(read(campaign=_with_condition("true")))] == ["write `'true'`"]


def test_a_finding_inside_a_condition_points_into_the_file() -> None:
    text = _with_condition('|\n  payment.amount >= 10000 &&\n    payment.town == "x"')
    bundle = read(campaign=text)
    finding = errors(bundle)[0]
    assert (finding.code, finding.path) == ("expression_has_a_type_error", "/when")
    assert finding.line is not None and finding.column is not None
    assert ".town" in source_lines(text)[finding.line - 1]
    assert 5 <= finding.column <= 13


def test_a_rule_of_the_policy_is_type_checked_with_its_own_variables() -> None:
    bundle = read(policy=mutated("policy", "discount <= 20000", "discont <= 20000"))
    assert ("expression_has_a_type_error", "/rules/2/always") in [(one.code, one.path) for one in errors(bundle)]


def test_a_past_window_is_a_warning() -> None:
    bundle = read(now=Instant.parse("2028-01-01T00:00:00Z"))
    assert [(one.severity, one.code, one.path) for one in bundle.findings] == [
        ("warning", "window_is_past", "/window/until")
    ] * 2
    assert not bundle.has_errors


def test_cashback_cannot_be_priced_and_says_what_can() -> None:
    cashback = '{cashback: {percent_off: {rate: "2%", up_to: "10.00 CNY"}, paid_after: "24h"}}'
    bundle = read(campaign=mutated("campaign", '{percent_off: {rate: "20%", up_to: "50.00 CNY"}}', cashback))
    assert [(one.code, one.path) for one in errors(bundle)] == [("benefit_is_unsupported", "/benefit/cashback")]
    assert "cannot be priced" in errors(bundle)[0].message
    assert "moves after the payment" in (errors(bundle)[0].hint or "")


def test_bulk_codes_say_that_they_are_not_supported() -> None:
    codes = "codes: {bulk: {count: 100000, prefix: SP-, length: 10}}\nstacking:"
    bundle = read(campaign=mutated("campaign", "stacking:", codes))
    assert [finding.code for finding in errors(bundle)] == ["benefit_is_unsupported"]


def test_every_finding_is_collected_and_not_only_the_first() -> None:
    text = TEXTS["campaign"]
    for old, new in [("label: m", "label: n"), ('"20%"', "20"), ('"50.00 CNY"', "50"), ("count: 3", "count: x"),
                     ('"30%"', '"31%"'), ("group: ", "grup: "), ("id: s", "id: S")]:  # fmt: skip
        text = text.replace(old, new, 1)
    assert sorted(finding.code for finding in errors(read(campaign=text))) == sorted(
        ["name_is_unknown", "rate_is_bare", "money_is_bare", "type_is_wrong", "shares_are_not_whole",
         "key_is_unknown", "key_is_missing", "value_is_wrong"]
    )  # fmt: skip


def test_a_campaign_without_a_policy_is_half_checked_and_refused() -> None:
    bundle = read(policy=None, campaign=mutated("campaign", '"50.00 CNY"', "50"), brief=None)
    assert sorted(finding.code for finding in errors(bundle)) == ["money_is_bare", "policy_is_missing"]
    assert bundle.campaigns[0].campaign is None and bundle.campaigns[0].id == "spring-qr-2027"


def test_amounts_of_two_currencies_differ_also_without_a_policy() -> None:
    bundle = read(policy=None, brief=None, campaign=mutated("campaign", '"50.00 CNY"', '"50.00 USD"'))
    assert "currency_differs" in [finding.code for finding in errors(bundle)]


def test_a_broken_file_of_ours_is_a_stray_finding() -> None:
    bundle = read(campaign="makegood: campaign/1\nid: [")
    assert [finding.code for finding in bundle.strays] == ["yaml_is_invalid"]
    assert bundle.campaigns == ()


def test_a_document_with_an_anchor_gives_no_object() -> None:
    bundle = read(campaign=mutated("campaign", "label: merchant_coupon", "label: &l merchant_coupon"))
    assert [finding.code for finding in errors(bundle)] == ["yaml_has_an_anchor"]
    assert bundle.campaigns[0].campaign is None


def test_a_list_of_ten_thousand_entries_is_read_and_a_longer_one_refused() -> None:
    def policy(count: int) -> Bundle:
        scenes = ", ".join(f"s{number}" for number in range(count))
        return read(brief=None, campaign=None, policy=mutated("policy", "in_store_qr, ", f"in_store_qr, {scenes}, "))

    assert not policy(9_993).has_errors
    assert [finding.code for finding in errors(policy(9_994))] == ["value_is_wrong"]


HOSTILE = {
    "unknown keys": ("campaign", "stacking:", "".join(f"k{n}: 1\n" for n in range(45_000)) + "stacking:"),
    "unknown scenes": ("brief", "[in_store_qr]", str([f"scene {n}" for n in range(9_999)])),
    "wrong rules": (
        "policy",
        "rules:",
        "rules:\n" + "".join(f"  - {{id: r{n}, never: 'x{n}'}}\n" for n in range(9_000)),
    ),
    "a long condition": ("campaign", "payment.amount >= 10000", "payment.town == 1 || " * 3_000 + "true"),
    "a deep condition": ("campaign", "payment.amount >= 10000", "(" * 5_000 + "true" + ")" * 5_000),
    "a long list": ("campaign", 'payment.city == "Hangzhou"', f"payment.items_count in {[0] * 10_001}"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_refused_in_bounded_time(name: str) -> None:
    kind, old, new = HOSTILE[name]
    started = time.monotonic()
    bundle = read(NOW, **{kind: mutated(kind, old, new)})
    assert time.monotonic() - started < 30
    assert errors(bundle)
    assert len(bundle.campaigns) == 1 or bundle.strays

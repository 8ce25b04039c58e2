"""Reading documents together: the objects they give, the policy they are read by, their revisions."""

import json
from dataclasses import replace
from pathlib import Path

from makegood.clock import Instant
from makegood.documents.document import Bundle
from makegood.documents.read import read_documents
from makegood.documents.source import Source
from makegood.domain.benefit import AmountOff, PercentOff, RandomOff, Tier, Tiers
from makegood.domain.brief import Expectation, PerPayer, Share
from makegood.domain.campaign import Campaign, Stacking
from makegood.domain.limit import Limit, Period, Subject
from makegood.domain.policy import ApprovalTier, Field, FieldType, Rule, StageBounds, WorstBounds
from makegood.findings import Severity

EXAMPLES = Path(__file__).parents[2] / "examples"
NOW = Instant.parse("2027-01-15T00:00:00Z")
POLICY = (EXAMPLES / "policy.yaml").read_text("utf-8")
BRIEF = (EXAMPLES / "brief-spring.yaml").read_text("utf-8")
CAMPAIGN = (EXAMPLES / "campaign-spring.yaml").read_text("utf-8")


def read(*texts: str) -> Bundle:
    return read_documents([Source(f"{n}.yaml", text.encode()) for n, text in enumerate(texts)], now=NOW)


def campaign(text: str) -> Campaign:
    document = read(POLICY, text).campaigns[0]
    assert document.campaign is not None, document.findings
    return document.campaign


def example(name: str) -> Campaign:
    return campaign((EXAMPLES / name).read_text("utf-8"))


def test_the_example_campaign_gives_what_it_says() -> None:
    found = example("campaign-spring.yaml")
    assert found.id == "spring-qr-2027"
    assert found.funding == (Share("platform", 7_000), Share("merchant-lin", 3_000))
    assert found.benefit == PercentOff(2_000, 5_000)
    assert found.window.opens.text() == "2027-01-31T16:00:00Z"
    assert found.budget == 100_000_000
    assert found.limits == (
        Limit(Subject.ALL, Period.DAY, None, 10_000_000),
        Limit(Subject.PAYER, Period.EVER, 3, 10_000),
        Limit(Subject.PAYER, Period.DAY, 1),
    )
    assert found.stages == (100_000, 1_000_000, 10_000_000, 100_000_000)
    assert (found.stacking, found.code) == (Stacking("instant_discount", 100), None)


def test_every_supported_benefit_has_an_example() -> None:
    coffee, tiers, lucky = (example(f"campaign-{name}.yaml") for name in ("coffee", "tiers", "lucky"))
    assert (coffee.benefit, coffee.code) == (AmountOff(500), "COFFEE5")
    assert coffee.stacking.combines_with == ("instant_discount",)
    assert tiers.benefit == Tiers((Tier(10_000, 1_000), Tier(20_000, 3_000), Tier(50_000, 8_000)))
    assert lucky.benefit == RandomOff(10, 880)


def test_every_kind_of_limit_is_read() -> None:
    assert example("campaign-coffee.yaml").limits == (
        Limit(Subject.ALL, Period.DAY, 1_000, 500_000),
        Limit(Subject.ALL, Period.HOUR, None, 100_000),
        Limit(Subject.PAYER, Period.EVER, 10),
        Limit(Subject.PAYER, Period.DAY, 1),
        Limit(Subject.DEVICE, Period.DAY, 2),
        Limit(Subject.PAYEE, Period.DAY, None, 50_000),
    )
    total = campaign(CAMPAIGN.replace("  per_day: ", "  count: 7\n  per_day: "))
    assert total.limits[0] == Limit(Subject.ALL, Period.EVER, 7)


def test_a_limit_of_zero_is_zero_and_not_unlimited() -> None:
    found = campaign(CAMPAIGN.replace("count: 3", "count: 0").replace('amount: "100.00', 'amount: "0.00'))
    assert Limit(Subject.PAYER, Period.EVER, 0, 0) in found.limits


def test_a_zero_budget_is_read_with_a_warning() -> None:
    start = CAMPAIGN.index("stages:")
    text = CAMPAIGN[:start] + 'stages: ["0.00 CNY"]\nstacking: {group: a, priority: 1}\n'
    document = read(POLICY, text.replace('budget: "1000000.00 CNY"', 'budget: "0.00 CNY"')).campaigns[0]
    assert document.campaign is not None and document.campaign.budget == 0
    assert [(one.severity, one.path) for one in document.findings] == [(Severity.WARNING, "/limits/budget")]


def test_stages_left_out_open_a_thousandth_of_the_budget_or_one_largest_discount() -> None:
    start, end = CAMPAIGN.index("stages:"), CAMPAIGN.index("stacking:")
    text = CAMPAIGN[:start] + CAMPAIGN[end:]
    assert campaign(text).stages == (100_000, 1_000_000, 10_000_000, 100_000_000)
    small = campaign(text.replace('budget: "1000000.00 CNY"', 'budget: "7000.00 CNY"'))
    assert small.stages == (5_000, 50_000, 500_000, 700_000)
    large = campaign(text.replace('budget: "1000000.00 CNY"', 'budget: "5000000.00 CNY"'))
    assert large.stages == (100_000, 1_000_000, 10_000_000, 100_000_000, 500_000_000)


def test_the_campaign_of_16_january_is_refused_and_can_still_be_replayed() -> None:
    document = read(POLICY, (EXAMPLES / "campaign-16-january.yaml").read_text("utf-8")).campaigns[0]
    assert document.has_errors
    assert document.campaign is not None
    assert document.campaign.when == "true"
    assert document.campaign.stages == (100_000_000_000,)


def test_the_example_brief_gives_what_it_says() -> None:
    brief = read(POLICY, BRIEF).briefs[0].brief
    assert brief is not None
    assert (brief.spend_min, brief.discount_max, brief.rate_max) == (10_000, 5_000, 2_000)
    assert (brief.scenes, brief.per_payer) == (("in_store_qr",), PerPayer(3, 10_000))
    assert (brief.budget, brief.stage_first_max) == (100_000_000, 100_000)
    assert brief.expect == Expectation(500, 2_500, 6_000_000)


def test_the_example_policy_gives_what_it_says() -> None:
    policy = read(POLICY).policies[0].policy
    assert policy is not None
    fields = policy.schema.fields
    assert (policy.schema.amount_min, policy.schema.amount_max) == (1, 50_000_000)
    assert fields["currency"].values == ("CNY",)
    assert fields["channel"].values == ("app", "mini_program", "web")
    assert fields["instrument"].values is None and not fields["instrument"].optional
    assert fields["store_type"] == Field("store_type", FieldType.STRING, True, values=("chain", "independent"))
    assert fields["items_count"] == Field("items_count", FieldType.INT, False, 0, 10_000)
    assert (policy.schema.items_max, policy.schema.single_scene) == (50, None)
    assert policy.labels["platform_gift"].owner == "platform"
    assert policy.rules[1] == Rule("half-at-most", "total * 2 <= payment.amount", negated=False)
    assert policy.rules[0].negated
    assert (policy.stages, policy.worst) == (StageBounds(100_000, 10), WorstBounds(10_000_000, 1_000_000_000))
    assert policy.approvals == (ApprovalTier(1_000_000, 1), ApprovalTier(100_000_000, 2), ApprovalTier(None, 3))


def test_a_policy_with_one_scene_has_a_scene_for_payments_that_name_none() -> None:
    start, end = POLICY.index("scene: ["), POLICY.index("  channel:")
    policy = read(POLICY[:start] + "scene: [purchase]\n" + POLICY[end:]).policies[0].policy
    assert policy is not None and policy.schema.single_scene == "purchase"


def test_the_given_policy_is_the_one_to_read_by() -> None:
    given = read(POLICY.replace("merchant_coupon:", "other_label:")).policies[0]
    bundle = read_documents([Source("p", POLICY.encode()), Source("c", CAMPAIGN.encode())], now=NOW, policy=given)
    assert [finding.code for finding in bundle.campaigns[0].findings] == ["name_is_unknown"]


def test_a_document_is_read_by_the_policy_of_its_currency() -> None:
    usd = POLICY.replace("CNY", "USD").replace("id: house", "id: house-usd")
    bundle = read(POLICY, usd, CAMPAIGN, CAMPAIGN.replace("CNY", "USD").replace("id: spring", "id: summer"))
    assert bundle.findings == ()
    assert [document.currency for document in bundle.campaigns] == ["CNY", "USD"]


def test_a_second_policy_of_one_currency_is_refused() -> None:
    bundle = read(POLICY, POLICY.replace("id: house", "id: other"), CAMPAIGN)
    assert [(one.code, one.file, one.path) for one in bundle.findings] == [("id_is_duplicate", "1.yaml", "/currency")]
    assert bundle.policies[0].policy is not None and bundle.policies[1].policy is None


def test_two_campaigns_of_one_id_are_each_told_of_the_other() -> None:
    bundle = read(POLICY, CAMPAIGN, CAMPAIGN.replace("priority: 100", "priority: 1"), BRIEF, BRIEF)
    found = [(one.severity, one.code, one.file) for one in bundle.findings]
    assert found == [(Severity.WARNING, "id_is_duplicate", f"{n}.yaml") for n in (3, 4, 1, 2)]
    assert not bundle.has_errors


def test_documents_with_errors_have_a_revision_of_what_they_say() -> None:
    one, other = (read(POLICY, CAMPAIGN.replace('"20%"', rate)).campaigns[0] for rate in ("20", "21"))
    assert one.campaign is None
    assert one.revision.startswith("rev_") and one.revision != other.revision
    assert json.loads(one.canonical)["benefit"] == {"percent_off": {"rate": 20, "up_to": "50.00 CNY"}}


def test_the_canonical_bytes_are_sorted_json_without_blanks_and_one_spelling() -> None:
    document = read(POLICY, CAMPAIGN).campaigns[0]
    said = json.loads(document.canonical)
    assert document.canonical == json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    respelled = CAMPAIGN.replace('"50.00 CNY"', '"50 CNY"').replace('"20%"', "20.00%")
    respelled = respelled.replace("2027-02-01T00:00:00+08:00", "2027-01-31T16:00:00Z")
    respelled = respelled.replace('per_day: "100000.00 CNY"', 'per_day: {amount: "100000 CNY"}')
    assert read(POLICY, respelled).campaigns[0].revision == document.revision


def test_the_policy_of_another_day_does_not_change_what_a_revision_means() -> None:
    start, end = CAMPAIGN.index("stages:"), CAMPAIGN.index("stacking:")
    document = read(POLICY, CAMPAIGN[:start] + CAMPAIGN[end:]).campaigns[0]
    slower = read(POLICY.replace("growth_max: 10", "growth_max: 100")).policies[0]
    again = read_documents([Source("c", document.canonical)], now=NOW, policy=slower).campaigns[0]
    assert again.campaign == document.campaign and again.revision == document.revision


def test_a_condition_keeps_its_text_but_not_its_outer_blanks() -> None:
    condition = CAMPAIGN[CAMPAIGN.index("when: ") + 6 : CAMPAIGN.index("\nbenefit")]
    block = CAMPAIGN.replace(condition, "|\n  " + condition.strip("'"))
    assert campaign(block) == campaign(CAMPAIGN)
    spaced = campaign(CAMPAIGN.replace(" && payment.amount", "  && payment.amount"))
    assert spaced == replace(campaign(CAMPAIGN), when=spaced.when)
    assert spaced.when != campaign(CAMPAIGN).when

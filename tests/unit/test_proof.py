"""What a campaign is proved of: every row, proved and refuted, each with its smallest witness."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.unit.proving import payment_of, read_trio, row_of, with_rule, words_of

from makegood.clock import Instant
from makegood.domain.benefit import AmountOff, PercentOff, RandomOff, Tier, Tiers
from makegood.domain.brief import PerPayer, Share, Window
from makegood.domain.campaign import Campaign
from makegood.domain.limit import Limit, Period, Subject
from makegood.domain.payment import parse_payment
from makegood.domain.policy import WorstBounds
from makegood.proof.effort import Effort
from makegood.proof.prove import prove_campaign
from makegood.proof.verdict import Report, Verdict

SPRING, BRIEF, POLICY = read_trio()
WIDE = replace(
    BRIEF, discount_max=10**9, rate_max=10_000, spend_min=0, scenes=POLICY.schema.fields["scene"].values or (),
    budget=10**12, stage_first_max=10**12,
)  # fmt: skip

ROWS = (
    "inside_brief.discount_max", "inside_brief.rate_max", "inside_brief.spend_min", "inside_brief.scenes",
    "inside_brief.label", "inside_brief.funding", "inside_brief.window", "inside_brief.budget",
    "inside_brief.per_payer", "inside_policy.never-on-transfers", "inside_policy.half-at-most",
    "inside_policy.two-hundred-at-most", "inside_policy.stages", "label_is_funded", "can_ever_apply", "budget_bound",
)  # fmt: skip


def refuted(report: Report) -> set[str]:
    assert all(row.verdict is not Verdict.UNKNOWN for row in report.rows)
    return set(report.failed)


@pytest.mark.parametrize("name", ["spring", "tiers", "lucky", "coffee"])
def test_every_obligation_of_an_example_campaign_is_proved(name: str) -> None:
    campaign, brief, policy = read_trio(name)
    report = prove_campaign(campaign, brief, policy)
    assert report.is_proved
    assert tuple(row.obligation for row in report.rows) == ROWS
    assert all(row.witness is None and row.question for row in report.rows)


def test_the_campaign_of_16_january_is_refused_with_the_smallest_payment_for_each_fault() -> None:
    campaign, brief, policy = read_trio("16-january", "spring")
    report = prove_campaign(campaign, brief, policy)
    assert refuted(report) == set(ROWS) - {
        "inside_brief.rate_max", "inside_brief.window", "inside_policy.half-at-most", "can_ever_apply",
    }  # fmt: skip
    assert words_of(row_of(report, "inside_brief.discount_max")) == (
        "a 250.05 CNY in-store QR payment would get 50.01 CNY off; the brief allows at most 50.00 CNY"
    )
    assert words_of(row_of(report, "inside_policy.never-on-transfers")).startswith(
        "a 0.05 CNY transfer would get 0.01 CNY off; the policy's rule `never-on-transfers` says never: "
    )
    scenes = row_of(report, "inside_brief.scenes").witness
    assert scenes is not None and scenes.words["zh-CN"] == "一笔0.05元的线上支付会立减0.01元；立项单不包括线上支付"


def test_every_witness_is_a_payment_that_the_house_would_accept() -> None:
    campaign, brief, policy = read_trio("16-january", "spring")
    for row in prove_campaign(campaign, brief, policy).rows:
        if row.witness is not None:
            parsed = parse_payment(dict(row.witness.payment), policy.schema)
            assert parsed.amount == row.witness.payment["amount"]


Edit = Callable[[Campaign], Campaign]

EDITS: list[tuple[str, str, Edit, int]] = [
    ("inside_brief.discount_max", "/benefit", lambda c: replace(c, benefit=PercentOff(2000, 5001)), 25_005),
    ("inside_brief.rate_max", "/benefit", lambda c: replace(c, benefit=PercentOff(2001, 5000)), 10_000),
    ("inside_brief.spend_min", "/when", lambda c: replace(c, when='payment.scene == "in_store_qr"'), 5),
    ("inside_brief.scenes", "/when", lambda c: replace(c, when="payment.amount >= 10000"), 10_000),
    ("inside_brief.label", "/label", lambda c: replace(c, label="platform_gift"), 10_000),
    (
        "inside_brief.funding", "/funding",
        lambda c: replace(c, funding=(Share("platform", 6000), Share("merchant-lin", 4000))), 10_000,
    ),
    (
        "inside_brief.window", "/window",
        lambda c: replace(c, window=Window(c.window.opens, c.window.closes.plus(1))), 10_000,
    ),
    (
        "inside_brief.budget", "/limits/budget",
        lambda c: replace(c, budget=c.budget + 1, stages=(*c.stages[:-1], c.budget + 1)), 10_000,
    ),
    (
        "inside_brief.per_payer", "/limits/per_payer",
        lambda c: replace(c, limits=(Limit(Subject.PAYER, Period.EVER, 4, 10_000),)), 10_000,
    ),
    ("inside_policy.stages", "/stages", lambda c: replace(c, stages=(100_001, *c.stages[1:])), 10_000),
    (
        "inside_policy.stages", "/stages",
        lambda c: replace(c, stages=(4_999, 49_990, 499_900, 4_999_000, 49_990_000, c.budget)), 25_000,
    ),
    ("inside_policy.stages", "/stages", lambda c: replace(c, stages=(100_000, *c.stages[2:])), 10_000),
]  # fmt: skip


@pytest.mark.parametrize(("row", "path", "edit", "amount"), EDITS)
def test_one_wrong_value_refutes_its_row_with_the_smallest_payment(
    row: str, path: str, edit: Edit, amount: int
) -> None:
    report = prove_campaign(edit(SPRING), BRIEF, POLICY)
    assert row in refuted(report)
    found = row_of(report, row)
    assert found.path == path and found.hint is not None
    assert payment_of(found)["amount"] == amount


def test_a_limit_that_the_brief_has_and_the_campaign_lacks_is_refuted() -> None:
    counted = replace(SPRING, limits=(Limit(Subject.PAYER, Period.EVER, count_max=3),))
    row = row_of(prove_campaign(counted, BRIEF, POLICY), "inside_brief.per_payer")
    assert row.verdict is Verdict.REFUTED
    assert "one payer may get it without limit; the brief says up to 100.00 CNY" in words_of(row)
    free = replace(BRIEF, per_payer=PerPayer(3, None))
    assert row_of(prove_campaign(counted, free, POLICY), "inside_brief.per_payer").verdict is Verdict.PROVED


def test_a_limit_a_day_is_no_limit_for_ever() -> None:
    daily = replace(SPRING, limits=(Limit(Subject.PAYER, Period.DAY, 3, 10_000),))
    assert "inside_brief.per_payer" in refuted(prove_campaign(daily, BRIEF, POLICY))


def test_a_window_beyond_the_briefs_is_harmless_where_the_condition_closes_it() -> None:
    closes = SPRING.window.closes
    longer = replace(SPRING, window=Window(SPRING.window.opens, closes.plus(86_400)))
    assert "inside_brief.window" in refuted(prove_campaign(longer, BRIEF, POLICY))
    guarded = replace(longer, when=f'{longer.when} && payment.occurred_at < timestamp("{closes.text()}")')
    assert refuted(prove_campaign(guarded, BRIEF, POLICY)) == set()


def test_the_witness_of_a_window_is_its_first_wrong_moment_in_words() -> None:
    opens = SPRING.window.opens
    early = replace(SPRING, window=Window(Instant(opens - 1_000_000_000), SPRING.window.closes))
    row = row_of(prove_campaign(early, BRIEF, POLICY), "inside_brief.window")
    assert payment_of(row)["occurred_at"] == "2027-01-31T15:59:59Z"
    assert "the brief's window is 2027-02-01 00:00 until 2027-02-15 00:00 (Asia/Shanghai)" in words_of(row)


@pytest.mark.parametrize("change", [
    {"budget": 0, "stages": (0,)},
    {"limits": (Limit(Subject.PAYER, Period.EVER, 0, 10_000),)},
    {"limits": (Limit(Subject.PAYER, Period.EVER, 3, 1_999),)},
    {"when": 'payment.amount < 10 && payment.amount > 20'},
    {"benefit": PercentOff(0, 5000)},
    {"benefit": AmountOff(60_000_000)},
])  # fmt: skip
def test_a_campaign_that_nobody_can_get_is_refuted(change: dict[str, object]) -> None:
    row = row_of(prove_campaign(replace(SPRING, **change), BRIEF, POLICY), "can_ever_apply")  # type: ignore[arg-type]
    assert row.verdict is Verdict.REFUTED and row.proved_if == "sat"
    assert row.witness is not None and row.witness.discount_minor == 0
    assert "gets nothing off" in row.witness.words["en"] and "没有优惠" in row.witness.words["zh-CN"]


def test_an_owned_label_needs_its_owner_among_the_funders() -> None:
    gift = replace(SPRING, label="platform_gift", funding=(Share("merchant-lin", 10_000),))
    brief = replace(BRIEF, label="platform_gift", funding=gift.funding)
    assert refuted(prove_campaign(gift, brief, POLICY)) == {"label_is_funded"}
    zero = (Share("merchant-lin", 10_000), Share("platform", 0))
    assert refuted(prove_campaign(replace(gift, funding=zero), replace(brief, funding=zero), POLICY)) == {
        "label_is_funded"
    }
    paid = (Share("merchant-lin", 9_999), Share("platform", 1))
    assert not refuted(prove_campaign(replace(gift, funding=paid), replace(brief, funding=paid), POLICY))


@pytest.mark.parametrize(("worst", "limits", "proved"), [
    (WorstBounds(5_000_000, 100_000_000), (), True),
    (WorstBounds(4_999_999, 100_000_000), (), False),
    (WorstBounds(5_000_000, 99_999_999), (), False),
    (WorstBounds(4_999_999, 100_000_000), (Limit(Subject.ALL, Period.HOUR, amount_max=4_999_999),), True),
    (WorstBounds(4_999_999, 100_000_000), (Limit(Subject.ALL, Period.DAY, count_max=1_000),), False),
    (WorstBounds(4_999_999, 100_000_000), (Limit(Subject.ALL, Period.DAY, count_max=999),), True),
    (WorstBounds(5_000_000, 99_999_999), (Limit(Subject.ALL, Period.EVER, count_max=19_999),), True),
    (WorstBounds(5_000_000, 99_999_999), (Limit(Subject.ALL, Period.EVER, count_max=20_000),), False),
])  # fmt: skip
def test_the_worst_loss_is_bounded_to_the_last_minor_unit(
    worst: WorstBounds, limits: tuple[Limit, ...], proved: bool
) -> None:
    campaign = replace(SPRING, limits=(*(one for one in SPRING.limits if one.subject is Subject.PAYER), *limits))
    row = row_of(prove_campaign(campaign, BRIEF, replace(POLICY, worst=worst)), "budget_bound")
    assert (row.verdict is Verdict.PROVED) is proved


def test_the_exposure_counts_what_a_condition_lets_through() -> None:
    exposure = prove_campaign(SPRING, BRIEF, POLICY).exposure
    assert exposure is not None
    assert (exposure.payment_minor, exposure.payer_minor) == (5_000, 10_000)
    assert (exposure.per_second_minor, exposure.total_minor) == (5_000_000, 100_000_000)
    small = replace(SPRING, when=f"{SPRING.when} && payment.amount < 12345")
    exposure = prove_campaign(small, BRIEF, POLICY).exposure
    assert exposure is not None and exposure.payment_minor == 2_468


@pytest.mark.parametrize(("benefit", "most"), [
    (AmountOff(500), 500),
    (Tiers((Tier(10_000, 100), Tier(20_000, 700))), 700),
    (RandomOff(1, 880), 880),
    (PercentOff(2000, 5000), 5000),
])  # fmt: skip
def test_every_benefit_is_exact_at_its_largest_discount(benefit: object, most: int) -> None:
    campaign = replace(SPRING, benefit=benefit)  # type: ignore[arg-type]
    at = replace(WIDE, discount_max=most)
    assert "inside_brief.discount_max" not in refuted(prove_campaign(campaign, at, POLICY))
    below = row_of(prove_campaign(campaign, replace(at, discount_max=most - 1), POLICY), "inside_brief.discount_max")
    assert below.verdict is Verdict.REFUTED and below.witness is not None and below.witness.discount_minor == most


@pytest.mark.parametrize(("rule", "never", "proved"), [
    ("discount <= 5000", False, True),
    ("discount <= 4999", False, False),
    ("discount > 5000", True, True),
    ('label == "merchant_coupon"', False, True),
    ('label == "government_subsidy"', True, True),
    ('funder in ["platform", "merchant-lin"]', False, True),
    ('funder == "platform"', False, False),
    ("total == discount", False, True),
    ("100 / (payment.amount - 10000) >= 0", False, False),
    ("100 / (payment.amount - 10000) < 0", True, False),
    ("payment.amount * 9223372036854775 > 0", False, False),
    ('has(payment.store_type) && payment.store_type == "chain"', True, False),
])  # fmt: skip
def test_a_rule_is_proved_exactly_where_it_holds_without_an_error(rule: str, never: bool, proved: bool) -> None:
    row = row_of(prove_campaign(SPRING, BRIEF, with_rule(POLICY, rule, never=never)), "inside_policy.r")
    assert (row.verdict is Verdict.PROVED) is proved
    assert (row.witness is None) is proved


def test_hours_of_the_policys_zone_are_exact() -> None:
    at_night = replace(SPRING, when=f'{SPRING.when} && payment.occurred_at.getHours("Asia/Shanghai") >= 22')
    rule = 'payment.occurred_at.getHours("Asia/Shanghai") >= 22'
    assert not refuted(prove_campaign(at_night, BRIEF, with_rule(POLICY, rule)))
    row = row_of(prove_campaign(at_night, BRIEF, with_rule(POLICY, rule.replace("22", "23"))), "inside_policy.r")
    assert row.verdict is Verdict.REFUTED and payment_of(row)["occurred_at"].startswith("2027-02-01T14:")


def test_without_a_brief_only_the_policys_rows_are_asked() -> None:
    report = prove_campaign(SPRING, None, POLICY)
    assert tuple(row.obligation for row in report.rows) == ROWS[9:]


def test_a_solver_without_time_proves_nothing() -> None:
    report = prove_campaign(SPRING, BRIEF, POLICY, effort=Effort(total_ms=0))
    assert not report.is_proved and report.exposure is None
    assert tuple(row.obligation for row in report.rows) == ROWS
    assert {row.verdict for row in report.rows} == {Verdict.UNKNOWN}
    assert all(row.hint is not None and "did not decide in its time" in row.hint["en"] for row in report.rows)


def test_a_solver_that_runs_out_of_time_on_the_way_leaves_the_rest_unknown() -> None:
    """The clock jumps a second each time it is looked at."""
    looks = iter(range(0, 10**15, 10**9))
    report = prove_campaign(SPRING, BRIEF, POLICY, effort=Effort(5_000, 20_000, lambda: next(looks)))
    assert not report.is_proved
    assert Verdict.REFUTED not in {row.verdict for row in report.rows}


def test_a_report_without_rows_proves_nothing() -> None:
    assert not Report((), None, "z3").is_proved


def test_codes_devices_and_payers_are_part_of_what_is_granted() -> None:
    coded = replace(SPRING, code="SPRING27", limits=(*SPRING.limits, Limit(Subject.DEVICE, Period.DAY, count_max=1)))
    row = row_of(prove_campaign(coded, replace(BRIEF, discount_max=4_999), POLICY), "inside_brief.discount_max")
    payment = payment_of(row)
    assert payment["codes"] == ["SPRING27"] and payment["payer_id"] and payment["device_id"]

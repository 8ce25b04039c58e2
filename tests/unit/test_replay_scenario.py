"""Scenarios: read strictly, proved or refused as they say, and consistent in what they promise."""

import pytest

from makegood.clock import Instant
from makegood.documents.read import read_documents
from makegood.documents.source import Source
from makegood.domain.benefit import largest_discount
from makegood.domain.policy import Policy
from makegood.errors import Problem, ProblemCode
from makegood.findings import Severity
from makegood.proof.prove import prove_campaign
from makegood.proof.verdict import Verdict
from makegood.replay.documents import SCENARIOS, documents_of
from makegood.replay.guards import LADDER, all_runs, ladder_runs, run_without
from makegood.replay.load import load_scenario, read_scenario, scenario_ids
from makegood.replay.scenario import Scenario

ELEVEN = (
    "alipay-2025-01-16", "pinduoduo-2019-01-20", "knight-2012-08-01", "repricer-2014-12-12", "jiahua-2024-08",
    "jd-2020-01", "doordash-2022-07-07", "citi-2022-05-02", "crowdstrike-2024-07-19", "google-2025-06-12",
    "cloudflare-2025-12-05",
)  # fmt: skip


@pytest.fixture(scope="module", params=ELEVEN)
def scenario(request: pytest.FixtureRequest) -> Scenario:
    return load_scenario(request.param)


def policy_of(scenario: Scenario) -> Policy:
    policy = read_documents(documents_of(scenario), now=Instant(0)).policies[0].policy
    assert policy is not None
    return policy


def text_of(name: str) -> str:
    return SCENARIOS.joinpath(f"{name}.yaml").read_text(encoding="utf-8")


def test_all_eleven_incidents_are_there_and_nothing_else() -> None:
    assert sorted(scenario_ids()) == sorted(ELEVEN)


def test_a_scenario_is_one_page(scenario: Scenario) -> None:
    assert text_of(scenario.id).count("\n") <= 70


def test_the_campaign_that_was_meant_is_proved_and_the_mistake_is_refused_as_the_file_says(scenario: Scenario) -> None:
    policy = policy_of(scenario)
    meant = prove_campaign(scenario.right, scenario.brief, policy)
    assert [row.obligation for row in meant.rows if row.verdict is not Verdict.PROVED] == []
    by = next(bound.by for bound in scenario.bounds if bound.guard == "proof")
    refused = {row.obligation: row for row in prove_campaign(scenario.wrong, scenario.brief, policy).rows}
    assert by is not None
    assert refused[by].verdict is Verdict.REFUTED
    witness = refused[by].witness
    assert witness is not None and witness.discount_minor > 0 and all(witness.words.values())


def test_every_document_can_be_published_and_the_mistaken_file_wants_all_at_once(scenario: Scenario) -> None:
    for right in (False, True):
        bundle = read_documents(documents_of(scenario, right=right), now=Instant(0))
        assert [one for one in bundle.findings if one.severity is Severity.ERROR] == []
        campaign = bundle.campaigns[0].campaign
        assert campaign is not None
        assert campaign.stages[0] == (scenario.brief.stage_first_max if right else campaign.budget)


def test_what_guards_promise_is_consistent(scenario: Scenario) -> None:
    bounds = {bound.guard: bound for bound in scenario.bounds}
    assert set(bounds) == set(LADDER)
    assert bounds["proof"].grants == bounds["collar"].grants == 0
    grants = [scenario.bound_of(run)[0] for run in (run_without(LADDER[:count]) for count in range(3))]
    assert grants == sorted(one for one in grants if one is not None)
    assert bounds["stage"].minor == scenario.brief.stage_first_max
    assert largest_discount(scenario.wrong.benefit, scenario.amount_max) <= scenario.brief.stage_first_max
    assert scenario.bound_of(run_without(LADDER)) == (None, None)
    most = bounds["detector"].grants
    assert most is not None and 0 < most < scenario.happens


def test_no_label_is_owned_so_that_no_signature_keeps_the_incident_from_happening(scenario: Scenario) -> None:
    assert all(label.owner is None for label in policy_of(scenario).labels.values())


def test_incidents_that_were_no_promotion_say_what_stands_for_them() -> None:
    no_promotion = {"knight", "repricer", "jiahua", "doordash", "citi", "crowdstrike", "google", "cloudflare"}
    said = {name.split("-")[0] for name in ELEVEN if load_scenario(name).analogue is not None}
    assert said == no_promotion


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("eligible:", "eligable:", "/traffic/eligable"),
        ("  collar: {grants: 0", "  collar: {graants: 0", "/guards/collar/graants"),
        ("  proof: {", "  prof: {", "/guards/prof"),
        ("happens: {grants: 500}", "happens: {grants: 0}", "/happens/grants"),
        ('eligible: "15%"', "eligible: 15", "/traffic/eligible"),
        ('share: "50%"', 'share: "49%"', "/traffic/scenes"),
        ("{zh-CN: ~损失", "{zh-CN: 损失", "/guesses/0"),
        ("source: real ", "source: dreamt ", "/traffic/source"),
        ("low: 13", "low: 0", "/traffic/payments_per_second"),
        ("timezone: Asia/Shanghai", "timezone: Asia/Shangai", "/timezone"),
        ("    rate_max:", "    rate_mx:", "/rate_mx"),
    ],
)
def test_what_is_wrong_in_a_file_is_refused_with_its_place(old: str, new: str, path: str) -> None:
    text = text_of("alipay-2025-01-16")
    assert old in text
    with pytest.raises(Problem) as raised:
        read_scenario(Source("alipay-2025-01-16.yaml", text.replace(old, new, 1).encode()))
    assert raised.value.code is ProblemCode.DOCUMENT_IS_INVALID
    assert path in [place.path for place in raised.value.errors]


def test_a_scenario_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(Problem, match="no scenario `nobody`") as raised:
        load_scenario("nobody")
    assert "alipay-2025-01-16" in (raised.value.hint or "")


def test_the_runs_are_the_ladder_and_each_guard_alone_once_each() -> None:
    runs = all_runs()
    assert runs[:5] == ladder_runs()
    assert [run.guards for run in runs[:5]] == [LADDER[count:] for count in range(5)]
    assert [run.name for run in runs[:2]] == ["all", "without_proof"]
    assert runs[4].name == "unguarded"
    alone = {LADDER[:at] + LADDER[at + 1 :] for at in range(4)}
    assert alone <= {run.guards for run in runs}
    assert len(runs) == len({run.guards for run in runs}) == 8


def test_a_run_leaves_out_of_its_house_exactly_the_guards_that_it_has_not() -> None:
    for run in all_runs():
        assert {guard.value for guard in run.guards_left_out} == set(LADDER) - set(run.guards)
    assert run_without(("stage",)).guards == ("proof", "collar", "detector")

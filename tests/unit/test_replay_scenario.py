"""Scenarios: what they say can be read, and what they would publish is what the story tells."""

from makegood.clock import Instant
from makegood.documents.read import read_documents
from makegood.domain.review import Guard
from makegood.findings import Severity
from makegood.money import BASIS_POINTS, parse_money
from makegood.replay.scenario import documents_of, load_scenario


def test_the_runs_differ_in_nothing_but_the_guard() -> None:
    scenario = load_scenario("alipay-2025-01-16")
    free, capped, proved = (documents_of(scenario, run) for run in scenario.runs)
    assert [run.name for run in scenario.runs] == ["unguarded", "budget_capped", "proved"]
    assert [run.guards_left_out for run in scenario.runs] == [(Guard.PROOF,), (Guard.PROOF,), ()]
    assert [source.data for source in proved] == [source.data for source in free]
    assert scenario.runs[1].budget == parse_money("1000.00 CNY").minor
    texts = [source.data.decode() for source in free]
    again = [text.replace(scenario.runs[0].budget_text, scenario.runs[1].budget_text) for text in texts[2:]]
    assert again == [source.data.decode() for source in capped][2:]
    assert texts[:2] == [source.data.decode() for source in capped][:2]


def test_the_documents_of_every_run_can_be_published() -> None:
    scenario = load_scenario("alipay-2025-01-16")
    for run in scenario.runs:
        bundle = read_documents(documents_of(scenario, run), now=Instant(0))
        assert [one for one in bundle.findings if one.severity is Severity.ERROR] == []
        campaign = bundle.campaigns[0].campaign
        assert campaign is not None
        assert campaign.budget == run.budget == campaign.stages[-1]


def test_the_label_is_not_owned_so_that_no_signature_is_missing() -> None:
    scenario = load_scenario("alipay-2025-01-16")
    policy = read_documents(documents_of(scenario, scenario.runs[0]), now=Instant(0)).policies[0].policy
    assert policy is not None
    assert policy.labels["government_subsidy"].owner is None


def test_guards_that_were_not_built_are_in_no_run() -> None:
    scenario = load_scenario("alipay-2025-01-16")
    assert sum(mix.share for mix in scenario.scenes) == BASIS_POINTS
    assert not {guard for run in scenario.runs for guard in run.guards} & set(scenario.not_built_yet)

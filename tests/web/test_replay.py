"""`makegood replay` through a real server and store, at a rate that is small enough for every run of the tests."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.web.running import Running

from makegood.cli.main import cli
from makegood.errors import Problem
from makegood.replay.generator import generate
from makegood.replay.guards import all_runs, run_without
from makegood.replay.load import load_scenario
from makegood.replay.replayed import replay_scenario, varied
from makegood.replay.wire import connections_to
from makegood.services.platform import Platform

MAKEGOOD = [sys.executable, "-c", "from makegood.cli.main import main; main()"]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """What `--json` printed, and the report's folder."""
    out = tmp_path_factory.mktemp("replay") / "report"
    told = ["replay", "alipay-2025-01-16", "--rate", "0.4", "--eligible", "100%", "--json", "--report", str(out)]
    done = subprocess.run([*MAKEGOOD, *told], check=False, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout), out


def test_the_rows_are_those_that_scripts_read(ran: tuple[dict[str, Any], Path]) -> None:
    value, out = ran
    assert value["id"] == "alipay-2025-01-16"
    assert [row["guards"] for row in value["rows"]] == [list(run.guards) for run in all_runs()]
    assert value["within"] is True and value["replays"][0]["balanced"] is True
    assert value["report"] == str(out) and (out / "index.zh-CN.html").is_file()


def test_each_guard_stops_what_it_says_and_nothing_stops_it_with_none_left(ran: tuple[dict[str, Any], Path]) -> None:
    value, _ = ran
    rows = {row["name"]: row for row in value["rows"]}
    free, proved = rows["unguarded"], rows["all"]
    assert free["wrong_granted"] > 50 and free["stopped_by"] is None
    assert (proved["stopped_by"], proved["wrong_granted"], proved["stopped_before_publish"]) == ("proof", 0, True)
    assert value["replays"][0]["witness"]["words"]["zh-CN"]
    assert rows["without_proof"]["stopped_by"] == "collar" and rows["without_proof"]["wrong_granted"] == 0
    ran_first = [row for row in value["rows"] if not row["stopped_before_publish"]]
    assert [row["stages_opened"] for row in ran_first] == [1] * 4
    for row in ran_first[:-1]:
        most = row["bound"]["wrong_minor"]
        assert most is None or row["wrong_minor"] <= most == value["replays"][0]["first_stage_minor"]
        assert row["wrong_minor"] < free["wrong_minor"]


async def test_only_the_stale_node_of_eight_grants_wrongly(platform: Platform, server: Running) -> None:
    scenario = varied(load_scenario("knight-2012-08-01"), 0.05, None)
    arrivals = generate(scenario, 1)
    free = run_without(("proof", "collar", "detector", "stage"))
    async with connections_to(server.address, 4) as connections:
        replayed = await replay_scenario(platform, connections, scenario, [free], arrivals, step=lambda _: None)
    stale = {number for number, arrival in enumerate(arrivals, 1) if arrival.stale}
    wrong = {grant.number for grant in replayed.outcomes[0].grants}
    assert wrong and wrong <= stale
    assert replayed.outcomes[0].granted_minor > replayed.outcomes[0].wrong_minor
    assert replayed.balanced and len(replayed.verified) == 2


@pytest.mark.parametrize(
    "told",
    [
        ["--without", "luck"],
        ["--eligible", "15"],
        ["--eligible", "101%"],
        ["--rate", "0"],
        ["--rate", "nan"],
        ["--traffic", "dreamt"],
    ],
)
def test_a_wrong_option_is_wrong_usage(told: list[str]) -> None:
    assert CliRunner().invoke(cli, ["replay", "alipay-2025-01-16", *told]).exit_code == 2


def test_a_scenario_that_is_not_there_is_told_before_anything_is_started() -> None:
    result = CliRunner().invoke(cli, ["replay", "nobody-1999"])
    assert isinstance(result.exception, Problem) and "no scenario" in str(result.exception)

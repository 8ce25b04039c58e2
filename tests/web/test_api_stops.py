"""Stops of more than one campaign over HTTP, by the command line, and on the console's page of the guards."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from tests.web.running import CAMPAIGN, Running, make_house, payment, publish
from tests.web.selling import signed_in

from makegood.cli.main import cli
from makegood.services.access import authenticate
from makegood.store import guards

_houses, _numbers = itertools.count(1), itertools.count(1)
LABEL = "label:merchant_coupon"
Call = Callable[..., httpx.Response]


@pytest.fixture
def keys(server: Running) -> dict[str, str]:
    """The keys of a house whose campaign runs."""
    made = make_house(server, f"halt-{next(_houses)}")
    publish(server, made, open_stages=False)
    return made


@pytest.fixture
def call(server: Running, keys: dict[str, str]) -> Call:
    """Calls as one of its people."""

    def made(who: str, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        given = {"Authorization": f"Bearer {keys[who]}", "Idempotency-Key": f"halt-{next(_numbers)}"} | headers
        return httpx.request(method, server.address + path, json=body, headers=given, timeout=20, trust_env=False)

    return made


def wanted(target: str, reason: str = "fraud") -> dict[str, str]:
    return {"target": target, "reason": reason}


def granted(call: Call) -> int:
    found: int = call("checkout", "POST", "/v1/quotes", payment()).json()["discount_minor"]
    return found


# -- the API -----------------------------------------------------------------------------------------------


def test_a_label_is_stopped_by_one_and_resumed_by_two(call: Call) -> None:
    shown = call("checkout", "POST", "/v1/quotes", payment()).json()
    stopped = call("oncall", "POST", "/v1/stops", wanted(LABEL)).json()
    assert stopped == {"stopped": [LABEL, f"campaign:{CAMPAIGN}"], "honoured_quotes": 1}
    assert granted(call) == 0
    assert call("checkout", "POST", f"/v1/quotes/{shown['quote_id']}/capture").json()["state"] == "captured"
    view = call("auditor", "GET", f"/v1/campaigns/{CAMPAIGN}").json()
    assert (view["state"], view["stopped_targets"], view["stopped_by"]) == ("stopped", [LABEL], "oncall")
    asked = call("risk", "POST", "/v1/resumes", wanted(LABEL)).json()
    assert (asked["target"], asked["state"], "campaign" in asked) == (LABEL, "requested", False)
    stop = call("auditor", "GET", "/v1/stops").json()["stops"][0]
    assert (stop["target"], stop["reason"], stop["campaigns"]) == (LABEL, "fraud", [CAMPAIGN])
    assert (stop["resume_requested_by"], stop["resume_confirm_by"]) == ("risk", asked["confirm_by"])
    assert call("finance", "POST", "/v1/resumes", wanted(LABEL)).json()["state"] == "resumed"
    assert call("auditor", "GET", "/v1/stops").json() == {"stops": []}
    assert granted(call) == 2_000


def test_a_campaign_is_a_target_too(call: Call) -> None:
    target = f"campaign:{CAMPAIGN}"
    assert call("oncall", "POST", "/v1/stops", wanted(target)).json()["stopped"] == [target]
    asked = call("risk", "POST", "/v1/resumes", wanted(target)).json()
    assert (asked["target"], asked["campaign"], asked["state"]) == (target, CAMPAIGN, "requested")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (wanted("label:nothing"), 404, "not_found"),
        (wanted("campaign:nothing"), 404, "not_found"),
        (wanted("everybody"), 422, "request_is_invalid"),
        (wanted("scene:" + "x" * 400), 422, "request_is_invalid"),
        (wanted(LABEL, " "), 422, "request_is_invalid"),
        ({"target": LABEL}, 422, "request_is_invalid"),
        ({"target": 5, "reason": "x"}, 422, "request_is_invalid"),
    ],
)
def test_a_stop_that_stops_nothing_is_refused(call: Call, body: Any, status: int, code: str) -> None:
    refusal = call("oncall", "POST", "/v1/stops", body)
    assert (refusal.status_code, refusal.json()["code"]) == (status, code)
    assert granted(call) == 2_000


def test_trips_and_drills_are_listed_with_what_was_seen(server: Running, call: Call, keys: dict[str, str]) -> None:
    platform = server.platform()
    house = server.run(authenticate(platform, keys["auditor"])).house
    revision = call("auditor", "GET", f"/v1/campaigns/{CAMPAIGN}").json()["revision"]
    evidence = {"seen": 6_000, "allowed": 5_000, "words": {"en": "<b>too much</b>", "zh-CN": "太多"}}
    pool = platform.store.pool
    server.run(guards.trip(pool, house.id, "collar", CAMPAIGN, revision, "discount_is_above_max", evidence, 9))
    server.run(guards.record_drill(pool, house.id, "oncall", True, [{"step": "stop", "passed": True}]))
    trip = call("auditor", "GET", "/v1/trips").json()["trips"][0]
    assert (trip["guard"], trip["opened"], trip["evidence"]) == ("collar", True, evidence)
    drill = call("auditor", "GET", "/v1/drills").json()["drills"][0]
    assert (drill["principal"], drill["passed"], drill["steps"]) == ("oncall", True, [{"step": "stop", "passed": True}])
    refusal = call("risk", "POST", "/v1/resumes", wanted(f"campaign:{CAMPAIGN}"))
    assert (refusal.status_code, refusal.json()["code"]) == (409, "state_forbids")
    with signed_in(server, keys["oncall"]) as client:
        page = client.get("/console/guards", headers={"Accept-Language": "en"}).text
        assert "&lt;b&gt;too much&lt;/b&gt;" in page and "Only a new revision resumes it." in page
        assert "The drill passed" in page and "discount_is_above_max" in page
        assert "太多" in client.get("/console/guards?lang=zh-CN").text
        campaign = client.get(f"/console/campaigns/{CAMPAIGN}?lang=en").text
        assert "A guard tripped" in campaign and "only a new revision resumes it" in campaign


# -- the console -------------------------------------------------------------------------------------------


def test_everything_is_stopped_on_the_console_with_a_typed_word(
    server: Running, call: Call, keys: dict[str, str]
) -> None:
    own = {"Sec-Fetch-Site": "same-origin"}
    with signed_in(server, keys["oncall"]) as client:
        assert "Nothing is stopped." in client.get("/console/guards").text
        page = "/console/guards/everything/stop"
        assert 'name="typed"' in client.get(page).text
        for form in ({"reason": "fraud"}, {"reason": "fraud", "typed": "yes"}, {"typed": "everything"}):
            assert client.post(page, data=form, headers=own).status_code == 422
        assert granted(call) == 2_000
        done = client.post(page, data={"reason": "fraud", "typed": " Everything "}, headers=own)
        assert (done.status_code, done.headers["location"]) == (303, "/console/guards")
        assert granted(call) == 0
        assert client.get("/console/guards.json").json()["stops"][0]["target"] == "everything"
        campaign = client.get(f"/console/campaigns/{CAMPAIGN}").text
        assert "A wider stop holds it: everything." in campaign and "resume that one" in campaign
    for who in ("risk", "finance"):
        with signed_in(server, keys[who]) as client:
            assert client.get("/console/guards/everything/resume.json").json()["allowed"]
            done = client.post("/console/guards/everything/resume", data={"reason": "checked"}, headers=own)
            assert done.status_code == 303
            twin = client.get("/console/guards/everything/resume.json").json()
            assert not twin["allowed"], "asked by oneself, or not stopped any more"
    assert granted(call) == 2_000


def test_a_page_for_what_is_no_target_is_not_there(server: Running, keys: dict[str, str]) -> None:
    with signed_in(server, keys["auditor"]) as client:
        for target in ("nothing", f"campaign:{CAMPAIGN}", "label:"):
            assert client.get(f"/console/guards/{target}/stop").status_code == 404
        refused = client.get(f"/console/guards/{LABEL}/stop.json").json()
        assert not refused["allowed"] and "operate" in refused["refused"]


# -- the command line --------------------------------------------------------------------------------------


def test_the_command_line_stops_and_resumes_every_target(server: Running, keys: dict[str, str], call: Call) -> None:
    def run(who: str, *arguments: str) -> tuple[int, Any]:
        common = ("--key", keys[who], "--data", str(server.data), "--json")
        done = CliRunner().invoke(cli, [*arguments, *common])
        return done.exit_code, json.loads(done.stdout) if done.stdout.startswith("{") else done.output

    assert run("oncall", "stop", LABEL, "--reason", "fraud") == (
        0,
        {"stopped": [LABEL, f"campaign:{CAMPAIGN}"], "honoured_quotes": 0},
    )
    assert run("oncall", "stop", f"campaign:{CAMPAIGN}", "--reason", "fraud")[1]["campaign"] == CAMPAIGN
    code, asked = run("risk", "resume", LABEL)
    assert (code, asked["target"], asked["state"]) == (0, LABEL, "requested")
    assert run("finance", "resume", LABEL)[1] == {"target": LABEL, "state": "resumed", "confirm_by": None}
    code, asked = run("risk", "resume", f"campaign:{CAMPAIGN}")
    assert (code, asked["campaign"], asked["target"]) == (0, CAMPAIGN, f"campaign:{CAMPAIGN}")
    assert run("oncall", "stop", "all", "--reason", "fraud")[0] == 2
    assert granted(call) == 0

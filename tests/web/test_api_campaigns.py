"""Campaigns over HTTP: from documents to running, stopped, resumed."""

import itertools
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tests.web.running import CAMPAIGN, EXAMPLES, Running, make_house, payment, publish

_houses = itertools.count(1)
_numbers = itertools.count(1)
Call = Callable[..., httpx.Response]


@pytest.fixture
def call(server: Running) -> Call:
    """Calls as one of the people of a new test house: `call(who, method, path, body)`."""
    keys = make_house(server, f"desk-{next(_houses)}")

    def made(who: str, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        given = {"Authorization": f"Bearer {keys[who]}", "Idempotency-Key": f"call-{next(_numbers)}"} | headers
        return httpx.request(
            method, server.address + path, json=body, headers=given, timeout=20, trust_env=False, verify=False
        )

    made.keys = keys  # type: ignore[attr-defined]
    return made


@pytest.fixture
def running_call(server: Running, call: Call) -> Call:
    """The same, in a house whose campaign runs."""
    publish(server, call.keys, open_stages=False)  # type: ignore[attr-defined]
    call("checkout", "POST", "/v1/quotes/preview", payment())
    return call


def documents(*files: str) -> dict[str, Any]:
    return {"documents": [{"file": file, "text": (EXAMPLES / file).read_text(encoding="utf-8")} for file in files]}


def test_a_campaign_goes_from_document_to_running_by_three_principals(call: Call) -> None:
    policy = call("risk", "POST", "/v1/documents", documents("policy.yaml")).json()["published"][0]
    assert (policy["kind"], policy["state"]) == ("policy", "in_review")
    own = call("risk", "POST", f"/v1/revisions/{policy['revision']}/approve")
    assert (own.status_code, own.json()["code"]) == (403, "principal_may_not")
    assert call("finance", "POST", f"/v1/revisions/{policy['revision']}/approve").json()["state"] == "running"
    call("wei", "POST", "/v1/documents", documents("brief-spring.yaml"))
    campaign = call("ana", "POST", "/v1/documents", documents("campaign-spring.yaml")).json()["published"][-1]
    assert (campaign["id"], campaign["state"], campaign["missing"]) == (CAMPAIGN, "in_review", ["approval:2"])
    approve = f"/v1/revisions/{campaign['revision']}/approve"
    assert call("risk", "POST", approve).json()["missing"] == ["approval:1"]
    assert call("finance", "POST", approve, {}).json()["missing"] == []
    answer = call("checkout", "POST", "/v1/quotes", payment()).json()
    assert answer["discount_minor"] == 2_000
    seen = call("auditor", "GET", f"/v1/campaigns/{CAMPAIGN}").json()
    assert (seen["state"], seen["reserved_minor"], seen["stage_minor"]) == ("running", 2_000, 100_000)
    assert seen["opens"] == "2027-01-31T16:00:00Z"
    assert [one["id"] for one in call("auditor", "GET", "/v1/campaigns").json()["campaigns"]] == [CAMPAIGN]


def test_a_document_with_errors_is_refused_with_every_place(running_call: Call) -> None:
    text = (EXAMPLES / "campaign-spring.yaml").read_text(encoding="utf-8")
    broken = text.replace('"50.00 CNY"', "5000").replace("limits:", "limts:")
    refusal = running_call("ana", "POST", "/v1/documents", {"documents": [{"file": "c.yaml", "text": broken}]})
    assert (refusal.status_code, refusal.json()["code"]) == (422, "document_is_invalid")
    assert len(refusal.json()["errors"]) >= 2


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "/documents"),
        ({"documents": []}, "/documents"),
        ({"documents": ["text"]}, "/documents/0"),
        ({"documents": [{"file": "a"}]}, "/documents/0/text"),
        ({"documents": [{"file": "a", "text": 5}]}, "/documents/0/text"),
        ({"documents": [{"file": "a\0", "text": "x"}]}, "/documents/0/file"),
        ({"documents": [{"file": "a", "text": "x", "more": 1}]}, "/documents/0/more"),
        ({"documents": [{"file": "a", "text": "x"}] * 201}, "/documents"),
    ],
)
def test_wrong_documents_are_refused_with_their_path(call: Call, body: Any, path: str) -> None:
    refusal = call("ana", "POST", "/v1/documents", body)
    assert (refusal.status_code, refusal.json()["errors"][0]["path"]) == (422, path)


def test_a_stop_takes_one_principal_and_honours_what_was_shown(running_call: Call) -> None:
    quote = running_call("checkout", "POST", "/v1/quotes", payment()).json()
    stopped = running_call("oncall", "POST", f"/v1/campaigns/{CAMPAIGN}/stop", {"reason": "wrong template"}).json()
    assert stopped == {"stopped": [f"campaign:{CAMPAIGN}"], "honoured_quotes": 1}
    after = running_call("checkout", "POST", "/v1/quotes", payment(explain=True)).json()
    assert (after["discount_minor"], after["explanation"][0]["refusal"]) == (0, "campaign_is_stopped")
    captured = running_call("checkout", "POST", f"/v1/quotes/{quote['quote_id']}/capture").json()
    assert captured["state"] == "captured"
    view = running_call("auditor", "GET", f"/v1/campaigns/{CAMPAIGN}").json()
    assert (view["state"], view["stopped_by"], view["stop_reason"]) == ("stopped", "oncall", "wrong template")


def test_a_resume_takes_two_principals(running_call: Call) -> None:
    path = f"/v1/campaigns/{CAMPAIGN}"
    running_call("oncall", "POST", f"{path}/stop", {"reason": "drill"})
    asked = running_call("risk", "POST", f"{path}/resume", {"reason": "the drill is over"}).json()
    assert asked["state"] == "requested"
    alone = running_call("risk", "POST", f"{path}/resume", {"reason": "again"})
    assert (alone.status_code, alone.json()["code"]) == (409, "resume_needs_another")
    confirmed = running_call("finance", "POST", f"{path}/resume", {"reason": "yes"}).json()
    assert (confirmed["campaign"], confirmed["confirm_by"]) == (CAMPAIGN, None)
    assert running_call("checkout", "POST", "/v1/quotes", payment()).json()["discount_minor"] == 2_000


@pytest.mark.parametrize("reason", [None, "", "   ", 5, "x" * 501, "a\0b"])
def test_a_stop_without_a_reason_is_refused(running_call: Call, reason: Any) -> None:
    refusal = running_call("oncall", "POST", f"/v1/campaigns/{CAMPAIGN}/stop", {"reason": reason})
    assert (refusal.status_code, refusal.json()["errors"][0]["path"]) == (422, "/reason")
    assert running_call("auditor", "GET", f"/v1/campaigns/{CAMPAIGN}").json()["stopped_by"] is None


def test_an_unknown_campaign_is_not_found(call: Call) -> None:
    for who, method, path, body in (
        ("auditor", "GET", "/v1/campaigns/nothing", None),
        ("oncall", "POST", "/v1/campaigns/nothing/stop", {"reason": "x"}),
        ("risk", "POST", "/v1/campaigns/nothing/resume", {"reason": "x"}),
        ("oncall", "POST", "/v1/campaigns/nothing/stages", {"opened_minor": 0}),
        ("risk", "POST", "/v1/revisions/rev_" + "0" * 64 + "/approve", None),
    ):
        assert call(who, method, path, body).status_code == 404


def test_a_stage_is_opened_by_hand_until_the_last(running_call: Call) -> None:
    path = f"/v1/campaigns/{CAMPAIGN}/stages"
    steps = [{"opened_minor": 10**n} for n in (5, 6, 7, 8)]
    opened = [running_call("oncall", "POST", path, step) for step in steps]
    assert [view.json().get("stage_minor") for view in opened[:3]] == [1_000_000, 10_000_000, 100_000_000]
    assert (opened[3].status_code, opened[3].json()["code"]) == (409, "state_forbids")
    stale = running_call("oncall", "POST", path, steps[0])
    assert (stale.status_code, stale.json()["code"]) == (409, "state_forbids")
    wrong = running_call("oncall", "POST", path, {"opened_minor": "all"})
    assert (wrong.status_code, wrong.json()["errors"][0]["path"]) == (422, "/opened_minor")


def test_an_unchanged_campaign_is_not_sent_twice(running_call: Call) -> None:
    path = f"/v1/campaigns/{CAMPAIGN}"
    tag = running_call("auditor", "GET", path).headers["etag"]
    for given in (tag, f'"other", {tag}', "*", tag.removeprefix("W/")):
        same = running_call("auditor", "GET", path, **{"If-None-Match": given})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    running_call("checkout", "POST", "/v1/quotes", payment())
    changed = running_call("auditor", "GET", path, **{"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


# -- done once ----------------------------------------------------------------------------------------


def test_a_stage_opened_twice_with_one_key_is_opened_once(running_call: Call) -> None:
    path = f"/v1/campaigns/{CAMPAIGN}/stages"
    step = {"opened_minor": 100_000}
    first = running_call("oncall", "POST", path, step, **{"Idempotency-Key": "widen"})
    again = running_call("oncall", "POST", path, step, **{"Idempotency-Key": "widen"})
    assert (again.status_code, again.json()) == (200, first.json())
    assert running_call("auditor", "GET", f"/v1/campaigns/{CAMPAIGN}").json()["stage_minor"] == 1_000_000


@pytest.mark.parametrize(
    ("who", "path", "body"),
    [
        ("ana", "/v1/documents", {"documents": [{"file": "a", "text": "x"}]}),
        ("risk", "/v1/revisions/rev_" + "0" * 64 + "/approve", None),
        ("risk", f"/v1/campaigns/{CAMPAIGN}/resume", {"reason": "x"}),
        ("oncall", f"/v1/campaigns/{CAMPAIGN}/stages", {"opened_minor": 100_000}),
    ],
)
def test_a_call_that_is_to_happen_once_needs_its_key(
    server: Running, call: Call, who: str, path: str, body: Any
) -> None:
    headers = {"Authorization": f"Bearer {call.keys[who]}"}  # type: ignore[attr-defined]
    missing = httpx.post(server.address + path, json=body, headers=headers, trust_env=False, verify=False)
    assert (missing.status_code, missing.json()["code"]) == (400, "idempotency_key_is_missing")
    empty = httpx.post(
        server.address + path, json=body, headers=headers | {"Idempotency-Key": ""}, trust_env=False, verify=False
    )
    assert (empty.status_code, empty.json()["code"]) == (422, "request_is_invalid")


def test_one_key_for_two_different_calls_is_refused(running_call: Call) -> None:
    path = f"/v1/campaigns/{CAMPAIGN}"
    running_call("oncall", "POST", f"{path}/stop", {"reason": "one"}, **{"Idempotency-Key": "k"})
    for other, body in ((f"{path}/stop", {"reason": "two"}), (f"{path}/stages", {"opened_minor": 100_000})):
        refusal = running_call("oncall", "POST", other, body, **{"Idempotency-Key": "k"})
        assert (refusal.status_code, refusal.json()["code"]) == (422, "content_differs")


def test_a_stop_needs_no_key_of_its_own(server: Running, running_call: Call) -> None:
    headers = {"Authorization": f"Bearer {running_call.keys['oncall']}"}  # type: ignore[attr-defined]
    path = f"{server.address}/v1/campaigns/{CAMPAIGN}/stop"
    for _ in range(2):
        stopped = httpx.post(path, json={"reason": "now"}, headers=headers, trust_env=False, verify=False)
        assert stopped.json()["stopped"] == [f"campaign:{CAMPAIGN}"]

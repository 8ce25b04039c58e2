"""The console over plain HTTP: sessions, forged requests, twins, errors, and what is never trusted."""

import html
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.web.running import CAMPAIGN, Running
from tests.web.selling import house_with_payments, quote, signed_in

from makegood.web.console.routes import routes
from makegood.web.console.signing import safe_next

PAGE = f"/console/campaigns/{CAMPAIGN}"
HOSTILE = '"><img src=x onerror=alert(1)> & <script>alert(2)</script>'


@pytest.fixture(scope="module")
def keys(server: Running) -> dict[str, str]:
    """The keys of a house whose campaign runs and stays so."""
    return house_with_payments(server)


@pytest.fixture
def stranger(server: Running) -> Iterator[httpx.Client]:
    """A client without a session."""
    with httpx.Client(base_url=server.address, timeout=20, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def oncall(server: Running, keys: dict[str, str]) -> Iterator[httpx.Client]:
    """A session that may stop."""
    with signed_in(server, keys["oncall"]) as client:
        yield client


# -- sessions -----------------------------------------------------------------------------------------


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(
    stranger: httpx.Client, keys: dict[str, str]
) -> None:
    headers = {"Sec-Fetch-Site": "same-origin"}
    response = stranger.post("/console/sign-in", data={"key": keys["oncall"]}, headers=headers)
    cookie = response.headers["set-cookie"]
    assert all(flag in cookie for flag in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age=28800"))
    assert keys["oncall"] not in cookie and keys["oncall"] not in response.text


def test_without_a_session_a_page_leads_to_the_form_and_back(stranger: httpx.Client, keys: dict[str, str]) -> None:
    response = stranger.get("/console/campaigns?q=spring&state=running")
    assert response.status_code == 303
    there = response.headers["location"]
    assert there == "/console/sign-in?next=/console/campaigns%3Fq%3Dspring%26state%3Drunning"
    assert html.escape("/console/campaigns?q=spring&state=running") in stranger.get(there).text


def test_without_a_session_a_twin_and_a_refresh_hear_401(stranger: httpx.Client) -> None:
    assert stranger.get("/console/campaigns.json").json()["code"] == "key_is_missing"
    assert stranger.get("/console/campaigns", headers={"HX-Request": "true"}).status_code == 401


def test_after_signing_out_the_session_is_over_in_the_store_too(server: Running, keys: dict[str, str]) -> None:
    with signed_in(server, keys["oncall"]) as client:
        cookies = dict(client.cookies)
        assert client.get(PAGE).status_code == 200
        assert client.post("/console/sign-out", data={"csrf": ""}).status_code == 303
        client.cookies.update(cookies)
        assert client.get(PAGE).status_code == 303


@pytest.mark.parametrize(
    "wish",
    ["https://evil.example/", "//evil.example", "/console//evil.example", "/console/\\evil", "/console/a\nb", ""],
)
def test_signing_in_never_leads_to_another_site(wish: str) -> None:
    assert safe_next(wish) == "/console/campaigns"


# -- forged requests ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {},
    ],
    ids=["another site", "a sibling host", "another origin", "no origin of its own", "nothing and no token"],
)
def test_a_stop_that_another_site_sends_is_refused(
    server: Running, keys: dict[str, str], oncall: httpx.Client, headers: dict[str, str]
) -> None:
    with httpx.Client(base_url=server.address, cookies=dict(oncall.cookies), trust_env=False) as forger:
        response = forger.post(f"{PAGE}/stop", data={"reason": "mischief"}, headers=headers)
    assert response.status_code == 403
    assert "request_is_forged" in response.text
    assert quote(server, keys)["discount_minor"] == 2_000


# -- pages and their twins ----------------------------------------------------------------------------


def test_every_page_has_a_twin(oncall: httpx.Client) -> None:
    pages = {route.path for route in routes if "GET" in (route.methods or ()) and not route.path.endswith(".json")}
    for path in pages - {"/console", "/console/sign-out", "/console/{path:path}"}:
        response = oncall.get(path.replace("{campaign}", CAMPAIGN).replace("{target:path}", "everything") + ".json")
        assert response.status_code == 200, path
        assert response.headers["content-type"] == "application/json"
        assert isinstance(response.json(), dict)


def test_the_twin_of_a_campaign_has_money_in_minor_units_and_instants_in_utc(oncall: httpx.Client) -> None:
    twin: dict[str, Any] = oncall.get(f"{PAGE}.json").json()
    assert (twin["id"], twin["currency"], twin["budget_minor"]) == (CAMPAIGN, "CNY", 100_000_000)
    assert twin["opens"] == "2027-01-31T16:00:00Z"
    assert {event["action"] for event in twin["events"]} >= {"campaign.live", "revision.approved"}


def test_a_page_says_what_is_needed_to_judge_it(oncall: httpx.Client) -> None:
    page = oncall.get(PAGE).text
    for words in (
        "Proved for every possible payment",
        "prf_",
        "rev_",
        "Asia/Shanghai",
        "As of",
        "Brief by",
        "wei",
        "finance, risk",
        "2 of 2",
        "CNY",
    ):
        assert words in page, words


def test_what_a_key_may_not_do_is_shown_disabled_with_the_reason(server: Running, keys: dict[str, str]) -> None:
    with signed_in(server, keys["auditor"]) as client:
        page = client.get(PAGE).text
        assert 'aria-disabled="true" aria-describedby="refused-stop"' in page
        assert 'Your key lacks the scope "operate".' in html.unescape(page)
        assert f'href="{PAGE}/stop"' not in page
        refused = client.post(f"{PAGE}/stop", data={"reason": "try"})
    assert (refused.status_code, "scope_is_missing" in refused.text) == (403, True)


def test_a_stop_without_a_reason_changes_nothing_and_keeps_what_was_written(oncall: httpx.Client) -> None:
    empty = oncall.post(f"{PAGE}/stop", data={"reason": "  "})
    assert empty.status_code == 422
    assert "A reason is missing. Nothing was changed." in empty.text
    long = oncall.post(f"{PAGE}/stop", data={"reason": "w" * 501})
    assert long.status_code == 422
    assert "w" * 501 in long.text


def test_a_stage_form_that_is_sent_twice_opens_one_stage(server: Running) -> None:
    keys = house_with_payments(server, quotes=0)
    with signed_in(server, keys["oncall"]) as client:
        before = client.get(f"{PAGE}.json").json()["stage_minor"]
        answers = [client.post(f"{PAGE}/stage", data={"opened": str(before)}).status_code for _ in range(2)]
        after = client.get(f"{PAGE}.json").json()["stage_minor"]
    assert answers == [303, 409]
    assert (before, after) == (10_000_000, 100_000_000)


# -- what is never trusted ----------------------------------------------------------------------------


def test_what_people_wrote_is_shown_as_text(server: Running) -> None:
    keys = house_with_payments(server, quotes=0)
    with signed_in(server, keys["oncall"]) as client:
        assert client.post(f"{PAGE}/stop", data={"reason": HOSTILE}).status_code == 303
        pages = [client.get(PAGE).text, client.get("/console/campaigns", params={"q": HOSTILE}).text]
    for page in pages:
        assert "<img" not in page and "<script>alert" not in page
        assert HOSTILE in html.unescape(page)


@pytest.mark.parametrize("path", ["/console/nothing", f"{PAGE}x", "/console/campaigns/%3Cscript%3E", f"{PAGE}/x"])
def test_an_error_says_what_was_not_done_and_what_to_do_and_the_code(oncall: httpx.Client, path: str) -> None:
    response = oncall.get(path)
    assert response.status_code == 404
    assert response.headers["content-type"].startswith("text/html")
    for words in ("What was not done", "Nothing was changed.", "What to do", "not_found"):
        assert words in response.text
    assert "<script>" not in response.text


def test_an_error_of_a_twin_is_a_problem(oncall: httpx.Client) -> None:
    response = oncall.get(f"{PAGE}x.json")
    assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")


def test_a_form_that_is_too_large_or_of_another_kind_is_refused(oncall: httpx.Client) -> None:
    assert oncall.post(f"{PAGE}/stop", data={"reason": "r" * 20_000}).status_code == 413
    assert oncall.post(f"{PAGE}/stop", json={"reason": "r"}).status_code == 415
    assert oncall.post(f"{PAGE}/stop", data={str(number): "x" for number in range(50)}).status_code == 422


def test_a_page_holds_no_script_and_no_style_of_its_own(oncall: httpx.Client) -> None:
    for path in ("/console/campaigns", PAGE, f"{PAGE}/stop", "/console/access"):
        page = oncall.get(path).text
        assert " style=" not in page and "<style" not in page and " onclick" not in page
        assert page.count("<script") == page.count('<script src="/static/')


# -- language and colours -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "cookie", "accepted", "language"),
    [
        ("?lang=zh-CN", "en", "en", "zh-CN"),
        ("", "zh-CN", "en", "zh-CN"),
        ("", "", "fr, zh-Hans;q=0.8, en;q=0.7", "zh-CN"),
        ("", "", "de", "en"),
        ("?lang=xx", "xx", "zh;q=0, en;q=bad", "en"),
    ],
)
def test_the_language_is_the_asked_one_then_the_kept_one_then_the_browsers(
    stranger: httpx.Client, query: str, cookie: str, accepted: str, language: str
) -> None:
    headers = {"Accept-Language": accepted, "Cookie": f"makegood_language={cookie}"}
    response = stranger.get(f"/console/sign-in{query}", headers=headers)
    assert f'<html lang="{language}"' in response.text
    assert response.headers["content-language"] == language


def test_a_theme_that_was_asked_for_is_kept_and_an_unknown_one_is_not(stranger: httpx.Client) -> None:
    assert 'data-theme="dark"' in stranger.get("/console/sign-in?theme=dark").text
    assert 'data-theme="dark"' in stranger.get("/console/sign-in").text
    answer = stranger.get("/console/sign-in?theme=%22%3E")
    assert 'data-theme="dark"' in answer.text
    assert "set-cookie" not in answer.headers

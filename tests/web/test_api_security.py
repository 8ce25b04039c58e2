"""Who calls, and what browsers may do: keys, scopes, headers, host names, forged requests, cookies."""

from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from tests.web.running import Running

from makegood.clock import Instant
from makegood.domain.review import Scope
from makegood.errors import Problem, ProblemCode
from makegood.services.access import Caller, House, Session
from makegood.web.api.operations import OPERATIONS
from makegood.web.security import (
    PAGE_POLICY,
    SecurityHeaders,
    clear_session_cookie,
    refuse_forgery,
    set_session_cookie,
)

SESSION = Session(
    Caller(House(1, "shop", False, b"", b""), "ana", frozenset({Scope.READ}), "k1"), "token-of-the-form", Instant(0)
)


def request(method: str = "POST", scheme: str = "http", **headers: str) -> Request:
    """A request as the server hands it on."""
    given = {"host": "pay.example"} | {name.replace("_", "-"): value for name, value in headers.items()}
    scope: dict[str, Any] = {
        "type": "http", "method": method, "scheme": scheme, "path": "/console", "query_string": b"",
        "server": ("pay.example", 443), "headers": [(k.encode(), v.encode()) for k, v in given.items()],
    }  # fmt: skip
    return Request(scope)


# -- keys ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_no_operation_answers_without_a_key(server: Running, operation: Any) -> None:
    with server.client(None) as client:
        response = client.request(operation.method, operation.path.replace("{", "").replace("}", ""))
    assert (response.status_code, response.json()["code"]) == (401, "key_is_missing")
    assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", ["/metrics", "/openapi.json"])
def test_nothing_but_health_answers_without_a_key(server: Running, path: str) -> None:
    with server.client(None) as client:
        assert client.get(path).status_code == 401
        assert client.get("/livez").status_code == 200


def test_every_wrong_key_is_wrong_in_the_same_words(server: Running) -> None:
    right = server.keys["checkout"]
    wrong = [
        right[:-1] + ("a" if right[-1] != "a" else "b"),
        right.replace("mk_shop_", "mk_nohouse_"),
        right.replace("mk_", "ms_"),
        "mk_shop_00000000_" + "x" * 40,
        "x",
        "mk_" + "a" * 5_000,
        "mk_shop_é",
    ]
    bodies = set()
    for key in wrong:
        with server.client(None) as client:
            response = client.get("/v1/campaigns", headers={b"Authorization": f"Bearer {key}".encode()})
        assert response.status_code == 401
        bodies.add(response.text)
    assert len(bodies) == 1
    assert "key_is_wrong" in bodies.pop()


@pytest.mark.parametrize("prefix", ["Basic ", "", "Bearer  x "])
def test_a_key_is_taken_as_a_bearer_token_only(server: Running, prefix: str) -> None:
    with server.client(None) as client:
        response = client.get("/v1/campaigns", headers={"Authorization": prefix + server.keys["auditor"]})
    assert response.json()["code"] == "key_is_wrong"


def test_two_keys_at_once_are_wrong(server: Running) -> None:
    header = f"Bearer {server.keys['auditor']}"
    response = httpx.get(
        server.address + "/v1/campaigns",
        headers=[("Authorization", header), ("Authorization", header)],
        trust_env=False,
        verify=False,
    )
    assert response.json()["code"] == "key_is_wrong"


def test_a_key_without_the_scope_is_told_which_one_it_needs(server: Running) -> None:
    with server.client("auditor") as client:
        refusal = client.post("/v1/quotes", json={})
    assert (refusal.status_code, refusal.json()["code"]) == (403, "scope_is_missing")
    assert "`quote`" in refusal.json()["detail"]
    with server.client("checkout") as client:
        for path in ("/v1/campaigns", "/v1/ledger/verification", "/metrics"):
            assert client.get(path).json()["code"] == "scope_is_missing"


# -- headers ------------------------------------------------------------------------------------------


def test_every_answer_has_the_security_headers(server: Running) -> None:
    with server.client("auditor") as client:
        for path in ("/livez", "/v1/campaigns", "/v1/nothing", "/static/nothing"):
            headers = client.get(path).headers
            assert headers["content-security-policy"].startswith("default-src 'none'")
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cache-control"] == "no-store"
            assert headers["cross-origin-resource-policy"] == "same-origin"
            assert "server" not in headers


def test_a_page_may_use_our_own_scripts_and_nothing_else(server: Running) -> None:
    with server.client(None) as client:
        response = client.get("/console/sign-in")
    assert response.headers["content-type"].startswith("text/html")
    assert response.headers["content-security-policy"] == PAGE_POLICY
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cross-origin-opener-policy"] == "same-origin"
    assert response.headers["x-frame-options"] == "DENY"
    assert "unsafe" not in PAGE_POLICY


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await Response("hello")(scope, receive, send)


@pytest.mark.parametrize(
    ("host", "status"),
    [("pay.example", 200), ("PAY.example:8765", 200), ("127.0.0.1", 200), ("evil.example", 421), ("[", 421), ("", 421)],
)
async def test_where_host_names_are_set_no_other_is_answered(host: str, status: int) -> None:
    app = SecurityHeaders(hello, hosts=["pay.example", "127.0.0.1"])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        assert (await client.get("/v1/campaigns", headers={"Host": host})).status_code == status
        assert (await client.get("/livez", headers={"Host": host})).status_code == 200


# -- forged requests ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
        {"sec_fetch_site": "same-origin", "origin": "null"},
        {"origin": "https://pay.example"},
        {"origin": "http://PAY.example"},
    ],
)
def test_a_request_of_our_own_pages_is_taken(headers: dict[str, str]) -> None:
    refuse_forgery(request(**headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site", "origin": "https://pay.example"},
        {"sec_fetch_site": ""},
        {"origin": "https://evil.example"},
        {"origin": "https://pay.example.evil.example"},
        {"origin": "https://pay.example:8443"},
        {"origin": "null"},
        {"origin": "http://["},
        {"origin": "ftp://pay.example"},
        {"origin": ""},
    ],
)
def test_a_request_of_another_site_is_refused_even_with_the_token(headers: dict[str, str]) -> None:
    with pytest.raises(Problem) as caught:
        refuse_forgery(request(**headers), session=SESSION, token=SESSION.csrf)
    assert caught.value.code is ProblemCode.REQUEST_IS_FORGED


def test_a_browser_that_says_nothing_needs_the_token_of_its_session() -> None:
    refuse_forgery(request(), session=SESSION, token=SESSION.csrf)
    for session, token in [(SESSION, None), (SESSION, "another"), (SESSION, "é"), (None, SESSION.csrf), (None, None)]:
        with pytest.raises(Problem):
            refuse_forgery(request(), session=session, token=token)


# -- cookies ------------------------------------------------------------------------------------------


def test_a_session_cookie_is_out_of_reach_of_scripts_and_other_sites() -> None:
    plain, secure = Response(), Response()
    set_session_cookie(plain, request(), "ms_token")
    set_session_cookie(secure, request(scheme="https"), "ms_token")
    assert plain.headers["set-cookie"].startswith("makegood=ms_token; HttpOnly; Max-Age=28800; Path=/; SameSite=strict")
    assert secure.headers["set-cookie"].startswith("__Host-makegood=ms_token;")
    assert "; Secure" in secure.headers["set-cookie"]
    assert "Domain" not in secure.headers["set-cookie"]


def test_a_cleared_cookie_is_over_at_once() -> None:
    response = Response()
    clear_session_cookie(response, request(scheme="https"))
    assert "Max-Age=0" in response.headers["set-cookie"]
    assert response.headers["set-cookie"].startswith("__Host-makegood=")

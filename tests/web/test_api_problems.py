"""Problems: one form for every error, with permanent codes."""

import json
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send
from tests.web.running import Running

from makegood.errors import FieldError, Problem, ProblemCode, StoreUnavailable
from makegood.web.faults import Faults
from makegood.web.problems import KINDS, as_problem, full_price, problem_response
from makegood.web.security import SecurityHeaders


def body_of(error: BaseException) -> Any:
    return json.loads(bytes(problem_response(error).body))


@pytest.mark.parametrize("code", ProblemCode)
def test_every_code_has_a_status_and_a_title(code: ProblemCode) -> None:
    body = body_of(Problem(code, "what happened"))
    assert 400 <= body["status"] < 600
    assert body["title"] == KINDS[code].title
    assert body["type"] == f"/docs/problems#{code.value}"


def test_a_problem_names_the_places_and_the_remedy() -> None:
    errors = (FieldError("/amount", "is missing"), FieldError("/scene", "is not in the list", "did you mean `online`?"))
    body = body_of(Problem(ProblemCode.PAYMENT_IS_INVALID, "it does not fit", errors=errors, hint="mend it"))
    assert body["errors"] == [
        {"path": "/amount", "message": "is missing"},
        {"path": "/scene", "message": "is not in the list", "hint": "did you mean `online`?"},
    ]
    assert (body["detail"], body["hint"]) == ("it does not fit", "mend it")


def test_a_store_that_is_away_is_503_and_says_when_to_come_back() -> None:
    response = problem_response(StoreUnavailable("connection to db-7.internal refused"))
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert b"db-7" not in response.body


def test_a_fault_of_ours_leaks_nothing_but_a_reference(capsys: pytest.CaptureFixture[str]) -> None:
    problem = as_problem(RuntimeError("password=hunter2"))
    assert problem.code is ProblemCode.INTERNAL
    assert "hunter2" not in problem.detail
    reference = problem.detail.split("`")[1]
    assert reference.startswith("err_")


async def test_a_fault_in_a_handler_is_answered_with_a_problem_and_the_headers_of_every_answer() -> None:
    async def breaks(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = {"fallback": full_price(1234)}
        raise ZeroDivisionError("secret of the house")

    app = SecurityHeaders(Faults(breaks))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        refusal = await client.post("/v1/quotes")
    assert (refusal.status_code, refusal.json()["code"]) == (500, "internal")
    assert refusal.json()["fallback"] == {"decided": False, "discount_minor": 0, "to_pay_minor": 1234}
    assert "secret" not in refusal.text
    assert refusal.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("amount", "told"), [(100, 100), (0, None), (-1, None), (True, None), ("100", None), (1.5, None)]
)
def test_a_payment_goes_on_at_full_price_where_its_amount_can_be_read(amount: object, told: int | None) -> None:
    assert full_price(amount) == {"decided": False, "discount_minor": 0, "to_pay_minor": told}


def test_an_unknown_path_is_a_problem_too(server: Running) -> None:
    with server.client(None) as client:
        response = client.get("/v1/nothing")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert response.headers["content-type"] == "application/problem+json"


def test_a_wrong_method_is_a_problem_that_names_the_right_ones(api: httpx.Client) -> None:
    for method in ("GET", "DELETE", "PUT", "OPTIONS", "TRACE"):
        response = api.request(method, "/v1/quotes")
        assert (response.status_code, response.json()["code"]) == (405, "method_is_wrong")
        assert response.headers["allow"] == "POST"


def test_a_slash_too_many_is_a_wrong_path_and_no_redirect(api: httpx.Client) -> None:
    assert api.post("/v1/quotes/", json={}).status_code == 404


def test_a_head_has_the_headers_of_a_get_and_no_body(server: Running) -> None:
    with server.client("auditor") as client:
        response = client.head("/v1/campaigns")
    assert (response.status_code, response.content) == (200, b"")

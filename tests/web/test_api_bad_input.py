"""Bad input: each mistake has its code and its place, changes nothing, and never blocks the payment."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.web.running import Running, make_house, payment, publish

from makegood.clock import system_clock
from makegood.limits import ID_CHARS_MAX, MONEY_MINOR_MAX


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"amount": -1}, "/amount"),
        ({"amount": 0}, "/amount"),
        ({"amount": 2**63}, "/amount"),
        ({"amount": 10**30}, "/amount"),
        ({"amount": MONEY_MINOR_MAX + 1}, "/amount"),
        ({"amount": 50_000_001}, "/amount"),
        ({"amount": "10000"}, "/amount"),
        ({"amount": 10_000.0}, "/amount"),
        ({"amount": True}, "/amount"),
        ({"amount": None}, "/amount"),
        ({"currency": "USD"}, "/currency"),
        ({"currency": "cny"}, "/currency"),
        ({"currency": 156}, "/currency"),
        ({"currency": {"code": "CNY"}}, "/currency"),
        ({"scene": "teleport"}, "/scene"),
        ({"occurred_at": "yesterday"}, "/occurred_at"),
        ({"occurred_at": "2027-02-30T00:00:00Z"}, "/occurred_at"),
        ({"occurred_at": "2027-02-03T02:00:00"}, "/occurred_at"),
        ({"occurred_at": 1801620000}, "/occurred_at"),
        ({"payment_id": ""}, "/payment_id"),
        ({"payment_id": "x" * (ID_CHARS_MAX + 1)}, "/payment_id"),
        ({"payment_id": "a\0b"}, "/payment_id"),
        ({"payment_id": ["p"]}, "/payment_id"),
        ({"payer_id": 7}, "/payer_id"),
        ({"city": "x" * 65}, "/city"),
        ({"cty": "Hangzhou"}, "/cty"),
        ({"payer_is_new": "false"}, "/payer_is_new"),
        ({"payer_segments": "vip"}, "/payer_segments"),
        ({"payer_segments": ["x"] * 21}, "/payer_segments"),
        ({"items_count": 10_001}, "/items_count"),
        ({"items": [{"sku": "a", "amount": 9_999}]}, "/items"),
        ({"items": [{"sku": "a", "amount": 10_000, "price": 1}]}, "/items/0/price"),
        ({"items": {}}, "/items"),
        ({"supersedes": 7}, "/supersedes"),
        ({"explain": "yes"}, "/explain"),
        ({"discount": 2_000}, "/discount"),
    ],
)
def test_a_wrong_field_is_refused_with_its_path_and_the_payment_goes_on(
    api: httpx.Client, changes: dict[str, Any], path: str
) -> None:
    raw = payment(**changes)
    response = api.post("/v1/quotes", json=raw)
    problem = response.json()
    assert response.status_code == 422, problem
    assert path in [error["path"] for error in problem["errors"]]
    amount = raw["amount"]
    readable = isinstance(amount, int) and not isinstance(amount, bool) and amount > 0
    assert problem["fallback"] == {"decided": False, "discount_minor": 0, "to_pay_minor": amount if readable else None}


@pytest.mark.parametrize("raw", [None, [], "payment", 7, [[]], {}])
def test_what_is_not_a_payment_is_refused(api: httpx.Client, raw: object) -> None:
    response = api.post("/v1/quotes", content=json.dumps(raw), headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["fallback"]["to_pay_minor"]) == (422, None)


def test_every_mistake_is_told_at_once(api: httpx.Client) -> None:
    problem = api.post("/v1/quotes", json=payment(amount=-1, scene="x", cty="y")).json()
    assert {"/amount", "/scene", "/cty"} <= {error["path"] for error in problem["errors"]}


def test_a_payment_id_with_other_content_is_refused_and_the_first_answer_stands(api: httpx.Client) -> None:
    raw = payment()
    first = api.post("/v1/quotes", json=raw).json()
    for changes in ({"amount": 20_000}, {"payer_id": "somebody-else"}, {"city": "Beijing"}):
        other = api.post("/v1/quotes", json=raw | changes)
        assert (other.status_code, other.json()["code"]) == (422, "content_differs")
    assert api.post("/v1/quotes", json=raw).json() == first


def test_dates_outside_the_window_get_nothing(api: httpx.Client) -> None:
    for moment, why in (("2027-01-31T15:59:59Z", "window_is_not_open"), ("2027-02-14T16:00:00Z", "window_is_over")):
        answer = api.post("/v1/quotes", json=payment(occurred_at=moment, explain=True)).json()
        assert (answer["decided"], answer["discount_minor"]) == (True, 0)
        assert answer["explanation"][0]["refusal"] == why


def test_a_capture_after_expiry_is_refused_and_changes_nothing(api: httpx.Client) -> None:
    quote = api.post("/v1/quotes", json=payment()).json()
    path = f"/v1/quotes/{quote['quote_id']}"
    late = api.post(f"{path}/capture", json={"paid_at": "2027-02-03T02:15:01Z"})
    assert (late.status_code, late.json()["code"]) == (409, "quote_has_expired")
    assert late.json()["errors"][0]["path"] == "/paid_at"
    assert api.get(path).json() == quote
    in_time = api.post(f"{path}/capture", json={"paid_at": "2027-02-03T02:15:00Z"})
    assert in_time.json()["state"] == "captured"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"captured_amount": 0}, "/captured_amount"),
        ({"captured_amount": -5}, "/captured_amount"),
        ({"captured_amount": 5.5}, "/captured_amount"),
        ({"captured_amount": 10**40}, "/captured_amount"),
        ({"paid_at": "noon"}, "/paid_at"),
        ({"paid_at": 5}, "/paid_at"),
        ({"amount": 5}, "/amount"),
        ([], ""),
    ],
)
def test_a_wrong_capture_is_refused_with_its_path(api: httpx.Client, body: Any, path: str) -> None:
    quote = api.post("/v1/quotes", json=payment()).json()
    refusal = api.post(f"/v1/quotes/{quote['quote_id']}/capture", json=body)
    assert (refusal.status_code, refusal.json()["errors"][0]["path"]) == (422, path)
    assert api.get(f"/v1/quotes/{quote['quote_id']}").json()["state"] == "reserved"


def test_more_than_was_quoted_cannot_be_captured(api: httpx.Client) -> None:
    quote = api.post("/v1/quotes", json=payment()).json()
    refusal = api.post(f"/v1/quotes/{quote['quote_id']}/capture", json={"captured_amount": 10_001})
    assert (refusal.status_code, refusal.json()["code"]) == (422, "capture_exceeds_quote")


def test_a_capture_again_with_another_amount_is_refused(api: httpx.Client) -> None:
    quote = api.post("/v1/quotes", json=payment()).json()
    path = f"/v1/quotes/{quote['quote_id']}/capture"
    api.post(path, json={"captured_amount": 5_000})
    refusal = api.post(path, json={"captured_amount": 6_000})
    assert (refusal.status_code, refusal.json()["code"]) == (422, "content_differs")


def test_the_three_ends_exclude_each_other(api: httpx.Client) -> None:
    captured = api.post("/v1/quotes", json=payment()).json()
    released = api.post("/v1/quotes", json=payment()).json()
    api.post(f"/v1/quotes/{captured['quote_id']}/capture")
    api.post(f"/v1/quotes/{released['quote_id']}/release")
    for quote, end, code in ((captured, "release", "quote_is_captured"), (released, "capture", "quote_is_released")):
        refusal = api.post(f"/v1/quotes/{quote['quote_id']}/{end}")
        assert (refusal.status_code, refusal.json()["code"]) == (409, code)


def test_a_refund_over_the_payment_is_refused_and_changes_nothing(api: httpx.Client) -> None:
    quote = api.post("/v1/quotes", json=payment()).json()
    path = f"/v1/payments/{quote['payment_id']}"
    early = api.post(f"{path}/refunds", json={"refund_id": "r0", "refund_amount": 1})
    assert (early.status_code, early.json()["code"]) == (409, "quote_is_not_captured")
    api.post(f"/v1/quotes/{quote['quote_id']}/capture")
    api.post(f"{path}/refunds", json={"refund_id": "r1", "refund_amount": 9_000})
    before = api.get(path).json()
    over = api.post(f"{path}/refunds", json={"refund_id": "r2", "refund_amount": 1_001})
    assert (over.status_code, over.json()["code"]) == (422, "refund_exceeds_payment")
    other = api.post(f"{path}/refunds", json={"refund_id": "r1", "refund_amount": 1})
    assert (other.status_code, other.json()["code"]) == (422, "content_differs")
    assert api.get(path).json() == before


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"refund_id": "r"}, "/refund_amount"),
        ({"refund_amount": 5}, "/refund_id"),
        ({"refund_id": "", "refund_amount": 5}, "/refund_id"),
        ({"refund_id": "a\0", "refund_amount": 5}, "/refund_id"),
        ({"refund_id": "r", "refund_amount": -5}, "/refund_amount"),
        ({"refund_id": "r", "refund_amount": 2**63}, "/refund_amount"),
        ({"refund_id": "r", "refund_amount": 5, "reason": "x"}, "/reason"),
    ],
)
def test_a_wrong_refund_is_refused_with_its_path(api: httpx.Client, body: Any, path: str) -> None:
    quote = api.post("/v1/quotes", json=payment()).json()
    api.post(f"/v1/quotes/{quote['quote_id']}/capture")
    refusal = api.post(f"/v1/payments/{quote['payment_id']}/refunds", json=body)
    assert (refusal.status_code, refusal.json()["errors"][0]["path"]) == (422, path)


@pytest.mark.parametrize(
    "odd", ["qte_" + "0" * 32, "x", "%00", "%FF", "%E2%80%AE", "x" * 4_000, "'; drop table quotes --"]
)
def test_an_unknown_id_is_not_found_whatever_it_is_made_of(api: httpx.Client, odd: str) -> None:
    for method, path in (
        ("GET", f"/v1/quotes/{odd}"),
        ("POST", f"/v1/quotes/{odd}/capture"),
        ("POST", f"/v1/quotes/{odd}/release"),
        ("GET", f"/v1/payments/{odd}"),
        ("GET", f"/v1/payments/{odd}/refunds/{odd}"),
    ):
        response = api.request(method, path)
        assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("body", [{}, {"payments": []}, {"payments": {}}, {"payments": [{}], "more": 1}, []])
def test_a_wrong_batch_is_refused_as_a_whole(api: httpx.Client, body: Any) -> None:
    refusal = api.post("/v1/quotes/batch", json=body)
    assert (refusal.status_code, refusal.json()["code"]) == (422, "request_is_invalid")
    assert refusal.json()["fallback"]["decided"] is False


def test_a_batch_of_501_payments_is_refused(api: httpx.Client) -> None:
    assert api.post("/v1/quotes/batch", json={"payments": [1] * 501}).json()["errors"][0]["path"] == "/payments"


@pytest.mark.parametrize("body", [{}, {"captures": []}, {"captures": {}}, {"captures": [1] * 501}, []])
def test_a_wrong_batch_of_captures_is_refused_as_a_whole(api: httpx.Client, body: Any) -> None:
    refusal = api.post("/v1/captures", json=body)
    assert (refusal.status_code, refusal.json()["code"]) == (422, "request_is_invalid")


@pytest.mark.parametrize(
    ("raw", "code", "path"),
    [
        ("qte_1", "request_is_invalid", ""),
        ({}, "request_is_invalid", "/quote_id"),
        ({"quote_id": 7}, "request_is_invalid", "/quote_id"),
        ({"quote_id": ""}, "request_is_invalid", "/quote_id"),
        ({"quote_id": "qte_\0"}, "request_is_invalid", "/quote_id"),
        ({"quote_id": "qte_" + "0" * 200}, "request_is_invalid", "/quote_id"),
        ({"quote_id": "qte_1", "paid_at": "yesterday"}, "request_is_invalid", "/paid_at"),
        ({"quote_id": "qte_1", "captured_amount": 0}, "request_is_invalid", "/captured_amount"),
        ({"quote_id": "qte_1", "amount": 1}, "request_is_invalid", "/amount"),
        ({"quote_id": "qte_1"}, "not_found", None),
    ],
)
def test_a_wrong_capture_in_a_batch_has_its_own_problem(
    api: httpx.Client, raw: Any, code: str, path: str | None
) -> None:
    quote = api.post("/v1/quotes", json=payment()).json()
    fine, wrong = api.post("/v1/captures", json={"captures": [{"quote_id": quote["quote_id"]}, raw]}).json()["quotes"]
    assert fine["state"] == "captured"
    assert wrong["problem"]["code"] == code
    assert wrong["problem"].get("errors", [{}])[0].get("path") == path


def test_a_captured_payment_cannot_be_superseded_nor_another_payers(api: httpx.Client) -> None:
    first = api.post("/v1/quotes", json=payment(payer_id="first-payer")).json()
    stranger = api.post("/v1/quotes", json=payment(supersedes=first["payment_id"]))
    assert (stranger.status_code, stranger.json()["code"]) == (422, "superseded_is_another_payers")
    api.post(f"/v1/quotes/{first['quote_id']}/capture")
    again = api.post("/v1/quotes", json=payment(payer_id="first-payer", supersedes=first["payment_id"]))
    assert (again.status_code, again.json()["code"]) == (409, "superseded_is_captured")


@pytest.fixture(scope="module")
def live(server: Running) -> Iterator[httpx.Client]:
    """A client of a live house, where the store's clock counts."""
    keys = make_house(server, "live-shop", live=True)
    publish(server, keys, open_stages=False)
    headers = {"Authorization": f"Bearer {keys['checkout']}"}
    with httpx.Client(base_url=server.address, headers=headers, trust_env=False, verify=False) as client:
        yield client


def test_in_a_live_house_a_clock_that_is_off_is_refused(live: httpx.Client) -> None:
    now = system_clock()
    for seconds in (-301, 301, 10**9):
        off = live.post("/v1/quotes", json=payment(occurred_at=now.plus(seconds).text()))
        assert (off.status_code, off.json()["code"]) == (422, "clock_is_off")
        assert off.json()["errors"][0]["path"] == "/occurred_at"
        assert off.json()["fallback"]["to_pay_minor"] == 10_000
    for seconds in (-290, 0, 290):
        assert live.post("/v1/quotes", json=payment(occurred_at=now.plus(seconds).text())).status_code == 200

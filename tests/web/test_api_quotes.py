"""The main path over HTTP: quote, capture, release, refund, preview, batch, explain."""

import concurrent.futures
from typing import Any

import httpx
from tests.web.running import CAMPAIGN, Running, payment


def quoted(api: httpx.Client, **changes: Any) -> dict[str, Any]:
    response = api.post("/v1/quotes", json=payment(**changes))
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def ledger(server: Running) -> dict[str, Any]:
    with server.client("auditor") as client:
        found: dict[str, Any] = client.get("/v1/ledger/verification").json()
    return found


def test_a_payment_is_quoted_captured_and_refunded(server: Running, api: httpx.Client) -> None:
    quote = quoted(api)
    assert (quote["decided"], quote["discount_minor"], quote["to_pay_minor"]) == (True, 2_000, 8_000)
    assert [(b["campaign"], b["text"]["en"]) for b in quote["benefits"]] == [(CAMPAIGN, "Merchant discount")]
    assert quote["valid_until"] == "2027-02-03T02:15:00Z"
    captured = api.post(f"/v1/quotes/{quote['quote_id']}/capture", json={"paid_at": "2027-02-03T02:05:00Z"}).json()
    assert (captured["state"], captured["captured_amount_minor"]) == ("captured", 10_000)
    path = f"/v1/payments/{quote['payment_id']}"
    first = api.post(f"{path}/refunds", json={"refund_id": "r1", "refund_amount": 3_333}).json()
    assert first["returned_discount_minor"] == 666
    last = api.post(f"{path}/refunds", json={"refund_id": "r2", "refund_amount": 6_667}).json()
    assert (last["returned_discount_minor"], last["refunded_amount_minor"]) == (1_334, 10_000)
    seen = api.get(path).json()
    assert [refund["refund_id"] for refund in seen["refunds"]] == ["r1", "r2"]
    assert seen["kept_discount_minor"] == 0
    assert api.get(f"{path}/refunds/r1").json() == seen["refunds"][0]
    assert ledger(server)["balanced"]


def test_the_same_calls_again_have_the_same_answers(api: httpx.Client) -> None:
    raw = payment()
    quote = api.post("/v1/quotes", json=raw).json()
    assert api.post("/v1/quotes", json=raw | {"occurred_at": "2027-02-03T02:01:00Z"}).json() == quote
    capture = f"/v1/quotes/{quote['quote_id']}/capture"
    assert api.post(capture).json() == api.post(capture).json()
    refund = {"refund_id": "r1", "refund_amount": 5_000}
    path = f"/v1/payments/{raw['payment_id']}/refunds"
    assert api.post(path, json=refund).json() == api.post(path, json=refund).json()
    assert api.get(f"/v1/quotes/{quote['quote_id']}").json()["refunded_amount_minor"] == 5_000


def test_a_released_quote_gives_back_and_its_payer_may_ask_again(server: Running, api: httpx.Client) -> None:
    quote = quoted(api, payer_id="comes-back")
    refused = quoted(api, payer_id="comes-back")
    assert refused["discount_minor"] == 0, "one a day"
    released = api.post(f"/v1/quotes/{quote['quote_id']}/release").json()
    assert (released["state"], released["kept_discount_minor"]) == ("released", 0)
    assert api.post(f"/v1/quotes/{quote['quote_id']}/release", json={}).json() == released
    assert quoted(api, payer_id="comes-back")["discount_minor"] == 2_000
    assert ledger(server)["balanced"]


def test_a_partial_capture_returns_the_share_of_the_rest(api: httpx.Client) -> None:
    quote = quoted(api)
    captured = api.post(f"/v1/quotes/{quote['quote_id']}/capture", json={"captured_amount": 7_500}).json()
    assert (captured["captured_amount_minor"], captured["kept_discount_minor"]) == (7_500, 1_500)


def test_a_payment_that_gets_nothing_has_nothing_to_capture(api: httpx.Client) -> None:
    answer = quoted(api, city="Beijing", explain=True)
    assert (answer["decided"], answer["quote_id"], answer["discount_minor"]) == (True, None, 0)
    assert answer["to_pay_minor"] == 10_000
    assert [(c["campaign"], c["refusal"]) for c in answer["explanation"]] == [(CAMPAIGN, "condition_is_not_met")]
    assert api.get(f"/v1/payments/{answer['payment_id']}").status_code == 404


def test_a_preview_has_the_price_and_leaves_no_trace(server: Running, api: httpx.Client) -> None:
    raw = payment()
    before = ledger(server)
    preview = api.post("/v1/quotes/preview", json=raw).json()
    assert (preview["quote_id"], preview["discount_minor"]) == (None, 2_000)
    assert preview["explanation"][0]["refusal"] is None
    assert ledger(server) == before
    assert api.post("/v1/quotes", json=raw).json()["discount_minor"] == 2_000


def test_a_batch_answers_each_payment_for_itself(api: httpx.Client) -> None:
    raws = [payment(), payment(amount=-5), payment(city="Beijing"), "not a payment", payment()]
    quotes = api.post("/v1/quotes/batch", json={"payments": raws}).json()["quotes"]
    assert [quote.get("discount_minor") for quote in quotes] == [2_000, None, 0, None, 2_000]
    wrong = quotes[1]["problem"]
    assert (wrong["code"], wrong["status"], wrong["errors"][0]["path"]) == ("payment_is_invalid", 422, "/amount")
    assert wrong["fallback"] == {"decided": False, "discount_minor": 0, "to_pay_minor": None}
    assert quotes[3]["problem"]["errors"][0]["path"] == ""
    again = api.post("/v1/quotes/batch", json={"payments": raws}).json()["quotes"]
    assert again[0] == quotes[0]


def test_a_batch_of_captures_has_the_answers_that_single_ones_have(server: Running, api: httpx.Client) -> None:
    quotes = [quoted(api) for _ in range(4)]
    api.post(f"/v1/quotes/{quotes[2]['quote_id']}/release")
    wanted = [{"quote_id": quote["quote_id"], "paid_at": "2027-02-03T02:05:00Z"} for quote in quotes]
    wanted[1]["captured_amount"] = 7_500
    body = {"captures": [*wanted, wanted[0]]}
    done = api.post("/v1/captures", json=body).json()["quotes"]
    assert [one.get("captured_amount_minor") for one in done] == [10_000, 7_500, None, 10_000, 10_000]
    assert done[2]["problem"]["code"] == "quote_is_released"
    assert done[4] == done[0], "the same capture twice is one"
    assert api.post("/v1/captures", json=body).json()["quotes"] == done
    assert api.post(f"/v1/quotes/{quotes[0]['quote_id']}/capture", json=wanted[0] | {}).status_code == 422
    assert api.get(f"/v1/quotes/{quotes[3]['quote_id']}").json() == done[3]
    assert ledger(server)["balanced"]


def test_a_quote_is_explained_when_the_same_payment_is_sent_again(api: httpx.Client) -> None:
    raw = payment()
    quote = api.post("/v1/quotes", json=raw).json()
    path = f"/v1/quotes/{quote['quote_id']}/explanation"
    explained = api.post(path, json=raw).json()
    assert [(c["campaign"], c["discount_minor"], c["refusal"]) for c in explained["explanation"]] == [
        (CAMPAIGN, 2_000, None)
    ]
    other = api.post(path, json=raw | {"amount": 20_000})
    assert (other.status_code, other.json()["code"]) == (422, "content_differs")


def test_a_new_checkout_supersedes_the_abandoned_one(api: httpx.Client) -> None:
    first = quoted(api, payer_id="two-tabs")
    second = quoted(api, payer_id="two-tabs", supersedes=first["payment_id"])
    assert second["discount_minor"] == 2_000
    assert api.get(f"/v1/quotes/{first['quote_id']}").json()["state"] == "released"


def test_lines_of_a_basket_share_the_discount_exactly(api: httpx.Client) -> None:
    items = [{"sku": "a", "amount": 3_333}, {"sku": "b", "amount": 3_333}, {"sku": "c", "amount": 3_334}]
    lines = quoted(api, items=items)["lines"]
    assert sum(line["discount_minor"] for line in lines) == 2_000
    assert [line["index"] for line in lines] == [0, 1, 2]


def test_an_id_keeps_every_character_it_has(api: httpx.Client) -> None:
    for odd in ("a/b", "c%2Fd", "e f", "日本", "g?h#i", "../up", "j%", "k\nl", "m\u202en"):
        quote = quoted(api, payment_id=odd)
        path = "/v1/payments/" + "".join(f"%{byte:02X}" for byte in odd.encode())
        api.post(f"/v1/quotes/{quote['quote_id']}/capture")
        refund = api.post(f"{path}/refunds", json={"refund_id": "r/1", "refund_amount": 100}).json()
        assert refund["payment_id"] == odd
        assert api.get(f"{path}/refunds/r%2F1").json() == refund


def test_the_same_payment_from_many_clients_at_once_is_granted_once(server: Running, api: httpx.Client) -> None:
    raw = payment()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: api.post("/v1/quotes", json=raw).json(), range(24)))
    assert {answer["quote_id"] for answer in answers} == {answers[0]["quote_id"]}
    assert ledger(server)["balanced"]


def test_another_house_sees_none_of_it(server: Running, api: httpx.Client) -> None:
    from tests.web.running import make_house

    quote = quoted(api)
    keys = make_house(server, "neighbour", ["checkout", "auditor"])
    with httpx.Client(
        base_url=server.address, headers={"Authorization": f"Bearer {keys['checkout']}"}, trust_env=False, verify=False
    ) as other:
        assert other.get(f"/v1/quotes/{quote['quote_id']}").status_code == 404
        assert other.post(f"/v1/quotes/{quote['quote_id']}/capture").status_code == 404
        assert other.post(f"/v1/quotes/{quote['quote_id']}/release").status_code == 404
        assert other.get(f"/v1/payments/{quote['payment_id']}").status_code == 404
        refused = other.post("/v1/quotes", json=payment())
        assert (refused.status_code, refused.json()["code"]) == (409, "policy_is_missing")
        assert refused.json()["fallback"]["to_pay_minor"] == 10_000

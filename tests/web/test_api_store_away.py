"""PostgreSQL is not there, dies half way, or hangs: payments go on at full price, and nothing is lost or doubled."""

import asyncio
import concurrent.futures
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.web.running import PEOPLE, Running, data_folder, eventually, make_house, payment, publish, running

from makegood.services.access import create_house, create_key
from makegood.services.platform import close_platform, open_platform
from makegood.settings import Settings
from makegood.store import embedded
from makegood.store.connection import DATABASE

DEADLINE_MS = 150
IN_TIME = 1.5  # Seconds. Beyond the deadline it is a busy machine's.


@pytest.fixture(scope="module")
def shop() -> Iterator[Running]:
    """A server with a store of its own to be killed."""
    with data_folder() as data, running(data, deadline_ms=DEADLINE_MS) as made:
        made.keys = make_house(made, "shop")
        publish(made, made.keys)
        yield made


def ready(server: Running) -> bool:
    with server.client(None) as client:
        return client.get("/readyz").status_code == 200


def timed_quote(client: httpx.Client, raw: dict[str, Any]) -> tuple[float, httpx.Response]:
    started = time.perf_counter()
    response = client.post("/v1/quotes", json=raw)
    return time.perf_counter() - started, response


def decided(server: Running) -> bool:
    with server.client() as client:
        return bool(client.post("/v1/quotes", json=payment(city="Beijing")).json()["decided"])


def granted(client: httpx.Client) -> tuple[dict[str, Any], dict[str, Any]]:
    """A payment with the quote that it was granted; a busy machine may need more than one try."""
    for _ in range(50):
        raw = payment()
        quote = client.post("/v1/quotes", json=raw).json()
        if quote["decided"]:
            assert quote["discount_minor"] == 2_000
            return raw, quote
    raise AssertionError("fifty payments in a row were not decided")


def nothing_is_held(client: httpx.Client, payment_id: str) -> bool:
    """Whether a payment that was answered full price holds nothing: it never did, or its late hold was ended."""
    kept = client.get(f"/v1/payments/{payment_id}")
    return kept.status_code == 404 or kept.json()["state"] == "released"


def assert_books_are_right(server: Running) -> None:
    with server.client("auditor") as client:
        found = client.get("/v1/ledger/verification").json()
    assert found["violations"] == []
    assert found["balanced"]


def test_a_killed_store_costs_discounts_and_never_a_payment(shop: Running) -> None:
    with shop.client() as client:
        assert eventually(lambda: decided(shop))
        shown = [granted(client) for _ in range(5)]
        asked = [payment() for _ in range(120)]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            flood = [pool.submit(timed_quote, client, raw) for raw in asked[:40]]
            shop.kill_store()
            flood += [pool.submit(timed_quote, client, raw) for raw in asked[40:]]
            outcomes = [future.result() for future in flood]
        capture = client.post(f"/v1/quotes/{shown[0][1]['quote_id']}/capture")
        assert (capture.status_code, capture.json()["code"]) == (503, "store_is_unavailable")
        assert capture.headers["retry-after"] == "1"
        for seconds, response in outcomes:
            answer = response.json()
            assert response.status_code == 200, answer
            assert answer["decided"] or answer["reason"] in ("store_is_unavailable", "deadline_passed")
            assert answer["to_pay_minor"] == (8_000 if answer["quote_id"] else 10_000)
            assert seconds < IN_TIME
        away = [response.json() for _, response in outcomes if not response.json()["decided"]]
        assert away, "the store was away for some of them"
        assert all(answer["quote_id"] is None and answer["discount_minor"] == 0 for answer in away)

        assert eventually(lambda: ready(shop)), "the server starts its embedded store again"
        assert eventually(lambda: decided(shop))
        for raw, quote in shown:
            assert eventually(lambda: client.post("/v1/quotes", json=raw).json() == quote), "it is still promised"  # noqa: B023
        promised = [quote for _, quote in shown] + [r.json() for _, r in outcomes if r.json()["quote_id"]]
        for quote in promised:
            captured = client.post(f"/v1/quotes/{quote['quote_id']}/capture")
            assert captured.json()["state"] == "captured", captured.text
        granted(client)
        for answer in away:
            assert eventually(lambda: nothing_is_held(client, answer["payment_id"])), answer  # noqa: B023
    assert_books_are_right(shop)


def test_a_store_that_hangs_is_not_waited_for(shop: Running) -> None:
    assert eventually(lambda: decided(shop))
    with shop.client() as client:
        granted(client)
        processes = family(shop.postmaster())
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            outcomes = [timed_quote(client, payment()) for _ in range(5)]
        finally:
            for process in reversed(processes):
                os.kill(process, signal.SIGCONT)
        for seconds, response in outcomes:
            answer = response.json()
            assert (answer["decided"], answer["reason"]) == (False, "deadline_passed")
            assert seconds < IN_TIME
        assert eventually(lambda: decided(shop))
        for _, response in outcomes:
            assert eventually(lambda: nothing_is_held(client, response.json()["payment_id"]))  # noqa: B023
    assert_books_are_right(shop)


def family(process: int) -> list[int]:
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [process, *(int(child) for child in children)]


def test_a_server_without_its_store_says_so_and_opens_it_when_it_comes() -> None:
    with data_folder() as data:
        key = asyncio.run(one_key(data))
        url = f"postgresql://makegood_server@/{DATABASE}?host={data / 'run'}"
        with running(data, database=url) as server:
            server.keys = {"checkout": key}
            with server.client(None) as client:
                assert client.get("/livez").status_code == 200
                health = client.get("/readyz")
                assert (health.status_code, health.json()["code"]) == (503, "store_is_unavailable")
                assert str(data) not in health.text
                assert client.post("/v1/quotes", json=payment()).json()["code"] == "key_is_missing"
                assert client.get("/console/sign-in").status_code in (200, 503)
            with server.client() as client:
                away = client.post("/v1/quotes", json=payment())
                assert (away.status_code, away.json()["code"]) == (503, "store_is_unavailable")
                assert away.json()["fallback"] == {"decided": False, "discount_minor": 0, "to_pay_minor": None}
                assert client.get("/openapi.json").status_code == 503
            store = embedded.start(data)
            try:
                assert eventually(lambda: ready(server))
                with server.client() as client:
                    assert client.post("/v1/quotes", json=payment()).json()["code"] == "policy_is_missing"
            finally:
                store.close()


async def one_key(data: Path) -> str:
    """A key in a store that is then closed."""
    platform = await open_platform(Settings(data=str(data)))
    try:
        await create_house(platform, "shop", live=False)
        return (await create_key(platform, "shop", "checkout", PEOPLE["checkout"])).key
    finally:
        await close_platform(platform)

"""Houses with money in motion, for the pages that show it."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from tests.web.running import Running, make_house, payment, publish

_numbers = itertools.count(1)


def house_with_payments(server: Running, quotes: int = 3, captured: int = 1) -> dict[str, str]:
    """A fresh test house with the example campaign running: so many quotes of 20.00 CNY, some of them captured."""
    keys = make_house(server, f"house-{next(_numbers)}")
    publish(server, keys)
    for number in range(quotes):
        answer = quote(server, keys)
        if number < captured:
            capture(server, keys, answer["quote_id"])
    return keys


def quote(server: Running, keys: dict[str, str], **changes: Any) -> dict[str, Any]:
    """The answer to a payment of a new payer."""
    return _post(server, keys, "/v1/quotes", payment(**changes))


def capture(server: Running, keys: dict[str, str], quote_id: str) -> None:
    """The quote is paid."""
    _post(server, keys, f"/v1/quotes/{quote_id}/capture", {"paid_at": "2027-02-03T02:00:05Z"})


def _post(server: Running, keys: dict[str, str], path: str, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {keys['checkout']}"}
    response = httpx.post(server.address + path, json=body, headers=headers, timeout=20, trust_env=False)
    assert response.status_code == 200, response.text
    found = response.json()
    assert isinstance(found, dict)
    return found


@contextmanager
def signed_in(server: Running, key: str) -> Iterator[httpx.Client]:
    """A client with a console session for that key, speaking English, with the headers that a browser sends."""
    headers = {"Accept-Language": "en", "Sec-Fetch-Site": "same-origin"}
    with httpx.Client(base_url=server.address, timeout=20, trust_env=False, headers=headers) as client:
        response = client.post("/console/sign-in", data={"key": key})
        assert response.status_code == 303, response.text
        yield client

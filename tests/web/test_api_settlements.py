"""Settled days and statements over HTTP."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import httpx
import pytest
from tests.web.running import Running, make_house, payment, publish

from makegood.services import settlement
from makegood.services.access import house_named
from makegood.services.platform import Platform

Call = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def call(server: Running) -> Call:
    """Calls as one of the people of the house `billed`, whose campaign runs: `call(who, path, body)`."""
    keys = make_house(server, "billed")
    publish(server, keys, open_stages=False)

    async def made(who: str, path: str, body: Any = None) -> httpx.Response:
        async with httpx.AsyncClient(timeout=20, trust_env=False, verify=False) as client:
            headers = {"Authorization": f"Bearer {keys[who]}"}
            return await client.request(
                "GET" if body is None else "POST", server.address + path, json=body, headers=headers
            )

    return made


async def test_what_a_funder_was_billed_is_read_by_day(call: Call, platform: Platform) -> None:
    quote = (await call("checkout", "/v1/quotes", payment())).json()
    await call("checkout", f"/v1/quotes/{quote['quote_id']}/capture", {})
    house = await house_named(platform, "billed")
    connection = await asyncpg.connect(platform.store.url)
    try:
        await connection.execute("set search_path = makegood; set session_replication_role = replica")
        await connection.execute("update entries set at = at - interval '1 day' where house_id = $1", house.id)
    finally:
        await connection.close()
    (settled,) = await settlement.settle(platform, house)
    day = settled.day.day.isoformat()
    days = (await call("finance", "/v1/settlements")).json()["days"]
    assert [(d["day"], d["amount_minor"]) for d in days] == [(day, quote["discount_minor"])]
    whole = (await call("finance", f"/v1/settlements/CNY/{day}")).json()
    assert sum(s["amount_minor"] for s in whole["statements"]) == whole["amount_minor"] == quote["discount_minor"]
    one = (await call("finance", f"/v1/funders/platform/statements/CNY/{day}")).json()
    assert one in whole["statements"]
    assert sum(line["amount_minor"] for line in one["lines"]) == one["closing_minor"] - one["opening_minor"]
    for path in ("settlements/CNY/never", f"settlements/USD/{day}", f"funders/me/statements/CNY/{day}"):
        refused = await call("finance", f"/v1/{path}")
        assert (refused.status_code, refused.json()["code"]) == (404, "not_found")

"""Several nodes on one store: what a stop means on each of them, and what happens when a node or the store is gone."""

import asyncio
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from tests.nodes.conftest import Site
from tests.nodes.houses import LIVE_CAMPAIGN, LIVE_DISCOUNT, live_house, live_payment, small_house
from tests.nodes.ledger import PATIENCE_SECONDS, assert_balanced, until_nothing_held
from tests.nodes.node import payment, started
from tests.nodes.wrong_clock import AHEAD_SECONDS

from makegood.bench.quote_http_payments import GRANTED_CITY
from makegood.bench.quote_http_world import HOUSE
from makegood.bench.stop import granted_after, one_stop, send_stop
from makegood.bench.stop_nodes import campaign_of
from makegood.bench.stop_store import suspended
from makegood.bench.stop_till import Load, Till

SEED, STOPS = 2026, 6


async def test_no_payment_sent_after_a_stop_was_answered_is_granted_on_any_node(site: Site) -> None:
    async with Load(site.nodes.addresses, site.nodes.checkout, SEED, tills=2, rate=60.0) as load:
        stopped = {}
        for _ in range(STOPS):
            number = site.campaign()
            stopped[campaign_of(number)[1]] = (await one_stop(site.nodes, load, number, SEED, 0.1)).answered
    assert [granted_after(load.heard, city, answered) for city, answered in stopped.items()] == [[]] * STOPS
    for city in stopped:  # It was a contest: each node granted it before.
        assert {one.node for one in load.heard if one.city == city and one.granted} == set(load.nodes)


async def test_a_quote_that_was_shown_before_a_stop_is_paid_on_another_node(site: Site) -> None:
    campaign, city = campaign_of(site.campaign())
    shown = [await _quote(site.till(node), city) for node in range(3)]
    assert all(quote["discount_minor"] == 2_000 for quote in shown)
    await send_stop(site.nodes.addresses[0], site.nodes.on_call, campaign)
    for node, quote in enumerate(shown):
        status, captured = await _once(site.till((node + 1) % 3), f"/v1/quotes/{quote['quote_id']}/capture", {})
        assert (status, captured["state"], captured["discount_minor"]) == (200, "captured", 2_000)
    assert (await _quote(site.till(2), city))["discount_minor"] == 0


async def test_a_suspended_store_grants_nothing_and_payments_go_on_at_full_price(site: Site) -> None:
    city = campaign_of(site.campaign())[1]
    till = site.till(1)
    assert (await till.quote(payment(city)))["quote_id"]
    asked = [payment(city) for _ in range(12)]
    with suspended(site.nodes.cluster):
        answers = await asyncio.gather(*(_quote(site.till(n % 3), city, body) for n, body in enumerate(asked)))
        assert [(one["decided"], one["to_pay_minor"]) for one in answers] == [(False, 10_000)] * len(asked)
        # Longer than a lease: what still waits on its way to the store is refused there.
        answers += [await _quote(till, city) for _ in range(2)]
        assert not any(one["decided"] for one in answers)
    await _until_granted(site, city)
    await until_nothing_held(site.nodes.platform, HOUSE, {body["payment_id"] for body in asked})
    await assert_balanced(site.nodes.platform, HOUSE)


async def test_a_node_that_slept_through_a_stop_wakes_up_to_it(site: Site) -> None:
    campaign, city = campaign_of(site.campaign())
    async with started(site.settings) as node:
        till = Till(node.address, site.nodes.checkout)
        assert (await till.quote(payment(city)))["quote_id"]
        node.send(signal.SIGSTOP)
        asked = asyncio.create_task(till.quote(payment(city)))  # It waits in the socket of a process that does not run.
        await send_stop(site.nodes.addresses[0], site.nodes.on_call, campaign)
        node.send(signal.SIGCONT)
        assert (await asked)["quote_id"] is None
        assert (await till.quote(payment(city)))["quote_id"] is None
        till.close()


async def test_a_killed_node_takes_nothing_with_it(site: Site) -> None:
    campaign, city = campaign_of(site.campaign())
    async with started(site.settings) as node:
        shown = await _quote(Till(node.address, site.nodes.checkout), city)
        paying = [asyncio.create_task(_quote(Till(node.address, site.nodes.checkout), city)) for _ in range(16)]
        await paying[0]
        node.kill()
        told = await asyncio.gather(*paying, return_exceptions=True)
    granted = [shown, *(one for one in told if isinstance(one, dict) and one["quote_id"])]
    for quote in granted:
        assert (await _once(site.till(0), f"/v1/quotes/{quote['quote_id']}/capture", {}))[0] == 200
    assert (await _quote(site.till(1), city))["quote_id"]
    answered = (await send_stop(site.nodes.addresses[2], site.nodes.on_call, campaign))[1]
    assert answered <= monotonic()
    assert [(await _quote(site.till(node), city))["quote_id"] for node in range(3)] == [None] * 3


async def test_a_node_whose_clock_is_two_days_ahead_goes_by_the_clock_of_the_store(site: Site) -> None:
    keys, now = await live_house(site.nodes.platform), datetime.now(UTC)
    async with started(site.settings, ("-P", str(Path(__file__).with_name("wrong_clock.py")))) as node:
        till = Till(node.address, keys.checkout)
        quote = await till.quote(live_payment(now))
        assert quote["discount_minor"] == LIVE_DISCOUNT
        assert abs(datetime.fromisoformat(quote["decided_at"]) - now) < timedelta(minutes=5)
        status, problem = await till.post("/v1/quotes", live_payment(now + timedelta(seconds=AHEAD_SECONDS)))
        assert (status, problem["errors"][0]["path"]) == (422, "/occurred_at")
        other = Till(site.nodes.addresses[0], keys.checkout)
        paid = {"paid_at": datetime.now(UTC).isoformat()}
        assert (await _once(other, f"/v1/quotes/{quote['quote_id']}/capture", paid))[0] == 200
        await send_stop(site.nodes.addresses[1], keys.on_call, LIVE_CAMPAIGN)
        assert (await till.quote(live_payment(datetime.now(UTC))))["quote_id"] is None
        till.close()


@pytest.mark.parametrize("target", ["label:merchant_coupon", "funder:platform", "scene:in_store_qr", "everything"])
async def test_a_wide_stop_through_one_node_is_heeded_by_all(site: Site, target: str) -> None:
    keys = await small_house(site.nodes.platform)
    tills = [Till(address, keys.checkout) for address in site.nodes.addresses]
    assert all([(await till.quote(payment(GRANTED_CITY)))["quote_id"] for till in tills])
    on_call = Till(site.nodes.addresses[1], keys.on_call)
    status, stopped = await _once(on_call, "/v1/stops", {"target": target, "reason": "drill"})
    assert (status, stopped["stopped"][0], stopped["honoured_quotes"]) == (200, target, len(tills))
    answers = await asyncio.gather(*(_quote(till, GRANTED_CITY) for till in tills))
    assert [(one["decided"], one["quote_id"]) for one in answers] == [(True, None)] * len(tills)


async def _quote(till: Till, city: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    try:
        return await till.quote(body or payment(city))
    finally:
        till.close()


async def _once(till: Till, path: str, body: Any) -> tuple[int, Any]:
    try:
        return await till.post(path, body)
    finally:
        till.close()


async def _until_granted(site: Site, city: str) -> None:
    """Until every node grants again. Each has to hear from the store first."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        for node in range(3):
            while (await _quote(site.till(node), city))["quote_id"] is None:
                pass

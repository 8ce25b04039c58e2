"""PostgreSQL or the server is killed (SIGKILL) under load: nothing acknowledged is lost, and retries agree."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio
from tests.shop import Shop, open_spring_shop, with_deadline

from makegood.clock import system_clock
from makegood.errors import Problem, StoreUnavailable
from makegood.services import control, holds, quotes
from makegood.services.platform import Platform, close_platform, open_platform
from makegood.settings import Settings
from makegood.store.connection import ping
from makegood.store.verify import verify

KILLS = 3
CLIENTS = 12


@pytest_asyncio.fixture
async def mortal() -> AsyncIterator[Platform]:
    """A platform on a PostgreSQL of its own, to be killed."""
    data = tempfile.mkdtemp(prefix="mg")
    platform = await open_platform(Settings(data=data, deadline_ms=3_000, pool_size=12), clock=system_clock)
    yield platform
    await platform.store.revive()
    await close_platform(platform)


def kill(platform: Platform) -> None:
    """SIGKILL the postmaster; its children follow."""
    assert platform.store.server is not None
    pid = int((platform.store.server.data / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)


async def _ask(shop: Shop, payment: dict[str, Any], answers: dict[str, dict[str, Any]]) -> None:
    answer = await quotes.quote(shop.platform, shop.callers["till"], payment)
    if not answer["decided"]:
        assert answer["to_pay_minor"] == payment["amount"]  # The payment goes on.
        return
    first = answers.setdefault(payment["payment_id"], answer)
    assert (first["quote_id"], first["discount_minor"]) == (answer["quote_id"], answer["discount_minor"])


async def _client(
    shop: Shop, number: int, answers: dict[str, dict[str, Any]], ended: set[str], done: asyncio.Event
) -> None:
    chance = random.Random(number)
    payments = []
    while not done.is_set():
        payment = shop.payment(amount=10_000 + chance.randrange(5_000), payer_id=f"payer-{chance.randrange(10**9)}")
        payments.append(payment)
        await _ask(shop, payment, answers)
        await _ask(shop, chance.choice(payments), answers)
        mine = [p["payment_id"] for p in payments if answers.get(p["payment_id"], {}).get("quote_id")]
        if mine and chance.random() < 0.5:
            name = chance.choice(mine)
            try:
                await holds.capture(shop.platform, shop.callers["till"], answers[name]["quote_id"], {})
                ended.add(name)
            except StoreUnavailable:
                await asyncio.sleep(0.05)


async def test_killing_the_store_loses_nothing_that_was_acknowledged(mortal: Platform) -> None:
    shop = await open_spring_shop(mortal)
    for _ in range(3):
        await control.open_stage(mortal, shop.callers["olga"], "spring-qr-2027")
    answers: dict[str, dict[str, Any]] = {}
    ended: set[str] = set()
    done = asyncio.Event()
    clients = [asyncio.create_task(_client(shop, n, answers, ended, done)) for n in range(CLIENTS)]
    for killed in range(KILLS):
        await _granted(answers, 20 * (killed + 1))
        kill(mortal)
        await asyncio.sleep(0.2)
        await mortal.store.revive()
    await _granted(answers, 20 * (KILLS + 1))
    done.set()
    await asyncio.gather(*clients)
    await _after(shop, answers, ended)


async def _granted(answers: dict[str, dict[str, Any]], many: int) -> None:
    """Until so many payments were granted something."""
    async with asyncio.timeout(30):
        while sum(bool(answer["quote_id"]) for answer in list(answers.values())) < many:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def _after(shop: Shop, answers: dict[str, dict[str, Any]], ended: set[str]) -> None:
    await quotes.end_late_holds(shop.platform)
    till = shop.callers["till"]
    granted = {name: answer for name, answer in answers.items() if answer["quote_id"]}
    assert len(granted) > 50 and ended
    for name, answer in granted.items():
        stored = await holds.get_payment(shop.platform, till, name)
        assert stored["quote_id"] == answer["quote_id"] and stored["discount_minor"] == answer["discount_minor"]
        assert stored["state"] == "captured" if name in ended else stored["state"] in ("reserved", "captured")
    assert (await verify(shop.platform.store.pool, shop.house.id)).violations == ()


async def _gone(platform: Platform) -> None:
    """Until the children of the killed server have left, too: one of them may still serve its connection."""
    with suppress(StoreUnavailable):
        while True:
            await ping(platform.store)
            await asyncio.sleep(0.02)


async def test_with_the_store_gone_every_answer_is_full_price_and_in_time(mortal: Platform) -> None:
    shop = await open_spring_shop(mortal)
    till, payment = shop.callers["till"], shop.payment()
    await quotes.quote(mortal, till, shop.payment())
    kill(mortal)
    await _gone(mortal)
    async with asyncio.timeout(30):  # It does not wait for a store that is gone.
        answer = await quotes.quote(with_deadline(mortal, 200), till, payment)
    assert (answer["decided"], answer["discount_minor"], answer["to_pay_minor"]) == (False, 0, 20_000)
    assert answer["reason"] in ("store_is_unavailable", "deadline_passed")
    try:
        await holds.capture(mortal, till, "qte_x", {})
        raise AssertionError("a capture cannot succeed without the store")
    except StoreUnavailable:
        pass
    await mortal.store.revive()
    again = await quotes.quote(mortal, till, payment)
    assert again["decided"]
    try:
        await holds.capture(mortal, till, "qte_x", {})
        raise AssertionError("there is no such quote")
    except Problem as problem:
        assert problem.code == "not_found"
    assert (await verify(mortal.store.pool, shop.house.id)).violations == ()


def _serve(data: Path) -> tuple["subprocess.Popen[str]", str]:
    """`makegood serve` on a free port: the process, and its address once it answers."""
    program = "from makegood.cli.main import main; main()"
    environment = {**os.environ, "MAKEGOOD_DEADLINE_MS": "5000", "MAKEGOOD_LOG_LEVEL": "error"}
    process = subprocess.Popen(
        [sys.executable, "-c", program, "serve", "--data", str(data), "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())["address"]


async def _quote(client: httpx.AsyncClient, payment: dict[str, Any]) -> dict[str, Any] | None:
    """The answer, or None where the server died before it gave one."""
    try:
        answer: dict[str, Any] = (await client.post("/v1/quotes", json=payment)).json()
    except httpx.TransportError:
        return None
    return answer


async def test_killing_the_server_loses_nothing_that_was_acknowledged(mortal: Platform) -> None:
    shop = await open_spring_shop(mortal)
    assert mortal.store.server is not None
    data = mortal.store.server.data
    payments = [shop.payment(payer_id=f"payer-{n}") for n in range(24)]
    answers: dict[str, dict[str, Any]] = {}
    for killed in (True, True, False):
        process, address = _serve(data)
        headers = {"Authorization": f"Bearer {shop.keys['till']}"}
        async with httpx.AsyncClient(base_url=address, headers=headers, timeout=20, trust_env=False) as client:
            asked = [asyncio.create_task(_quote(client, payment)) for payment in payments]
            if killed:
                await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
                process.kill()
            for payment, answer in zip(payments, await asyncio.gather(*asked), strict=True):
                if answer is not None and answer["decided"]:
                    first = answers.setdefault(payment["payment_id"], answer)
                    assert (answer["quote_id"], answer["discount_minor"]) == (
                        first["quote_id"],
                        first["discount_minor"],
                    )
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    assert len(answers) == len(payments)
    assert sum(answer["discount_minor"] for answer in answers.values()) == 24 * 4_000
    assert (await verify(mortal.store.pool, shop.house.id)).violations == ()

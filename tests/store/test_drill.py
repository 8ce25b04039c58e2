"""Drills on the real store: what works passes and touches nothing, and every path that is broken is found."""

import asyncio
import itertools
import json
import socketserver
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from tests.shop import Shop, open_shop

from makegood.errors import Problem
from makegood.services import control, drill, drill_subject, page, quotes
from makegood.services.drill import DrillResult, drill_due, due, run_drill
from makegood.services.drill_steps import DrillStep
from makegood.services.platform import Platform
from makegood.store import guards, shadow
from makegood.store.pool import in_house
from makegood.store.verify import verify
from makegood.telemetry import DRILL_PASSED, REGISTRY

CALLERS = 16


class Pager:
    """A real HTTP server that whoever is on call listens to. `answers` is the status; None hangs until the end."""

    def __init__(self, answers: int | None = 204, location: str | None = None) -> None:
        self.answers, self.got, self.ended = answers, list[dict[str, Any]](), threading.Event()
        pager = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                pager.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                if pager.answers is None:
                    pager.ended.wait(30)
                    return
                self.send_response(pager.answers)
                if location is not None:
                    self.send_header("Location", location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        class Server(socketserver.ThreadingMixIn, HTTPServer):
            daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/page"

    @contextmanager
    def listening(self) -> Iterator["Pager"]:
        thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield self
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()


def with_settings(platform: Platform, **changes: Any) -> Platform:
    """The same platform with other settings, and tasks of its own."""
    return replace(platform, settings=replace(platform.settings, **changes), tasks=set())


async def drilled(shop: Shop, platform: Platform | None = None) -> DrillResult:
    return await run_drill(platform or shop.platform, shop.house, "olga")


def failed(result: DrillResult) -> set[str]:
    return {step.step for step in result.steps if not step.passed}


def warned(result: DrillResult) -> set[str]:
    return {step.step for step in result.steps if step.warned}


async def rows_of(shop: Shop) -> dict[str, list[str]]:
    """Every row of the house that a drill could touch, but for those that record it."""
    tables = ("campaigns", "budgets", "accounts", "entries", "quotes", "grants", "payments", "counters", "stops", "trips",
              "live_sets", "policies", "limits")  # fmt: skip
    async with in_house(shop.platform.store.pool, shop.house.id) as connection:
        return {
            name: [row["r"] for row in await connection.fetch(f"select {name}::text as r from {name} order by 1")]  # noqa: S608 - names of ours
            for name in tables
        }


@asynccontextmanager
async def broken(platform: Platform, signature: str, body: str) -> AsyncIterator[None]:
    """The SQL function does `body` instead, for as long as this lasts."""
    owner = await platform.store.administrator()
    name = signature.partition("(")[0]
    try:
        async with owner.acquire() as connection:
            before = await connection.fetchval("select pg_get_functiondef($1::regproc)", f"makegood.{name}")
            head = before.partition("\nAS $")[0]
            await connection.execute(f"{head}\nAS $broken${body}$broken$")
        try:
            yield
        finally:
            async with owner.acquire() as connection:
                await connection.execute(before)
    finally:
        await owner.close()


async def test_a_drill_of_a_healthy_house_passes_and_changes_nothing(spring: Shop) -> None:
    await quotes.quote(spring.platform, spring.callers["till"], spring.payment())
    before = await rows_of(spring)
    with Pager().listening() as pager:
        result = await drilled(spring, with_settings(spring.platform, page_url=pager.url))
    assert (result.passed, result.warned, failed(result)) == (True, False, set())
    assert [step.step for step in result.steps] == [step for step in DrillStep if step is not DrillStep.RECORD]
    assert await rows_of(spring) == before
    assert (await verify(spring.platform.store.pool, spring.house.id)).violations == ()
    (told,) = pager.got
    assert (told["type"], told["drill"], told["house"]) == ("drill", True, spring.house.name)
    assert "drill" in told["words"]["en"] and "演练" in told["words"]["zh-CN"]


async def test_what_a_drill_found_is_on_record_with_an_event(spring: Shop) -> None:
    result = await drilled(spring)
    (row,) = await guards.drills(spring.platform.store.pool, spring.house.id, 10)
    assert (row["principal"], row["passed"]) == ("olga", True)
    assert row["steps"] == json.loads(json.dumps(drill.json_of(result.steps)))
    async with in_house(spring.platform.store.pool, spring.house.id) as connection:
        events = await connection.fetch("select type from outbox where subject = 'drill'")
        audits = await connection.fetch("select principal from audits where action = 'drill'")
    assert [event["type"] for event in events] == ["drill.passed"]
    assert [audit["principal"] for audit in audits] == ["olga"]


async def test_a_drill_passes_while_sixteen_callers_reserve_and_none_of_them_loses_anything(spring: Shop) -> None:
    till, answers, over = spring.callers["till"], list[dict[str, Any]](), asyncio.Event()

    async def ask() -> None:
        while not over.is_set():
            answers.append(await quotes.quote(spring.platform, till, spring.payment(amount=10_000)))

    callers = [asyncio.create_task(ask()) for _ in range(CALLERS)]
    await asyncio.sleep(0.1)
    result = await drilled(spring)
    over.set()
    await asyncio.gather(*callers)
    assert (result.passed, failed(result)) == (True, set())
    # The first stage holds fifty of 20.00 CNY; a drill never makes a payment see a stop, nor the budget smaller.
    assert all(answer["decided"] for answer in answers)
    granted = [answer for answer in answers if answer["quote_id"]]
    assert [answer["discount_minor"] for answer in granted] == [2_000] * 50
    assert (await verify(spring.platform.store.pool, spring.house.id)).violations == ()


async def test_without_a_page_url_a_drill_passes_with_a_warning(spring: Shop) -> None:
    result = await drilled(spring)
    assert (result.passed, warned(result)) == (True, {"page"})


async def test_a_house_without_a_campaign_is_drilled_on_what_there_is(shop: Shop) -> None:
    result = await drilled(shop)
    assert result.passed
    assert warned(result) == {"stop.campaign", "stop.label", "stop.funder", "stop.scene", "stop.everything",
                              "breaker.trip", "page"}  # fmt: skip


async def test_a_test_house_without_the_collar_is_warned_of_it(platform: Platform) -> None:
    from makegood.domain.review import Guard

    shop = await open_shop(platform, guards_left_out=[Guard.COLLAR])
    result = await drilled(shop)
    assert result.passed and "breaker.collar" in warned(result)


async def test_a_stop_that_does_nothing_is_found(spring: Shop) -> None:
    told = """select jsonb_build_object('outcome', 'done', 'stopped', '[]'::jsonb, 'honoured_quotes', 0)"""
    async with broken(spring.platform, "stop_target", f"begin return ({told}); end"):
        result = await drilled(spring)
    assert failed(result) == {"stop.label", "stop.funder", "stop.scene", "stop.everything"}
    async with broken(spring.platform, "stop_campaign", f"begin return ({told}); end"):
        result = await drilled(spring)
    assert failed(result) == {"stop.campaign"}


async def test_a_stop_of_everything_that_does_nothing_is_found_with_nothing_live(shop: Shop) -> None:
    async with broken(shop.platform, "stop_target", "begin return '{}'::jsonb; end"):
        result = await drilled(shop)
    assert failed(result) == {"stop.everything"}


async def test_a_trip_that_stops_nothing_is_found(spring: Shop) -> None:
    async with broken(spring.platform, "trip", "begin return true; end"):
        result = await drilled(spring)
    assert failed(result) == {"breaker.trip"}


async def test_a_store_that_does_not_look_at_leases_is_found(spring: Shop) -> None:
    async with broken(spring.platform, "refuse_without_lease", "begin null; end"):
        result = await drilled(spring)
    assert failed(result) == {"lease"}


async def test_a_collar_that_lets_everything_pass_is_found(spring: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from makegood.guard.collar import Verdict
    from makegood.services import drill_steps

    monkeypatch.setattr(drill_steps, "check", lambda _payment, grants, *_: Verdict(tuple(grants)))
    assert failed(await drilled(spring)) == {"breaker.collar"}


async def test_a_drill_that_is_not_undone_is_found(spring: Shop) -> None:
    """Its mark is put where it would be if a transaction of it had committed."""

    class Leaky(drill_subject.Drill):
        pass

    async with shadow.apart(spring.platform.store.url) as connection:
        under_way = await drill_subject.prepared(spring.platform, spring.house, "olga", connection)
        target, reason = "scene:in_store_qr", under_way.mark
        assert await shadow.leavings(spring.platform.store.pool, spring.house.id, under_way.mark, [under_way.request()]) == []
        await guards.stop(spring.platform.store.pool, spring.house.id, "olga", target, reason)
        found = await shadow.leavings(spring.platform.store.pool, spring.house.id, under_way.mark, under_way.requests)
    assert found == ["stops"]


@pytest.mark.parametrize("status", [500, 302])
async def test_a_pager_that_does_not_answer_2xx_fails_the_drill(spring: Shop, status: int) -> None:
    with Pager(status, location="/elsewhere").listening() as pager:
        result = await drilled(spring, with_settings(spring.platform, page_url=pager.url))
    assert failed(result) == {"page"}
    assert str(status) in next(step for step in result.steps if step.step == "page").says["en"]
    (row,) = await guards.drills(spring.platform.store.pool, spring.house.id, 10)
    assert row["passed"] is False


async def test_a_pager_that_hangs_or_refuses_fails_the_drill(spring: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "PAGE_SECONDS_MAX", 0.3)
    with Pager(None).listening() as pager:
        assert failed(await drilled(spring, with_settings(spring.platform, page_url=pager.url))) == {"page"}
    assert failed(await drilled(spring, with_settings(spring.platform, page_url=pager.url))) == {"page"}


async def test_a_drill_that_failed_pages_whoever_is_on_call(spring: Shop) -> None:
    with Pager().listening() as pager:
        platform = with_settings(spring.platform, page_url=pager.url)
        async with broken(spring.platform, "trip", "begin return true; end"):
            await drilled(spring, platform)
        await asyncio.gather(*platform.tasks)
    told = {one["type"]: one for one in pager.got}
    assert set(told) == {"drill", "drill.failed"}
    assert told["drill.failed"]["drill"] is False
    assert [step["step"] for step in told["drill.failed"]["evidence"]["steps"]] == ["breaker.trip"]


async def test_a_drill_waits_for_its_locks_shortly_and_tries_again(
    spring: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drill, "AGAIN_SECONDS", 0.05)
    monkeypatch.setattr(drill, "DRILL_TRIES_MAX", 2)
    owner = await spring.platform.store.administrator()
    async with in_house(owner, spring.house.id) as blocker:
        await blocker.execute("select 1 from budgets for update")
        result = await drilled(spring)
    await owner.close()
    stops = {step.value for step in DrillStep if step.value.startswith("stop")}
    assert failed(result) == stops | {"breaker.trip"}
    assert "2 times" in result.steps[0].says["en"]
    assert (await drilled(spring)).passed


async def test_what_a_suspended_drill_holds_is_given_back_by_the_store(
    spring: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadow, "DRILL_IDLE_MS", 100)
    till = spring.callers["till"]
    with suppress(Exception):
        async with shadow.apart(spring.platform.store.url) as connection, shadow._undone(connection, spring.house.id):
            await connection.fetchval("select stop_target($1, 'olga', 'everything', 'x')", spring.house.id)
            answer = await quotes.quote(spring.platform, till, spring.payment())
    assert answer["discount_minor"] == 4_000


async def test_a_house_that_is_stopped_already_is_drilled_on_what_there_is(spring: Shop) -> None:
    from makegood.domain.target import parse_target

    await control.stop(spring.platform, spring.callers["olga"], parse_target("everything"), "an incident")
    result = await drilled(spring)
    assert result.passed and "stop.campaign" in warned(result)
    (stop,) = await guards.stops(spring.platform.store.pool, spring.house.id)
    assert stop["reason"] == "an incident"


async def test_two_drills_of_a_house_do_not_run_at_once(spring: Shop) -> None:
    first, second = await asyncio.gather(drilled(spring), drilled(spring), return_exceptions=True)
    refused = [one for one in (first, second) if isinstance(one, Problem)]
    assert len(refused) == 1 and refused[0].code == "state_forbids"


@pytest.mark.parametrize(
    ("hours", "newest", "passed", "wanted"),
    [
        (0, None, None, False),
        (24, None, None, True),
        (24, 10.0, 10.0, False),
        (24, 86_399.0, 86_399.0, False),
        (24, 86_400.0, 86_400.0, True),
        (24, 3_599.0, None, False),
        (24, 3_600.0, None, True),
        (24, 3_600.0, 7_200.0, False),
        (24, 3_600.0, 90_000.0, True),
        (1, 3_600.0, 3_600.0, True),
    ],
)
def test_a_drill_is_due_by_the_last_that_passed_and_again_soon_after_one_that_failed(
    hours: int, newest: float | None, passed: float | None, wanted: bool
) -> None:
    assert due(hours, newest, passed) is wanted


async def test_a_house_is_drilled_once_though_several_processes_find_it_due(
    spring: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def only_this(_: object) -> list[str]:
        return [spring.house.name]

    monkeypatch.setattr(drill.houses, "house_names", only_this)
    processes = [with_settings(spring.platform) for _ in range(4)]
    for platform in processes:
        await drill_due(platform)
    await asyncio.gather(*itertools.chain.from_iterable(platform.tasks for platform in processes))
    (row,) = await guards.drills(spring.platform.store.pool, spring.house.id, 10)
    assert (row["principal"], row["passed"]) == ("makegood", True)
    last = REGISTRY.get_sample_value("makegood_drill_passed_timestamp_seconds")
    assert last is not None and abs(last - row["at"].timestamp()) < 30
    assert DRILL_PASSED is not None


async def test_without_hours_nothing_is_drilled_by_itself(spring: Shop) -> None:
    platform = with_settings(spring.platform, drill_hours=0)
    await drill_due(platform)
    assert platform.tasks == set()

"""Drills on the real store: what works passes, and nothing of it stays but the record."""

import asyncio
import itertools
import json
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.pager import Pager
from tests.shop import Shop, open_shop
from tests.store.drilling import broken, drilled, failed, rows_of, warned, with_settings

from makegood.cli.drill import command
from makegood.domain.review import Guard
from makegood.domain.target import parse_target
from makegood.errors import Problem
from makegood.services import control, drill, quotes
from makegood.services.drill import drill_due, due
from makegood.services.drill_steps import DrillStep
from makegood.services.platform import Platform
from makegood.store import access, guards, shadow
from makegood.store.pool import in_house
from makegood.store.verify import verify
from makegood.telemetry import REGISTRY

CALLERS = 16


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


async def test_what_a_drill_found_is_on_record_and_that_nobody_could_be_paged_is_a_warning(spring: Shop) -> None:
    result = await drilled(spring)
    assert (result.passed, warned(result)) == (True, {"page"})
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
    for _ in range(2):  # Then it holds five thousand of 20.00 CNY, which nobody reaches.
        await control.open_stage(spring.platform, spring.callers["olga"], "spring-qr-2027")

    async def ask() -> None:
        while not over.is_set():
            answers.append(await quotes.quote(spring.platform, till, spring.payment(amount=10_000)))

    callers = [asyncio.create_task(ask()) for _ in range(CALLERS)]
    while len(answers) < CALLERS:  # noqa: ASYNC110 - it waits for work that goes on
        await asyncio.sleep(0.01)
    before = len(answers)
    result = await drilled(spring)
    during = len(answers) - before
    over.set()
    await asyncio.gather(*callers)
    assert (result.passed, failed(result)) == (True, set())
    assert during > 0
    assert {(answer["decided"], answer["discount_minor"]) for answer in answers} == {(True, 2_000)}
    assert (await verify(spring.platform.store.pool, spring.house.id)).violations == ()


async def test_a_house_without_a_campaign_is_drilled_on_what_there_is(shop: Shop) -> None:
    result = await drilled(shop)
    assert result.passed
    assert warned(result) == {"stop.campaign", "stop.label", "stop.funder", "stop.scene", "stop.everything",
                              "breaker.trip", "page"}  # fmt: skip


async def test_a_test_house_without_the_collar_is_warned_of_it(platform: Platform) -> None:
    shop = await open_shop(platform, guards_left_out=[Guard.COLLAR])
    result = await drilled(shop)
    assert result.passed and "breaker.collar" in warned(result)


async def test_a_house_that_is_stopped_already_is_drilled_on_what_there_is(spring: Shop) -> None:
    await control.stop(spring.platform, spring.callers["olga"], parse_target("everything"), "an incident")
    result = await drilled(spring)
    assert result.passed and "stop.campaign" in warned(result)
    (stop,) = await guards.stops(spring.platform.store.pool, spring.house.id)
    assert stop["reason"] == "an incident"


async def test_two_drills_of_a_house_do_not_run_at_once(shop: Shop) -> None:
    async with shadow.apart(shop.platform.store.url) as connection:
        assert await shadow.claim(connection, shop.house.id)
        with pytest.raises(Problem) as refused:
            await drilled(shop)
    assert refused.value.code == "state_forbids"
    assert (await drilled(shop)).passed


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
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def only_this(_: object) -> list[str]:
        return [shop.house.name]

    monkeypatch.setattr(access, "house_names", only_this)
    processes = [with_settings(shop.platform) for _ in range(4)]
    for platform in processes:
        await drill_due(platform)
    await asyncio.gather(*itertools.chain.from_iterable(platform.tasks for platform in processes))
    (row,) = await guards.drills(shop.platform.store.pool, shop.house.id, 10)
    assert (row["principal"], row["passed"]) == ("makegood", True)
    last = REGISTRY.get_sample_value("makegood_drill_passed_timestamp_seconds")
    assert last is not None and abs(last - row["at"].timestamp()) < 30


async def test_without_hours_nothing_is_drilled_by_itself(platform: Platform) -> None:
    idle = with_settings(platform, drill_hours=0)
    await drill_due(idle)
    assert idle.tasks == set()


async def test_the_command_drills_and_tells_what_earlier_drills_found(spring: Shop) -> None:
    async def run(*arguments: str) -> Result:
        where = ["--data", spring.platform.settings.data, "--json"]
        return await asyncio.to_thread(CliRunner().invoke, command, [*arguments, *where])

    by_key = await run("--key", spring.keys["olga"])
    body = json.loads(by_key.stdout)
    assert (by_key.exit_code, body["passed"], body["warned"]) == (0, True, True)
    assert {"step", "passed", "ms", "says"} <= body["steps"][0].keys()
    assert body["steps"][0]["says"].keys() == {"en", "zh-CN"}
    refused = await run("--key", spring.keys["till"])
    assert isinstance(refused.exception, Problem) and refused.exception.code == "scope_is_missing"
    async with broken(spring.platform, "trip", "begin return true; end"):
        by_house = await run("--house", spring.house.name)
    assert (by_house.exit_code, json.loads(by_house.stdout)["passed"]) == (1, False)
    told = json.loads((await run("--key", spring.keys["olga"], "--history")).stdout)["drills"]
    assert [(one["principal"], one["passed"]) for one in told] == [("makegood", False), ("olga", True)]

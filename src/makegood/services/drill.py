"""Drills: the stop path, the breaker, the lease and the page, tried on a live system without touching money.

A stop whose own path fails is found out when it is needed, unless it is drilled. docs/operations/drills.md
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from makegood.clock import SECOND
from makegood.domain.review import Scope
from makegood.errors import Problem, ProblemCode, StoreUnavailable
from makegood.limits import DRILL_AGAIN_SECONDS, DRILL_LOCK_MS, DRILL_TRIES_MAX
from makegood.services.access import Caller, House, house_named, require
from makegood.services.drill_steps import DrillStep, Found, run_step
from makegood.services.drill_subject import Drill, prepared
from makegood.services.drill_words import Said, said
from makegood.services.page import Page, page
from makegood.services.platform import Platform
from makegood.store import access as houses
from makegood.store import guards, shadow
from makegood.telemetry import DRILL_PASSED, DRILLS, log

BY_ITSELF = "makegood"  # The principal of a drill that nobody asked for.
PAUSE_SECONDS = 0.02  # Between two steps: whoever waited for a lock meanwhile has its turn.
AGAIN_SECONDS = 0.5  # Until a step that got no locks is tried again.
_TASK = "drill"


@dataclass(frozen=True, slots=True)
class Step:
    """What one step found, and how many milliseconds it took. `warned`: it passed, and yet something is to do."""

    step: str
    passed: bool
    ms: int
    says: Said
    warned: bool = False


@dataclass(frozen=True, slots=True)
class DrillResult:
    """What a drill found."""

    passed: bool = field(init=False)
    warned: bool = field(init=False)
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "passed", all(step.passed for step in self.steps))
        object.__setattr__(self, "warned", any(step.warned for step in self.steps))


async def drill(platform: Platform, caller: Caller) -> DrillResult:
    """Drill the caller's house now. Raises Problem(STATE_FORBIDS) while another drill of it is under way."""
    require(caller, Scope.OPERATE)
    return await run_drill(platform, caller.house, caller.principal)


async def run_drill(platform: Platform, house: House, principal: str) -> DrillResult:
    """Try every guard's path once and record what was found; one that failed pages whoever is on call.

    Nothing of it stays but the record. Raises StoreUnavailable where nothing could be tried, and
    Problem(STATE_FORBIDS) while another drill of the house is under way.
    """
    result = await _unless_another(platform, house, principal, due_only=False)
    if result is None:
        raise Problem(ProblemCode.STATE_FORBIDS, "another drill of this house is under way")
    return result


async def drill_due(platform: Platform) -> None:
    """Begin the drills that are due, of every house, and return at once. One process at a time drills a house."""
    under_way = any(isinstance(one, asyncio.Task) and one.get_name() == _TASK for one in platform.tasks)
    if platform.settings.drill_hours == 0 or under_way:
        return
    task: asyncio.Task[object] = asyncio.create_task(_drill_houses(platform), name=_TASK)
    platform.tasks.add(task)
    task.add_done_callback(platform.tasks.discard)


def due(hours: int, newest: float | None, passed: float | None) -> bool:
    """Whether a house is to be drilled: `newest` and `passed` are seconds since its newest drill, and since its newest
    that passed. One that failed is repeated sooner.
    """
    if hours == 0:
        return False
    if newest is None:
        return True
    return newest >= min(DRILL_AGAIN_SECONDS, hours * 3600) and (passed is None or passed >= hours * 3600)


async def _drill_houses(platform: Platform) -> None:
    oldest = 0.0
    try:
        for name in await houses.house_names(platform.store.pool):
            oldest = max(oldest, await _drill_house(platform, await house_named(platform, name)))
        now = platform.clock() / SECOND
        DRILL_PASSED.set(max(now - oldest, 0))
    except StoreUnavailable as error:
        log.warning("store_is_unavailable", reason=str(error))
    except Exception:
        log.exception("drills_broke")


async def _drill_house(platform: Platform, house: House) -> float:
    """Drill it if it is due. Seconds since it last passed; without end where it never did."""
    try:
        if due(platform.settings.drill_hours, *await shadow.ages(platform.store.pool, house.id)):
            await _unless_another(platform, house, BY_ITSELF, due_only=True)
    except StoreUnavailable:
        raise
    except Exception:
        log.exception("drill_broke", house=house.name)
    _, passed = await shadow.ages(platform.store.pool, house.id)
    return float("inf") if passed is None else passed


async def _unless_another(platform: Platform, house: House, principal: str, *, due_only: bool) -> DrillResult | None:
    """The result, or None where another process drills the house, or did so a moment ago."""
    async with shadow.apart(platform.store.url) as connection:
        if not await shadow.claim(connection, house.id):
            return None
        if due_only and not due(platform.settings.drill_hours, *await shadow.ages(platform.store.pool, house.id)):
            return None
        return await _drilled(await prepared(platform, house, principal, connection))


async def _drilled(drill: Drill) -> DrillResult:
    steps = []
    for name in DrillStep:
        if name is not DrillStep.RECORD:
            steps.append(await _step(drill, name))
            await asyncio.sleep(PAUSE_SECONDS)
    result = DrillResult(tuple(steps))
    try:
        await guards.record_drill(
            drill.platform.store.pool, drill.house.id, drill.principal, result.passed, json_of(steps)
        )
    except StoreUnavailable as error:
        result = DrillResult((*steps, Step(DrillStep.RECORD, False, 0, said("not_recorded", why=error))))
    _tell(drill, result)
    return result


def json_of(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Steps as plain values."""
    return [{**asdict(one), "says": dict(one.says)} for one in steps]


async def _step(drill: Drill, name: DrillStep) -> Step:
    """What the step found. Whatever goes wrong in it is something that it found."""
    began = time.perf_counter()
    found = await _found(drill, name)
    ms = round(1000 * (time.perf_counter() - began))
    return Step(name.value, found.passed, ms, found.says, found.warned)


async def _found(drill: Drill, name: DrillStep) -> Found:
    try:
        for attempt in range(DRILL_TRIES_MAX):
            if attempt:
                await asyncio.sleep(AGAIN_SECONDS)
                await drill.look()
            try:
                return await run_step(drill, name)
            except shadow.NotNow as error:
                log.info("drill_waits", house=drill.house.name, step=name.value, why=str(error))
        return Found(False, said("not_now", milliseconds=DRILL_LOCK_MS, tries=DRILL_TRIES_MAX))
    except StoreUnavailable as error:
        return Found(False, said("store_is_away", why=error))
    except Exception as error:
        log.exception("drill_step_broke", house=drill.house.name, step=name.value)
        return Found(False, said("fault", why=f"{type(error).__name__}: {error}"))


def _tell(drill: Drill, result: DrillResult) -> None:
    """Count it, and page whoever is on call where it failed."""
    DRILLS.labels(("warned" if result.warned else "passed") if result.passed else "failed").inc()
    if result.passed:
        return
    failed = [step for step in result.steps if not step.passed]
    names = ", ".join(step.step for step in failed)
    log.error("drill_failed", house=drill.house.name, steps=names)
    evidence = {"principal": drill.principal, "steps": json_of(failed)}
    at = drill.platform.clock()
    about = Page(
        "drill.failed", f"{drill.mark}-failed", drill.house.name, "drill", at, said("failed", steps=names), evidence
    )
    page(drill.platform, about)

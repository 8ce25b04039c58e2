"""Stops of campaigns, labels, funders, scenes and everything: no new grant, whatever runs at the same moment."""

import asyncio
import contextlib
import itertools
from typing import Any

import pytest
from tests.shop import Shop, example, open_shop
from tests.store.test_database_refuses import as_owner

from makegood.domain.review import Guard, State
from makegood.domain.target import parse_target
from makegood.errors import Problem, ProblemCode
from makegood.services import campaigns, control, guards_view, holds, quotes
from makegood.services.platform import Platform
from makegood.store import guards
from makegood.store.pool import in_house
from makegood.store.verify import verify

SPRING, BRIEF = example("campaign-spring.yaml"), example("brief-spring.yaml")
ID = "spring-qr-2027"
LABEL, EVERYTHING = "label:merchant_coupon", "everything"
TARGETS = (f"campaign:{ID}", LABEL, "funder:merchant-lin", "scene:in_store_qr", EVERYTHING)
CALLERS = 64


@pytest.fixture
async def unproved(platform: Platform) -> Shop:
    """A house whose example campaign is live, and that does without guards: resumes take no time, and every payment may
    be granted something without a trip.
    """
    shop = await open_shop(platform, guards_left_out=[Guard.PROOF, Guard.COLLAR, Guard.DETECTOR])
    await shop.launch(SPRING, BRIEF)
    return shop


async def stop(shop: Shop, target: str, who: str = "olga") -> control.Stopped:
    return await control.stop(shop.platform, shop.callers[who], parse_target(target), "fraud")


async def resume(shop: Shop, target: str, *who: str) -> control.Resumed:
    for name in who or ("olga", "omar"):
        resumed = await control.resume(shop.platform, shop.callers[name], parse_target(target), "checked")
    return resumed


async def trip(shop: Shop, guard: str = "collar", revision: str = "", most: int = 50) -> bool:
    revision = revision or (await view(shop)).revision
    return await guards.trip(
        shop.platform.store.pool, shop.house.id, guard, ID, revision, "discount_is_above_max", {"seen": 6_000}, most
    )


async def view(shop: Shop) -> Any:
    return await campaigns.get_campaign(shop.platform, shop.callers["olga"], ID)


async def quote(shop: Shop, **changes: Any) -> dict[str, Any]:
    return await quotes.quote(shop.platform, shop.callers["till"], shop.payment(**changes))


async def discount(shop: Shop) -> int:
    found: int = (await quote(shop))["discount_minor"]
    return found


async def refused(call: Any) -> Problem:
    with pytest.raises(Problem) as raised:
        await call
    return raised.value


async def whole(shop: Shop) -> None:
    assert (await verify(shop.platform.store.pool, shop.house.id)).violations == ()


async def violated(shop: Shop) -> set[str]:
    return {one.invariant for one in (await verify(shop.platform.store.pool, shop.house.id)).violations}


# -- nothing is granted after a stop -----------------------------------------------------------------------


@pytest.mark.parametrize("target", TARGETS)
async def test_nothing_is_granted_after_a_stop_whatever_was_under_way(unproved: Shop, target: str) -> None:
    shop, other = unproved, unproved.elsewhere()
    await control.open_stage(shop.platform, shop.callers["olga"], ID)
    await control.open_stage(shop.platform, shop.callers["olga"], ID)
    busy, told = asyncio.Event(), asyncio.Event()
    shown: list[dict[str, Any]] = []

    async def caller() -> int:
        while not told.is_set():
            shown.append(await quote(other))
            if len(shown) >= CALLERS:
                busy.set()
        last: int = (await quote(other))["discount_minor"]
        return last

    callers = [asyncio.create_task(caller()) for _ in range(CALLERS)]
    await busy.wait()
    stopped = await stop(shop, target)
    told.set()
    afterwards = await asyncio.wait_for(asyncio.gather(*callers), 60)
    assert f"campaign:{ID}" in stopped.stopped and afterwards == [0] * CALLERS
    # Both moments are of the store's clock, under the lock of the same budget.
    async with in_house(shop.platform.store.pool, shop.house.id) as connection:
        before, after = await connection.fetchrow(
            """with s as (select coalesce((select at from stops), (select stopped_at from campaigns)) as at)
               select count(*) filter (where e.at < s.at), count(*) filter (where e.at >= s.at) from entries e, s
               where e.kind = 'reserve'"""
        )
    assert (before, after) == (stopped.honoured_quotes, 0) and before >= CALLERS
    captured = await holds.capture(shop.platform, shop.callers["till"], shown[0]["quote_id"], {})
    assert captured["state"] == "captured"
    await whole(shop)


async def test_a_scene_stops_alone(unproved: Shop) -> None:
    await stop(unproved, "scene:transfer")
    assert await discount(unproved) == 4_000
    await stop(unproved, "scene:in_store_qr")
    answer = await quote(unproved, explain=True)
    assert [one["refusal"] for one in answer["explanation"]] == ["scene_is_stopped"]
    assert (await view(unproved)).state is State.RUNNING  # It runs, but not there.
    await resume(unproved, "scene:in_store_qr")
    assert await discount(unproved) == 4_000
    await whole(unproved)


async def test_a_stop_of_a_name_that_nobody_uses_is_no_stop(unproved: Shop) -> None:
    problem = await refused(stop(unproved, "label:merchant_cupon"))
    assert problem.code is ProblemCode.NOT_FOUND and LABEL in (problem.hint or "")
    assert await guards_view.list_stops(unproved.platform, unproved.callers["olga"]) == []


# -- several stops -----------------------------------------------------------------------------------------


async def test_overlapping_stops_are_resumed_in_any_order(unproved: Shop) -> None:
    stops = (f"campaign:{ID}", LABEL, EVERYTHING)
    for order in itertools.permutations(stops):
        for target in stops:
            await stop(unproved, target)
        for target in order:
            assert await discount(unproved) == 0, (order, target)
            if target.startswith("campaign") or f"campaign:{ID}" in (await view(unproved)).stopped_targets:
                assert (await view(unproved)).stopped_targets[0] == f"campaign:{ID}"
            await resume(unproved, target)
        assert await discount(unproved) == 4_000, order
    await whole(unproved)


async def test_a_campaign_says_which_wider_stop_holds_it(spring: Shop) -> None:
    await stop(spring, LABEL)
    seen = await view(spring)
    assert (seen.state, seen.stopped_targets, seen.stopped_by) == (State.STOPPED, (LABEL,), "olga")
    assert (seen.stop_reason, seen.resume_requested_by) == ("fraud", None)
    problem = await refused(control.resume_campaign(spring.platform, spring.callers["omar"], ID, "checked"))
    assert problem.code is ProblemCode.STATE_FORBIDS and LABEL in problem.detail
    assert (await refused(control.open_stage(spring.platform, spring.callers["olga"], ID))).code is (
        ProblemCode.STATE_FORBIDS
    )
    await stop(spring, f"campaign:{ID}")
    assert (await resume(spring, f"campaign:{ID}")).state == "stopped"
    assert (await view(spring)).stopped_targets == (LABEL,)


async def test_what_goes_live_under_a_stop_is_stopped(shop: Shop) -> None:
    await stop(shop, LABEL)
    assert (await shop.launch(SPRING, BRIEF)).state is State.STOPPED
    smaller = (await shop.publish("mara", SPRING.replace('"20%"', '"10%"')))[0]
    assert (await shop.approve(smaller.revision, "bob", "carl")).state is State.STOPPED
    assert await discount(shop) == 0
    await whole(shop)
    await resume(shop, LABEL)
    assert await discount(shop) == 2_000
    await whole(shop)


# -- resuming ----------------------------------------------------------------------------------------------


async def test_a_wider_resume_takes_two_who_wrote_nothing_and_proofs_of_today(spring: Shop) -> None:
    await stop(spring, EVERYTHING)
    mara = spring.callers["mara"]
    spring.callers["author"] = type(mara)(mara.house, "mara", spring.callers["omar"].scopes, mara.key_id)
    assert (await refused(resume(spring, EVERYTHING, "author"))).code is ProblemCode.PRINCIPAL_MAY_NOT
    pool, house = spring.platform.store.pool, spring.house.id
    unproved = await guards.resume(pool, house, "omar", EVERYTHING, "checked", 900, {})
    assert unproved == {"outcome": "revision_has_changed"}
    first = await resume(spring, EVERYTHING, "olga")
    assert first.state == "requested" and first.confirm_by is not None
    assert (await refused(resume(spring, EVERYTHING, "olga"))).code is ProblemCode.RESUME_NEEDS_ANOTHER
    assert (await resume(spring, EVERYTHING, "omar")).state == "resumed"
    assert (await refused(resume(spring, EVERYTHING, "omar"))).code is ProblemCode.STATE_FORBIDS
    async with in_house(pool, house) as connection:
        detail = await connection.fetchval("select detail::jsonb from audits where action = 'resume'")
    assert detail["requested_by"] == "olga" and detail["proofs"]["CNY"].startswith("prf_")
    assert await discount(spring) == 4_000


async def test_a_request_is_void_after_a_quarter_of_an_hour_and_after_a_new_stop(unproved: Shop) -> None:
    await stop(unproved, LABEL)
    await resume(unproved, LABEL, "olga")
    await as_owner(unproved, "update stops set resume_until = now() - interval '1 second'")
    assert (await resume(unproved, LABEL, "omar")).state == "requested"
    await stop(unproved, LABEL)
    assert (await resume(unproved, LABEL, "olga")).state == "requested"
    assert await discount(unproved) == 0


async def test_operators_who_stop_and_resume_at_once_leave_what_was_told(unproved: Shop) -> None:
    async def try_to(act: Any) -> None:
        with contextlib.suppress(Problem):  # It may not be stopped just now, or wait for somebody else.
            await act

    targets = (f"campaign:{ID}", LABEL, EVERYTHING, "scene:in_store_qr")
    acts: list[Any] = []
    for target in targets * 3:
        acts += [stop(unproved, target), resume(unproved, target, "olga"), resume(unproved, target, "omar")]
        acts += [quote(unproved)]
    await asyncio.wait_for(asyncio.gather(*(try_to(act) for act in acts)), 60)
    await whole(unproved)
    for one in await guards_view.list_stops(unproved.platform, unproved.callers["olga"]):
        await stop(unproved, one.target)  # A request that was left half way is off.
        await resume(unproved, one.target)
    assert await discount(unproved) == 4_000
    await whole(unproved)


# -- breakers ----------------------------------------------------------------------------------------------


async def test_after_a_trip_of_the_collar_only_a_new_revision_runs(spring: Shop) -> None:
    assert await trip(spring) and not await trip(spring)
    assert await discount(spring.elsewhere()) == 0
    seen = await view(spring)
    assert (seen.tripped_by, seen.needs_new_revision, seen.stopped_by) == ("collar", True, "makegood:collar")
    assert "new revision" in (await refused(resume(spring, f"campaign:{ID}", "olga"))).detail
    pool, house = spring.platform.store.pool, spring.house.id
    async with in_house(pool, house) as connection:
        stored = "select resume_campaign($1, 'olga', $2, 'checked', 900, $3)"
        outcome = await connection.fetchval(stored, house, ID, seen.proof)
    assert outcome == {"outcome": "needs_new_revision"}
    smaller = (await spring.publish("mara", SPRING.replace('"20%"', '"10%"')))[0]
    await spring.approve(smaller.revision, "bob", "carl")
    seen = await view(spring)
    assert (seen.tripped_by, seen.needs_new_revision, await discount(spring)) == (None, False, 2_000)
    # The approvals of the one that tripped still stand; it does not come back by them.
    assert (await refused(spring.publish("mara", SPRING))).code is ProblemCode.STATE_FORBIDS
    assert await discount(spring) == 2_000
    await whole(spring)


async def test_a_second_trip_of_the_detector_within_a_day_needs_a_new_revision_too(unproved: Shop) -> None:
    assert await trip(unproved, "detector")
    assert not (await view(unproved)).needs_new_revision
    await resume(unproved, f"campaign:{ID}")
    assert await discount(unproved) == 4_000
    assert await trip(unproved, "detector")
    assert (await refused(resume(unproved, f"campaign:{ID}", "olga"))).code is ProblemCode.STATE_FORBIDS
    await as_owner(
        unproved, "update trips set at = at - interval '25 hours' where trip_id = (select min(trip_id) from trips)"
    )
    assert (await resume(unproved, f"campaign:{ID}")).state == State.RUNNING
    await whole(unproved)


async def test_a_trip_stops_only_the_revision_that_it_was_seen_of(unproved: Shop) -> None:
    before = (await view(unproved)).revision
    smaller = (await unproved.publish("mara", SPRING.replace('"20%"', '"10%"')))[0]
    await unproved.approve(smaller.revision, "bob", "carl")
    assert [await trip(unproved, revision=before, most=2) for _ in range(4)] == [False] * 4
    assert await discount(unproved) == 2_000
    kept = await guards_view.list_trips(unproved.platform, unproved.callers["olga"])
    assert [(one.opened, one.evidence) for one in kept] == [(False, {"seen": 6_000})] * 2
    await whole(unproved)


# -- what was told -----------------------------------------------------------------------------------------

TAMPERING = (
    ("delete from stops", {"stops_are_those_that_were_told", "budgets_are_their_campaign"}),
    ("update budgets set stopped = false", {"budgets_are_their_campaign"}),
    ("update trips set evidence = '{}'", {"trips_are_those_that_were_told"}),
    ("update campaigns set tripped_by = 'detector'", {"breakers_are_the_trips_that_opened_them"}),
)


@pytest.mark.parametrize(("statement", "found"), TAMPERING)
async def test_what_was_changed_behind_the_functions_is_found(unproved: Shop, statement: str, found: set[str]) -> None:
    await trip(unproved)
    smaller = (await unproved.publish("mara", SPRING.replace('"20%"', '"10%"')))[0]
    await unproved.approve(smaller.revision, "bob", "carl")
    await stop(unproved, EVERYTHING)
    if "tripped" in statement:
        await trip(unproved)
    await whole(unproved)
    await as_owner(unproved, statement)
    assert await violated(unproved) == found

"""Two people, or two servers, at the same moment: whoever acted on what is no longer so is told, and does nothing."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import asyncpg
import pytest
from tests.shop import Shop, example, open_shop

from makegood.domain.review import State
from makegood.errors import Problem, ProblemCode
from makegood.money import split
from makegood.services import campaigns, control, live, quotes
from makegood.services.platform import Platform
from makegood.store import campaigns as rows
from makegood.store import records
from makegood.store.pool import in_house
from makegood.store.verify import verify

SPRING, BRIEF, POLICY = example("campaign-spring.yaml"), example("brief-spring.yaml"), example("policy.yaml")
ID = "spring-qr-2027"
SMALLER = SPRING.replace('"20%"', '"10%"')
Act = Callable[[], Awaitable[Any]]


def between(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, act: Act, *, after: bool = False) -> None:
    """Let `act` happen once, just before (or just after) the first call of a function that runs as it is."""
    real, acts = getattr(module, name), [act]

    async def wrapped(*arguments: Any, **more: Any) -> Any:
        mine = acts.pop() if acts else None
        if mine is not None and not after:
            await mine()
        result = await real(*arguments, **more)
        if mine is not None and after:
            await mine()
        return result

    monkeypatch.setattr(module, name, wrapped)


async def discount(shop: Shop) -> int:
    answer = await quotes.quote(shop.platform, shop.callers["till"], shop.payment())
    found: int = answer["discount_minor"]
    return found


async def stop(shop: Shop, reason: str = "fraud") -> control.Stopped:
    return await control.stop_campaign(shop.platform, shop.callers["olga"], ID, reason)


async def version(shop: Shop) -> int:
    return await rows.live_version(shop.platform.store.pool, shop.house.id)


# -- going live --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("module", "name"), [(rows, "go_live"), (rows, "approve"), (rows, "proposed_brief")])
async def test_an_approval_does_not_end_a_stop_it_did_not_see(
    spring: Shop, monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> None:
    published = (await spring.publish("mara", SMALLER))[0]
    await spring.approve(published.revision, "bob")
    between(monkeypatch, module, name, lambda: stop(spring))
    with pytest.raises(Problem) as raised:
        await spring.approve(published.revision, "carl")
    assert raised.value.code is ProblemCode.REVISION_HAS_CHANGED
    assert await discount(spring) == 0
    assert (await spring.approve(published.revision, "carl")).missing == ()  # Now it was seen.
    assert await discount(spring) == 2_000


async def test_an_older_revision_does_not_take_over_from_a_newer_one(
    spring: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = (await spring.publish("mara", SPRING.replace("priority: 100", "priority: 101")))[0]
    await spring.approve(older.revision, "bob")

    async def newer() -> None:
        other = spring.elsewhere()
        published = (await other.publish("mara", SMALLER))[0]
        await other.approve(published.revision, "bob", "rita")

    between(monkeypatch, rows, "go_live", newer)
    await spring.approve(older.revision, "carl")
    assert await discount(spring) == 2_000


async def test_a_revision_does_not_go_live_with_a_brief_that_was_replaced(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.publish("otto", BRIEF)
    published = (await shop.publish("mara", SPRING))[0]
    await shop.approve(published.revision, "bob")
    other = BRIEF.replace('"50.00 CNY"', '"60.00 CNY"')
    between(monkeypatch, rows, "go_live", lambda: shop.elsewhere().publish("otto", other))
    assert (await shop.approve(published.revision, "carl")).missing == ("approval:2",)
    assert await discount(shop) == 0


async def test_a_revision_goes_live_by_the_policy_that_is_in_force_then(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = (await shop.publish("rita", POLICY.replace("half-at-most", "at-most-half")))[0]
    await shop.publish("otto", BRIEF)
    published = (await shop.publish("mara", SPRING))[0]
    await shop.approve(published.revision, "bob")
    between(monkeypatch, rows, "go_live", lambda: shop.elsewhere().approve(policy.revision, "bob"))
    await shop.approve(published.revision, "carl")
    standing = (await rows.standings(shop.platform.store.pool, shop.house.id, ID))[0]
    assert (standing["live"], standing["policy"]) == (published.revision, policy.revision)


async def test_approvals_at_the_same_moment_all_succeed(shop: Shop) -> None:
    await shop.publish("otto", BRIEF)
    published = (await shop.publish("mara", SPRING))[0]
    await asyncio.gather(*(shop.approve(published.revision, name) for name in ("bob", "carl", "rita")))
    assert await discount(shop) == 4_000
    assert (await verify(shop.platform.store.pool, shop.house.id)).violations == ()


# -- stopping ----------------------------------------------------------------------------------------------


async def test_a_second_stop_counts_and_takes_back_a_resume_that_was_asked_for(spring: Shop) -> None:
    await stop(spring, "a look")
    await control.resume_campaign(spring.platform, spring.callers["olga"], ID, "it was fine")
    await stop(spring, "fraud after all")
    again = await control.resume_campaign(spring.platform, spring.callers["omar"], ID, "it was fine")
    assert again.state == "requested"  # The first half of that resume is gone.
    view = await campaigns.get_campaign(spring.platform, spring.callers["olga"], ID)
    assert (view.state, view.stop_reason) == (State.STOPPED, "fraud after all")
    audits = await records.audits(spring.platform.store.pool, spring.house.id, ID, 100)
    assert [row["action"] for row in audits].count("campaign.stop") == 2
    async with in_house(spring.platform.store.pool, spring.house.id) as connection:
        assert await connection.fetchval("select count(*) from outbox where type = 'campaign.stopped'") == 2


# -- policies ----------------------------------------------------------------------------------------------


async def test_a_policy_is_checked_against_what_goes_live_meanwhile(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow = POLICY.replace("  merchant_coupon:", "  other_coupon:")
    published = (await shop.publish("rita", narrow))[0]
    between(
        monkeypatch,
        campaigns,
        "_refuse_policy_that_breaks_live",
        lambda: shop.elsewhere().launch(SPRING, BRIEF),
        after=True,
    )
    with pytest.raises(Problem) as raised:
        await shop.approve(published.revision, "bob")
    assert raised.value.code is ProblemCode.DOCUMENT_IS_INVALID
    assert await discount(shop.elsewhere()) == 4_000


async def test_one_unreadable_campaign_does_not_take_the_house_down(spring: Shop) -> None:
    narrow = POLICY.replace("  merchant_coupon:", "  other_coupon:")
    published = (await spring.publish("rita", narrow))[0]
    await spring.publish("mara", SMALLER)
    owner = await spring.platform.store.administrator()
    try:
        async with in_house(owner, spring.house.id) as connection:
            await connection.execute("update policies set revision = $1", published.revision)
            await connection.execute("update live_sets set version = version + 1")
    finally:
        await owner.close()
    await live.live_set(spring.platform, spring.house, fresh=True)
    answer = await quotes.quote(spring.platform, spring.callers["till"], spring.payment())
    assert (answer["discount_minor"], answer["decided"]) == (0, True)
    listed = await campaigns.list_campaigns(spring.platform, spring.callers["olga"])
    assert [view.missing[0] for view in listed] == ["policy"]


async def test_a_draft_that_todays_policy_refuses_does_not_break_the_list(shop: Shop) -> None:
    await shop.publish("mara", SPRING)
    narrow = (await shop.publish("rita", POLICY.replace("  merchant_coupon:", "  other_coupon:")))[0]
    await shop.approve(narrow.revision, "bob")
    assert [view.id for view in await campaigns.list_campaigns(shop.platform, shop.callers["mara"])] == []


async def test_acts_and_payments_at_the_same_moment_do_not_wait_for_each_other_in_a_ring(spring: Shop) -> None:
    platform, callers = spring.platform, spring.callers
    policies = [(await spring.publish("rita", POLICY.replace("half-at-most", f"half-{n}")))[0] for n in range(3)]

    async def resume(who: str) -> None:
        with contextlib.suppress(Problem):  # It may not be stopped just now, or wait for another principal.
            await control.resume_campaign(platform, callers[who], ID, "again")

    async def in_force(revision: str) -> None:
        with contextlib.suppress(Problem):  # Others may change the live set all the time.
            await spring.approve(revision, "bob")

    acts = [
        *(stop(spring) for _ in range(5)),
        *(resume(who) for who in ("olga", "omar") * 3),
        *(in_force(policy.revision) for policy in policies),
        *(spring.publish("mara", SPRING.replace("priority: 100", f"priority: {n}")) for n in range(1, 6)),
        *(discount(spring) for _ in range(20)),
    ]
    await asyncio.wait_for(asyncio.gather(*acts), 60)
    assert (await verify(platform.store.pool, spring.house.id)).violations == ()


# -- approvals ---------------------------------------------------------------------------------------------


async def test_a_yes_is_renewed_after_the_brief_changed_and_an_earlier_brief_comes_back(shop: Shop) -> None:
    other = BRIEF.replace('"50.00 CNY"', '"60.00 CNY"')
    await shop.publish("otto", BRIEF)
    published = (await shop.publish("mara", SPRING))[0]
    assert (await shop.approve(published.revision, "bob")).missing == ("approval:1",)
    assert (await shop.publish("otto", other))[-1].missing == ("approval:2",)
    assert (await shop.approve(published.revision, "bob")).missing == ("approval:1",)
    assert (await shop.publish("otto", BRIEF))[-1].missing == ("approval:1",)
    assert (await shop.approve(published.revision, "carl")).state is State.SCHEDULED
    standing = (await rows.standings(shop.platform.store.pool, shop.house.id, ID))[0]
    brief = await rows.document(shop.platform.store.pool, shop.house.id, standing["brief"])
    assert brief is not None and b"50.00 CNY" in brief["canonical"] and b"60.00 CNY" not in brief["canonical"]


async def test_a_yes_and_its_audit_row_are_one_and_leave_the_live_set_alone(shop: Shop) -> None:
    await shop.publish("otto", BRIEF)
    published = (await shop.publish("mara", SPRING))[0]
    before = await version(shop)
    for _ in range(2):
        await shop.approve(published.revision, "bob")
    audits = await records.audits(shop.platform.store.pool, shop.house.id, ID, 100)
    assert [row["action"] for row in audits].count("revision.approved") == 1
    assert await version(shop) == before


async def test_publishing_is_all_of_it_or_nothing(shop: Shop) -> None:
    pool, house = shop.platform.store.pool, shop.house.id
    canonical = b"a campaign"
    good = rows.NewDocument("campaign", ID, "rev_" + sha256(canonical).hexdigest(), canonical, "CNY")
    bad = rows.NewDocument("brief", ID, "rev_" + "5" * 64, b"not what the revision names")
    with pytest.raises(asyncpg.CheckViolationError):
        await rows.publish(pool, house, "mara", ID, [good, bad])
    assert await rows.standings(pool, house, ID) == []
    assert await rows.document(pool, house, good.revision) is None
    assert await records.audits(pool, house, ID, 1) == []
    await rows.publish(pool, house, "mara", ID, [good])
    assert [row["proposed"] for row in await rows.standings(pool, house, ID)] == [good.revision]


# -- money -------------------------------------------------------------------------------------------------


async def test_the_shares_of_funders_do_not_drift_apart_as_the_budget_changes(books: Any) -> None:
    funders = (("platform", 9_999), ("merchant", 1))
    budgets = [10_000 + 4_999 * raises for raises in range(11)]
    for budget in [*budgets, 9_990, 10_000, 3, 60_000]:
        await books.live("spring", budget, stage=1, funders=funders)
        committed = await rows.commitments(books.pool, books.house.id, "spring")
        assert [committed.get(name, 0) for name, _ in funders] == list(split(budget, [9_999, 1])), budget
    await books.balanced()


async def test_a_stage_is_opened_of_the_revision_that_was_seen(spring: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def newer() -> None:
        published = (await spring.publish("mara", SMALLER))[0]
        await spring.approve(published.revision, "bob", "carl")

    between(monkeypatch, rows, "open_stage", newer)
    with pytest.raises(Problem) as raised:
        await control.open_stage(spring.platform, spring.callers["olga"], ID)
    assert raised.value.code is ProblemCode.STATE_FORBIDS
    view = await campaigns.get_campaign(spring.platform, spring.callers["olga"], ID)
    assert view.stage_minor == 100_000


async def _counters(books: Any) -> dict[tuple[str, str], tuple[int, str]]:
    async with in_house(books.pool, books.house.id) as connection:
        found = await connection.fetch("select subject, period, count, xmin::text as written from counters")
    return {(row["subject"], row["period"]): (row["count"], row["written"]) for row in found}


async def test_a_new_revision_counts_only_what_was_not_counted_before(books: Any) -> None:
    hourly = {"subject": "all", "period": "hour", "count_max": 9}
    device = {"subject": "device", "period": "ever", "count_max": 9}
    revision = await books.live("spring", 5_000, limits=(hourly,))
    await books.reserve(books.request("p1", {"spring": (revision, 100)}, device_ref=b"\xaa"))
    before = await _counters(books)
    await books.live("spring", 6_000, limits=(device,))
    after = await _counters(books)
    assert ("all", "hour") in before and ("all", "hour") not in after
    assert ("device", "ever") not in before and after["device", "ever"][0] == 1
    kept = before.keys() & after.keys()
    assert len(kept) == 3 and all(before[one] == after[one] for one in kept)
    await books.balanced()


# -- the picture of the live set ---------------------------------------------------------------------------


async def test_all_who_wait_for_the_live_set_share_one_reading(spring: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    real, read = records.live_set, []

    async def counted(*arguments: Any) -> records.LiveSet:
        read.append(1)
        return await real(*arguments)

    monkeypatch.setattr(records, "live_set", counted)
    known = await live.live_set(spring.platform, spring.house)
    known.asked, known.version = 0.0, 0
    read.clear()
    await asyncio.gather(*(live.live_set(spring.platform, spring.house) for _ in range(50)))
    assert len(read) == 1


async def test_a_fresh_picture_is_never_one_that_was_begun_before(
    spring: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    between(monkeypatch, records, "live_set", lambda: asyncio.sleep(0.05), after=True)
    slow = asyncio.ensure_future(live.live_set(spring.platform, spring.house, fresh=True))
    await asyncio.sleep(0.02)
    await stop(spring)  # Reads the live set afterwards: not with the reading that saw it running.
    snapshots = (await slow).snapshots
    assert [entry.stopped for entry in snapshots["CNY"].entries] == [True]


async def test_a_reading_that_is_older_than_what_is_known_changes_nothing(
    spring: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = await live.live_set(spring.platform, spring.house, fresh=True)
    before, real = (known.version, known.snapshots), records.live_set

    async def late(*arguments: Any) -> records.LiveSet:
        return replace(await real(arguments[0], arguments[1]), version=known.version - 1, campaigns=[])

    monkeypatch.setattr(records, "live_set", late)
    await live.live_set(spring.platform, spring.house, fresh=True)
    assert (known.version, known.snapshots) == before


async def test_who_gives_up_waiting_does_not_end_the_reading_for_others(platform: Platform) -> None:
    shop = await open_shop(platform)
    platform.live.pop(shop.house.id, None)
    hurried = asyncio.ensure_future(live.live_set(platform, shop.house))
    patient = asyncio.ensure_future(live.live_set(platform, shop.house))
    await asyncio.sleep(0)
    hurried.cancel()
    assert (await patient).snapshots

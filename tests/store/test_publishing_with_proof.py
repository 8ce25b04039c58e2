"""Nothing runs that a solver has not shown to keep its brief and the policy, alone and among all that is live."""

import asyncio
import secrets
from typing import Any

import asyncpg
import pytest
from tests.agree.other_solver import answer_of
from tests.shop import Shop, example, open_shop
from tests.store.test_database_refuses import as_owner

from makegood.domain.review import Guard, State
from makegood.errors import Problem, ProblemCode
from makegood.services import campaigns, control, quotes
from makegood.services.access import create_house
from makegood.services.books import recent_events
from makegood.services.platform import Platform
from makegood.services.proofs import newest_proof, read_questions
from makegood.store import campaigns as rows
from makegood.store import proofs
from makegood.store.verify import verify

SPRING, BRIEF = example("campaign-spring.yaml"), example("brief-spring.yaml")
ID = "spring-qr-2027"
# Two of these take 40 % together where each alone takes 20 %, and the policy of these tests allows 30.
POLICY = example("policy.yaml").replace(
    "- {id: half-at-most, always: 'total * 2 <= payment.amount'}",
    "- {id: thirty-at-most, always: 'total * 10 <= payment.amount * 3'}",
)
TOO_MUCH = "proof:inside_policy.thirty-at-most"


def named(text: str, name: str) -> str:
    """The same document for a campaign of another id, in a group of its own, so that it combines with any other."""
    return text.replace(ID, name).replace("group: instant_discount", f"group: {name}")


async def refused(call: Any) -> Problem:
    """The problem that a call ends with."""
    with pytest.raises(Problem) as raised:
        await call
    return raised.value


async def two_at_thirty(platform: Platform) -> Shop:
    """A house whose policy allows 30 % in all, with the briefs of `a` and `b`."""
    shop = await open_shop(platform, policy=POLICY)
    await shop.publish("otto", named(BRIEF, "a"), named(BRIEF, "b"))
    return shop


async def test_a_refuted_campaign_stays_in_review_and_says_which_payment_would_get_too_much(shop: Shop) -> None:
    await shop.publish("otto", BRIEF)
    wrong = SPRING.replace('up_to: "50.00 CNY"', 'up_to: "60.00 CNY"')
    published = (await shop.publish("mara", wrong))[0]
    assert (published.proved, published.missing[0]) == (False, "proof:inside_brief.discount_max")
    row = next(row for row in published.proofs if row["obligation"] == "inside_brief.discount_max")
    assert (row["verdict"], row["witness"]["discount_minor"]) == ("refuted", 5_001)
    assert row["witness"]["payment"]["amount"] * 20 // 100 == 5_001
    assert all(row["witness"]["words"][language] for language in ("en", "zh-CN"))
    published = await shop.approve(published.revision, "bob", "carl", "rita")
    assert published.state is State.IN_REVIEW
    assert all(lack.startswith("proof:") for lack in published.missing)
    assert (await quotes.quote(shop.platform, shop.callers["till"], shop.payment()))["discount_minor"] == 0
    view = await campaigns.get_campaign(shop.platform, shop.callers["mara"], ID)
    assert (view.proved, view.state, view.missing) == (False, State.IN_REVIEW, published.missing)


async def test_a_brief_that_allows_more_lets_the_same_revision_run(shop: Shop) -> None:
    await shop.publish("otto", BRIEF)
    wrong = SPRING.replace('up_to: "50.00 CNY"', 'up_to: "60.00 CNY"')
    published = (await shop.publish("mara", wrong))[0]
    wide = BRIEF.replace('discount_max: "50.00 CNY"', 'discount_max: "60.00 CNY"')
    again = (await shop.publish("otto", wide))[-1]
    assert (again.revision, again.proved, again.missing) == (published.revision, True, ("approval:2",))
    assert (await shop.approve(again.revision, "bob", "carl")).state is State.SCHEDULED


async def test_a_proof_is_kept_with_its_world_and_its_questions(spring: Shop) -> None:
    reader = spring.callers["olga"]
    view = await campaigns.get_campaign(spring.platform, reader, ID)
    proof = await newest_proof(spring.platform, reader, view.revision)
    assert proof is not None and proof.is_proved and view.proof == proof.proof
    standing = (await rows.standings(spring.platform.store.pool, spring.house.id, ID))[0]
    assert (proof.brief, proof.policy, proof.live) == (standing["brief"], standing["policy"], ())
    assert proof.exposure is not None and proof.exposure["payment_minor"] == 5_000
    questions = await read_questions(spring.platform, reader, proof)
    assert len(questions) == len(proof.rows)
    for row, question in zip(proof.rows, questions, strict=True):  # Another solver answers what is stored alike.
        assert answer_of(question) == row["proved_if"], row["obligation"]
    events = await recent_events(spring.platform, reader, ID)
    live = next(event["detail"] for event in events if event["action"] == "campaign.live")
    assert live["proof"] == proof.proof and live["limits"]


async def test_asking_again_makes_no_second_proof(shop: Shop) -> None:
    await shop.publish("otto", BRIEF)
    first = (await shop.publish("mara", SPRING))[0]
    second = (await shop.publish("mara", SPRING))[0]
    assert first.proof == second.proof is not None


async def test_two_campaigns_that_break_a_rule_together_do_not_both_run(platform: Platform) -> None:
    shop = await two_at_thirty(platform)
    first, second = [(await shop.publish("mara", named(SPRING, name)))[0] for name in "ab"]
    assert first.proved and second.proved  # Each is fine alone, and nothing is live yet.
    assert (await shop.approve(first.revision, "bob", "carl")).state is State.SCHEDULED
    late = await shop.approve(second.revision, "bob", "carl")
    assert (late.state, late.missing) == (State.IN_REVIEW, (TOO_MUCH,))
    row = next(row for row in late.proofs if row["obligation"] == TOO_MUCH.partition(":")[2])
    witness = row["witness"]
    assert witness["total_minor"] * 10 > witness["payment"]["amount"] * 3
    assert witness["others"].keys() == {"a"}


async def test_many_clients_that_publish_at_once_let_exactly_one_of_two_run(platform: Platform) -> None:
    shop = await two_at_thirty(platform)
    revisions = [(await shop.publish("mara", named(SPRING, name)))[0].revision for name in "ab"]
    for revision in revisions:
        await shop.approve(revision, "bob")
    apart = [shop.elsewhere() for _ in range(6)]
    calls = [
        one.approve(revisions[n % 2], who)
        for n, (one, who) in enumerate(zip(apart, ["carl", "carl", "rita"] * 2, strict=True))
    ]
    await asyncio.gather(*calls)
    views = await campaigns.list_campaigns(platform, shop.callers["olga"])
    assert sorted(view.state for view in views) == [State.IN_REVIEW, State.SCHEDULED]
    waiting = next(view for view in views if view.state is State.IN_REVIEW)
    assert waiting.missing == (TOO_MUCH,)
    assert (await verify(platform.store.pool, shop.house.id)).violations == ()


async def test_a_proof_of_another_live_set_lets_nothing_run(platform: Platform) -> None:
    shop = await two_at_thirty(platform)
    first, second = [(await shop.publish("mara", named(SPRING, name)))[0] for name in "ab"]
    await shop.approve(first.revision, "bob", "carl")
    stored = (await rows.standings(platform.store.pool, shop.house.id, "b"))[0]
    brief = await rows.proposed_brief(platform.store.pool, shop.house.id, "b")
    policy = await rows.policy_in_force(platform.store.pool, shop.house.id, "CNY")
    assert brief is not None and policy is not None and stored["live"] is None
    plan = {"revision": second.revision, "live": None, "stopped_at": None, "brief": brief["revision"],
            "policy": policy["revision"], "proof": second.proof, "budget": 1_000, "first_stage": 100,
            "limits": [], "funding": [{"funder": "platform", "amount": 1_000}]}  # fmt: skip
    for name in (second.proof, None, "prf_" + "0" * 64):
        outcome = await rows.go_live(platform.store.pool, shop.house.id, "bob", "b", plan | {"proof": name})
        assert outcome == {"outcome": "revision_has_changed"}


async def test_a_policy_that_something_live_would_break_does_not_come_into_force(spring: Shop) -> None:
    strict = example("policy.yaml").replace("discount <= 20000", "discount <= 4999")
    published = (await spring.publish("rita", strict))[0]
    problem = await refused(spring.approve(published.revision, "bob"))
    assert problem.code is ProblemCode.NOT_PROVED
    assert any("two-hundred-at-most" in error.message and "50.00 CNY" in error.message for error in problem.errors)
    in_force = await rows.policy_in_force(spring.platform.store.pool, spring.house.id, "CNY")
    assert in_force is not None and in_force["revision"] != published.revision


async def test_a_policy_under_which_a_live_campaign_leaves_its_brief_does_not_come_into_force(shop: Shop) -> None:
    others = '!(payment.scene in ["online", "transfer", "card_repayment", "bill", "rent", "transit"])'
    await shop.launch(SPRING.replace('payment.scene == "in_store_qr"', others), BRIEF)
    wider = example("policy.yaml").replace("rent, transit]", "rent, transit, lottery]")
    published = (await shop.publish("rita", wider))[0]
    problem = await refused(shop.approve(published.revision, "bob"))
    assert problem.code is ProblemCode.NOT_PROVED
    assert any(error.message.startswith(f"{ID}: inside_brief.scenes") for error in problem.errors)


async def test_a_policy_that_everything_live_keeps_comes_into_force_with_its_proof(spring: Shop) -> None:
    stricter = example("policy.yaml").replace("discount <= 20000", "discount <= 5000")
    published = (await spring.publish("rita", stricter))[0]
    assert (await spring.approve(published.revision, "bob")).state is State.RUNNING
    proof = await newest_proof(spring.platform, spring.callers["olga"], published.revision)
    assert proof is not None and proof.is_proved and proof.brief is None and len(proof.live) == 1
    view = await campaigns.get_campaign(spring.platform, spring.callers["olga"], ID)
    assert view.proved and view.missing == ()


async def test_a_stopped_campaign_is_proved_again_before_it_resumes(platform: Platform) -> None:
    shop = await two_at_thirty(platform)
    first = (await shop.publish("mara", named(SPRING, "a")))[0]
    await shop.approve(first.revision, "bob", "carl")
    await control.stop_campaign(platform, shop.callers["olga"], "a", "a look")
    wider = await open_wider_policy(shop)
    second = (await shop.publish("mara", named(SPRING, "b")))[0]
    assert (await shop.approve(second.revision, "bob", "carl")).missing == ()
    before = (await rows.standings(platform.store.pool, shop.house.id, "a"))[0]["proof"]
    assert (await control.resume_campaign(platform, shop.callers["olga"], "a", "fine")).state == "requested"
    assert (await control.resume_campaign(platform, shop.callers["omar"], "a", "fine")).state == State.SCHEDULED
    standing = (await rows.standings(platform.store.pool, shop.house.id, "a"))[0]
    proof = await newest_proof(platform, shop.callers["olga"], first.revision)
    assert proof is not None and proof.proof == standing["proof"] != before
    assert (proof.policy, proof.live) == (wider, (second.revision,))
    assert (await verify(platform.store.pool, shop.house.id)).violations == ()
    await as_owner(
        shop,
        "alter table proofs disable trigger user",
        "update campaigns set proof = null where campaign_id = 'a'",
        f"delete from proofs where proof = '{proof.proof}'",
        "alter table proofs enable trigger user",
    )
    violated = {one.invariant for one in (await verify(platform.store.pool, shop.house.id)).violations}
    assert {"what_is_live_is_proved", "what_resumed_was_proved"} <= violated


async def open_wider_policy(shop: Shop) -> str:
    """A policy that allows half in all, in force; gives its revision."""
    published = (await shop.publish("rita", example("policy.yaml")))[0]
    await shop.approve(published.revision, "bob")
    return published.revision


async def test_a_resume_without_a_proof_of_today_is_refused_by_the_store(spring: Shop) -> None:
    await control.stop_campaign(spring.platform, spring.callers["olga"], ID, "a look")
    outcome = await rows.resume(spring.platform.store.pool, spring.house.id, "olga", ID, "fine", 900, None)
    assert outcome == {"outcome": "revision_has_changed"}


async def test_proofs_are_immutable_and_stay_in_their_house(spring: Shop) -> None:
    pool = spring.platform.store.pool
    owner = await spring.platform.store.administrator()
    try:
        for change in ("update proofs set is_proved = true", "delete from proofs"):
            async with owner.acquire() as connection, connection.transaction():
                await connection.execute("select set_config('makegood.house', $1, true)", str(spring.house.id))
                with pytest.raises(asyncpg.PostgresError, match="append-only"):
                    await connection.execute(change)
    finally:
        await owner.close()
    view = await campaigns.get_campaign(spring.platform, spring.callers["olga"], ID)
    assert await proofs.of_revision(pool, spring.house.id, view.revision) is not None
    assert await proofs.of_revision(pool, spring.house.id + 1, view.revision) is None


async def test_a_test_house_without_the_guard_runs_what_no_proof_says_yes_to(platform: Platform) -> None:
    shop = await open_shop(platform, guards_left_out=[Guard.PROOF])
    published = await shop.launch(SPRING.replace('up_to: "50.00 CNY"', 'up_to: "60.00 CNY"'), BRIEF)
    assert (published.state, published.missing, published.proved) == (State.SCHEDULED, (), False)
    view = await campaigns.get_campaign(platform, shop.callers["olga"], ID)
    assert (view.proved, view.proof, view.guards_left_out) == (False, None, ("proof",))
    await control.stop_campaign(platform, shop.callers["olga"], ID, "a look")
    await control.resume_campaign(platform, shop.callers["olga"], ID, "fine")
    assert (await control.resume_campaign(platform, shop.callers["omar"], ID, "fine")).state == State.SCHEDULED
    verified = await verify(platform.store.pool, shop.house.id)
    assert verified.violations == ()


async def test_a_live_house_cannot_be_made_without_a_guard(platform: Platform) -> None:
    call = create_house(platform, f"bare-{secrets.token_hex(4)}", live=True, guards_left_out=[Guard.PROOF])
    assert (await refused(call)).code is ProblemCode.REQUEST_IS_INVALID


async def test_no_guard_is_taken_from_a_house_that_exists(shop: Shop) -> None:
    owner = await shop.platform.store.administrator()
    try:
        for change in ("guards_left_out = array['proof']", "live = true"):
            async with owner.acquire() as connection, connection.transaction():
                await connection.execute("select set_config('makegood.house', $1, true)", str(shop.house.id))
                with pytest.raises(asyncpg.PostgresError, match="append-only"):
                    await connection.execute(f"update houses set {change}")
    finally:
        await owner.close()

"""What the solver is fed, how it fails, who waits for it: no way past it, and nobody's payments in its way."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import asyncpg
import pytest
from tests.shop import Shop, example, open_shop

from makegood.domain.review import State
from makegood.errors import Problem, ProblemCode
from makegood.limits import PUBLISHERS_WAITING_MAX
from makegood.proof.verdict import Report, Row, Verdict
from makegood.services import campaigns, control, proving, quotes
from makegood.services import proofs as proofs_service
from makegood.services.platform import Platform
from makegood.store import campaigns as rows
from makegood.store import proofs

SPRING, BRIEF = example("campaign-spring.yaml"), example("brief-spring.yaml")
WRONG = SPRING.replace('up_to: "50.00 CNY"', 'up_to: "60.00 CNY"')
ID = "spring-qr-2027"

Work = Callable[..., Any]


class Gate:
    """Holds the solver's thread until it is opened; `before` is done by it then."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened, self.entered, self.asked = threading.Event(), threading.Event(), 0
        real = proving._campaign_work

        def gated(*arguments: Any) -> Work:
            work = real(*arguments)

            def waiting(live: Sequence[Any]) -> Any:
                self.asked += 1
                self.entered.set()
                assert self.opened.wait(20)
                return work(live)

            return waiting

        monkeypatch.setattr(proving, "_campaign_work", gated)

    async def is_held(self) -> None:
        """The solver's thread has come to the gate."""
        assert await asyncio.to_thread(self.entered.wait, 10)


def answering(monkeypatch: pytest.MonkeyPatch, answer: Callable[[], Report]) -> None:
    """Let the prover say this of every campaign."""

    def work(*_: Any) -> Work:
        def said(_: Sequence[Any]) -> tuple[Any, Report]:
            report = answer()
            return [(None, row) for row in report.rows], report

        return said

    monkeypatch.setattr(proving, "_campaign_work", work)


async def proposed(shop: Shop, text: str = SPRING) -> campaigns.Published:
    """The example brief, and this campaign, published."""
    await shop.publish("otto", BRIEF)
    return (await shop.publish("mara", text))[0]


async def forged(shop: Shop, proof: str, **changes: Any) -> str:
    """Keep a proof like this one with other columns, as the server's role can; gives its name."""
    pool, house = shop.platform.store.pool, shop.house.id
    stored = await proofs.named(pool, house, proof)
    assert stored is not None
    said: dict[str, Any] = {name: stored[name] for name in proofs.HASHED} | changes
    asked = list(await proofs.questions(pool, house, proof))[: len(said["rows"])]
    name = proofs.name_of(said)
    await proofs.keep(pool, house, "mallory", ID, said | {"proof": name, "questions": asked})
    return name


@pytest.mark.parametrize("changes", [{"is_proved": True}, {"is_proved": True, "rows": []}])
async def test_the_store_keeps_no_proof_that_says_yes_where_its_rows_do_not(shop: Shop, changes: Any) -> None:
    published = await proposed(shop, WRONG)
    assert published.proof is not None
    with pytest.raises(asyncpg.CheckViolationError, match="proofs_say_what_their_rows_say"):
        await forged(shop, published.proof, **changes)


@pytest.mark.parametrize("verdict", ["unknown", "refuted", None])
async def test_one_row_that_is_not_proved_makes_the_stored_proof_a_no(shop: Shop, verdict: str | None) -> None:
    published = await proposed(shop)
    assert published.proved and published.proof is not None
    changed = [*published.proofs[:-1], {**published.proofs[-1], "verdict": verdict}]
    with pytest.raises(asyncpg.CheckViolationError, match="proofs_say_what_their_rows_say"):
        await forged(shop, published.proof, rows=changed)


async def test_money_is_booked_in_the_currency_of_the_campaign_whatever_a_plan_says(shop: Shop) -> None:
    published = await proposed(shop)
    pool, house = shop.platform.store.pool, shop.house.id
    brief, policy = await rows.proposed_brief(pool, house, ID), await rows.policy_in_force(pool, house, "CNY")
    assert brief is not None and policy is not None
    plan = {"revision": published.revision, "live": None, "stopped_at": None, "brief": brief["revision"],
            "policy": policy["revision"], "proof": published.proof, "currency": "USD", "budget": 1_000,
            "first_stage": 100, "limits": [], "funding": [{"funder": "platform", "amount": 1_000}]}  # fmt: skip
    assert await rows.go_live(pool, house, "bob", ID, plan) == {"outcome": "done"}
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("select set_config('makegood.house', $1, true)", str(house))
        booked = await connection.fetch("select distinct currency from accounts where campaign_id = $1", ID)
    assert [row["currency"] for row in booked] == ["CNY"]


async def test_a_time_out_is_a_refusal_and_is_asked_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as slow:
        answering(slow, lambda: Report((Row("budget_bound", Verdict.UNKNOWN, 5_000.0, "(check-sat)"),), None, "z3"))
        published = await proposed(shop)
        published = await shop.approve(published.revision, "bob", "carl")
        assert (published.state, published.missing) == (State.IN_REVIEW, ("proof:budget_bound",))
    assert (await shop.publish("mara", SPRING))[0].state is State.SCHEDULED


@pytest.mark.parametrize("fault", [AssertionError("a bug"), RecursionError("deep"), MemoryError("much")])
async def test_a_prover_that_fails_refuses_and_says_so(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def fail() -> Report:
        raise fault

    with monkeypatch.context() as broken:
        answering(broken, fail)
        published = await proposed(shop)
        published = await shop.approve(published.revision, "bob", "carl")
        assert (published.state, published.missing) == (State.IN_REVIEW, ("proof:inside_brief",))
        assert "the prover failed" in published.proofs[0]["hint"]["en"]
    assert (await shop.publish("mara", SPRING))[0].state is State.SCHEDULED


async def test_a_report_without_rows_proves_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, lambda: Report((), None, "z3"))
    published = await proposed(shop)
    published = await shop.approve(published.revision, "bob", "carl")
    assert (published.state, published.proved) == (State.IN_REVIEW, False)


async def test_a_question_too_long_to_keep_is_a_refusal(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proving, "PROOF_QUESTIONS_BYTES_MAX", 2_000)
    published = await proposed(shop)
    published = await shop.approve(published.revision, "bob", "carl")
    assert published.state is State.IN_REVIEW and published.missing[0].startswith("proof:")


async def test_a_proof_of_another_version_is_made_again_before_anything_runs(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr(proving, "PROVER", "makegood 0.0.9")
        answering(older, lambda: Report((Row("can_ever_apply", Verdict.PROVED, 1.0, "(check-sat)"),), None, "z3"))
        published = await proposed(shop, WRONG)
        assert published.proved
    assert proofs_service.PROVER != "makegood 0.0.9"
    published = await shop.approve(published.revision, "bob", "carl")
    assert (published.state, published.missing) == (State.IN_REVIEW, ("proof:inside_brief.discount_max",))


async def test_a_brief_that_is_replaced_while_the_solver_thinks_is_the_one_that_counts(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = await proposed(shop)
    await shop.approve(published.revision, "bob")
    other, real = shop.elsewhere(), rows.go_live
    narrow, tried = BRIEF.replace('discount_max: "50.00 CNY"', 'discount_max: "49.00 CNY"'), 0

    async def late(*arguments: Any) -> Any:
        nonlocal tried
        tried += 1
        if tried == 1:
            await other.publish("otto", narrow)
        return await real(*arguments)

    monkeypatch.setattr(rows, "go_live", late)
    published = await shop.approve(published.revision, "carl")
    assert (tried, published.state) == (1, State.IN_REVIEW)
    assert published.missing == ("proof:inside_brief.discount_max", "approval:2")


async def test_a_policy_that_changes_while_the_solver_thinks_is_the_one_that_counts(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = await proposed(shop)
    await shop.approve(published.revision, "bob")
    other, real = shop.elsewhere(), rows.go_live
    strict, tried = example("policy.yaml").replace("discount <= 20000", "discount <= 4999"), 0

    async def late(*arguments: Any) -> Any:
        nonlocal tried
        tried += 1
        if tried == 1:
            await other.approve((await other.publish("rita", strict))[0].revision, "bob")
        return await real(*arguments)

    monkeypatch.setattr(rows, "go_live", late)
    published = await shop.approve(published.revision, "carl")
    assert (tried, published.missing) == (1, ("proof:inside_policy.two-hundred-at-most",))


async def test_payments_and_stops_do_not_wait_for_the_solver(spring: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(monkeypatch)
    slow = asyncio.create_task(spring.publish("mara", WRONG))
    await gate.is_held()
    began = time.monotonic()
    answer = await quotes.quote(spring.platform, spring.callers["till"], spring.payment())
    stopped = await control.stop_campaign(spring.platform, spring.callers["olga"], ID, "a look")
    assert time.monotonic() - began < 30 and not slow.done()
    assert (answer["discount_minor"], stopped.honoured_quotes) == (4_000, 1)
    async with spring.platform.store.pool.acquire() as connection:
        held = "select count(*) from pg_stat_activity where usename = current_user and state = 'idle in transaction'"
        assert await connection.fetchval(held) == 0
    gate.opened.set()
    await slow


async def test_a_publisher_who_gives_up_leaves_the_solver_to_the_next(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.publish("otto", BRIEF)
    gate = Gate(monkeypatch)
    gone = asyncio.create_task(shop.publish("mara", SPRING))
    await gate.is_held()
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    following = asyncio.create_task(shop.publish("mara", SPRING))
    gate.opened.set()
    assert (await following)[0].proved


async def test_publishers_of_one_house_do_not_queue_before_those_of_another(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await open_shop(platform), await open_shop(platform)
    for shop in (first, second):
        await shop.publish("otto", BRIEF)
    gate = Gate(monkeypatch)
    caps = [f'"{yuan}.00 CNY"' for yuan in range(40, 46)]
    queue = [asyncio.create_task(first.publish("mara", SPRING.replace('"50.00 CNY"', cap))) for cap in caps]
    await gate.is_held()
    other = asyncio.create_task(second.publish("mara", SPRING))
    await asyncio.sleep(0.3)  # It asks the store a few things, then stands in line.
    gate.opened.set()
    await other
    assert sum(task.done() for task in queue) <= 3
    await asyncio.gather(*queue)


async def test_only_so_many_publishers_of_a_house_wait(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    await shop.publish("otto", BRIEF)
    gate = Gate(monkeypatch)
    queue = [asyncio.create_task(shop.publish("mara", SPRING)) for _ in range(PUBLISHERS_WAITING_MAX + 4)]
    await gate.is_held()
    await asyncio.wait(queue, timeout=10, return_when=asyncio.FIRST_EXCEPTION)
    gate.opened.set()
    done = await asyncio.gather(*queue, return_exceptions=True)
    refused = [one for one in done if isinstance(one, Problem)]
    assert [one.code for one in refused] == [ProblemCode.TOO_MANY_REQUESTS] * 3
    assert (await shop.publish("mara", SPRING))[0].proved


async def test_who_approves_a_policy_does_not_wait_for_proofs_of_what_nobody_approved(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await proposed(shop)
    gate = Gate(monkeypatch)
    gate.opened.set()
    wider = (await shop.publish("rita", example("policy.yaml").replace("discount <= 20000", "discount <= 20001")))[0]
    assert (await shop.approve(wider.revision, "bob")).state is State.RUNNING
    assert gate.asked == 0


@pytest.mark.parametrize("text", ["\\u202e\\n\\x1b[31m", "\\U0010FFFF", "\\x01", "'"])
async def test_a_witness_with_odd_characters_is_kept_as_it_is(shop: Shop, text: str) -> None:
    odd = f'payment.scene == "in_store_qr" && payment.payee_id == "{text}"'.replace("'", "''")
    published = await proposed(shop, WRONG.replace('payment.scene == "in_store_qr"', odd))
    refuted = next(row for row in published.proofs if row["obligation"] == "inside_brief.discount_max")
    meant = text.encode().decode("unicode_escape")
    assert refuted["witness"]["payment"]["payee_id"] == meant

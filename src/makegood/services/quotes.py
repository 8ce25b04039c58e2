"""Quotes: what a payment gets, within the deadline. The payment never fails because of Makegood."""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from makegood.clock import Instant
from makegood.domain.limit import Balance, Period, Subject, Used
from makegood.domain.quote import Refusal, Undecided
from makegood.domain.review import Scope
from makegood.engine.explain import explain
from makegood.errors import FieldError, Problem, ProblemCode, StoreUnavailable
from makegood.limits import BATCH_PAYMENTS_MAX, DEADLINE_MS_MAX
from makegood.services.access import Caller, require
from makegood.services.answers import (
    benefits_of,
    explanation_of,
    lines_of,
    nothing_answer,
    stored_answer,
    undecided_answer,
)
from makegood.services.asks import Ask, content_hash, read_ask
from makegood.services.decide import Answer, decide, explain_ask, price_ask
from makegood.services.live import live_set, snapshot_named
from makegood.services.platform import Platform
from makegood.store import ledger, records
from makegood.telemetry import DISCOUNT_MINOR, LATE_HOLDS, QUOTE_SECONDS, QUOTES


@dataclass(slots=True)
class _Try:
    """One try to decide a batch. `asks` are known once the live set is; `abandoned` once it was too late."""

    raws: Sequence[Any]
    asks: dict[int, Ask] = field(default_factory=dict)
    abandoned: bool = False


async def quote(platform: Platform, caller: Caller, raw: Any) -> Answer:
    """The answer to one payment; what it grants is reserved. Full price past the deadline or with the store away.

    Raises Problem for a request that cannot be decided.
    """
    answer = (await _within(platform, caller, [raw], platform.settings.deadline_ms))[0]
    if isinstance(answer, Problem):
        raise answer
    return answer


async def quote_batch(platform: Platform, caller: Caller, raws: Any) -> list[Answer | Problem]:
    """An answer or a problem for each payment, in order, reserved in one transaction a round."""
    if not isinstance(raws, list) or not 0 < len(raws) <= BATCH_PAYMENTS_MAX:
        where = FieldError("/payments", f"must be a list of 1 to {BATCH_PAYMENTS_MAX} payments")
        raise Problem(ProblemCode.REQUEST_IS_INVALID, "the batch is not well formed", errors=(where,))
    return await _within(platform, caller, raws, DEADLINE_MS_MAX)


async def preview(platform: Platform, caller: Caller, raw: Any) -> Answer:
    """What a payment would get now, and why. Nothing is reserved."""
    require(caller, Scope.QUOTE)
    known = await live_set(platform, caller.house)
    ask = read_ask(caller.house, known, raw)
    candidates = [entry.id for entry in ask.snapshot.entries]
    ask.seen = await ledger.balances(platform.store.pool, caller.house.id, candidates, ask.slots)
    priced = price_ask(ask)
    return nothing_answer(ask.payment, ask.now, ask.snapshot.hash) | {
        "discount_minor": priced.discount,
        "to_pay_minor": ask.payment.amount - priced.discount,
        "benefits": benefits_of(priced.grants, ask.snapshot.policy),
        "lines": lines_of(ask.payment, priced.discount),
        "explanation": explain_ask(ask),
    }


async def get_quote(platform: Platform, caller: Caller, quote_id: str) -> Answer:
    """A quote on record. Raises Problem(NOT_FOUND)."""
    require(caller, Scope.QUOTE, Scope.READ)
    return stored_answer(await quote_row(platform, caller, quote_id))


async def explain_quote(platform: Platform, caller: Caller, quote_id: str, raw: Any) -> Answer:
    """The quote with its explanation, rebuilt from its snapshot, the balances seen and the same payment again."""
    require(caller, Scope.QUOTE, Scope.READ)
    row = await quote_row(platform, caller, quote_id)
    if not isinstance(raw, dict) or content_hash(caller.house, raw) != row["content_hash"]:
        raise Problem(
            ProblemCode.CONTENT_DIFFERS,
            "this is not the payment that the quote answered",
            hint="send it as it was",
        )
    known = await live_set(platform, caller.house)
    ask = read_ask(caller.house, known, raw | {"occurred_at": known.store_clock().text()[:19] + "Z"})
    snapshot = await snapshot_named(platform, caller.house, row["snapshot"])
    seen = row["seen"]
    considered = explain(
        ask.payment,
        snapshot,
        {campaign: _balance(stored) for campaign, stored in seen["balances"].items()},
        Instant.parse(seen["at"]),
        excluded={campaign: Refusal(reason) for campaign, reason in seen["excluded"].items()},
    )
    return stored_answer(row) | {"explanation": explanation_of(considered)}


async def quote_row(platform: Platform, caller: Caller, quote_id: str) -> dict[str, Any]:
    """The stored row of a quote. Raises Problem(NOT_FOUND)."""
    row = await records.quote(platform.store.pool, caller.house.id, quote_id)
    if row is None:
        raise Problem(ProblemCode.NOT_FOUND, "there is no such quote")
    return row


def _balance(stored: dict[str, Any]) -> Balance:
    used = {(Subject(s), Period(p)): Used(count, amount) for s, p, count, amount in stored["used"]}
    return Balance(stored["budget"], stored["stage"], used)


# -- within the deadline ------------------------------------------------------------------------------


async def _within(platform: Platform, caller: Caller, raws: Sequence[Any], milliseconds: int) -> list[Answer | Problem]:
    require(caller, Scope.QUOTE)
    started = time.perf_counter()
    attempt = _Try(raws)
    work = asyncio.ensure_future(_decide(platform, caller, attempt))
    _keep(platform, work)
    try:
        # Shielded: a reservation under way is not cut off, or nobody would know whether it was made.
        answers = await asyncio.wait_for(asyncio.shield(work), milliseconds / 1000)
    except TimeoutError:
        attempt.abandoned = True
        work.add_done_callback(lambda _: _spawn(platform, _end_late_holds(platform, caller, attempt)))
        answers = [undecided_answer(raw, Undecided.DEADLINE_PASSED) for raw in raws]
    except StoreUnavailable:
        # The connection may have died after the commit: what was perhaps reserved is ended once the store is back.
        attempt.abandoned = True
        _remember_late(platform, caller, attempt)
        answers = [undecided_answer(raw, Undecided.STORE_IS_UNAVAILABLE) for raw in raws]
    QUOTE_SECONDS.observe(time.perf_counter() - started)
    _count(answers)
    return answers


async def _decide(platform: Platform, caller: Caller, attempt: _Try) -> list[Answer | Problem]:
    known = await live_set(platform, caller.house)
    answers: dict[int, Answer | Problem] = {}
    for number, raw in enumerate(attempt.raws):
        try:
            attempt.asks[number] = read_ask(caller.house, known, raw)
        except Problem as problem:
            answers[number] = problem
    if attempt.asks and not attempt.abandoned:
        decided = await decide(platform, caller, known, list(attempt.asks.values()))
        answers |= dict(zip(attempt.asks, decided, strict=True))
    return [answers[number] for number in range(len(attempt.raws))] if not attempt.abandoned else []


def _remember_late(platform: Platform, caller: Caller, attempt: _Try) -> None:
    for ask in attempt.asks.values():
        platform.late.append((caller.house.id, caller.principal, ask.quote_id))


async def _end_late_holds(platform: Platform, caller: Caller, attempt: _Try) -> None:
    _remember_late(platform, caller, attempt)
    await end_late_holds(platform)


async def end_late_holds(platform: Platform) -> int:
    """End the holds whose callers were answered full price. How many; what cannot be ended now is kept for later."""
    ended = 0
    for _ in range(len(platform.late)):
        house, principal, quote_id = late = platform.late.popleft()
        try:
            ended += await ledger.void_late(platform.store.pool, house, principal, quote_id)
        except StoreUnavailable:
            platform.late.append(late)
            break
    LATE_HOLDS.inc(ended)
    return ended


def _spawn(platform: Platform, work: Coroutine[Any, Any, object]) -> None:
    _keep(platform, asyncio.ensure_future(work))


def _keep(platform: Platform, task: "asyncio.Future[Any]") -> None:
    """Hold a task until it is done, and take its error: whoever waits for it is told, nobody else needs to be."""
    platform.tasks.add(task)
    task.add_done_callback(platform.tasks.discard)
    task.add_done_callback(lambda done: None if done.cancelled() else done.exception())


def _count(answers: Sequence[Answer | Problem]) -> None:
    for answer in answers:
        if isinstance(answer, Problem):
            QUOTES.labels("problem").inc()
        elif not answer["decided"]:
            QUOTES.labels("undecided").inc()
        else:
            QUOTES.labels("granted" if answer["quote_id"] else "none").inc()
            if answer["discount_minor"]:
                DISCOUNT_MINOR.labels(answer["currency"]).inc(answer["discount_minor"])

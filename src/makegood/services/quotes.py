"""Quotes: what a payment gets, within the deadline. The payment never fails because of Makegood."""

import asyncio
import secrets
import time
from collections.abc import Sequence
from typing import Any

from makegood.clock import Instant
from makegood.domain.payment import parse_payment
from makegood.domain.quote import Refusal, Undecided
from makegood.domain.review import Scope
from makegood.engine.explain import explain
from makegood.errors import FieldError, LeaseIsOver, Problem, ProblemCode, StoreUnavailable
from makegood.limits import BATCH_PAYMENTS_MAX, DEADLINE_MS_MAX, PRICED_AT_ONCE_MAX
from makegood.services.access import Caller, require
from makegood.services.answers import (
    benefits_of,
    explanation_of,
    lines_of,
    nothing_answer,
    stored_answer,
    undecided_answer,
)
from makegood.services.asks import Ask, content_hash, is_id, open_envelope, read_ask
from makegood.services.decide import (
    Answer,
    Attempt,
    candidates_of,
    decide,
    explain_ask,
    first_answers,
    price_ask,
    price_guarded,
)
from makegood.services.live import fresh_set, live_set, snapshot_named
from makegood.services.platform import Late, Platform
from makegood.services.watching import answered, guarded_of, in_line
from makegood.store import ledger, records
from makegood.telemetry import DISCOUNT_MINOR, LATE_HOLDS, QUOTE_SECONDS, QUOTES, UNDECIDED, log

_PROBLEM, _UNDECIDED, _GRANTED, _NONE = (QUOTES.labels(one) for one in ("problem", "undecided", "granted", "none"))


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
    ask.seen = await platform.store.ledger.balances(caller.house.id, candidates_of(ask), ask.slots)
    priced = price_guarded(ask, known, guarded_of(platform, caller.house, known), is_preview=True)
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
    snapshot = await snapshot_named(platform, caller.house, row["snapshot"])
    payment = parse_payment(open_envelope(raw)[1], snapshot.policy.schema)
    seen = row["seen"]
    considered = explain(
        payment,
        snapshot,
        ledger.read_balances(seen["balances"]),
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


# -- within the deadline ------------------------------------------------------------------------------


async def _within(platform: Platform, caller: Caller, raws: Sequence[Any], milliseconds: int) -> list[Answer | Problem]:
    require(caller, Scope.QUOTE)
    started = time.perf_counter()
    attempt = Attempt(patience_ms=milliseconds, places=in_line(platform, caller.house, len(raws)))
    try:
        answers = await _answers(platform, caller, raws, attempt, started)
    finally:
        answered(platform, caller.house, attempt.places)
    QUOTE_SECONDS.observe(time.perf_counter() - started)
    _count(answers)
    return answers


async def _answers(
    platform: Platform, caller: Caller, raws: Sequence[Any], attempt: Attempt, started: float
) -> list[Answer | Problem]:
    milliseconds = attempt.patience_ms
    answers: list[Answer | Problem] | None
    try:
        answers = await _nothing(platform, caller, raws, started + milliseconds / 1000, attempt)
        if answers is None:
            left = milliseconds / 1000 - (time.perf_counter() - started)
            answers = await _decided(platform, caller, raws, attempt, left)
    except LeaseIsOver:
        attempt.asked.clear()  # Nothing of it was done, so there is nothing to end: a retry is decided afresh.
        answers = _abandoned(platform, caller, attempt, raws, Undecided.LEASE_IS_OVER)
    except StoreUnavailable:
        # The connection may have died after the commit: what was perhaps reserved is ended once the store is back.
        reason = Undecided.STORE_IS_UNAVAILABLE if _is_known(platform, caller) else Undecided.LIVE_SET_IS_UNKNOWN
        answers = _abandoned(platform, caller, attempt, raws, reason)
    except Problem:
        raise
    except Exception:
        log.exception("quote_failed")  # A bug of ours; the payment goes on all the same.
        answers = _abandoned(platform, caller, attempt, raws, Undecided.FAULT)
    return answers


async def _decided(
    platform: Platform, caller: Caller, raws: Sequence[Any], attempt: Attempt, seconds: float
) -> list[Answer | Problem]:
    work = asyncio.ensure_future(_decide(platform, caller, raws, attempt))
    _keep(platform, work)
    # Not cut off: nobody would know whether a reservation under way was made.
    if await _is_done(work, seconds):
        return work.result()
    attempt.abandoned = True
    work.add_done_callback(lambda _: _keep(platform, asyncio.ensure_future(_end_late(platform, caller, attempt))))
    return [undecided_answer(raw, Undecided.DEADLINE_PASSED) for raw in raws]


async def _nothing(
    platform: Platform, caller: Caller, raws: Sequence[Any], until: float, attempt: Attempt
) -> list[Answer | Problem] | None:
    """The answer to a single payment that is granted nothing and was not decided before, as nearly all are."""
    plain = _plain(platform, caller, raws)
    if plain is None:
        return None
    known = platform.store.ledger.is_known(caller.house.id, plain.payment.payment_id)
    platform.deadlines.end(known, until - time.perf_counter())  # It claims nothing, so it may just be left.
    try:
        is_known = await known
    except TimeoutError:
        return [undecided_answer(raw, Undecided.DEADLINE_PASSED) for raw in raws]
    if is_known:
        return None
    attempt.places[0].seen = (plain.payment.fields["scene"], (), plain.payment.payment_id)
    return [nothing_answer(plain.payment, plain.now, plain.snapshot.hash)]


def _plain(platform: Platform, caller: Caller, raws: Sequence[Any]) -> Ask | None:
    """The ask of a single payment that is granted nothing, as nearly all are; None for every other.

    Of it the store is asked only whether it was decided before. Every other goes the long way.
    """
    known = fresh_set(platform, caller.house)
    if known is None or len(raws) > 1:
        return None
    try:
        ask = read_ask(caller.house, known, raws[0])
    except Problem:
        return None
    return None if ask.explain or ask.supersedes is not None or price_ask(ask).grants else ask


async def _is_done(work: "asyncio.Future[Any]", seconds: float) -> bool:
    """Whether `work` is done within the time. It goes on where it is not, as it does when the caller is cancelled.

    `asyncio.wait_for` with a shield says the same at twice the cost.
    """
    loop = asyncio.get_running_loop()
    woken: asyncio.Future[None] = loop.create_future()

    def wake(_: object = None) -> None:
        if not woken.done():
            woken.set_result(None)

    work.add_done_callback(wake)
    timer = loop.call_later(seconds, wake)
    try:
        await woken
    finally:
        timer.cancel()
        work.remove_done_callback(wake)
    return work.done()


async def _decide(platform: Platform, caller: Caller, raws: Sequence[Any], attempt: Attempt) -> list[Answer | Problem]:
    known = await live_set(platform, caller.house)
    asks: dict[int, Ask] = {}
    answers: dict[int, Answer | Problem] = {}
    ids = {raw.get("payment_id") for raw in raws if isinstance(raw, dict) and isinstance(raw.get("payment_id"), str)}
    again = _again(raws)
    for number, raw in enumerate(raws):
        if number in again:
            continue
        try:
            asks[number] = read_ask(caller.house, known, raw)
            asks[number].place = attempt.places[number]
            if len(raws) > 1 and asks[number].supersedes in ids:
                raise _superseded_in_batch()
        except Problem as problem:
            asks.pop(number, None)
            answers[number] = problem
        if number % PRICED_AT_ONCE_MAX == PRICED_AT_ONCE_MAX - 1:
            await asyncio.sleep(0)
    await _replay_unreadable(platform, caller, raws, answers)
    decided = await decide(platform, caller, known, list(asks.values()), attempt)
    answers |= dict(zip(asks, decided, strict=True))
    return [answers[again.get(number, number)] for number in range(len(raws))]


def _again(raws: Sequence[Any]) -> dict[int, int]:
    """Where a batch names a payment again in the same words, and where it did first.

    It is decided once: each answer from the store has a claim on the hold, and a try that is late gives up one only.
    """
    first: dict[str, int] = {}
    again: dict[int, int] = {}
    for number, raw in enumerate(raws if len(raws) > 1 else ()):
        name = raw.get("payment_id") if isinstance(raw, dict) else None
        if not isinstance(name, str):
            continue
        before = first.setdefault(name, number)
        if before != number and repr(raws[before]) == repr(raw):  # By `==` one is true, and 1.0, too.
            again[number] = before
    return again


async def _replay_unreadable(
    platform: Platform, caller: Caller, raws: Sequence[Any], answers: dict[int, Answer | Problem]
) -> None:
    """A payment that today's policy refuses may have been answered by an earlier one: its first answer stands."""
    keys: dict[int, tuple[str, bytes]] = {}
    for number, problem in answers.items():
        payment_id = raws[number].get("payment_id") if isinstance(raws[number], dict) else None
        if isinstance(problem, Problem) and problem.code is ProblemCode.PAYMENT_IS_INVALID and is_id(payment_id):
            keys[number] = (payment_id, content_hash(caller.house, raws[number]))
    if keys:
        first = await first_answers(platform, caller, list(keys.values()))
        answers |= {number: answer for number, answer in zip(keys, first, strict=True) if isinstance(answer, dict)}


def _superseded_in_batch() -> Problem:
    where = FieldError("/supersedes", "is in the same batch")
    return Problem(ProblemCode.REQUEST_IS_INVALID, "the request is not well formed", errors=(where,))


def _is_known(platform: Platform, caller: Caller) -> bool:
    known = platform.live.get(caller.house.id)
    return known is not None and known.version >= 0


def _abandoned(
    platform: Platform, caller: Caller, attempt: Attempt, raws: Sequence[Any], reason: Undecided
) -> list[Answer | Problem]:
    attempt.abandoned = True
    _remember(platform, caller, attempt)
    return [undecided_answer(raw, reason) for raw in raws]


def _remember(platform: Platform, caller: Caller, attempt: Attempt) -> None:
    attempt.name = attempt.name or secrets.token_hex(8)
    for payment, quote_id in (attempt.asked | attempt.touched).items():
        touched = payment in attempt.touched
        platform.late.append(Late(caller.house.id, caller.principal, payment, quote_id, touched, attempt.name))


async def _end_late(platform: Platform, caller: Caller, attempt: Attempt) -> None:
    _remember(platform, caller, attempt)
    await end_late_holds(platform)


async def end_late_holds(platform: Platform) -> int:
    """End the holds whose callers were answered full price. How many; what cannot be ended now is kept for later."""
    ended = 0
    async with platform.ending:
        for _ in range(len(platform.late)):
            late = platform.late.popleft()
            try:
                ended += await platform.store.ledger.disown(
                    late.house, late.principal, late.payment, late.quote, late.touched, late.attempt
                )
            except StoreUnavailable:
                platform.late.appendleft(late)
                break
    LATE_HOLDS.inc(ended)
    return ended


def _keep(platform: Platform, task: "asyncio.Future[Any]") -> None:
    """Hold a task until it is done, and take its error: whoever waits for it is told, nobody else needs to be."""
    platform.tasks.add(task)
    task.add_done_callback(platform.tasks.discard)
    task.add_done_callback(lambda done: None if done.cancelled() else done.exception())


def _count(answers: Sequence[Answer | Problem]) -> None:
    for answer in answers:
        if isinstance(answer, Problem):
            _PROBLEM.inc()
        elif not answer["decided"]:
            _UNDECIDED.inc()
            UNDECIDED.labels(answer["reason"]).inc()
        else:
            (_GRANTED if answer["quote_id"] else _NONE).inc()
            if answer["discount_minor"]:
                DISCOUNT_MINOR.labels(answer["currency"]).inc(answer["discount_minor"])

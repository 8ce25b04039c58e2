"""Steps 4 to 9 of pricing against the store: price, reserve, and price again without what the store refused."""

from collections.abc import Sequence
from typing import Any

from makegood.domain.quote import Priced, Refusal
from makegood.engine.explain import explain
from makegood.engine.price import price
from makegood.errors import Problem, ProblemCode
from makegood.limits import REPRICE_ROUNDS_MAX
from makegood.services.access import Caller
from makegood.services.answers import benefits_of, explanation_of, lines_of, nothing_answer, stored_answer
from makegood.services.asks import Ask
from makegood.services.live import LiveSet, live_set, save_snapshot, snapshot_for
from makegood.services.platform import Platform
from makegood.store import ledger

Answer = dict[str, Any]

_PROBLEMS = {
    "content_differs": (
        ProblemCode.CONTENT_DIFFERS,
        "this payment id was used with other content; the first answer stands",
    ),
    "superseded_is_captured": (ProblemCode.SUPERSEDED_IS_CAPTURED, "the payment to supersede was captured"),
    "superseded_is_another_payers": (
        ProblemCode.SUPERSEDED_IS_ANOTHER_PAYERS,
        "the payment to supersede is another payer's",
    ),
}


async def decide(platform: Platform, caller: Caller, known: LiveSet, asks: Sequence[Ask]) -> list[Answer | Problem]:
    """An answer or a problem for each ask, in order. Grants are durable when this returns."""
    answers: dict[int, Answer | Problem] = {}
    for _ in range(REPRICE_ROUNDS_MAX):
        waiting = [n for n in range(len(asks)) if n not in answers]
        if not waiting:
            break
        await _round(platform, caller, known, {n: asks[n] for n in waiting}, answers)
    for number, ask in enumerate(asks):
        # Refused eight times over, by eight other payments that were quicker: nothing is left worth asking for.
        answers.setdefault(number, nothing_answer(ask.payment, ask.now, ask.snapshot.hash))
        answer = answers[number]
        if ask.explain and isinstance(answer, dict):
            answer["explanation"] = explain_ask(ask)
    return [answers[number] for number in range(len(asks))]


def price_ask(ask: Ask) -> Priced:
    """Steps 1 to 6 with what is known of the balances."""
    return price(ask.payment, ask.snapshot, ask.seen, ask.now, excluded=ask.excluded)


def explain_ask(ask: Ask) -> list[dict[str, Any]]:
    """The same steps, told campaign by campaign."""
    return explanation_of(explain(ask.payment, ask.snapshot, ask.seen, ask.now, excluded=ask.excluded))


async def _round(
    platform: Platform,
    caller: Caller,
    known: LiveSet,
    asks: dict[int, Ask],
    answers: dict[int, Answer | Problem],
) -> None:
    priced = {number: price_ask(ask) for number, ask in asks.items()}
    wanted = [number for number in asks if priced[number].grants or asks[number].supersedes]
    await _answer_nothing(platform, caller, {n: asks[n] for n in asks if n not in wanted}, answers)
    if not wanted:
        return
    for snapshot in {asks[number].snapshot.hash: asks[number].snapshot for number in wanted}.values():
        await save_snapshot(platform, caller.house, known, snapshot)
    requests = [_request(platform, asks[number], priced[number]) for number in wanted]
    outcomes = await ledger.reserve(platform.store.pool, caller.house.id, caller.principal, requests)
    for number, outcome in zip(wanted, outcomes, strict=True):
        if outcome["outcome"] == "refused":
            await _learn(platform, caller, asks[number], outcome["refused"])
        else:
            answers[number] = _answer(asks[number], outcome)


async def _answer_nothing(
    platform: Platform, caller: Caller, asks: dict[int, Ask], answers: dict[int, Answer | Problem]
) -> None:
    """Nothing is granted now; a retry of a payment that was granted something gets its first outcome."""
    if not asks:
        return
    keys = [{"payment_id": a.payment.payment_id, "content_hash": a.content_hash.hex()} for a in asks.values()]
    first = await ledger.replay(platform.store.pool, caller.house.id, keys)
    for number, ask in asks.items():
        answers[number] = _answer(ask, first.get(ask.payment.payment_id) or {"outcome": "none"})


def _answer(ask: Ask, outcome: dict[str, Any]) -> Answer | Problem:
    kind = outcome["outcome"]
    if kind in ("reserved", "replayed"):
        return stored_answer(outcome["quote"])
    if kind in ("none", "void"):
        return nothing_answer(ask.payment, ask.now, ask.snapshot.hash)
    code, detail = _PROBLEMS[kind]
    return Problem(code, detail)


async def _learn(platform: Platform, caller: Caller, ask: Ask, refused: dict[str, str]) -> None:
    """Take in what the store refused, and the balances of every campaign this payment may get."""
    if "stale" in refused.values():
        fresh = await live_set(platform, caller.house, fresh=True)
        ask.snapshot = snapshot_for(fresh, ask.payment.currency)
    gone = {campaign: reason for campaign, reason in refused.items() if reason != "stale"}
    ask.excluded.update({campaign: Refusal(reason) for campaign, reason in gone.items()})
    seen = ask.snapshot.as_seen(ask.payment, ask.now)
    candidates = [entry.id for entry in ask.snapshot.candidates(seen, ask.now)]
    ask.seen = await ledger.balances(platform.store.pool, caller.house.id, candidates, ask.slots)


def _request(platform: Platform, ask: Ask, priced: Priced) -> dict[str, Any]:
    settings = platform.settings
    valid_until = ask.now.plus(settings.quote_valid_seconds)
    told = {
        "benefits": benefits_of(priced.grants, ask.snapshot.policy),
        "lines": lines_of(ask.payment, priced.discount),
    }
    return {
        "quote_id": ask.quote_id,
        "payment_id": ask.payment.payment_id,
        "content_hash": ask.content_hash.hex(),
        "payer_ref": _hex(ask.slots.payer),
        "device_ref": _hex(ask.slots.device),
        "payee_ref": ask.slots.payee.hex(),
        "currency": ask.payment.currency,
        "amount": ask.payment.amount,
        "decided_at": ask.now.text(),
        "valid_until": valid_until.text(),
        "hold_until": valid_until.plus(settings.capture_grace_seconds).text(),
        "day": ask.slots.day,
        "hour": ask.slots.hour,
        "snapshot": ask.snapshot.hash,
        "seen": seen_json(ask),
        "benefits": told,
        "supersedes": ask.supersedes,
        "grants": [{"campaign": g.campaign, "revision": g.revision, "discount": g.discount} for g in priced.grants],
    }


def seen_json(ask: Ask) -> dict[str, Any]:
    """The balances and refusals an answer was made with, as they are stored beside it."""
    balances = {
        campaign: {
            "budget": balance.budget,
            "stage": balance.stage,
            "used": [[subject, period, used.count, used.amount] for (subject, period), used in balance.used.items()],
        }
        for campaign, balance in ask.seen.items()
    }
    return {"balances": balances, "excluded": ask.excluded, "at": ask.now.text()}


def _hex(reference: bytes | None) -> str | None:
    return None if reference is None else reference.hex()

"""Steps 4 to 9 of pricing against the store: price, reserve, and price again without what the store refused."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from makegood.domain.quote import Priced, Refusal
from makegood.engine.explain import explain
from makegood.engine.price import price
from makegood.errors import LeaseIsOver, Problem, ProblemCode
from makegood.guard.cells import Observed
from makegood.guard.line import Place
from makegood.limits import PRICED_AT_ONCE_MAX, REPRICE_ROUNDS_MAX
from makegood.services.access import Caller
from makegood.services.answers import benefits_of, explanation_of, lines_of, nothing_answer, stored_answer
from makegood.services.asks import Ask, new_quote_id
from makegood.services.guarded import Guarded, Seen, anew, collared, moment_of, noted
from makegood.services.live import LiveSet, live_set, save_snapshot, snapshot_for
from makegood.services.platform import Platform
from makegood.services.watching import guarded_of, hurry
from makegood.store import ledger

Answer = dict[str, Any]

_OLD_PICTURE = {"stale", "scene_is_stopped"}  # Refusals that say that the live set is another one by now.
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


@dataclass(slots=True)
class Attempt:
    """One try to decide payments. `abandoned` once its caller was answered without it.

    `touched` are the quotes, by payment id, that it is known to have got; `asked` those it may have got. It has a
    `name` once what it got is to be ended. `places` are those of its payments in the line of the detector.
    """

    patience_ms: int
    name: str = ""
    abandoned: bool = False
    asked: dict[str, str] = field(default_factory=dict)
    touched: dict[str, str] = field(default_factory=dict)
    places: Sequence[Place[Seen]] = ()


async def decide(
    platform: Platform, caller: Caller, known: LiveSet, asks: Sequence[Ask], attempt: Attempt
) -> list[Answer | Problem]:
    """An answer or a problem for each ask, in order. Grants are durable when this returns.

    An abandoned attempt starts nothing new, and answers what is undecided with nothing.
    """
    answers: dict[int, Answer | Problem] = {}
    for _ in range(REPRICE_ROUNDS_MAX):
        waiting = {number: ask for number, ask in enumerate(asks) if number not in answers}
        if not waiting or attempt.abandoned:
            break
        await _round(platform, caller, known, waiting, answers, attempt)
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


def candidates_of(ask: Ask) -> list[str]:
    """Campaigns whose balances can matter to a payment."""
    seen = ask.snapshot.as_seen(ask.payment, ask.now)
    return [entry.id for entry in ask.snapshot.candidates(seen, ask.now)]


async def first_answers(
    platform: Platform, caller: Caller, keys: Sequence[tuple[str, bytes]]
) -> list[Answer | Problem | None]:
    """What each payment was answered first, or None. Keys: its id, and the hash of its content."""
    outcomes = await platform.store.ledger.replay(caller.house.id, keys)
    return [None if outcome is None or outcome["outcome"] == "void" else _told(outcome) for outcome in outcomes]


async def _round(
    platform: Platform,
    caller: Caller,
    known: LiveSet,
    asks: dict[int, Ask],
    answers: dict[int, Answer | Problem],
    attempt: Attempt,
) -> None:
    priced: dict[int, Priced] = {}
    guarded = guarded_of(platform, caller.house, known)
    for count, (number, ask) in enumerate(asks.items()):
        priced[number] = price_guarded(ask, known, guarded)
        if count % PRICED_AT_ONCE_MAX == PRICED_AT_ONCE_MAX - 1:
            await asyncio.sleep(0)  # A big batch must not keep single payments waiting.
    hurry(platform, caller.house, guarded)
    wanted = [number for number in asks if priced[number].grants or asks[number].supersedes]
    await _answer_nothing(platform, caller, {n: asks[n] for n in asks if n not in wanted}, answers, attempt)
    if not wanted:
        return
    for snapshot in {asks[number].snapshot.hash: asks[number].snapshot for number in wanted}.values():
        await save_snapshot(platform, caller.house, known, snapshot)
    requests = [_request(platform, asks[number], priced[number]) for number in wanted]
    revisions = {grant.revision for number in wanted for grant in priced[number].grants}

    def claim() -> bool:
        """Asked from now on, unless nobody waits any more, or a breaker opened since: then there is nothing to end."""
        if attempt.abandoned or not guarded.opened.isdisjoint(revisions):
            return False
        attempt.asked.update({one["payment_id"]: one["quote_id"] for one in requests if one["grants"]})
        return True

    house, principal = caller.house.id, caller.principal
    if not known.is_leased:
        raise LeaseIsOver("nothing was heard from the store for as long as a lease lasts")
    outcomes = await platform.store.ledger.reserve(house, principal, requests, attempt.patience_ms, claim, known.lease)
    for number, outcome in zip(wanted, outcomes, strict=True):
        if outcome["outcome"] == "refused":
            await _learn(platform, caller, asks[number], outcome)
        elif outcome["outcome"] != "unwanted" or attempt.abandoned:  # Else it is priced again, without what tripped.
            answers[number] = _answer_of(asks[number], outcome, attempt)
            if outcome["outcome"] == "reserved":
                _watch(guarded, asks[number], priced[number], known)
    hurry(platform, caller.house, guarded)


def price_guarded(ask: Ask, known: LiveSet, guarded: Guarded, *, is_preview: bool = False) -> Priced:
    """Steps 1 to 7: what the collar drops is left out, and the others are combined again without it."""
    priced = price_ask(ask)
    while priced.grants:
        moment = moment_of(ask.house, ask.now, known.leased_until)
        dropped = collared(guarded, ask.house, ask.payment, priced, moment, ask.numbers, is_preview=is_preview)
        if not dropped:
            break
        ask.excluded.update(dropped)
        priced = price_ask(ask)
    return priced


def _watch(guarded: Guarded, ask: Ask, priced: Priced, known: LiveSet) -> None:
    """The guards learn what was granted: the collar at once, the detector when it is the payment's turn."""
    moment = moment_of(ask.house, ask.now, known.leased_until)
    noted(guarded, ask.house, ask.payment, priced.grants, moment)
    campaigns = ask.snapshot.campaigns
    watched = [
        Observed(
            one.campaign,
            one.label,
            frozenset(share.funder for share in campaigns[one.campaign].funding),
            one.discount,
        )
        for one in priced.grants
    ]
    if ask.place is not None:
        scene = ask.payment.fields["scene"]
        fresh = anew(guarded, ask.payment, ask.supersedes, moment, watched)
        ask.place.seen = (scene, fresh, ask.payment.payment_id)


async def _answer_nothing(
    platform: Platform, caller: Caller, asks: dict[int, Ask], answers: dict[int, Answer | Problem], attempt: Attempt
) -> None:
    """Nothing is granted now; a retry of a payment that was granted something gets its first outcome."""
    if not asks:
        return
    keys = [(ask.payment.payment_id, ask.content_hash) for ask in asks.values()]
    first = await platform.store.ledger.replay(caller.house.id, keys)
    for (number, ask), outcome in zip(asks.items(), first, strict=True):
        answers[number] = _answer_of(ask, outcome, attempt)
        if outcome is None:
            _watch_nothing(ask)


def _watch_nothing(ask: Ask) -> None:
    if ask.place is not None:
        ask.place.seen = (ask.payment.fields["scene"], (), ask.payment.payment_id)


def _answer_of(ask: Ask, outcome: dict[str, Any] | None, attempt: Attempt) -> Answer | Problem:
    """What an outcome means for the caller; None: nothing was ever granted. What it holds, the attempt has touched."""
    if outcome is None or outcome["outcome"] in ("none", "void", "unwanted"):
        return nothing_answer(ask.payment, ask.now, ask.snapshot.hash)
    if outcome["outcome"] in ("reserved", "replayed"):
        attempt.touched[ask.payment.payment_id] = outcome["quote"]["quote_id"]
    return _told(outcome)


def _told(outcome: dict[str, Any]) -> Answer | Problem:
    if outcome["outcome"] in ("reserved", "replayed"):
        return stored_answer(outcome["quote"])
    code, detail = _PROBLEMS[outcome["outcome"]]
    return Problem(code, detail)


async def _learn(platform: Platform, caller: Caller, ask: Ask, outcome: dict[str, Any]) -> None:
    """Take in what the store refused, and the balances it saw of every campaign this payment may get."""
    refused: dict[str, str] = outcome["refused"]
    if _OLD_PICTURE & set(refused.values()):
        fresh = await live_set(platform, caller.house, fresh=True)
        ask.snapshot = snapshot_for(fresh, ask.payment.currency)
        ask.numbers = fresh.guarded.numbers.get(ask.payment.currency, {})
    ask.excluded.update({campaign: Refusal(reason) for campaign, reason in refused.items() if reason != "stale"})
    ask.seen = ledger.read_balances(outcome["seen"])


def _request(platform: Platform, ask: Ask, priced: Priced) -> dict[str, Any]:
    settings = platform.settings
    valid_until = ask.now.plus(settings.quote_valid_seconds)
    told = {
        "benefits": benefits_of(priced.grants, ask.snapshot.policy),
        "lines": lines_of(ask.payment, priced.discount),
    }
    ask.quote_id = ask.quote_id or new_quote_id()
    slots = ask.slots
    return {
        "quote_id": ask.quote_id,
        "payment_id": ask.payment.payment_id,
        "content_hash": ask.content_hash,
        "payer_ref": slots.payer,
        "device_ref": slots.device,
        "payee_ref": slots.payee,
        "currency": ask.payment.currency,
        "scene": ask.payment.fields["scene"],
        "amount": ask.payment.amount,
        "decided_at": ask.now.datetime(),
        "valid_until": valid_until.datetime(),
        "hold_until": valid_until.plus(settings.capture_grace_seconds).datetime(),
        "day": slots.day,
        "hour": slots.hour,
        "snapshot": ask.snapshot.hash,
        "seen": seen_json(ask),
        "benefits": told,
        "supersedes": ask.supersedes,
        "candidates": candidates_of(ask),
        "grants": [{"campaign": g.campaign, "revision": g.revision, "discount": g.discount} for g in priced.grants],
    }


def seen_json(ask: Ask) -> dict[str, Any]:
    """The balances and refusals an answer was made with, as they are stored beside it."""
    balances = {
        campaign: {
            "budget": balance.budget,
            "stage": balance.stage,
            "used": [[subject, period, used.count, used.amount] for (subject, period), used in balance.used.items()],
            "shared": {limit: [used.count, used.amount] for limit, used in balance.shared.items()},
        }
        for campaign, balance in ask.seen.items()
    }
    return {"balances": balances, "excluded": ask.excluded, "at": ask.now.text()}

"""The ends of a quote - capture and release - and refunds of what was captured."""

from typing import Any

from makegood.clock import Instant
from makegood.domain.payment import parse_moment
from makegood.domain.review import Scope
from makegood.domain.text import checked_text
from makegood.errors import FieldError, Problem, ProblemCode
from makegood.limits import CLOCK_SKEW_SECONDS_MAX, ID_CHARS_MAX, MONEY_MINOR_MAX
from makegood.services.access import Caller, require
from makegood.services.answers import refund_answer, stored_answer
from makegood.services.decide import Answer
from makegood.services.live import live_set
from makegood.services.platform import Platform
from makegood.store import records

_PROBLEMS = {
    "not_found": (ProblemCode.NOT_FOUND, "there is no such quote"),
    "content_differs": (
        ProblemCode.CONTENT_DIFFERS,
        "this was done before with another amount; the first answer stands",
    ),
    "quote_is_released": (ProblemCode.QUOTE_IS_RELEASED, "the quote was released; nothing was captured"),
    "quote_has_expired": (
        ProblemCode.QUOTE_HAS_EXPIRED,
        "the quote was not paid in time; nothing was captured",
    ),
    "quote_is_captured": (
        ProblemCode.QUOTE_IS_CAPTURED,
        "the quote was captured; refund the payment instead",
    ),
    "paid_too_early": (ProblemCode.CLOCK_IS_OFF, "`paid_at` is before the quote was given"),
    "capture_exceeds_quote": (ProblemCode.CAPTURE_EXCEEDS_QUOTE, "more was captured than the quote's amount"),
    "quote_is_not_captured": (
        ProblemCode.QUOTE_IS_NOT_CAPTURED,
        "the payment was not captured, so nothing can be refunded",
    ),
    "refund_exceeds_payment": (
        ProblemCode.REFUND_EXCEEDS_PAYMENT,
        "more would be refunded than is left of the payment",
    ),
}


async def capture(platform: Platform, caller: Caller, quote_id: str, raw: Any) -> Answer:
    """Capture a quote, whole or in part: {"paid_at"?, "captured_amount"?}. A retry gets the same answer."""
    require(caller, Scope.QUOTE)
    fields = _fields(raw, {"paid_at", "captured_amount"})
    amount = _amount(fields, "captured_amount") if fields.get("captured_amount") is not None else None
    paid_at = _paid_at(fields)
    now = None
    if caller.house.live:
        clock = (await live_set(platform, caller.house)).store_clock()
        if paid_at is not None and paid_at > clock.plus(CLOCK_SKEW_SECONDS_MAX):
            raise Problem(
                ProblemCode.CLOCK_IS_OFF,
                f"`paid_at` is after the store's clock, {clock.text()}",
                errors=(FieldError("/paid_at", "is in the future"),),
            )
        now = clock.datetime()
    paid = paid_at.datetime() if paid_at is not None else None
    outcome = await platform.store.ledger.capture(caller.house.id, caller.principal, quote_id, paid, amount, now)
    return _answer(outcome, "/captured_amount")


async def release(platform: Platform, caller: Caller, quote_id: str) -> Answer:
    """End a quote that will not be paid; exactly what it took returns. A retry gets the same answer."""
    require(caller, Scope.QUOTE)
    return _answer(await platform.store.ledger.release(caller.house.id, caller.principal, quote_id), "")


async def refund(platform: Platform, caller: Caller, payment_id: str, raw: Any) -> Answer:
    """Refund part or all of a captured payment: {"refund_id", "refund_amount"}. A retry gets the same answer."""
    require(caller, Scope.QUOTE)
    fields = _fields(raw, {"refund_id", "refund_amount"})
    refund_id = fields.get("refund_id")
    try:
        if not isinstance(refund_id, str) or not checked_text(refund_id, ID_CHARS_MAX):
            raise ValueError(f"must be a text of 1 to {ID_CHARS_MAX} characters")
    except ValueError as error:
        raise _invalid("/refund_id", str(error)) from None
    amount = _amount(fields, "refund_amount")
    outcome = await platform.store.ledger.refund(caller.house.id, caller.principal, payment_id, refund_id, amount)
    if outcome["outcome"] != "done":
        _answer(outcome, "/refund_amount")
    row = await _payment_row(platform, caller, payment_id)
    return refund_answer(outcome["refund"], row["currency"])


async def get_payment(platform: Platform, caller: Caller, payment_id: str) -> Answer:
    """The quote of a payment with its refunds. Raises Problem(NOT_FOUND)."""
    require(caller, Scope.QUOTE, Scope.READ)
    row = await _payment_row(platform, caller, payment_id)
    refunds = await records.refunds(platform.store.pool, caller.house.id, payment_id)
    return stored_answer(row) | {"refunds": [refund_answer(one, row["currency"]) for one in refunds]}


async def get_refund(platform: Platform, caller: Caller, payment_id: str, refund_id: str) -> Answer:
    """One refund. Raises Problem(NOT_FOUND)."""
    payment = await get_payment(platform, caller, payment_id)
    for one in payment["refunds"]:
        if one["refund_id"] == refund_id:
            found: Answer = one
            return found
    raise Problem(ProblemCode.NOT_FOUND, "there is no such refund")


async def _payment_row(platform: Platform, caller: Caller, payment_id: str) -> dict[str, Any]:
    row = await records.quote_of_payment(platform.store.pool, caller.house.id, payment_id)
    if row is None:
        raise Problem(ProblemCode.NOT_FOUND, "no quote was granted to such a payment")
    return row


def _answer(outcome: dict[str, Any], path: str) -> Answer:
    if outcome["outcome"] == "done":
        return stored_answer(outcome["quote"])
    code, detail = _PROBLEMS[outcome["outcome"]]
    raise Problem(code, detail, errors=_numbers(outcome, path))


def _numbers(outcome: dict[str, Any], path: str) -> tuple[FieldError, ...]:
    quote = outcome.get("quote")
    if quote is None:
        return ()
    if outcome["outcome"] == "refund_exceeds_payment":
        return (FieldError(path, f"is above the {quote['amount'] - quote['refunded']} minor units that are left"),)
    if outcome["outcome"] == "capture_exceeds_quote":
        return (FieldError(path, f"is above the quote's {quote['amount']} minor units"),)
    if outcome["outcome"] == "paid_too_early":
        return (FieldError("/paid_at", f"the quote was given at {quote['decided_at']}"),)
    if outcome["outcome"] == "quote_has_expired":
        return (FieldError("/paid_at", f"the quote could be paid until {quote['valid_until']}"),)
    return ()


def _fields(raw: Any, known: set[str]) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise _invalid("", "must be an object")
    for key in raw:
        if key not in known:
            raise _invalid(f"/{str(key)[:ID_CHARS_MAX]}", f"is unknown; known are {', '.join(sorted(known))}")
    return raw


def _amount(fields: dict[str, Any], name: str) -> int:
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= MONEY_MINOR_MAX:
        raise _invalid(f"/{name}", f"must be a whole number of minor units, from 1 to {MONEY_MINOR_MAX}")
    return value


def _paid_at(fields: dict[str, Any]) -> Instant | None:
    value = fields.get("paid_at")
    if value is None:
        return None
    try:
        if not isinstance(value, str):
            raise ValueError("must be an RFC 3339 instant")
        return parse_moment(value)
    except ValueError as error:
        raise _invalid("/paid_at", str(error)) from None


def _invalid(path: str, message: str) -> Problem:
    return Problem(
        ProblemCode.REQUEST_IS_INVALID, "the request is not well formed", errors=(FieldError(path, message),)
    )

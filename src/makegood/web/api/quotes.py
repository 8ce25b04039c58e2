"""Quotes: a price for a payment, and the three ends that it can have."""

from typing import Any

from makegood.errors import Problem
from makegood.limits import BATCH_BODY_BYTES_MAX
from makegood.services import holds, quotes
from makegood.web.api.operation import Call
from makegood.web.body import read_json, want_keys
from makegood.web.problems import full_price, members


async def create_quote(call: Call) -> Any:
    """Price one payment and reserve what it is granted."""
    raw = await read_json(call.request)
    call.may_pay(_amount(raw))
    return await quotes.quote(call.platform, call.caller, raw)


async def create_quotes(call: Call) -> Any:
    """Price many payments; each has its own answer or its own problem."""
    body = want_keys(await read_json(call.request, bytes_max=BATCH_BODY_BYTES_MAX), frozenset({"payments"}))
    raws = body["payments"]
    answers = await quotes.quote_batch(call.platform, call.caller, raws)
    return {"quotes": [_member(answer, raw) for answer, raw in zip(answers, raws, strict=True)]}


async def preview_quote(call: Call) -> Any:
    """Price one payment for a shop window or a cart; nothing is reserved or stored."""
    raw = await read_json(call.request)
    call.may_pay(_amount(raw))
    return await quotes.preview(call.platform, call.caller, raw)


async def get_quote(call: Call) -> Any:
    """A quote as it stands."""
    return await quotes.get_quote(call.platform, call.caller, call.id("quote_id"))


async def capture_quote(call: Call) -> Any:
    """The payment was made: the discount is granted for good."""
    raw = await read_json(call.request, empty={})
    return await holds.capture(call.platform, call.caller, call.id("quote_id"), raw)


async def release_quote(call: Call) -> Any:
    """The payment was not made: what was reserved is free again."""
    want_keys(await read_json(call.request, empty={}), frozenset())
    return await holds.release(call.platform, call.caller, call.id("quote_id"))


async def explain_quote(call: Call) -> Any:
    """Why the same payment got what it got, campaign by campaign."""
    raw = await read_json(call.request)
    return await quotes.explain_quote(call.platform, call.caller, call.id("quote_id"), raw)


def _member(answer: dict[str, Any] | Problem, raw: Any) -> dict[str, Any]:
    if isinstance(answer, Problem):
        return {"problem": members(answer) | {"fallback": full_price(_amount(raw))}}
    return answer


def _amount(raw: Any) -> Any:
    return raw.get("amount") if isinstance(raw, dict) else None

"""Quotes: a price for a payment, and the three ends that it can have."""

from typing import Any

from makegood.errors import Problem
from makegood.services import captures, holds, quotes
from makegood.web.api.answers import plain_answer
from makegood.web.api.operation import Call
from makegood.web.body import want_keys
from makegood.web.problems import full_price, members


async def create_quote(call: Call) -> Any:
    """Price one payment and reserve what it is granted."""
    return plain_answer(await quotes.quote(call.platform, call.caller, call.body))


async def create_quotes(call: Call) -> Any:
    """Price many payments; each has its own answer or its own problem."""
    raws = want_keys(call.body, frozenset({"payments"}))["payments"]
    answers = await quotes.quote_batch(call.platform, call.caller, raws)
    return plain_answer({"quotes": [_member(answer, raw) for answer, raw in zip(answers, raws, strict=True)]})


async def preview_quote(call: Call) -> Any:
    """Price one payment for a shop window or a cart; nothing is reserved or stored."""
    return await quotes.preview(call.platform, call.caller, call.body)


async def get_quote(call: Call) -> Any:
    """A quote as it stands."""
    return await quotes.get_quote(call.platform, call.caller, call.id("quote_id"))


async def capture_quote(call: Call) -> Any:
    """The payment was made: the discount is granted for good."""
    return plain_answer(await holds.capture(call.platform, call.caller, call.id("quote_id"), call.body))


async def capture_quotes(call: Call) -> Any:
    """Many payments were made; each capture has its own answer or its own problem."""
    raws = want_keys(call.body, frozenset({"captures"}))["captures"]
    done = await captures.capture_batch(call.platform, call.caller, raws)
    told = [{"problem": members(one)} if isinstance(one, Problem) else one for one in done]
    return plain_answer({"quotes": told})


async def release_quote(call: Call) -> Any:
    """The payment was not made: what was reserved is free again."""
    want_keys(call.body, frozenset())
    return await holds.release(call.platform, call.caller, call.id("quote_id"))


async def explain_quote(call: Call) -> Any:
    """Why the same payment got what it got, campaign by campaign."""
    return await quotes.explain_quote(call.platform, call.caller, call.id("quote_id"), call.body)


def _member(answer: dict[str, Any] | Problem, raw: Any) -> dict[str, Any]:
    if isinstance(answer, Problem):
        amount = raw.get("amount") if isinstance(raw, dict) else None
        return {"problem": members(answer) | {"fallback": full_price(amount)}}
    return answer

"""Captures of many quotes in one call, as they come out of a queue."""

import asyncio
from typing import Any

from makegood.domain.review import Scope
from makegood.errors import FieldError, Problem, ProblemCode
from makegood.limits import BATCH_PAYMENTS_MAX
from makegood.services.access import Caller, require
from makegood.services.asks import is_id
from makegood.services.decide import Answer
from makegood.services.holds import capture
from makegood.services.platform import Platform


async def capture_batch(platform: Platform, caller: Caller, raws: Any) -> list[Answer | Problem]:
    """An answer or a problem for each {"quote_id", "paid_at"?, "captured_amount"?}, in order.

    Each is a capture of its own, durable when this returns; the store takes them together. A retry gets the same
    answers. Raises Problem for what is no batch, and StoreUnavailable, with some of them perhaps done.
    """
    require(caller, Scope.QUOTE)
    if not isinstance(raws, list) or not 0 < len(raws) <= BATCH_PAYMENTS_MAX:
        where = FieldError("/captures", f"must be a list of 1 to {BATCH_PAYMENTS_MAX} captures")
        raise Problem(ProblemCode.REQUEST_IS_INVALID, "the batch is not well formed", errors=(where,))
    done = await asyncio.gather(*(_one(platform, caller, raw) for raw in raws), return_exceptions=True)
    for failed in done:
        if isinstance(failed, BaseException) and not isinstance(failed, Problem):
            raise failed  # Only once all have ended, so that nothing goes on behind the answer.
    return [one for one in done if isinstance(one, dict | Problem)]


async def _one(platform: Platform, caller: Caller, raw: Any) -> Answer:
    if not isinstance(raw, dict) or not is_id(raw.get("quote_id")) or not raw["quote_id"]:
        path = "/quote_id" if isinstance(raw, dict) else ""
        where = FieldError(path, "must be the id of a quote" if path else "must be an object")
        raise Problem(ProblemCode.REQUEST_IS_INVALID, "the request is not well formed", errors=(where,))
    fields = {name: value for name, value in raw.items() if name != "quote_id"}
    return await capture(platform, caller, raw["quote_id"], fields)

"""Campaigns: what runs, what it spent, and the hand on the stop button."""

from typing import Any

from starlette.responses import Response

from makegood.errors import FieldError, Problem, ProblemCode
from makegood.limits import TEXT_CHARS_MAX
from makegood.services import campaigns, control
from makegood.services.live_chart import live_chart
from makegood.web.api.answers import answer, as_json, etag, matches
from makegood.web.api.operation import Call
from makegood.web.body import want_keys, want_text


async def list_campaigns(call: Call) -> Any:
    """Every campaign of the house."""
    return {"campaigns": await campaigns.list_campaigns(call.platform, call.caller)}


async def get_campaign(call: Call) -> Response:
    """One campaign, with a tag that changes when what it says does."""
    view = await campaigns.get_campaign(call.platform, call.caller, call.id("campaign_id"))
    tag = etag(view)
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if matches(tag, call.request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    return answer(view, headers=headers)


async def get_chart(call: Call) -> Any:
    """What it granted lately, beside what its brief expects, and how near each guard is."""
    return await live_chart(call.platform, call.caller, call.id("campaign_id"))


async def stop_campaign(call: Call) -> Any:
    """New payments get nothing from it; quotes that were shown are honoured."""
    reason = _reason(call)
    return await control.stop_campaign(call.platform, call.caller, call.id("campaign_id"), reason)


async def resume_campaign(call: Call) -> Any:
    """Asks for a resume; the same call by another principal confirms it."""
    reason, campaign = _reason(call), call.id("campaign_id")
    return as_json(await control.resume_campaign(call.platform, call.caller, campaign, reason)) | {"campaign": campaign}


async def open_stage(call: Call) -> Any:
    """Opens the stage after `opened_minor` by hand, so that a call sent twice opens one stage."""
    opened = want_keys(call.body, frozenset({"opened_minor"}))["opened_minor"]
    if not isinstance(opened, int) or isinstance(opened, bool):
        where = FieldError("/opened_minor", "must be a whole number of minor units")
        raise Problem(ProblemCode.REQUEST_IS_INVALID, "the request is not well formed", errors=(where,))
    return await control.open_stage(call.platform, call.caller, call.id("campaign_id"), opened_minor=opened)


def _reason(call: Call) -> str:
    return want_text(want_keys(call.body, frozenset({"reason"})), "reason", TEXT_CHARS_MAX)

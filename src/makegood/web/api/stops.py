"""Stops of more than one campaign, and what guards and drills saw."""

from typing import Any

from makegood.domain.target import Target, TargetKind, parse_target
from makegood.errors import FieldError
from makegood.limits import ID_CHARS_MAX, TEXT_CHARS_MAX
from makegood.services import control, guards_view
from makegood.web.api.answers import as_json
from makegood.web.api.operation import Call
from makegood.web.body import invalid, want_keys, want_text

_TARGET_CHARS_MAX = len("campaign:") + ID_CHARS_MAX


async def list_stops(call: Call) -> Any:
    """Every stop in force."""
    return {"stops": await guards_view.list_stops(call.platform, call.caller)}


async def create_stop(call: Call) -> Any:
    """New payments get nothing from the target; quotes that were shown are honoured."""
    target, reason = _wanted(call)
    return await control.stop(call.platform, call.caller, target, reason)


async def create_resume(call: Call) -> Any:
    """Asks for a resume of the target; the same call by another principal confirms it."""
    target, reason = _wanted(call)
    resumed = as_json(await control.resume(call.platform, call.caller, target, reason))
    return resumed | ({"campaign": target.id} if target.kind is TargetKind.CAMPAIGN else {})


async def list_trips(call: Call) -> Any:
    """What guards saw."""
    return {"trips": await guards_view.list_trips(call.platform, call.caller)}


async def list_drills(call: Call) -> Any:
    """What drills found."""
    return {"drills": await guards_view.list_drills(call.platform, call.caller)}


def _wanted(call: Call) -> tuple[Target, str]:
    body = want_keys(call.body, frozenset({"target", "reason"}))
    text = want_text(body, "target", _TARGET_CHARS_MAX)
    try:
        target = parse_target(text)
    except ValueError as error:
        raise invalid(FieldError("/target", str(error))) from None
    return target, want_text(body, "reason", TEXT_CHARS_MAX)

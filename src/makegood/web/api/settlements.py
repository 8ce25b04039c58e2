"""Settled days, and the statements of funders."""

from typing import Any

from makegood.services import settlement
from makegood.web.api.operation import Call


async def list_settlements(call: Call) -> Any:
    """The days that were settled."""
    days = await settlement.settled_days(call.platform, call.caller)
    return {"days": [{"currency": d.currency, "day": d.day, "zone": d.zone, "amount_minor": d.amount} for d in days]}


async def get_settlement(call: Call) -> Any:
    """A settled day: what each funder was billed."""
    found = await settlement.settled_day(call.platform, call.caller, call.id("currency"), call.id("day"))
    return {
        "currency": found.day.currency,
        "day": found.day.day,
        "zone": found.day.zone,
        "amount_minor": found.day.amount,
        "statements": [settlement.statement_json(one) for one in found.statements],
    }


async def get_statement(call: Call) -> Any:
    """A funder's statement of one day."""
    found = await settlement.statement(
        call.platform, call.caller, call.id("funder"), call.id("currency"), call.id("day")
    )
    return settlement.statement_json(found)

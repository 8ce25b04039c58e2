"""Drills: whether a stop would work, tried on the live system."""

from typing import Any

from makegood.services import drill
from makegood.web.api.operation import Call
from makegood.web.body import want_keys


async def create_drill(call: Call) -> Any:
    """Drills the house now. Nothing of it stays but what it found."""
    want_keys(call.body, frozenset())
    return await drill.drill(call.platform, call.caller)

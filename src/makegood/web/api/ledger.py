"""The ledger, checked from its stored rows."""

from typing import Any

from makegood.services import books
from makegood.web.api.answers import as_json
from makegood.web.api.operation import Call


async def verify_ledger(call: Call) -> Any:
    """Checks every invariant of the house's books."""
    found = await books.verify_ledger(call.platform, call.caller)
    return {"balanced": found.balanced} | as_json(found)

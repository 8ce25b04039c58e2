"""The books: verification and the audit trail."""

import json
from typing import Any

from makegood.domain.review import Scope
from makegood.services.access import Caller, House, require
from makegood.services.platform import Platform
from makegood.store import records, verify
from makegood.store.verify import Verified


async def verify_ledger(platform: Platform, who: Caller | House) -> Verified:
    """Recompute every invariant of a house's ledger from the stored rows, on a running system too."""
    if isinstance(who, Caller):
        require(who, Scope.READ)
        who = who.house
    return await verify.verify(platform.store.pool, who.id)


async def recent_events(platform: Platform, caller: Caller, campaign_id: str, limit: int = 20) -> list[dict[str, Any]]:
    """The newest audit rows on a campaign, newest first."""
    require(caller, Scope.READ)
    rows = await records.audits(platform.store.pool, caller.house.id, campaign_id, limit)
    return [row | {"detail": json.loads(row["detail"])} for row in rows]

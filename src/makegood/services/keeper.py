"""What a server does between calls: expire holds, end late ones, revive an embedded store."""

import asyncio

from makegood.clock import Instant
from makegood.errors import StoreUnavailable
from makegood.services.access import House
from makegood.services.platform import Platform
from makegood.services.quotes import end_late_holds
from makegood.store import ledger, records
from makegood.store.connection import ping
from makegood.telemetry import log

ROUND_SECONDS = 1.0
REVIVE_ROUNDS = 2  # Rounds without an answer before an embedded server is looked after.


async def keep(platform: Platform) -> None:
    """Run until cancelled. One failing round never ends it."""
    silent = 0
    while True:
        await asyncio.sleep(ROUND_SECONDS)
        try:
            await ping(platform.store)
            silent = 0
            await end_late_holds(platform)
            await expire_due(platform)
        except StoreUnavailable as error:
            silent += 1
            log.warning("store_is_unavailable", reason=str(error))
            if silent >= REVIVE_ROUNDS:
                await _revive(platform)


async def expire_due(platform: Platform) -> int:
    """Expire the holds that have ended, in every house this process has served. How many."""
    expired = 0
    pool = platform.store.pool
    for house_id, known in list(platform.live.items()):
        now = await records.latest_decision(pool, house_id) if known.test else known.store_clock().datetime()
        if now is not None:
            expired += await ledger.expire(pool, house_id, now)
    return expired


async def expire_house(platform: Platform, house: House, now: Instant) -> int:
    """Expire the holds of one house that ended before `now`. How many."""
    return await ledger.expire(platform.store.pool, house.id, now.datetime())


async def _revive(platform: Platform) -> None:
    try:
        await platform.store.revive()
    except StoreUnavailable as error:
        log.error("store_does_not_start", reason=str(error))

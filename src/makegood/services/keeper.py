"""What a server does between calls: expire holds, end late ones, revive an embedded store."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable

from makegood.clock import Instant
from makegood.errors import StoreUnavailable
from makegood.services.access import House, house_named
from makegood.services.drill import drill_due
from makegood.services.live import live_set
from makegood.services.platform import Platform
from makegood.services.quotes import end_late_holds
from makegood.services.rounds import guard_round, measure
from makegood.services.watching import guarded_of
from makegood.store import access as rows
from makegood.store import idempotency, records
from makegood.store.connection import ping
from makegood.telemetry import log

ROUND_SECONDS = 1.0
EXPIRY_ROUNDS = 5  # Holds end by the quarter of an hour; nobody waits for the second.
PURGE_ROUNDS = 3600
DRILL_ROUNDS = 60  # A server that has just started has a minute for itself.
EXPIRED_AT_ONCE_MAX = 200  # In one transaction, which holds the locks of their campaigns.
REVIVE_ROUNDS = 2  # Rounds without an answer before an embedded server is looked after.


async def keep(platform: Platform) -> None:
    """Run until cancelled. One failing round never ends it."""
    silent = 0
    for number in itertools.count():
        await asyncio.sleep(ROUND_SECONDS)
        try:
            await ping(platform.store)
            silent = 0
            await end_late_holds(platform)
            await _guards(platform)
            if number % EXPIRY_ROUNDS == 0:
                await expire_due(platform)
            if number % DRILL_ROUNDS == DRILL_ROUNDS - 1:
                await drill_due(platform)
            if number % PURGE_ROUNDS == 0:
                await purge(platform)
        except StoreUnavailable as error:
            silent += 1
            log.warning("store_is_unavailable", reason=str(error))
            measure(platform)  # Leases run out meanwhile, and the metrics say so.
            if silent >= REVIVE_ROUNDS:
                await _revive(platform)


async def _guards(platform: Platform) -> None:
    """A round of the guards. The store answered a moment ago: where it does not answer them, the rest goes on."""
    try:
        await guard_round(platform)
    except StoreUnavailable as error:
        log.warning("guards_failed", reason=str(error))


async def warm(platform: Platform) -> None:
    """Know the live set of every house before its first payment asks, whose deadline would pass meanwhile."""

    async def know(house: House) -> None:
        guarded_of(platform, house, await live_set(platform, house))

    await _in_every_house(platform, know)


async def expire_due(platform: Platform) -> int:
    """Expire the holds that have ended, in every house of the store. How many."""
    expired: list[int] = []

    async def expire(house: House) -> None:
        latest = None if house.live else await records.latest_decision(platform.store.pool, house.id)
        if house.live or latest is not None:
            now = Instant.of(latest) if latest is not None else (await live_set(platform, house)).store_clock()
            expired.append(await expire_house(platform, house, now))

    await _in_every_house(platform, expire)
    return sum(expired)


async def purge(platform: Platform) -> None:
    """Forget idempotency keys and sessions that are over, in every house."""

    async def forget(house: House) -> None:
        await idempotency.purge(platform.store.pool, house.id)

    await _in_every_house(platform, forget)


async def _in_every_house(platform: Platform, work: Callable[[House], Awaitable[None]]) -> None:
    """Do `work` house by house. What fails in one is logged, and does not keep the others from theirs."""
    for name in await rows.house_names(platform.store.pool):
        try:
            await work(await house_named(platform, name))
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("house_failed", house=name)


async def expire_house(platform: Platform, house: House, now: Instant) -> int:
    """Expire the holds of one house that ended before `now`. How many."""
    expired = 0
    while some := await platform.store.ledger.expire(house.id, now.datetime(), EXPIRED_AT_ONCE_MAX):
        expired += some
    return expired


async def _revive(platform: Platform) -> None:
    try:
        await platform.store.revive()
    except StoreUnavailable as error:
        log.error("store_does_not_start", reason=str(error))

"""What the guards of this process do once a second, for each house whose payments it decides."""

import time

from makegood.errors import StoreUnavailable
from makegood.services.guarded import Guarded
from makegood.services.live import live_set
from makegood.services.platform import Platform
from makegood.services.stages import look_at_stages
from makegood.services.watching import guarded_of, merge_detectors, tell_trips
from makegood.telemetry import GUARD_ROUND_SECONDS, GUARD_ROUNDS_FAILED, LEASE_SECONDS, STOPPED, log


async def guard_round(platform: Platform) -> None:
    """Tell the store what tripped, merge what detectors saw, and open stages on evidence. In that order: what tripped
    opens none. What fails for one house is logged, and the others have their turn. Raises StoreUnavailable.
    """
    try:
        with GUARD_ROUND_SECONDS.time():
            for guarded in list(platform.guarded.values()):
                await _round(platform, guarded)
    except StoreUnavailable:
        GUARD_ROUNDS_FAILED.inc()
        raise
    finally:
        measure(platform)


async def _round(platform: Platform, guarded: Guarded) -> None:
    house = guarded.house
    try:
        known = await live_set(platform, house)
        await tell_trips(platform, house, guarded_of(platform, house, known))
        await merge_detectors(platform, house, known)
        await tell_trips(platform, house, guarded)
        await look_at_stages(platform, house, known)
    except StoreUnavailable:
        raise
    except Exception:
        GUARD_ROUNDS_FAILED.inc()
        log.exception("guards_failed", house=house.name)


def measure(platform: Platform) -> None:
    """The metrics say how long the shortest lease lasts, and how much is stopped, as this process knows it now."""
    live = [platform.live[house] for house in platform.guarded if house in platform.live]
    left = min((known.leased_until for known in live), default=0.0) - time.monotonic()
    LEASE_SECONDS.set(max(left, 0.0))
    scenes = [frozenset().union(*(one.stopped_scenes for one in known.snapshots.values())) for known in live]
    STOPPED.labels("campaign").set(sum(len(known.guarded.stopped) for known in live))
    STOPPED.labels("scene").set(sum(map(len, scenes)))

"""What the guards of this process do once a second, for each house whose payments it decides."""

from makegood.errors import StoreUnavailable
from makegood.services.live import live_set
from makegood.services.platform import Platform
from makegood.services.stages import look_at_stages
from makegood.services.watching import guarded_of, merge_detectors, tell_trips
from makegood.telemetry import log


async def guard_round(platform: Platform) -> None:
    """Tell the store what tripped, merge what detectors saw, and open stages on evidence. In that order: what tripped
    opens none. What fails for one house is logged, and the others have their turn. Raises StoreUnavailable.
    """
    for guarded in list(platform.guarded.values()):
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
            log.exception("guards_failed", house=house.name)

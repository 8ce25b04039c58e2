"""The guards of a house between calls: what is live is watched, trips go to the store, detectors of all nodes merge."""

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any

from makegood.domain.review import Guard
from makegood.guard.detector import Detector
from makegood.guard.detector_alarm import Alarm
from makegood.guard.detector_merge import absorb, tell
from makegood.guard.detector_state import join, state_of
from makegood.guard.line import Line, Place
from makegood.limits import TELLINGS_WAITING_MAX, TRIPS_KEPT_MAX
from makegood.services.access import House
from makegood.services.briefs import Known
from makegood.services.guarded import Guarded, Seen, alarmed, observed
from makegood.services.live import LiveSet
from makegood.services.page import page, page_of_trip
from makegood.services.platform import Platform
from makegood.store import guards as rows
from makegood.store.pool import Encoded
from makegood.telemetry import GUARD_ROUNDS_FAILED, MERGES, OBSERVATIONS, log

OWN_PORTION = MERGED_PORTION = 0.5  # Of one false stop a year: a node's own detector, and the one all nodes merge into.
_TRIES_MAX = 8  # To merge, while other nodes do.

Telling = dict[str, Any]


def guarded_of(platform: Platform, house: House, known: LiveSet) -> Guarded:
    """The guards of a house in this process, as what is live now asks of them."""
    guarded = platform.guarded.get(house.id)
    if guarded is None:
        guarded = platform.guarded[house.id] = Guarded(house)
    if guarded.version != known.version:
        _watch_anew(house, guarded, known)
    return guarded


def in_line(platform: Platform, house: House, payments: int) -> list[Place[Seen]]:
    """The places of the payments of one call, taken before anything of them is known."""
    guarded = platform.guarded.get(house.id)
    if guarded is None:
        guarded = platform.guarded[house.id] = Guarded(house)
    line, now = _line(guarded, payments), time.monotonic()
    return [line.take(now) for _ in range(payments)]


def answered(platform: Platform, house: House, places: Sequence[Place[Seen]]) -> None:
    """A call is answered: the detector watches whoever is next in line, and nobody before their turn."""
    guarded = platform.guarded[house.id]
    try:
        for seen in _line(guarded, len(places)).done(places, time.monotonic()):
            observed(guarded, seen)
    except Exception:  # A bug of ours; the payment goes on all the same.
        GUARD_ROUNDS_FAILED.inc()
        log.exception("detector_failed", house=house.name)
    hurry(platform, house, guarded)


def _line(guarded: Guarded, payments: int) -> Line[Seen]:
    """A batch may take seconds: single payments, whose deadline is short, do not wait behind it to be watched."""
    return guarded.line if payments == 1 else guarded.batches


def _watch_anew(house: House, guarded: Guarded, known: LiveSet) -> None:
    """Watch what is live now. Evidence is kept, but not of a campaign that resumed, or has another revision by now."""
    before, revisions = guarded.detector, known.guarded.revisions
    if before is not None:
        _keep_telling(guarded, before)
        _count(guarded, before)
        guarded.counted = 0  # The next detector begins to count with its first payment.
    guarded.detector = None
    if Guard.DETECTOR not in house.guards_left_out:
        made = Detector(known.guarded.watches, known.guarded.payments_a_year, portion=OWN_PORTION, telling=True)
        if before is not None:
            join(made, state_of(before))
        for campaign, revision in guarded.revisions.items():
            resumed = campaign in guarded.stopped and campaign not in known.guarded.stopped
            if campaign in made.campaigns and (resumed or revisions.get(campaign) != revision):
                made.forget(campaign)
                for one in guarded.told:
                    one["campaigns"].pop(campaign, None)
        guarded.detector = made
    guarded.revisions, guarded.stopped = revisions, known.guarded.stopped
    # A breaker that this process opened and the store has heard of is the store's: what is live there may be granted.
    guarded.opened = {one.revision for one in guarded.trips}
    guarded.version = known.version


async def tell_trips(platform: Platform, house: House, guarded: Guarded) -> None:
    """Tell the store what tripped, so that every process stops. What cannot be told now stays for the next round."""
    if guarded.telling:
        return
    guarded.telling = True
    try:
        while guarded.trips:
            one = guarded.trips[0]
            again, guarded.unsure = guarded.unsure is one, one
            arguments = (one.guard.value, one.campaign, one.revision, one.what, one.evidence, TRIPS_KEPT_MAX)
            opened = await rows.trip(platform.store.pool, house.id, *arguments)
            guarded.unsure = None
            guarded.trips.popleft()
            if opened or again:  # Told again it may be that the first time opened it, and the answer was lost.
                seen = (one.guard.value, one.campaign, one.revision, one.what, one.evidence)
                page(platform, page_of_trip(house.name, *seen, platform.clock()))
            log.error("breaker_opened" if opened else "guard_tripped_again", house=house.name, campaign=one.campaign,
                      guard=one.guard.value, what=one.what, evidence=dict(one.evidence))  # fmt: skip
    finally:
        guarded.telling = False


def hurry(platform: Platform, house: House, guarded: Guarded) -> None:
    """Tell the store at once, beside the payment: no payment waits for it."""
    if guarded.trips and not guarded.telling:
        task: asyncio.Future[object] = asyncio.ensure_future(tell_trips(platform, house, guarded))
        platform.tasks.add(task)
        task.add_done_callback(platform.tasks.discard)
        task.add_done_callback(lambda done: None if done.cancelled() else done.exception())


async def merge_detectors(platform: Platform, house: House, known: LiveSet) -> None:
    """What this node saw joins what all nodes know; an alarm of all together is an alarm."""
    guarded = guarded_of(platform, house, known)
    if guarded.detector is None:
        return
    _keep_telling(guarded, guarded.detector)
    _count(guarded, guarded.detector)
    if not guarded.told:
        return
    try:
        is_merged = await _merge(platform, house, guarded, known.guarded, list(guarded.told))
    except Exception:
        MERGES.labels("failed").inc()
        raise
    MERGES.labels("merged" if is_merged else "failed").inc()
    if not is_merged:  # What was told waits for the next round.
        log.warning("detectors_are_busy", house=house.name, waiting=len(guarded.told))


async def _merge(platform: Platform, house: House, guarded: Guarded, known: Known, told: Sequence[Telling]) -> bool:
    pool = platform.store.pool
    for _ in range(_TRIES_MAX):
        version, state = await rows.detector(pool, house.id)
        # A thousand campaigns take most of a second: not in the loop that answers payments.
        alarms, merged = await asyncio.to_thread(_merged_with, known, state, told)
        try:
            kept = await rows.put_detector(pool, house.id, version, merged)
        except BaseException:
            # Perhaps it was kept. Told twice it would count twice; lost whole it is as if it had not been.
            _have_told(guarded, told, alarms)
            raise
        if kept:
            _have_told(guarded, told, alarms)
            return True
    return False


def _merged_with(known: Known, state: dict[str, Any] | None, told: Sequence[Telling]) -> tuple[list[Alarm], Encoded]:
    merged = Detector(known.watches, known.payments_a_year, portion=MERGED_PORTION)
    if state is not None:
        join(merged, state)
    alarms = [alarm for one in told for alarm in absorb(merged, one)]
    return alarms, Encoded(json.dumps(state_of(merged)))


def _have_told(guarded: Guarded, told: Sequence[Telling], alarms: Sequence[Alarm]) -> None:
    gone = {id(one) for one in told}
    guarded.told = [one for one in guarded.told if id(one) not in gone]
    for alarm in alarms:
        alarmed(guarded, alarm)


def _count(guarded: Guarded, detector: Detector) -> None:
    """What the detector observed since it was last counted is in the metrics: not one by one, beside each payment."""
    OBSERVATIONS.inc(detector.payments - guarded.counted)
    guarded.counted = detector.payments


def _keep_telling(guarded: Guarded, detector: Detector) -> None:
    """What the detector saw since it last told waits to be told, once something was granted: payments alone are counts.

    The oldest makes room. A telling that is lost whole is as if its payments had not been; lost counts without the
    grants that came after them would make those look worse than they were.
    """
    if detector.has_to_tell:
        guarded.told.append(tell(detector))
        del guarded.told[:-TELLINGS_WAITING_MAX]

"""The steps of a drill. Each asks the real thing, and nothing of it stays: see `store.shadow`."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from makegood.clock import SECOND
from makegood.domain.payment import Payment
from makegood.domain.quote import Grant
from makegood.domain.review import Guard
from makegood.domain.target import Target, TargetKind
from makegood.guard.checks import CollarCheck, Trip
from makegood.guard.collar import check
from makegood.guard.collar_state import CollarState, Moment
from makegood.guard.numbers import Numbers
from makegood.limits import TRIPS_KEPT_MAX
from makegood.services.drill_subject import Drill, scene_of
from makegood.services.drill_words import Said, said
from makegood.services.guarded import evidence_of
from makegood.services.live import LiveSet
from makegood.services.page import Page, send
from makegood.store import shadow

_ABOVE = (CollarCheck.DISCOUNT_IS_ABOVE_AMOUNT, CollarCheck.DISCOUNT_IS_ABOVE_MAX, CollarCheck.RATE_IS_ABOVE_MAX)


class DrillStep(StrEnum):
    """What a drill tries, in this order. docs/operations/drills.md explains each."""

    STOP_CAMPAIGN = "stop.campaign"
    STOP_LABEL = "stop.label"
    STOP_FUNDER = "stop.funder"
    STOP_SCENE = "stop.scene"
    STOP_EVERYTHING = "stop.everything"
    BREAKER_COLLAR = "breaker.collar"
    BREAKER_TRIP = "breaker.trip"
    LEASE = "lease"
    LEFT_BEHIND = "left_behind"
    PAGE = "page"
    RECORD = "record"


@dataclass(frozen=True, slots=True)
class Found:
    """What a step found. `warned`: it passed, and yet whoever reads it should do something."""

    passed: bool
    says: Said
    warned: bool = False


async def run_step(drill: Drill, step: DrillStep) -> Found:
    """What one step finds. Raises NotNow, after which it may be tried again, and StoreUnavailable."""
    if step in _TARGETS:
        return await _stop(drill, _TARGETS[step])
    if step is DrillStep.BREAKER_COLLAR:
        return _collar(drill)
    if step is DrillStep.BREAKER_TRIP:
        return await _trip(drill)
    if step is DrillStep.LEASE:
        return await _lease(drill)
    return await (_page(drill) if step is DrillStep.PAGE else _left_behind(drill))


# -- the stop path -------------------------------------------------------------------------------------

_TARGETS: Mapping[DrillStep, TargetKind] = {
    DrillStep.STOP_CAMPAIGN: TargetKind.CAMPAIGN,
    DrillStep.STOP_LABEL: TargetKind.LABEL,
    DrillStep.STOP_FUNDER: TargetKind.FUNDER,
    DrillStep.STOP_SCENE: TargetKind.SCENE,
    DrillStep.STOP_EVERYTHING: TargetKind.EVERYTHING,
}


async def _stop(drill: Drill, kind: TargetKind) -> Found:
    """The target is stopped as an operator stops it; then nothing of its campaign may be reserved."""
    subject = drill.subject
    if subject is None:
        if kind is not TargetKind.EVERYTHING:
            return Found(True, said("nothing_is_live"), warned=True)
        written = await shadow.is_written(drill.connection, drill.who, kind.value, drill.mark)
        return Found(written, said("stop_is_written" if written else "stop_is_not_written"), warned=written)
    target = _target(kind, subject.numbers)
    function, name = ("stop_campaign", target.id) if kind is TargetKind.CAMPAIGN else ("stop_target", str(target))
    arguments = (drill.house.id, drill.principal, name, drill.mark)
    seen = await shadow.seen_after(drill.connection, drill.who, function, arguments, drill.request())
    _refuse_stale(seen)
    wanted = "scene_is_stopped" if kind is TargetKind.SCENE else "campaign_is_stopped"
    if seen.refusal == wanted:
        return Found(True, said("stop_works", target=target, campaign=subject.campaign))
    return Found(False, said("stop_fails", target=target, campaign=subject.campaign, refusal=seen.refusal or "-"))


def _refuse_stale(seen: shadow.Seen) -> None:
    if seen.refusal == "stale":
        raise shadow.NotNow("another revision went live meanwhile")


def _target(kind: TargetKind, numbers: Numbers) -> Target:
    if kind is TargetKind.CAMPAIGN:
        return Target(kind, numbers.campaign)
    if kind is TargetKind.LABEL:
        return Target(kind, numbers.label)
    if kind is TargetKind.FUNDER:
        return Target(kind, next(one.funder for one in numbers.funders if one.basis_points > 0))
    return Target(kind, scene_of(numbers)) if kind is TargetKind.SCENE else Target(kind)


# -- the breaker ---------------------------------------------------------------------------------------


def _collar(drill: Drill) -> Found:
    """The collar that payments run through, with the numbers that they run with, sees a discount above the brief."""
    if Guard.COLLAR in drill.house.guards_left_out:
        return Found(True, said("collar_is_left_out"), warned=True)
    trip, kept = _doctored(drill)
    if kept or trip is None or not trip.opens_breaker:
        return Found(False, said("collar_fails", found=trip.check.value if trip else "-"))
    if drill.subject is None:
        return Found(trip.check is CollarCheck.CAMPAIGN_IS_UNKNOWN, said("collar_works", found=trip.check.value))
    key = "collar_works" if trip.check in _ABOVE else "collar_trips_on_all"
    return Found(trip.check in _ABOVE, said(key, found=trip.check.value))


async def _trip(drill: Drill) -> Found:
    """The trip goes to the store as a real one does; then nothing of the revision may be reserved."""
    subject = drill.subject
    if subject is None:
        return Found(True, said("nothing_is_live"), warned=True)
    trip, _ = _doctored(drill)
    evidence = {"drill": drill.mark} | (evidence_of(trip) if trip is not None else {})
    arguments = (
        *(drill.house.id, Guard.COLLAR.value, subject.campaign, subject.revision, drill.mark),
        *(evidence, TRIPS_KEPT_MAX),
    )
    seen = await shadow.seen_after(drill.connection, drill.who, "trip", arguments, drill.request())
    _refuse_stale(seen)
    if seen.told is True and seen.refusal == "campaign_is_stopped":
        return Found(True, said("trip_works", campaign=subject.campaign))
    return Found(False, said("trip_fails", campaign=subject.campaign, refusal=seen.refusal or "-"))


def _doctored(drill: Drill) -> tuple[Trip | None, int]:
    """What the collar says of a discount of one minor unit more than the brief allows, and how many it keeps."""
    subject, mark = drill.subject, drill.mark
    if subject is None:
        numbers: Mapping[str, Numbers] = {}
        fields, amount, currency = {"scene": mark}, 1, mark
        grant = Grant(mark, mark, mark, mark, 1)
        now = drill.known.store_clock()
    else:
        known = subject.numbers
        numbers = drill.known.guarded.numbers[known.policy.currency]
        fields, amount, currency = {"scene": scene_of(known)}, known.policy.amount_max, known.policy.currency
        grant = Grant(subject.campaign, subject.revision, known.label, mark, known.discount_max + 1)
        now = known.window.opens
    payment = Payment(mark, now, f"{mark}-payee", amount, currency, f"{mark}-payer", None, (), (), fields)
    verdict = check(payment, (grant,), Moment(now, 0, SECOND, steady=False), numbers, CollarState())
    return (verdict.dropped[0] if verdict.dropped else None), len(verdict.kept)


# -- the lease, what is left behind, the page ----------------------------------------------------------


async def _lease(drill: Drill) -> Found:
    """A process whose lease is over grants nothing: neither by its own watch, nor by the store's clock."""
    if LiveSet(leased_until=time.monotonic()).is_leased:
        return Found(False, said("lease_fails_here"))
    over = drill.known.store_clock().datetime() - timedelta(seconds=1)
    if await shadow.is_refused_without_lease(drill.connection, drill.who, drill.request(), over):
        return Found(True, said("lease_works"))
    return Found(False, said("lease_fails"))


async def _left_behind(drill: Drill) -> Found:
    """All of it was undone. A transaction is undone whole, so looking for its mark is enough, whatever others do."""
    left = await shadow.leavings(drill.platform.store.pool, drill.house.id, drill.mark, drill.requests)
    return Found(not left, said("left_something", tables=", ".join(left)) if left else said("left_nothing"))


async def _page(drill: Drill) -> Found:
    """Whoever is on call is told, and it is said that this is a drill."""
    url = drill.platform.settings.page_url
    if url is None:
        return Found(True, said("page_is_not_configured"), warned=True)
    about = Page("drill", drill.mark, drill.house.name, "drill", drill.platform.clock(), said("page"), {}, drill=True)
    why = await send(url, about)
    return Found(why is None, said("page_works") if why is None else said("page_fails", why=why))

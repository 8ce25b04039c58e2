"""The guards: what is stopped, what can be stopped, what guards saw, what drills found."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from makegood.clock import Instant
from makegood.domain.review import Scope
from makegood.domain.target import Target, TargetKind, parse_target
from makegood.services.control import known_targets
from makegood.services.guards_view import Drill, Stop, Tripped, list_drills, list_stops, list_trips, zone_of
from makegood.web.console.actions import scope_refused
from makegood.web.console.pages import Page, Visit
from makegood.web.console.speech import Speech
from makegood.web.console.twins import plain
from makegood.web.console.words import target_words
from makegood.web.state import platform_of


@dataclass(frozen=True, slots=True)
class StopRow:
    """One stop in force. `href` is where it is resumed; `is_asked` while a request can be confirmed."""

    stop: Stop
    words: str
    href: str
    is_asked: bool


@dataclass(frozen=True, slots=True)
class TripRow:
    """One trip in words, with its evidence as text."""

    trip: Tripped
    words: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that can be stopped from here."""

    words: str
    href: str
    is_stopped: bool


async def guards_page(visit: Visit) -> Page:
    """Stops in force, what else can be stopped, trips, drills."""
    platform, caller = platform_of(visit.request), visit.caller
    stops = await list_stops(platform, caller)
    trips = await list_trips(platform, caller)
    drills = await list_drills(platform, caller)
    targets = await known_targets(platform, caller)
    read_at = platform.clock()
    values = {
        "stops": [_stop_row(stop, visit.speech, read_at) for stop in stops],
        "choices": _choices(targets, stops, visit.speech),
        "stop_refused": scope_refused(Scope.OPERATE, caller, visit.speech),
        "trips": [_trip_row(trip, visit.speech) for trip in trips],
        "drills": drills,
        "timezone": await zone_of(platform, caller),
        "read_at": read_at,
    }
    return Page("guards.html", values, _twin(stops, trips, drills, targets, read_at), fragment="guards_live.html")


def stop_href(target: Target) -> str:
    """Where a target is stopped."""
    return f"/console/guards/{target}/stop"


def resume_href(target: Target) -> str:
    """Where a target is resumed."""
    if target.kind is TargetKind.CAMPAIGN:
        return f"/console/campaigns/{target.id}/resume"
    return f"/console/guards/{target}/resume"


def is_asked(stop: Stop, now: Instant) -> bool:
    """Whether a resume was asked for and can still be confirmed."""
    return stop.resume_confirm_by is not None and now < stop.resume_confirm_by


def _stop_row(stop: Stop, speech: Speech, now: Instant) -> StopRow:
    target = parse_target(stop.target)
    return StopRow(stop, target_words(speech, target), resume_href(target), is_asked(stop, now))


def _choices(targets: Sequence[Target], stops: Sequence[Stop], speech: Speech) -> list[Choice]:
    stopped = {stop.target for stop in stops}
    return [Choice(target_words(speech, one), stop_href(one), str(one) in stopped) for one in targets]


def _trip_row(trip: Tripped, speech: Speech) -> TripRow:
    words = trip.evidence.get("words")
    said = speech.pick(words) if isinstance(words, dict) else trip.what
    numbers = {name: value for name, value in trip.evidence.items() if name != "words"}
    return TripRow(trip, said, json.dumps(numbers, indent=2, ensure_ascii=False))


def _twin(
    stops: Sequence[Stop],
    trips: Sequence[Tripped],
    drills: Sequence[Drill],
    targets: Sequence[Target],
    read_at: Instant,
) -> dict[str, object]:
    return {
        "read_at": read_at.text(),
        "stops": plain(stops),
        "targets": [str(target) for target in targets],
        "trips": plain(trips),
        "drills": plain(drills),
    }

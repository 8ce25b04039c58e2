"""What happened to a campaign, for the time axis of its chart: stops, trips, resumes, stages, revisions."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from makegood.clock import Instant

_STOPS, _ENDS = ("campaign.stop", "stop"), ("campaign.resume", "resume")
TRIP, OPENED, LIVE = "breaker.trip", "campaign.open_stage", "campaign.live"
ACTIONS = (*_STOPS, *_ENDS, TRIP, OPENED, LIVE)


@dataclass(frozen=True, slots=True)
class Mark:
    """One audit row. `action` is its name there; `subject` the campaign's id, or the wider target that was stopped.

    `opened`: a trip that opened the breaker; others are kept as evidence. `amount_minor`: up to where a stage opened.
    `words` say what a guard saw, or why a stage opened; `reason` is what a person wrote.
    """

    at: Instant
    action: str
    subject: str
    principal: str
    opened: bool
    amount_minor: int | None
    reason: str | None
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Interval:
    """A time in which nothing was granted, because something was stopped. It lasts where `until` is None."""

    since: Instant
    until: Instant | None


def marks_of(rows: Iterable[Mapping[str, Any]]) -> list[Mark]:
    """Marks of audit rows, oldest first."""
    return sorted((_mark(row, json.loads(row["detail"])) for row in rows), key=lambda one: one.at)


def _mark(row: Mapping[str, Any], detail: Mapping[str, Any]) -> Mark:
    words = (detail.get("evidence") or {}).get("words")
    return Mark(
        at=Instant.parse(row["at"]),
        action=row["action"],
        subject=row["subject"],
        principal=row["principal"],
        opened=bool(detail.get("opened", False)),
        amount_minor=detail.get("open"),
        reason=detail.get("reason"),
        words=words if isinstance(words, dict) else {},
    )


def stopped_times(marks: Sequence[Mark], in_force: Collection[str], since: Instant) -> list[Interval]:
    """When a campaign was stopped after `since`, oldest first, none touching another.

    `marks` are of the campaign and of wider targets, oldest first; `in_force` are those that hold now. A stop of a
    scene is none: the campaign goes on in others.
    """
    subjects = dict.fromkeys([one.subject for one in marks] + sorted(in_force))
    found: list[Interval] = []
    for subject in subjects:
        if not subject.startswith("scene:"):
            found += _times([one for one in marks if one.subject == subject], subject in in_force, since)
    return _merged([one for one in found if one.until is None or one.until > since])


def _times(marks: Sequence[Mark], lasts: bool, since: Instant) -> list[Interval]:
    """The times of one target. Where its first mark ends a stop, that was there before."""
    found: list[Interval] = []
    begun: Instant | None = None
    first = True
    for mark in marks:
        if mark.action in _STOPS or (mark.action == TRIP and mark.opened):
            begun, first = begun or mark.at, False
        elif mark.action in _ENDS or (mark.action == LIVE and begun is not None):
            if begun is not None or first:
                found.append(Interval(max(begun or since, since), mark.at))
            begun, first = None, False
    return [*found, Interval(max(begun or since, since), None)] if lasts else found


def _merged(times: Sequence[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for one in sorted(times, key=lambda one: one.since):
        last = merged[-1] if merged else None
        if last is None or (last.until is not None and one.since > last.until):
            merged.append(one)
        elif last.until is not None and (one.until is None or one.until > last.until):
            merged[-1] = Interval(last.since, one.until)
    return merged

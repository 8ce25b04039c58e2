"""What guards and people stopped, what guards saw, and what drills found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from makegood.clock import Instant
from makegood.domain.review import Scope
from makegood.services.access import Caller, require
from makegood.services.live import live_set
from makegood.services.platform import Platform
from makegood.store import guards

LISTED_MAX = 100  # Nobody reads more at once; the audit trail has all of them.


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop in force. `campaigns` are the live ones that it covers; a scene's covers none, and all in that scene.

    A resume that was asked for stands until `resume_confirm_by`. `needs_new_revision`: it cannot be resumed.
    """

    target: str
    stopped_by: str
    reason: str
    since: Instant
    campaigns: tuple[str, ...]
    resume_requested_by: str | None
    resume_confirm_by: Instant | None
    tripped_by: str | None
    needs_new_revision: bool


@dataclass(frozen=True, slots=True)
class Tripped:
    """What a guard saw. `opened`: it opened the breaker of the campaign; otherwise it was kept as evidence."""

    number: int
    at: Instant
    guard: str
    what: str
    campaign: str
    revision: str
    opened: bool
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Drill:
    """One drill, with what each of its steps found."""

    number: int
    at: Instant
    principal: str
    passed: bool
    steps: tuple[Mapping[str, Any], ...]


async def list_stops(platform: Platform, caller: Caller) -> list[Stop]:
    """Every stop in force, newest first."""
    require(caller, Scope.READ)
    return [
        Stop(
            target=row["target"],
            stopped_by=row["principal"],
            reason=row["reason"],
            since=Instant.of(row["at"]),
            campaigns=tuple(row["campaigns"]),
            resume_requested_by=row["resume_by"],
            resume_confirm_by=None if row["resume_until"] is None else Instant.of(row["resume_until"]),
            tripped_by=row["tripped_by"],
            needs_new_revision=row["needs_new_revision"],
        )
        for row in await guards.stops(platform.store.pool, caller.house.id)
    ]


async def list_trips(platform: Platform, caller: Caller, campaign: str | None = None) -> list[Tripped]:
    """The newest trips of a house, or of one campaign, newest first."""
    require(caller, Scope.READ)
    found = await guards.trips(platform.store.pool, caller.house.id, campaign, LISTED_MAX)
    names = ("guard", "what", "revision", "opened", "evidence")
    return [
        Tripped(
            number=row["trip_id"],
            at=Instant.of(row["at"]),
            campaign=row["campaign_id"],
            **{name: row[name] for name in names},
        )
        for row in found
    ]


async def zone_of(platform: Platform, caller: Caller) -> str:
    """The zone of the house's policies where they agree."""
    known = await live_set(platform, caller.house)
    zones = {snapshot.policy.timezone for snapshot in known.snapshots.values()}
    return zones.pop() if len(zones) == 1 else "UTC"


async def list_drills(platform: Platform, caller: Caller) -> list[Drill]:
    """The newest drills, newest first."""
    require(caller, Scope.READ)
    found = await guards.drills(platform.store.pool, caller.house.id, LISTED_MAX)
    return [
        Drill(row["drill_id"], Instant.of(row["at"]), row["principal"], row["passed"], tuple(row["steps"]))
        for row in found
    ]

"""The live chart of a campaign: what it granted lately beside what its brief expects, and how near each guard is.

Everything is by the store's clock, in a test house, too: the chart is of what happens now. Its figures are for the eye,
a moment old; the ledger has the exact ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

from makegood.clock import Instant
from makegood.domain.campaign import Campaign
from makegood.domain.review import Guard, Scope
from makegood.engine.snapshot import Snapshot
from makegood.errors import Problem, ProblemCode
from makegood.guard.detector import Detector
from makegood.guard.detector_state import join
from makegood.guard.detector_wire import VERSION
from makegood.guard.numbers import Numbers
from makegood.guard.stage_words import decision_words
from makegood.services.access import Caller, House, require
from makegood.services.chart_marks import ACTIONS, Interval, Mark, marks_of, stopped_times
from makegood.services.guarded import Guarded
from makegood.services.lately import MINUTES_SHOWN, Lately, Point, instant_of
from makegood.services.live import LiveSet, live_set
from makegood.services.platform import Platform
from makegood.services.watching import MERGED_PORTION, guarded_of
from makegood.store import lately as rows

MARKS_MAX = 100  # Of half an hour, the newest; the audit trail has all of them.
CHARTS_KEPT = 64  # Campaigns whose last half hour a process keeps, of each house: as many as people look at.


@dataclass(frozen=True, slots=True)
class Evidence:
    """A cell of the detector: the part of the way to an alarm, from 0; an alarm is at 1. As logarithms.

    `own` is what this process saw, `merged` what all processes know together. None where nothing was granted in it.
    """

    cell: str
    own: float | None
    merged: float | None


@dataclass(frozen=True, slots=True)
class Stage:
    """The stage that is open: of `budget_minor` so much opened, and so much of it can still be granted.

    `decision` is the newest look at it by this process, with the numbers, and `words` say it; none while it is stopped,
    where everything is open, and until the process has looked.
    """

    opened_minor: int
    left_minor: int
    budget_minor: int
    decision: Mapping[str, Any] | None
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LiveChart:
    """A campaign in the last half hour. Money is minor units of `currency`; a grant counts when it is answered.

    `known_since`: what was before is still being read. `points`, one each ten seconds: what was granted in the minute
    before. `limit_minor` is the most that the brief expects a minute, `breaker_minor` above what the collar opens the
    breaker of one process; None where the brief cannot be read. `detector` is empty where nothing was granted.
    """

    campaign: str
    revision: str
    title: Mapping[str, str]
    currency: str
    timezone: str
    as_of: Instant
    minutes: int
    known_since: Instant
    limit_minor: int | None
    breaker_minor: int | None
    granted_minor: int
    grants: int
    paid_minor: int
    busiest_minor: int
    busiest_until: Instant | None
    points: tuple[Point, ...]
    stopped: tuple[Interval, ...]
    marks: tuple[Mark, ...]
    stage: Stage
    is_watched: bool
    detector: tuple[Evidence, ...]


async def live_chart(platform: Platform, caller: Caller, campaign_id: str) -> LiveChart:
    """The chart of a campaign that is in the live set. Raises Problem(NOT_FOUND) and, before that, STATE_FORBIDS."""
    require(caller, Scope.READ)
    house = caller.house
    known = await live_set(platform, house)
    snapshot, campaign, numbers = _found(known, campaign_id)
    standing = await _standing(platform, house, campaign_id, _wider(campaign, numbers))
    guarded, now = guarded_of(platform, house, known), known.store_clock()
    lately = _lately(guarded, campaign_id)
    await lately.look(rows.CampaignBooks(platform.store.pool, house.id, campaign_id), now)
    since = instant_of(lately.upto).plus(-60 * MINUTES_SHOWN)
    marks = marks_of(standing.marks)
    in_force = standing.stops | ({campaign_id} if standing.row["stopped"] else set())
    points, total = lately.points(), lately.total()
    busiest = max(points, key=lambda one: one.granted_minor, default=None)
    return LiveChart(
        campaign=campaign_id,
        revision=standing.row["live"],
        title=dict(campaign.title) if campaign is not None else {},
        currency=standing.row["currency"],
        timezone=snapshot.policy.timezone if snapshot is not None else "UTC",
        as_of=now,
        minutes=MINUTES_SHOWN,
        known_since=max(instant_of(lately.since), since),
        limit_minor=numbers.expect.spend_per_minute if numbers is not None else None,
        breaker_minor=numbers.spend_max if numbers is not None else None,
        granted_minor=total.granted,
        grants=total.grants,
        paid_minor=total.paid,
        busiest_minor=busiest.granted_minor if busiest is not None else 0,
        busiest_until=busiest.until if busiest is not None and busiest.granted_minor else None,
        points=tuple(points),
        stopped=tuple(stopped_times(marks, in_force, since)),
        marks=tuple(one for one in marks if one.at >= since),
        stage=_stage(guarded, standing.row, campaign_id),
        is_watched=guarded.detector is not None and campaign_id in guarded.detector.campaigns,
        detector=_evidence(house, guarded, known, campaign_id, standing.cells),
    )


async def _standing(platform: Platform, house: House, name: str, wider: Sequence[str]) -> rows.Standing:
    found = await rows.standing(platform.store.pool, house.id, name, wider, ACTIONS, MARKS_MAX)
    if found is None:
        raise Problem(ProblemCode.NOT_FOUND, f"there is no campaign `{name[:80]}`")
    if found.row["live"] is None:
        raise Problem(ProblemCode.STATE_FORBIDS, f"`{name[:80]}` never was in the live set: it has no chart")
    return found


def _found(known: LiveSet, name: str) -> tuple[Snapshot | None, Campaign | None, Numbers | None]:
    """What this process knows of a campaign; nothing of what policy and brief do not read."""
    for currency, snapshot in known.snapshots.items():
        if name in snapshot.campaigns:
            return snapshot, snapshot.campaigns[name], known.guarded.numbers[currency].get(name)
    return None, None, None


def _wider(campaign: Campaign | None, numbers: Numbers | None) -> list[str]:
    """The targets whose stop the campaign feels."""
    if campaign is None:
        return ["everything"]
    funders = sorted(one.funder for one in campaign.funding)
    scenes = sorted(numbers.scenes) if numbers is not None else []
    return [
        "everything",
        f"label:{campaign.label}",
        *(f"funder:{one}" for one in funders),
        *(f"scene:{one}" for one in scenes),
    ]


def _lately(guarded: Guarded, name: str) -> Lately:
    """What is known of it; whoever nobody looked at for longest makes room."""
    found = guarded.lately.pop(name, None) or Lately()
    guarded.lately[name] = found
    while len(guarded.lately) > CHARTS_KEPT:
        del guarded.lately[next(iter(guarded.lately))]
    return found


def _stage(guarded: Guarded, row: Mapping[str, Any], name: str) -> Stage:
    decision = None if row["stopped"] else guarded.decisions.get(name)
    if decision is not None and decision.opened_minor != row["stage_open"]:
        decision = None  # The look was at the stage before.
    return Stage(
        opened_minor=row["stage_open"],
        left_minor=row["left_open"],
        budget_minor=row["budget"],
        decision=decision.plain() if decision is not None else None,
        words=decision_words(decision, row["currency"]) if decision is not None else {},
    )


def _evidence(
    house: House, guarded: Guarded, known: LiveSet, name: str, cells: Mapping[str, Any]
) -> tuple[Evidence, ...]:
    """What each detector says of a campaign, cell by cell."""
    if Guard.DETECTOR in house.guards_left_out:
        return ()
    watches = [one for one in known.guarded.watches if one.campaign == name]
    merged = Detector(watches, known.guarded.payments_a_year, portion=MERGED_PORTION)
    join(merged, {"version": VERSION, "campaigns": {name: cells} if cells else {}})
    own, both = _shares(guarded.detector, name), _shares(merged, name)
    return tuple(Evidence(cell, own.get(cell), both.get(cell)) for cell in sorted({*own, *both}))


def _shares(detector: Detector | None, name: str) -> dict[str, float]:
    """The part of the way to an alarm of each cell, not below 0."""
    if detector is None or name not in detector.campaigns or detector.payments_a_year <= 1:
        return {}
    alarm = log(detector.payments_a_year)
    return {cell: max(evidence, 0.0) / alarm for cell, evidence in detector.evidence(name).items()}

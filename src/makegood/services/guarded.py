"""The guards of a house in this process: the collar in each payment call, the detector after it.

What a guard finds stops the revision here at once, then in the store for every process (`tell_trips`). Nothing waits
for the telling: until it is told, each process finds it by itself.
"""

import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from makegood.clock import stopwatch
from makegood.domain.payment import Payment
from makegood.domain.quote import Grant, Priced, Refusal
from makegood.domain.review import Guard
from makegood.guard.cells import Observed
from makegood.guard.checks import CollarCheck, Trip
from makegood.guard.collar import check
from makegood.guard.collar_state import CollarState, Moment
from makegood.guard.collar_words import words
from makegood.guard.detector import Detector
from makegood.guard.detector_alarm import Alarm
from makegood.guard.health_watch import StageWatch
from makegood.guard.line import Line
from makegood.guard.numbers import Numbers
from makegood.guard.stage_decision import StageDecision
from makegood.limits import TRIPS_WAITING_MAX
from makegood.services.access import House
from makegood.services.lately import Lately
from makegood.telemetry import ALARMS, COLLAR_DROPS, TRIPS

_SECOND = 1_000_000_000
_REFUSALS = {CollarCheck.STAGE_IS_NOT_OPEN: Refusal.STAGE_IS_EXHAUSTED}  # What the store would say, sooner.


@dataclass(frozen=True, slots=True)
class Tripped:
    """One trip on its way to the store. `evidence` is plain values."""

    guard: Guard
    campaign: str
    revision: str
    what: str
    evidence: Mapping[str, Any]


Seen = tuple[str, Sequence[Observed], str]
"""What a detector watches of one payment: its scene, what it was granted, its id. Plain, for every payment has one."""


@dataclass(slots=True)
class Guarded:
    """What one process remembers for the guards of one house.

    `opened` are revisions whose breakers it opened: nothing more of them is granted here. `told` is what its detector
    saw and the store does not know yet; `counted` so many of its payments are in the metrics. `decisions` are the
    newest looks at stages, `lately` is what charts show that people look at. `unsure` is the trip that the store was
    told without an answer.
    """

    house: House
    collars: dict[str, CollarState] = field(default_factory=dict)
    detector: Detector | None = None
    version: int = -1
    revisions: Mapping[str, str] = field(default_factory=dict)
    stopped: frozenset[str] = frozenset()
    opened: set[str] = field(default_factory=set)
    trips: deque[Tripped] = field(default_factory=deque)
    told: list[dict[str, Any]] = field(default_factory=list)
    line: Line[Seen] = field(default_factory=Line)
    batches: Line[Seen] = field(default_factory=Line)
    stages: dict[str, StageWatch] = field(default_factory=dict)
    decisions: dict[str, StageDecision] = field(default_factory=dict)
    lately: dict[str, Lately] = field(default_factory=dict)
    counted: int = 0
    telling: bool = False
    unsure: Tripped | None = None

    def collar(self, currency: str) -> CollarState:
        """What the collar remembers for payments in a currency."""
        state = self.collars.get(currency)
        if state is None:
            state = self.collars[currency] = CollarState()
        return state

    def trip(self, tripped: Tripped) -> None:
        """Nothing more of the revision is granted here; the store is told soon.

        Of many that wait, only the first of a revision is kept: none of another makes room for it.
        """
        TRIPS.labels(tripped.guard.value).inc()
        if tripped.revision not in self.opened or len(self.trips) < TRIPS_WAITING_MAX:
            self.trips.append(tripped)
        self.opened.add(tripped.revision)


def moment_of(house: House, now: Any, leased_until: float) -> Moment:
    """The moment of a decision. A test house goes by its payments' clock, which stands for the stopwatch, too."""
    left = int((leased_until - time.monotonic()) * _SECOND)
    return Moment(now, stopwatch(), left) if house.live else Moment(now, int(now), left, steady=False)


def collared(
    guarded: Guarded,
    house: House,
    payment: Payment,
    priced: Priced,
    moment: Moment,
    numbers: Mapping[str, Numbers],
    *,
    is_preview: bool = False,
) -> dict[str, Refusal]:
    """Campaigns whose discounts are dropped, and why; none nearly always. What cannot be at all opens a breaker.

    A preview grants nothing, so nothing of it trips, is counted or remembered.
    """
    opened = [grant.campaign for grant in priced.grants if grant.revision in guarded.opened]
    dropped = dict.fromkeys(opened, Refusal.CAMPAIGN_IS_STOPPED)
    if Guard.COLLAR in house.guards_left_out:
        return dropped
    state = guarded.collar(payment.currency)
    verdict = check(payment, priced.grants, moment, numbers, state)
    for trip in verdict.dropped:
        dropped.setdefault(trip.campaign, _REFUSALS.get(trip.check, Refusal.COLLAR_DROPPED_IT))
        if is_preview:
            continue
        COLLAR_DROPS.labels(trip.check.value).inc()
        if trip.opens_breaker:
            guarded.trip(Tripped(Guard.COLLAR, trip.campaign, trip.revision, trip.check.value, evidence_of(trip)))
    if dropped and not verdict.kept and not is_preview:
        state.note(payment, (), moment)
    return dropped


def noted(guarded: Guarded, house: House, payment: Payment, grants: Sequence[Grant], moment: Moment) -> None:
    """The grants are reserved: the collar remembers them."""
    if Guard.COLLAR not in house.guards_left_out:
        guarded.collar(payment.currency).note(payment, grants, moment)


def anew(
    guarded: Guarded, payment: Payment, supersedes: str | None, moment: Moment, grants: Sequence[Observed]
) -> Sequence[Observed]:
    """The grants that this payer did not have already, lately or by the superseded payment; all outside the brief.

    Who changes a cart ten times, or asks and gives back, is one customer: in a quiet hour the detector would take it
    for ten. Such a payment counts all the same, as one without a grant: there is only less evidence than there was. The
    collar has this payment already.
    """
    detector = guarded.detector
    if detector is None:
        return grants
    state, scene = guarded.collar(payment.currency), payment.fields["scene"]
    age = state.watch.age(moment)
    before = {campaign for campaign, _, _ in state.payments.get(supersedes or "", ())}
    if payment.payer_id is not None:
        payer = payment.payer_id
        before |= {one.campaign for one in grants if state.payers.seen((one.campaign, payer), age)[0] > 1}
    watched = detector.campaigns
    return [
        one
        for one in grants
        if one.campaign not in before
        or one.campaign not in watched
        or not watched[one.campaign].watch.agreed(scene, one)
    ]


def observed(guarded: Guarded, seen: Seen) -> None:
    """One payment was answered. What the detector has enough of opens a breaker."""
    detector = guarded.detector
    if detector is None:
        return
    scene, grants, payment_id = seen
    for alarm in detector.observe(scene, grants, payment_id):
        alarmed(guarded, alarm)


def alarmed(guarded: Guarded, alarm: Alarm) -> None:
    """An alarm opens the breaker of the revision that is live here."""
    ALARMS.labels(alarm.measure.value, "merged" if alarm.grant is None else "own").inc()
    revision = guarded.revisions.get(alarm.campaign)
    if revision is not None:
        evidence = {**asdict(alarm), "words": dict(alarm.words)}
        if alarm.grant is not None:
            evidence["grant"] = {**asdict(alarm.grant), "funders": sorted(alarm.grant.funders)}
        evidence["last"] = list(alarm.last)
        guarded.trip(Tripped(Guard.DETECTOR, alarm.campaign, revision, alarm.measure.value, evidence))


def evidence_of(trip: Trip) -> dict[str, Any]:
    """What a check saw, and what was allowed, as plain values with words in both languages."""
    about = trip.payment
    return {
        "check": trip.check.value,
        "seen": trip.seen,
        "allowed": trip.allowed,
        "payment": {**asdict(about), "at": about.at.text()},
        "words": dict(words(trip)),
    }

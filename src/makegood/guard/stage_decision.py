"""Whether the next stage opens now: one look at the evidence, one value that says so and why."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from makegood.clock import SECOND
from makegood.guard.health import LOG_NEEDED, claim_of, counted_payers, log_e, payers_needed
from makegood.guard.health_watch import SETTLE_NANOS, StageWatch


class Because(StrEnum):
    """Why a stage opens or does not, in order of precedence; docs/concepts/stages.md explains each."""

    ALL_IS_OPEN = "all_is_open"
    COLLAR_TRIPPED = "collar_tripped"
    DETECTOR_ALARMED = "detector_alarmed"
    CAPTURES_ARE_NOT_JUDGED = "captures_are_not_judged"
    DETECTOR_IS_AWAY = "detector_is_away"
    DETECTOR_IS_NOT_QUIET = "detector_is_not_quiet"
    MOST_ARE_NOT_PAID = "most_are_not_paid"
    EVIDENCE_IS_SETTLING = "evidence_is_settling"
    SLICE_IS_USED_UP = "slice_is_used_up"
    EVIDENCE_IS_SHORT = "evidence_is_short"
    PACE_IS_ABOVE_BRIEF = "pace_is_above_brief"
    A_PERSON_OPENS = "a_person_opens"
    EVIDENCE_IS_THERE = "evidence_is_there"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a stage is judged by, minor units. `next_minor` is the next slice, None where the whole budget is open.

    `slice_minor` is what the open stage added, `left_minor` what is free of all that is open, `largest` one largest
    discount, `spend_per_minute` the brief's maximum. `by_hand`: the campaign says that a person opens. `one_payee`:
    its condition is for a payee, so that payers of one payee are all there can be.
    """

    next_minor: int | None
    slice_minor: int
    left_minor: int
    largest: int
    spend_per_minute: int
    by_hand: bool = False
    one_payee: bool = False


@dataclass(frozen=True, slots=True)
class Loudness:
    """What a detector says of a campaign: its largest statistic and the threshold of its alarm, as logarithms.

    `quiet`: nothing of it warns. A warning comes long before an alarm, and stops nothing but the next stage.
    """

    statistic: float
    threshold: float
    quiet: bool

    def __post_init__(self) -> None:
        """Raises ValueError where the numbers make no sense. A statistic may be infinite, either way."""
        if math.isnan(self.statistic) or not 0 < self.threshold < math.inf:
            raise ValueError("is not a statistic and a finite threshold above 0")

    @property
    def share(self) -> float:
        """The part of the way to the alarm: 1 and above is one."""
        return self.statistic / self.threshold


@dataclass(frozen=True, slots=True)
class StageDecision:
    """`open_next` and why, with the numbers it was taken by. Minor units; logarithms to base e."""

    open_next: bool
    because: Because
    opened_minor: int
    next_minor: int | None
    payers: int
    payers_settled: int
    payers_bad: int
    payers_needed: int
    one_in: int
    log_e: float
    log_needed: float
    loudness: float | None
    spent_minor: int
    pace_minor: int
    trips: int
    alarms: int

    def plain(self) -> dict[str, object]:
        """As plain values, for the event and the audit row. What is infinite is left out."""
        numbers = asdict(self) | {"because": self.because.value}
        return {key: value for key, value in numbers.items() if not isinstance(value, float) or math.isfinite(value)}


def loudest(said: Iterable[Loudness]) -> Loudness | None:
    """The one nearest to its alarm, of all cells and nodes, quiet if all are; None where nobody said anything."""
    heard = list(said)
    nearest = max(heard, key=lambda one: one.share, default=None)
    return None if nearest is None else replace(nearest, quiet=all(one.quiet for one in heard))


def decide_stage(watch: StageWatch, terms: Terms, detector: Loudness | None) -> StageDecision:
    """Whether the stage after the one that is watched opens now. What is not known never opens one."""
    seen = watch.evidence
    of_one = 0 if terms.one_payee else seen.payers_of_one_payee
    payers = counted_payers(seen.payers, of_one)
    settled = counted_payers(watch.settled_payers, of_one)
    one_in = claim_of(terms.slice_minor, terms.largest)
    because = _because(watch, terms, detector, log_e(payers, seen.payers_bad, one_in), settled, one_in)
    return StageDecision(
        because is Because.EVIDENCE_IS_THERE, because, watch.opened_minor, terms.next_minor, payers, settled,
        seen.payers_bad, payers_needed(seen.payers_bad, one_in), one_in, log_e(settled, seen.payers_bad, one_in),
        LOG_NEEDED, None if detector is None else detector.share, seen.spent_minor, pace_of(watch, terms),
        seen.trips, seen.alarms,
    )  # fmt: skip


def pace_of(watch: StageWatch, terms: Terms) -> int:
    """What the brief's largest spend per minute allows for the time watched, minor units.

    And for one time of settling more: a burst, and what was spent before the first look, is no fast campaign.
    """
    return terms.spend_per_minute * (watch.watched + SETTLE_NANOS) // (60 * SECOND)


def _because(
    watch: StageWatch, terms: Terms, detector: Loudness | None, log_all: float, settled: int, one_in: int
) -> Because:
    if terms.next_minor is None or terms.next_minor <= watch.opened_minor:
        return Because.ALL_IS_OPEN
    return _obstacle(watch, detector) or _shortage(watch, terms, log_all, settled, one_in)


def _obstacle(watch: StageWatch, detector: Loudness | None) -> Because | None:
    """What stands against opening, whatever the payers say."""
    seen = watch.evidence
    if seen.trips:
        return Because.COLLAR_TRIPPED
    if seen.alarms or (detector is not None and detector.share >= 1):
        return Because.DETECTOR_ALARMED
    if seen.judged < seen.captured:
        return Because.CAPTURES_ARE_NOT_JUDGED
    if detector is None:
        return Because.DETECTOR_IS_AWAY
    if not detector.quiet:
        return Because.DETECTOR_IS_NOT_QUIET
    if seen.released + seen.expired > seen.captured:
        return Because.MOST_ARE_NOT_PAID
    return None


def _shortage(watch: StageWatch, terms: Terms, log_all: float, settled: int, one_in: int) -> Because:
    """What is missing, or that nothing is."""
    if log_e(settled, watch.evidence.payers_bad, one_in) < LOG_NEEDED:
        if log_all >= LOG_NEEDED:
            return Because.EVIDENCE_IS_SETTLING
        return Because.SLICE_IS_USED_UP if terms.left_minor < terms.largest else Because.EVIDENCE_IS_SHORT
    if watch.evidence.spent_minor > pace_of(watch, terms):
        return Because.PACE_IS_ABOVE_BRIEF
    return Because.A_PERSON_OPENS if terms.by_hand else Because.EVIDENCE_IS_THERE

"""What a node remembers of a stage between two looks, so that payers count only once they had time to complain."""

from dataclasses import dataclass, replace

from makegood.clock import SECOND
from makegood.guard.health import Evidence

# A payer counts this long after the capture was first seen. Long against what finds a mistake by machine (a round of
# the keeper, a lease, the detector's next look), short against ten minutes for all stages together.
SETTLE_NANOS = 30 * SECOND
STEP_NANOS_MAX = 5 * SECOND  # One look credits no more: a suspended node or a clock that jumped has not watched.
SAMPLE_NANOS = SECOND // 2  # Looks closer together are one sample; the payers of the later one settle later.


@dataclass(frozen=True, slots=True)
class Sample:
    """So many payers were there when the stage had been watched for so long, nanoseconds."""

    at: int
    payers: int


@dataclass(frozen=True, slots=True)
class StageWatch:
    """One stage of one revision, watched. `seen_at` is a monotonic count; `watched` is time that was really watched."""

    revision: str
    opened_minor: int
    seen_at: int
    watched: int
    evidence: Evidence
    samples: tuple[Sample, ...]

    @property
    def settled_payers(self) -> int:
        """Payers that were there `SETTLE_NANOS` ago, and still are."""
        settled = (one.payers for one in self.samples if one.at <= self.watched - SETTLE_NANOS)
        return min(max(settled, default=0), self.evidence.payers)


def look(before: StageWatch | None, revision: str, opened_minor: int, evidence: Evidence, now: int) -> StageWatch:
    """The watch after a look at `now`, monotonic nanoseconds. Another stage or revision begins anew.

    A clock that runs backwards, or jumps, never makes payers settle sooner. Trips and alarms of a revision stay, also
    where a later look no longer shows them.
    """
    evidence = _with_memory(before, revision, evidence)
    if before is None or (before.revision, before.opened_minor) != (revision, opened_minor):
        return StageWatch(revision, opened_minor, now, 0, evidence, (Sample(0, evidence.payers),))
    watched = before.watched + min(max(now - before.seen_at, 0), STEP_NANOS_MAX)
    return StageWatch(
        revision, opened_minor, now, watched, evidence, _sampled(before.samples, watched, evidence.payers)
    )


def _with_memory(before: StageWatch | None, revision: str, evidence: Evidence) -> Evidence:
    if before is None or before.revision != revision:
        return evidence
    known = before.evidence
    return replace(evidence, trips=max(evidence.trips, known.trips), alarms=max(evidence.alarms, known.alarms))


def _sampled(samples: tuple[Sample, ...], watched: int, payers: int) -> tuple[Sample, ...]:
    """With this look; of those that have settled, the newest stands for all."""
    if not samples or watched - samples[-1].at >= SAMPLE_NANOS:
        samples = (*samples, Sample(watched, payers))
    settled = [one for one in samples if one.at <= watched - SETTLE_NANOS]
    return (*settled[-1:], *samples[len(settled) :])

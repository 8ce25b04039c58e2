"""What one run of a scenario came to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from makegood.replay.guards import Run
from makegood.replay.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Granted:
    """One wrong discount: seconds after the start, the payment's number from 1, minor units that are wrong of it."""

    seconds: float
    number: int
    minor: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run: its wrong grants, and the payments and seconds until a guard refused the wrong campaign: the first
    that did, or the one that ended it where smaller wrong discounts still fitted after a refusal by a stage.

    `refused` are the rows of the proof that kept the campaign from running, if one did: before any payment then.
    `payments` were sent; `granted_minor` is all that they were granted, right or wrong. `stop_answer` is what came back
    to whoever asked to stop the campaign, if the scenario has one: `stopped`, or the code of a problem.
    `stages_opened`: so many stages of the wrong campaign were open at the end; None where it never ran.
    """

    run: Run
    payments: int
    grants: tuple[Granted, ...]
    granted_minor: int = 0
    stopped_by: str | None = None
    payments_to_stop: int | None = None
    seconds_to_stop: float | None = None
    refused: tuple[Mapping[str, Any], ...] = ()
    stop_answer: str | None = None
    stages_opened: int | None = None

    @property
    def wrong_minor(self) -> int:
        """What was granted wrongly, minor units."""
        return sum(grant.minor for grant in self.grants)

    def row(self) -> dict[str, Any]:
        """The row that scripts read."""
        return {
            "name": self.run.name,
            "guards": list(self.run.guards),
            "payments": self.payments,
            "wrong_granted": len(self.grants),
            "wrong_minor": self.wrong_minor,
            "granted_minor": self.granted_minor,
            "stopped_by": self.stopped_by,
            "payments_to_stop": self.payments_to_stop,
            "seconds_to_stop": self.seconds_to_stop,
            "stopped_before_publish": bool(self.refused),
            "refused": [{name: row[name] for name in ("obligation", "verdict", "witness")} for row in self.refused],
            "stop_answer": self.stop_answer,
            "stages_opened": self.stages_opened,
        }


def beyond_bounds(scenario: Scenario, outcome: Outcome, *, as_published: bool = True) -> tuple[str, ...]:
    """What of an outcome the scenario did not expect; empty is as expected.

    `as_published`: at the scenario's own rate and share of payers. Only then must something happen with nothing left.
    """
    grants, minor = scenario.bound_of(outcome.run)
    faults = []
    if grants is not None and len(outcome.grants) > grants:
        faults.append(f"{len(outcome.grants)} wrong grants, at most {grants} expected")
    if minor is not None and outcome.wrong_minor > minor:
        faults.append(f"{outcome.wrong_minor} minor units granted wrongly, at most {minor} expected")
    if not outcome.run.guards and as_published and len(outcome.grants) < scenario.happens:
        faults.append(f"{len(outcome.grants)} wrong grants with nothing left, at least {scenario.happens} expected")
    expected = {bound.by for bound in scenario.bounds if bound.guard == "proof" and bound.by is not None}
    refused = {row["obligation"] for row in outcome.refused}
    if outcome.refused and not expected <= refused:
        faults.append(f"the proof does not refuse {', '.join(sorted(expected - refused))}")
    return tuple(faults)


def smallest_witness(outcomes: Sequence[Outcome], obligation: str | None) -> Mapping[str, Any] | None:
    """The smallest payment that the proof says is granted something wrong: that of `obligation`, else the first."""
    rows = [row for outcome in outcomes for row in outcome.refused if row["witness"]]
    named = [row for row in rows if row["obligation"] == obligation]
    found: Mapping[str, Any] | None = next((row["witness"] for row in (*named, *rows)), None)
    return found

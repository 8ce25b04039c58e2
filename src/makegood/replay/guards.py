"""The guards that a replay takes away, and the runs that follow from them."""

from collections.abc import Collection
from dataclasses import dataclass

from makegood.domain.review import Guard

LADDER = tuple(guard.value for guard in Guard)
"""Outermost first: a replay takes them away in this order."""

STOPPED_BY = {
    "collar_dropped_it": "collar",
    "lease_is_over": "lease",
    "stage_is_exhausted": "stage",
    "budget_is_exhausted": "budget",
    "campaign_is_stopped": "stop",
    "scene_is_stopped": "stop",
}
"""Who it is that a refusal of a wrong campaign names; any other refusal is no stop."""


@dataclass(frozen=True, slots=True)
class Run:
    """One way to run an incident: the guards that are there, outermost first."""

    name: str
    guards: tuple[str, ...]

    @property
    def guards_left_out(self) -> tuple[Guard, ...]:
        """What the house of this run is made without, so that the incident can happen."""
        return tuple(guard for guard in Guard if guard.value not in self.guards)


def run_without(left_out: Collection[str]) -> Run:
    """The run with every guard but these."""
    guards = tuple(guard for guard in LADDER if guard not in left_out)
    gone = [guard for guard in LADDER if guard in left_out]
    if not gone:
        return Run("all", guards)
    return Run("without_" + "_".join(gone) if guards else "unguarded", guards)


def ladder_runs() -> tuple[Run, ...]:
    """All guards; then one less each time, from the outside in, until nothing is left."""
    return tuple(run_without(LADDER[:count]) for count in range(len(LADDER) + 1))


def all_runs() -> tuple[Run, ...]:
    """The ladder; then each guard left out alone. No run twice."""
    alone = tuple(run_without((guard,)) for guard in LADDER)
    return tuple({run.guards: run for run in (*ladder_runs(), *alone)}.values())

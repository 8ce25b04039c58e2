"""The guards that a replay takes away, and the runs that follow from them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from makegood.domain.review import Guard

LADDER = ("proof", "collar", "detector", "stage")
"""Outermost first: the order in which a replay takes them away."""

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


def known_guards() -> tuple[str, ...]:
    """Every guard that a scenario may speak of, outermost first, whether it can be taken away today or not."""
    return (*LADDER, *sorted(guard.value for guard in Guard if guard.value not in LADDER))


def built_guards() -> tuple[str, ...]:
    """The guards that there are: those a house may be made without, and the stages, which documents leave out."""
    built = {guard.value for guard in Guard} | {"stage"}
    return tuple(guard for guard in known_guards() if guard in built)


def not_built() -> tuple[str, ...]:
    """Guards of the ladder that there are not yet: no run has them, and none says so."""
    return tuple(guard for guard in LADDER if guard not in built_guards())


def run_without(left_out: Collection[str], built: Iterable[str] | None = None) -> Run:
    """The run with every guard there is but these."""
    every = tuple(built) if built is not None else built_guards()
    guards = tuple(guard for guard in every if guard not in left_out)
    gone = [guard for guard in every if guard not in guards]
    if not gone:
        return Run("all", guards)
    return Run("without_" + "_".join(gone) if guards else "unguarded", guards)


def all_runs(built: Iterable[str] | None = None) -> tuple[Run, ...]:
    """All guards; then one less each time until nothing is left; then each one left out alone. No run twice."""
    every = tuple(built) if built is not None else built_guards()
    gone = [every[:count] for count in range(len(every) + 1)] + [(guard,) for guard in every]
    return tuple({run.guards: run for run in (run_without(left_out, every) for left_out in gone)}.values())

"""A scenario: what is known of an incident, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from makegood.clock import SECOND, Instant
from makegood.documents.source import Source
from makegood.domain.review import Guard
from makegood.money import BASIS_POINTS, parse_money, parse_rate

_FOLDER = files("makegood.replay").joinpath("scenarios")


@dataclass(frozen=True, slots=True)
class Run:
    """One way to run the incident: which guards are there, and the budget, minor units."""

    name: str
    guards: tuple[str, ...]
    budget: int
    budget_text: str

    @property
    def guards_left_out(self) -> tuple[Guard, ...]:
        """The guards that the house of this run must be made without, so that the incident can happen."""
        return tuple(guard for guard in Guard if guard not in self.guards)


@dataclass(frozen=True, slots=True)
class SceneMix:
    """How often a scene occurs, in basis points, and what a source amount is multiplied by."""

    scene: str
    share: int
    scale: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """An incident. `rate_low` and `rate_high` bound the arrival rate, payments a second."""

    id: str
    title: Mapping[str, str]
    opens: Instant
    closes: Instant
    timezone: str
    currency: str
    scale: int
    rate_low: float
    rate_high: float
    burst: float
    eligible: int
    minor_per_source_minor: float
    scenes: tuple[SceneMix, ...]
    campaign: str
    runs: tuple[Run, ...]
    not_built_yet: tuple[str, ...]

    @property
    def seconds(self) -> int:
        """How long it lasted."""
        return (self.closes - self.opens) // SECOND


def load_scenario(name: str) -> Scenario:
    """The scenario of that id, from the files of this package."""
    raw = yaml.safe_load(_FOLDER.joinpath(f"{name}.yaml").read_text(encoding="utf-8"))
    scenes = tuple(SceneMix(scene, parse_rate(mix["share"]), mix["scale"]) for scene, mix in raw["scenes"].items())
    assert sum(mix.share for mix in scenes) == BASIS_POINTS, "the shares of the scenes add up to 100 %"
    return Scenario(
        id=raw["id"],
        title=raw["title"],
        opens=Instant.parse(raw["window"]["from"]),
        closes=Instant.parse(raw["window"]["until"]),
        timezone=raw["timezone"],
        currency=raw["currency"],
        scale=raw["scale"],
        rate_low=raw["rate"]["low"],
        rate_high=raw["rate"]["high"],
        burst=raw["burst"],
        eligible=parse_rate(raw["eligible"]),
        minor_per_source_minor=raw["minor_per_source_minor"],
        scenes=scenes,
        campaign=raw["campaign"],
        runs=tuple(_run(run, spec) for run, spec in raw["runs"].items()),
        not_built_yet=tuple(raw["not_built_yet"]),
    )


def documents_of(scenario: Scenario, run: Run) -> list[Source]:
    """The policy, the brief and the campaign of one run."""
    folder = _FOLDER.joinpath(scenario.id)
    return [_source(folder, name, run) for name in ("policy.yaml", "brief.yaml", "campaign.yaml")]


def _source(folder: Traversable, name: str, run: Run) -> Source:
    return Source(name, folder.joinpath(name).read_bytes().replace(b'"BUDGET"', f'"{run.budget_text}"'.encode()))


def _run(name: str, spec: Mapping[str, Any]) -> Run:
    return Run(name, tuple(spec["guards"]), parse_money(spec["budget"]).minor, spec["budget"])

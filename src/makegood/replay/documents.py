"""The documents of a scenario's house, as files that the publishing API takes."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from makegood.documents.source import Source
from makegood.money import format_money, parse_money
from makegood.replay.scenario import House, Scenario

SCENARIOS = files("makegood.replay").joinpath("scenarios")


def documents_of(scenario: Scenario, *, right: bool = False) -> list[Source]:
    """Policy, brief and campaign: the wrong one, or with `right` the one that was meant.

    The mistaken file wants its whole budget open at once: what opens is the business of the guard `stage`.
    """
    return sources_of(scenario.house, {} if right else scenario.changes, scenario.timezone, staged=right)


def sources_of(house: House, changes: Mapping[str, Any], timezone: str, *, staged: bool) -> list[Source]:
    """The three files of a house whose campaign has these keys changed."""
    policy = {**_base(), **house.policy, "timezone": timezone}
    campaign = {"makegood": "campaign/1", **house.campaign, **changes}
    brief = {"makegood": "brief/1", "campaign": house.campaign["id"], **house.brief}
    campaign["stages"] = _stages(campaign, brief, policy) if staged else [campaign["limits"]["budget"]]
    written = {"policy.yaml": policy, "brief.yaml": brief, "campaign.yaml": campaign}
    return [Source(name, _file(content)) for name, content in written.items()]


def _stages(campaign: Mapping[str, Any], brief: Mapping[str, Any], policy: Mapping[str, Any]) -> list[str]:
    """The slices that brief and policy allow; the last is the budget."""
    budget, first = parse_money(campaign["limits"]["budget"]), parse_money(brief["stages"]["first_max"])
    stages = [min(first.minor, budget.minor)]
    while stages[-1] < budget.minor:
        stages.append(min(stages[-1] * policy["stages"]["growth_max"], budget.minor))
    return [format_money(stage, budget.currency) for stage in stages]


@cache
def _base() -> Mapping[str, Any]:
    """The policy that every house of a replay begins with."""
    read: Mapping[str, Any] = yaml.safe_load(SCENARIOS.joinpath("policy.yaml").read_text(encoding="utf-8"))
    return read


def _file(content: Mapping[str, Any]) -> bytes:
    return yaml.safe_dump(dict(content), allow_unicode=True, sort_keys=False, width=1_000).encode()

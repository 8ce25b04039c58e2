"""Replays as scripts read them."""

from collections.abc import Sequence
from typing import Any

from makegood.replay.outcome import beyond_bounds, smallest_witness
from makegood.replay.replayed import Replayed


def is_within(replays: Sequence[Replayed], *, as_published: bool) -> bool:
    """Whether every run did what its scenario expects, and every ledger balances."""
    return all(
        one.balanced and not any(beyond_bounds(one.scenario, out, as_published=as_published) for out in one.outcomes)
        for one in replays
    )


def summary(name: str, replays: Sequence[Replayed], *, seed: int, seconds: float, as_published: bool) -> dict[str, Any]:
    """The object that `--json` prints and data.json holds. Money in minor units of each replay's currency."""
    return {
        "id": name,
        "rows": [row for one in replays for row in rows_of(one, as_published=as_published)],
        "replays": [facts_of(one) for one in replays],
        "within": is_within(replays, as_published=as_published),
        "seed": seed,
        "seconds": round(seconds, 3),
    }


def rows_of(replayed: Replayed, *, as_published: bool) -> list[dict[str, Any]]:
    """A row for each run, with what was expected of it."""
    scenario = replayed.scenario
    rows = []
    for outcome in replayed.outcomes:
        grants, minor = scenario.bound_of(outcome.run)
        beyond = list(beyond_bounds(scenario, outcome, as_published=as_published))
        rows.append(
            {"id": scenario.id} | outcome.row()
            | {"bound": {"wrong_granted": grants, "wrong_minor": minor}, "beyond_bound": beyond}
        )  # fmt: skip
    return rows


def facts_of(replayed: Replayed) -> dict[str, Any]:
    """What a replay was made of, and the smallest payment that the proof refuses it with."""
    scenario = replayed.scenario
    by = next((bound.by for bound in scenario.bounds if bound.guard == "proof"), None)
    return {
        "id": scenario.id,
        "title": dict(scenario.title),
        "currency": scenario.currency,
        "scale": scenario.scale,
        "payments": len(replayed.arrivals),
        "eligible": sum(arrival.eligible for arrival in replayed.arrivals),
        "first_stage_minor": scenario.brief.stage_first_max,
        "witness": smallest_witness(replayed.outcomes, by),
        "balanced": replayed.balanced,
    }

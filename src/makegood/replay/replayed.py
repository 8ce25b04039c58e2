"""A scenario run again and again over the same payments, each time in a house of its own with other guards."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from makegood.clock import system_clock
from makegood.documents.source import Source
from makegood.replay.documents import documents_of
from makegood.replay.generator import Arrival
from makegood.replay.guards import Run
from makegood.replay.house import NotProved, Opened, open_house, put_in_force
from makegood.replay.outcome import Outcome
from makegood.replay.run import Rows, Site, run_scenario
from makegood.replay.scenario import Scenario
from makegood.replay.wire import Connections
from makegood.services.books import verify_ledger
from makegood.services.platform import Platform
from makegood.store.verify import Verified

RUNS_AT_ONCE = 3  # Client, server and PostgreSQL share a machine.


@dataclass(frozen=True, slots=True)
class Replayed:
    """A scenario, the payments that were made for it, and what each run granted; every ledger was verified."""

    scenario: Scenario
    arrivals: Sequence[Arrival]
    outcomes: Sequence[Outcome]
    verified: Sequence[Verified]

    @property
    def balanced(self) -> bool:
        """Whether the ledger of every house of every run balances."""
        return all(one.balanced for one in self.verified)

    def named(self, name: str) -> Outcome:
        """The outcome of the run of that name."""
        return next(outcome for outcome in self.outcomes if outcome.run.name == name)


def varied(scenario: Scenario, rate: float | None, eligible: int | None, source: str | None = None) -> Scenario:
    """The scenario with another mean rate (payments a second), share of payers (basis points) or source of amounts."""
    traffic = scenario.traffic
    times = 1.0 if rate is None else rate * 2 / (traffic.low + traffic.high)
    reached = traffic.eligible if eligible is None else eligible
    made_of = source if source is not None else traffic.source
    low, high = traffic.low * times, traffic.high * times
    return replace(scenario, traffic=replace(traffic, source=made_of, low=low, high=high, eligible=reached))


async def replay_scenario(
    platform: Platform,
    connections: Connections,
    scenario: Scenario,
    runs: Sequence[Run],
    arrivals: Sequence[Arrival],
    *,
    step: Callable[[int], None],
) -> Replayed:
    """Every run over the same payments. `step` is told of payments that are done. Raises CallFailed."""
    gate = asyncio.Semaphore(RUNS_AT_ONCE)

    async def one(run: Run) -> tuple[Outcome, list[Verified]]:
        async with gate:
            return await _one(platform, connections, scenario, run, arrivals, step)

    done = await asyncio.gather(*map(one, runs))
    return Replayed(scenario, arrivals, [out for out, _ in done], [one for _, verified in done for one in verified])


async def _one(
    platform: Platform,
    connections: Connections,
    scenario: Scenario,
    run: Run,
    arrivals: Sequence[Arrival],
    step: Callable[[int], None],
) -> tuple[Outcome, list[Verified]]:
    mistaken = await _house(platform, connections, run)
    houses = [mistaken]
    refused = await published(mistaken, documents_of(scenario))
    right = None
    if scenario.traffic.nodes > 1:
        houses.append(await _house(platform, connections, run))
        right = houses[1].wire
        await put_in_force(right, documents_of(scenario, right=True))
    outcome = await run_scenario(scenario, run, arrivals, Site(mistaken.wire, right, refused), step=step)
    return outcome, [await verify_ledger(platform, opened.house) for opened in houses]


async def _house(platform: Platform, connections: Connections, run: Run) -> Opened:
    """A house that is made again and again in one store, so its name has the time in it."""
    stamp = system_clock().datetime().strftime("%Y%m%d-%H%M%S-%f")
    name = f"{run.name[:30].replace('_', '-')}-{stamp}"
    return await open_house(platform, connections, name, guards_left_out=run.guards_left_out)


async def published(opened: Opened, sources: Sequence[Source]) -> Rows:
    """What the proof refuses, after which the campaign does not run; nothing, after which it does.

    Raises NotProved where there is no proof at all: then nothing was refused, and nothing runs.
    """
    try:
        await put_in_force(opened.wire, sources)
    except NotProved as refused:
        if not refused.rows:
            raise
        return refused.rows
    return ()

"""The load of the line `standby`: that of `hot_budget`, on a new budget each time."""

from dataclasses import dataclass
from itertools import count

import uvloop

from makegood.bench.ledger_load import by_ledger, closed
from makegood.bench.ledger_world import BIG, open_budgets, requests
from makegood.bench.row import Lines
from makegood.bench.standby import ROUNDS, standby_lines, with_standby
from makegood.services.platform import Platform


@dataclass(frozen=True, slots=True)
class Effort:
    """How long each turn lasts, how many there are, and how many callers."""

    seconds: float = 4.0
    warm_seconds: float = 1.0
    turns: int = ROUNDS
    callers: int = 256


def bench_standby(seed: int, effort: Effort = Effort()) -> Lines:
    """The row of a server with a synchronous standby beside the same server alone."""
    numbers = count()

    async def load(platform: Platform) -> float:
        number = next(numbers)
        budget = (await open_budgets(platform, [("hot", BIG)], f"bench-{number}"))[0]
        callers = [by_ledger(platform.store.ledger, budget)] * effort.callers
        asked = requests(budget, f"{seed} {number}")
        return (await closed(callers, asked, effort.seconds, effort.warm_seconds)).rate

    alone, together = uvloop.run(with_standby(load, effort.turns))
    return standby_lines(f"{effort.callers} callers", alone, together)

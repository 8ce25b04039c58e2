"""The line `ledger_growth`: what reservations cost beside millions of older ones.

Two stores take turns: one is empty, the other holds captured reservations of the same budget.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import uvloop

from makegood.bench.ledger_filling import bytes_stored, fill
from makegood.bench.ledger_load import Load, by_ledger, closed
from makegood.bench.ledger_world import BIG, World, ledger_world, requests
from makegood.bench.row import Lines, Row, Versus

RESERVATIONS = 200_000
SETTLE_SECONDS = 90.0  # Beside ten million reservations.


@dataclass(frozen=True, slots=True)
class Effort:
    """How many reservations there are beforehand; how long each turn lasts, and how many there are."""

    reservations: int = RESERVATIONS
    seconds: float = 3.0
    warm_seconds: float = 1.0
    turns: int = 4
    callers: int = 256


def bench_ledger_growth(seed: int, reservations: int = RESERVATIONS, effort: Effort | None = None) -> Lines:
    """The row of a store with many reservations beside an empty one."""
    return uvloop.run(_bench(seed, effort or Effort(reservations)))


async def _bench(seed: int, effort: Effort) -> Lines:
    async with ledger_world([("hot", BIG)]) as empty, ledger_world([("hot", BIG)]) as grown:
        before = await bytes_stored(grown.platform.store.url)
        await fill(grown.platform.store.url, grown.budgets[0], effort.reservations)
        each = (await bytes_stored(grown.platform.store.url) - before) / effort.reservations
        (soon,) = await measure(empty, grown, seed, effort, "just after a checkpoint")
        for world in (empty, grown):
            await _settle(world, f"{seed} settle", effort)
        (later,) = await measure(empty, grown, f"{seed} later", effort, "later")
    return Lines((later, soon), f"A stored reservation with its capture takes {each:,.0f} bytes, indexes and all.")


async def measure(empty: World, grown: World, seed: object, effort: Effort, when: str) -> tuple[Row]:
    """The row of two stores that take turns, whichever is first; the best turn of each counts."""
    loads: tuple[list[Load], list[Load]] = ([], [])
    for number in range(effort.turns):
        for place in (0, 1) if number % 2 else (1, 0):
            loads[place].append(await _turn((empty, grown)[place], f"{seed} {number}", effort))
    versus = Versus("an empty store", _best(loads[0]).each)
    case = f"{effort.callers} callers beside {effort.reservations:,} reservations, {when}"
    return (Row("ledger_growth", case, _best(loads[1]).each, "µs a reservation", versus),)


async def _settle(world: World, seed: str, effort: Effort) -> None:
    """Load until most pages that payers are counted on have been written once since the checkpoint.

    PostgreSQL logs such a page whole the first time. That is over a minute or so after each checkpoint.
    """
    reserve = by_ledger(world.platform.store.ledger, world.budgets[0])
    seconds = SETTLE_SECONDS * effort.reservations / 10_000_000
    await closed([reserve] * effort.callers, requests(world.budgets[0], seed), seconds, 0)


async def _turn(world: World, seed: str, effort: Effort) -> Load:
    reserve = by_ledger(world.platform.store.ledger, world.budgets[0])
    asked = requests(world.budgets[0], seed)
    return await closed([reserve] * effort.callers, asked, effort.seconds, effort.warm_seconds)


def _best(loads: Sequence[Load]) -> Load:
    return max(loads, key=lambda load: load.rate)

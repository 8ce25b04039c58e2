"""The lines `second_writer` and `sub_budgets`: several server processes on one budget, whole and split into shares."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import uvloop

from makegood.bench.ledger_world import BIG, DISCOUNT, PRINCIPAL, Budget, World, ledger_world, requests
from makegood.bench.ledger_writer import Turn, Writers, writers
from makegood.bench.row import AnswersDiffer, Lines, Row, Versus
from makegood.store.campaigns import split, standings
from makegood.store.ledger import Ledger

_UNIT = "µs a reservation"
CALLERS = 256


@dataclass(frozen=True, slots=True)
class Effort:
    """How long each turn lasts, how many there are, and into how many shares a budget is split."""

    seconds: float = 3.0
    warm_seconds: float = 1.0
    turns: int = 3
    shares: Sequence[int] = (2, 4)
    sold: int = 400  # discounts that are in the budget which is sold out


Measure = Callable[[World, int, Effort], Awaitable[Lines]]


def bench_second_writer(seed: int, effort: Effort = Effort()) -> Lines:
    """The row of two server processes on one budget beside one process with as many callers."""
    return uvloop.run(_in_world([("hot", BIG)], two_writers, seed, effort))


def bench_sub_budgets(seed: int, effort: Effort = Effort()) -> Lines:
    """Rows for a budget in several shares, each with a server process of its own, beside as many on a whole one.

    Raises AnswersDiffer where a budget in shares sold more, or less, than it had.
    """
    return uvloop.run(_in_world(budgets_of(effort), in_shares, seed, effort))


async def _in_world(budgets: Sequence[tuple[str, str]], measure: Measure, seed: int, effort: Effort) -> Lines:
    async with ledger_world(budgets) as world:
        return await measure(world, seed, effort)


async def two_writers(world: World, seed: int, effort: Effort) -> Lines:
    """The row of `second_writer`, on the first budget."""
    hot = world.budgets[0]
    async with writers(world.platform.settings.data, 2) as two:
        rates = await _in_turns(two, {"one": (hot, 1), "two": (hot, 2)}, seed, effort)
    await world.check()
    versus = Versus(f"one process, {CALLERS} callers", 1e6 / rates["one"])
    row = Row("second_writer", f"two processes, {CALLERS // 2} callers each", 1e6 / rates["two"], _UNIT, versus)
    return Lines((row,), f"With a second process on the same budget {row.ratio:.2f} times the throughput is left.")


def budgets_of(effort: Effort) -> list[tuple[str, str]]:
    """What `in_shares` needs: a budget that stays whole, one for each split, and one that is sold out."""
    return [("whole", BIG), *((f"in-{n}", BIG) for n in effort.shares), ("last", _money(effort.sold))]


async def in_shares(world: World, seed: int, effort: Effort) -> Lines:
    """The rows of `sub_budgets`, on the budgets of `budgets_of`."""
    most = max(effort.shares)
    whole, *parted, last = world.budgets
    for budget, shares in zip([*parted, last], [*effort.shares, most], strict=True):
        await _split(world, budget, shares)
    cases = {f"{n} whole": (whole, n) for n in effort.shares}
    cases |= {f"{n} split": (budget, n) for n, budget in zip(effort.shares, parted, strict=True)}
    async with writers(world.platform.settings.data, most) as processes:
        rates = await _in_turns(processes, cases, seed, effort)
    await _sell_out(world, last, most, effort.sold, seed)
    await world.check()
    rows = tuple(_shared(n, rates) for n in effort.shares)
    return Lines(rows, "Budgets in shares were sold out to the last discount, and none oversold. The books balance.")


async def _in_turns(
    processes: Writers, cases: dict[str, tuple[Budget, int]], seed: int, effort: Effort
) -> dict[str, float]:
    """Reservations a second of each case: its best turn. A case is a budget and how many processes reserve from it."""
    best = dict.fromkeys(cases, 0.0)
    for number in range(effort.turns):
        for case, (budget, several) in cases.items():
            turns = [
                Turn(
                    budget,
                    lane,
                    CALLERS // several,
                    effort.seconds,
                    effort.warm_seconds,
                    f"{seed} {number} {case} {lane}",
                )
                for lane in range(several)
            ]
            best[case] = max(best[case], await processes.turn(turns))
    return best


def _shared(shares: int, rates: dict[str, float]) -> Row:
    versus = Versus(f"{shares} processes on one share", 1e6 / rates[f"{shares} whole"])
    return Row("sub_budgets", f"{shares} shares, a process each", 1e6 / rates[f"{shares} split"], _UNIT, versus)


async def _split(world: World, budget: Budget, shares: int) -> None:
    told = await split(world.platform.store.pool, budget.house, PRINCIPAL, budget.campaign, shares)
    assert told["outcome"] == "done", told


async def _sell_out(world: World, budget: Budget, lanes: int, discounts: int, seed: int) -> None:
    """Every lane asks for what it would get if it had the whole budget. Afterwards exactly the budget is reserved."""
    ledgers = [Ledger(world.platform.store.pool, lane=lane) for lane in range(lanes)]
    asked = requests(budget, f"{seed} sold out")
    sold = 0
    for _ in range(discounts):
        for ledger in ledgers:
            told = (await ledger.reserve(budget.house, PRINCIPAL, (next(asked),)))[0]
            sold += told["outcome"] == "reserved"
    money = (await standings(world.platform.store.pool, budget.house, budget.campaign))[0]
    if (sold, money["reserved"], money["stage_left"]) != (discounts, discounts * DISCOUNT, 0):
        raise AnswersDiffer(f"{sold:,} of {discounts:,} discounts in shares were sold: {money!r}")


def _money(discounts: int) -> str:
    return f"{discounts * DISCOUNT / 100:.2f} CNY"

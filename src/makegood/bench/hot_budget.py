"""The line `hot_budget`: one budget that every payment meets, by group commit and without it, in the same run.

Contestants take turns on the same budget of the same store, and each has its best turn. Afterwards every payment that
was asked for is reserved, and every invariant of the books holds, whoever wrote them.

Whoever reserves one by one is slower the more do so at once, for they wait for each other: `versus` are as many as a
server has callers, and a row of its own says what is left beside the number of connections that suits them best.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import uvloop

from makegood.bench.ledger_load import Load, Reserve, by_ledger, closed
from makegood.bench.ledger_naive import by_function, by_statements
from makegood.bench.ledger_world import BIG, World, ledger_world, requests
from makegood.bench.row import AnswersDiffer, Lines, Row, Versus
from makegood.store.campaigns import standings
from makegood.store.packing import Request
from makegood.store.pool import connect

UNIT = "µs a reservation"
CROWD = "on 32 connections"  # As many callers as come at once: what happens without batches.
SLOW_DISK_MICROSECONDS = 1_000


@dataclass(frozen=True, slots=True)
class Effort:
    """How long each turn lasts, how many there are, and with how many connections the naive ones try their luck."""

    seconds: float = 2.0
    warm_seconds: float = 0.5
    turns: int = 2
    callers: Sequence[int] = (256, 32)
    connections: Sequence[int] = (2, 8, 32)


Contestant = Callable[[], AbstractAsyncContextManager[Sequence[Reserve]]]
"""Callers of a turn, ready to call."""


@dataclass(slots=True)
class Counted:
    """Requests, and how many were taken."""

    requests: Iterator[Request]
    taken: int = field(default=0)

    def __iter__(self) -> Iterator[Request]:
        return self

    def __next__(self) -> Request:
        self.taken += 1
        return next(self.requests)


def bench_hot_budget(seed: int, effort: Effort = Effort()) -> Lines:
    """Rows for each number of callers, and for a disk on which a flush takes a millisecond more.

    Raises AnswersDiffer where a payment was not reserved, or where the books do not balance.
    """
    return uvloop.run(_bench(seed, effort))


async def _bench(seed: int, effort: Effort) -> Lines:
    async with ledger_world([("hot", BIG)]) as world:
        return await measure(world, seed, effort)


async def measure(world: World, seed: int, effort: Effort) -> Lines:
    """The rows, on the first budget of a world that nobody has used."""
    asked = Counted(requests(world.budgets[0], str(seed)))
    everybody = _grouped(world, effort.callers) | _naive(world, effort.connections)
    loads = await in_turns(everybody, asked, effort)
    async with slow_disk(world):
        slow = await in_turns(_few(world, loads, effort), asked, effort)
    await _check(world, asked.taken)
    names = [f"{callers} callers" for callers in effort.callers]
    rows = [row for name in names for row in _rows(name, name, loads)]
    slow_rows = _rows(f"{names[0]}, a flush takes 1 ms more", names[0], slow)
    return Lines((*rows, *slow_rows), _summary(rows[0], slow_rows[0], loads[names[0]]))


async def in_turns(everybody: dict[str, Contestant], asked: Iterator[Request], effort: Effort) -> dict[str, Load]:
    """The best turn of each."""
    best: dict[str, Load] = {}
    for _ in range(effort.turns):
        for name, contestant in everybody.items():
            async with contestant() as callers:
                load = await closed(callers, asked, effort.seconds, effort.warm_seconds)
            if name not in best or load.rate > best[name].rate:
                best[name] = load
    return best


def _grouped(world: World, sizes: Sequence[int]) -> dict[str, Contestant]:
    reserve = by_ledger(world.platform.store.ledger, world.budgets[0])

    @asynccontextmanager
    async def callers(number: int) -> AsyncIterator[Sequence[Reserve]]:
        yield [reserve] * number

    return {f"{number} callers": lambda number=number: callers(number) for number in sizes}  # type: ignore[misc]


def _naive(world: World, connections: Sequence[int]) -> dict[str, Contestant]:
    budget, url = world.budgets[0], world.platform.store.url
    made: dict[str, Contestant] = {}
    for number in connections:
        made[f"one by one, the same function on {number} connections"] = lambda n=number: by_function(
            world.login, budget, n
        )  # type: ignore[misc]
        made[f"one by one, statements on {number} connections"] = lambda n=number: by_statements(url, budget, n)  # type: ignore[misc]
    return made


def _few(world: World, loads: dict[str, Load], effort: Effort) -> dict[str, Contestant]:
    """The most callers, and of each naive way the crowd and the number of connections that was best."""
    naive = _naive(world, effort.connections)
    ways = {name.rsplit(" on ", 1)[0] for name in naive}
    best = {max((n for n in naive if n.startswith(way)), key=lambda n: loads[n].rate) for way in ways}
    best |= {name for name in naive if name.endswith(CROWD)}
    return _grouped(world, effort.callers[:1]) | {name: naive[name] for name in sorted(best)}


@asynccontextmanager
async def slow_disk(world: World) -> AsyncIterator[None]:
    """While inside, whoever flushes the log waits a millisecond before it: PostgreSQL's own `commit_delay`, also when
    nobody else is about to commit."""
    boss = await connect(world.platform.store.url)
    try:
        for name, value in (("commit_delay", SLOW_DISK_MICROSECONDS), ("commit_siblings", 0)):
            await boss.execute(f"alter system set {name} = {value}")
        await boss.execute("select pg_reload_conf()")
        yield
    finally:
        await boss.execute("alter system reset commit_delay")
        await boss.execute("alter system reset commit_siblings")
        await boss.execute("select pg_reload_conf()")
        await boss.close()


async def _check(world: World, taken: int) -> None:
    hot = world.budgets[0]
    held = (await standings(world.platform.store.pool, hot.house, hot.campaign))[0]["open_quotes"]
    if held != taken:
        raise AnswersDiffer(f"{taken:,} payments were answered as reserved, {held:,} are in the books")
    await world.check()


def _rows(case: str, mine: str, loads: dict[str, Load]) -> tuple[Row, Row]:
    """Beside the crowd, and beside the number of connections that is best."""
    naive = sorted(
        (Versus(name, load.each) for name, load in loads.items() if not name.endswith(" callers")),
        key=lambda versus: versus.value,
    )
    crowd = [versus for versus in naive if versus.what.endswith(CROWD)] or naive  # A short run may have none.
    value = loads[mine].each
    return (
        Row("hot_budget", case, value, UNIT, crowd[0], tuple(crowd[1:])),
        Row("hot_budget", f"{case}, beside the best number of connections", value, UNIT, naive[0], tuple(naive[1:])),
    )


def _summary(plain: Row, slow: Row, most: Load) -> str:
    said = f"{most.rate:,.0f} reservations a second on one budget, p50 {most.percentile(0.5):.1f} ms and p99 "
    said += f"{most.percentile(0.99):.1f} ms; {plain.ratio:.1f} times what 32 callers reach one by one"
    return f"{said}, {slow.ratio:.1f} times where a flush takes 1 ms more. The books balance."

"""The line `stop`: how long after a stop, or after the store is gone, any of many nodes still answers with a grant.

Twenty server processes with payments on each of them all the time; every payment of the load is granted something until
its campaign is stopped through a node drawn at random. There is a campaign for each stop. In the end all processes of
PostgreSQL are suspended for longer than a lease.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from time import monotonic

import uvloop

from makegood.bench.row import AnswersDiffer, Lines, Row, Versus
from makegood.bench.stop_nodes import Nodes, campaign_of, running
from makegood.bench.stop_store import suspended
from makegood.bench.stop_till import Heard, Load, Till
from makegood.settings import Settings

_UNIT = "ms from the stop being sent"
_LEAST_MS = 0.1  # Nothing is told more exactly; a node without a grant under way stopped before the stop was sent.
_SHARES = {"p50": 0.5, "p99": 0.99, "most": 1.0}


@dataclass(frozen=True, slots=True)
class Effort:
    """How many nodes and stops, and what is offered to each node. A node keeps `pool_size` connections to the store."""

    nodes: int = 20
    stops: int = 30
    tills: int = 2
    rate: float = 15.0
    before_seconds: float = 0.3
    pool_size: int = 4
    deadline_ms: int = 1_000
    lease_ms: int = 2_000


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop: when it was sent and answered, and for each node when its last grant was heard, and the next answer."""

    sent: float
    answered: float
    last: Sequence[float]
    next: Sequence[float]

    @property
    def own_ms(self) -> float:
        """How long its own answer took."""
        return _ms(self.sent, self.answered)

    @property
    def last_ms(self) -> list[float]:
        """For each node, how long after it was sent the last grant was heard."""
        return [_ms(self.sent, one) for one in self.last]

    @property
    def next_ms(self) -> list[float]:
        """For each node, how long after it was sent the first payment at full price was, that no grant came after."""
        return [_ms(self.sent, one) for one in self.next]


def bench_stop(seed: int, effort: Effort = Effort()) -> Lines:
    """Rows for stops and for a store that is gone. Raises AnswersDiffer where a grant came that must not come."""
    return uvloop.run(_bench(seed, effort))


async def _bench(seed: int, effort: Effort) -> Lines:
    settings = Settings(
        port=0, log_level="error", pool_size=effort.pool_size, deadline_ms=effort.deadline_ms, lease_ms=effort.lease_ms
    )
    async with (
        running(effort.nodes, effort.stops + 1, settings) as nodes,
        Load(nodes.addresses, nodes.checkout, seed, tills=effort.tills, rate=effort.rate) as load,
    ):
        numbers = range(1, effort.stops + 1)
        stops = [await one_stop(nodes, load, number, seed, effort.before_seconds) for number in numbers]
        quotes = [_ms(one.sent, one.heard) for one in load.heard if one.granted]
        asked = len(load.heard)
        gone = await _store_gone(nodes, load, effort)
    check_grants(
        load.heard, {campaign_of(number)[1]: stop.answered for number, stop in zip(numbers, stops, strict=True)}
    )
    rows = (*stop_rows(stops, quotes, effort), _lease_row(gone, effort))
    said = f"{len(stops)} stops under {asked:,} payments on {effort.nodes} processes, {len(quotes):,} of them granted"
    return Lines(rows, f"{said}; none that was sent after a stop was answered, and none answered by a suspended store.")


async def one_stop(nodes: Nodes, load: Load, number: int, seed: int, before_seconds: float) -> Stop:
    """Stop one campaign while every node grants it; over once every node has answered a payment at full price.

    It is stopped through a node that is drawn, at a moment drawn within `before_seconds`.
    """
    chance = Random(f"{seed} {number}")  # noqa: S311 - a benchmark
    campaign, load.city = campaign_of(number)
    await load.until_everywhere(lambda one: one.city == load.city and one.granted)
    await asyncio.sleep(chance.uniform(0, before_seconds))
    begun = len(load.heard)
    sent, answered = await send_stop(chance.choice(nodes.addresses), nodes.on_call, campaign)
    await load.until_everywhere(lambda one: one.city == load.city and one.refused and one.sent > answered)
    told = [[one for one in load.heard[begun:] if one.node == node and one.city == load.city] for node in load.nodes]
    last = [max((one.heard for one in some if one.granted), default=sent) for some in told]
    following = [_next(some, max(at, sent)) for some, at in zip(told, last, strict=True)]
    return Stop(sent, answered, last, following)


def granted_after(heard: Sequence[Heard], city: str, moment: float) -> list[Heard]:
    """What was granted of the payments of a city that were sent after a moment."""
    return [one for one in heard if one.city == city and one.granted and one.sent > moment]


def check_grants(heard: Sequence[Heard], answered: Mapping[str, float]) -> None:
    """Raises AnswersDiffer where a payment was granted that was sent after the stop of its city had been answered."""
    for city, moment in answered.items():
        for one in granted_after(heard, city, moment):
            raise AnswersDiffer(f"a payment that was sent after the stop was answered was granted: {one!r}"[:400])


async def send_stop(address: str, key: str, campaign: str) -> tuple[float, float]:
    """Stop a campaign through a node; when that was sent and answered. Raises AnswersDiffer where it was refused."""
    till = Till(address, key)
    sent = monotonic()
    try:
        status, answer = await till.post(f"/v1/campaigns/{campaign}/stop", {"reason": "bench"})
    finally:
        till.close()
    if status != 200:
        raise AnswersDiffer(f"a stop was answered {status}: {answer!r}"[:400])
    return sent, monotonic()


def _next(heard: Sequence[Heard], after: float) -> float:
    return min(one.heard for one in heard if one.refused and one.heard > after)


async def _store_gone(nodes: Nodes, load: Load, effort: Effort) -> float:
    """Milliseconds from the first signal until the last grant of a payment that was answered by a suspended store."""
    _, load.city = campaign_of(effort.stops + 1)
    await load.until_everywhere(lambda one: one.city == load.city and one.granted)
    begun, gone = len(load.heard), monotonic()
    with suspended(nodes.cluster):
        still = monotonic()
        await asyncio.sleep((effort.lease_ms + effort.deadline_ms) / 1000)
        heard = load.heard[begun:]
    wrong = [one for one in heard if one.granted and one.sent > still]
    if wrong:
        raise AnswersDiffer(f"a suspended store granted something: {wrong[0]!r}"[:400])
    if not any(one.sent > still for one in heard):
        raise AnswersDiffer("no payment was answered while the store was suspended")
    return max((_ms(gone, one.heard) for one in heard if one.granted), default=0.0)


def stop_rows(stops: Sequence[Stop], quotes: Sequence[float], effort: Effort) -> list[Row]:
    """The rows of these stops. `quotes`: how long granted quotes took under the same load, in ms."""
    own = "the stop's own answer", [one.own_ms for one in stops]
    quote = "a granted quote", quotes
    last, full = [ms for one in stops for ms in one.last_ms], [ms for one in stops for ms in one.next_ms]
    each = f"each of {effort.nodes} nodes"
    return [
        *_rows(f"last grant, {each}", last, *own, ("p99", "most")),
        *_rows("last grant, all nodes", [max(one.last_ms) for one in stops], *own, ("p50", "most")),
        *_rows(f"full price, {each}", full, *quote, ("p50", "p99", "most")),
    ]


def _rows(what: str, times: Sequence[float], beside: str, others: Sequence[float], words: Sequence[str]) -> list[Row]:
    """Rows of these times, beside the same shares of `others`."""
    return [
        _row(f"{what}, {word}", _below(times, _SHARES[word]), Versus(beside, _below(others, _SHARES[word])), _UNIT)
        for word in words
    ]


def _lease_row(gone: float, effort: Effort) -> Row:
    lease = Versus("the lease, as set", float(effort.lease_ms))
    return _row("store suspended, last grant, all nodes", gone, lease, "ms from the first signal")


def _row(case: str, ms: float, versus: Versus, unit: str) -> Row:
    return Row("stop", case, max(ms, _LEAST_MS), unit, versus)


def _below(times: Sequence[float], share: float) -> float:
    """What this share of the times is not above."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _ms(begun: float, ended: float) -> float:
    return max(0.0, ended - begun) * 1_000

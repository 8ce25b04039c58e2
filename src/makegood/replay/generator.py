"""Traffic for a replay: arrivals with the shapes of `shapes`, over generated or over real amounts. Repeatable."""

import hashlib
import heapq
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from makegood.clock import SECOND, Instant
from makegood.money import BASIS_POINTS
from makegood.replay import shapes
from makegood.replay.scenario import Scenario, SceneMix, Traffic

FUEL, GROCERY = "5541", "5411"  # ISO 18245.
_WAVES = ((97.0, 0.6), (41.0, 0.4))  # Period in seconds and weight of the waves that the rate is made of.
_SLOTS_MAX = 3_600  # The window is cut into at most so many slots of one rate each.
_MICROSECONDS = 1_000_000
_PAYMENTS_A_PAYER = 6  # So many, on average, over a generated window.
_MERCHANTS = 150


@dataclass(frozen=True, slots=True)
class Real:
    """What is taken of one payment of a source: who paid whom how much, minor units of the source."""

    payer_id: str
    payee_id: str
    amount: int
    merchant_category: str = GROCERY


@dataclass(frozen=True, slots=True)
class Arrival:
    """One payment of a replay. `eligible`: its payer is chosen. `stale`: a node with the wrong revision answers it."""

    payment_id: str
    occurred_at: Instant
    payer_id: str
    payee_id: str
    amount: int
    scene: str
    eligible: bool
    merchant_category: str = GROCERY
    stale: bool = True


Pick = Callable[[str | None], Real]
"""Draws one payment: of anybody, or of a payer who pays once more."""


def generate(scenario: Scenario, seed: int, reals: Sequence[Real] = ()) -> list[Arrival]:
    """The payments of the scenario's window, by time; over `reals` where there are any, else over generated ones.

    The same scenario, seed and source give the same payments.
    """
    draw = random.Random(f"{scenario.id} {seed}")  # noqa: S311 - a simulation that can be repeated
    moments = list(_moments(scenario, draw))
    pick = _real(reals, draw) if reals else _generated(len(moments), draw)
    made = [_arrival(scenario, moment, pick(None), draw) for moment in moments]
    made = list(heapq.merge(made, sorted(_again(scenario, made, pick, draw), key=_moment_of), key=_moment_of))
    return [_numbered(scenario, arrival, number) for number, arrival in enumerate(made, 1)]


def rate_at(traffic: Traffic, second: float, phase: float) -> float:
    """The arrival rate, payments a second: a slow wave that never leaves the scenario's bounds."""
    wave = sum(weight * math.sin(math.tau * (second / period + phase)) for period, weight in _WAVES)
    middle, half = (traffic.low + traffic.high) / 2, (traffic.high - traffic.low) / 2
    return middle + half * wave


def is_eligible(scenario: Scenario, payer_id: str) -> bool:
    """Whether a payer is chosen: the same for each of the payer's payments."""
    return _point(scenario, "eligible", payer_id) < scenario.traffic.eligible


def _point(scenario: Scenario, what: str, payer_id: str) -> int:
    digest = hashlib.sha256(f"{scenario.id} {what} {payer_id}".encode()).digest()
    return int.from_bytes(digest[:8]) % BASIS_POINTS


def _moments(scenario: Scenario, draw: random.Random) -> Iterator[Instant]:
    """Arrivals: a wave, the hours of the day where the window has them, and bursts. Some are left to `_again`."""
    traffic = scenario.traffic
    slot = max(1, scenario.seconds // _SLOTS_MAX)
    phase, hours = draw.random(), _hours(scenario, slot)
    mean = (traffic.low + traffic.high) / 2 * traffic.burst_seconds
    periods = scenario.seconds // traffic.burst_seconds + 1
    factors = shapes.bursts(periods, mean, traffic.variance_over_mean, draw)
    for index, start in enumerate(range(0, scenario.seconds, slot)):
        length = min(slot, scenario.seconds - start)
        rate = rate_at(traffic, start, phase) * hours[index] * factors[start // traffic.burst_seconds]
        count = shapes.poisson(rate * length / (1 + shapes.AGAIN), draw)
        for offset in sorted(draw.randrange(length * _MICROSECONDS) for _ in range(count)):
            yield Instant(scenario.opens + start * SECOND + offset * 1_000)


def _hours(scenario: Scenario, slot: int) -> list[float]:
    """The factor of the hour for each slot, its mean over the window one, so that the rates stay what they are."""
    starts = range(0, scenario.seconds, slot)
    weights = [shapes.hour_weight(scenario.opens.plus(start).local(scenario.timezone).hour) for start in starts]
    mean = sum(weights) / len(weights)
    return [weight / mean for weight in weights]


def _generated(count: int, draw: random.Random) -> Pick:
    sellers = shapes.merchants(_MERCHANTS, draw)
    ranks = shapes.by_zipf(len(sellers))
    payers = shapes.by_payer(max(10, count // _PAYMENTS_A_PAYER), draw)

    def pick(payer: str | None) -> Real:
        seller = sellers[shapes.drawn(ranks, draw)]
        who = payer if payer is not None else f"payer-{shapes.drawn(payers, draw)}"
        return Real(who, seller.payee_id, shapes.amount_at(seller, draw), FUEL if seller.fuel else GROCERY)

    return pick


def _real(reals: Sequence[Real], draw: random.Random) -> Pick:
    def pick(payer: str | None) -> Real:
        real = reals[draw.randrange(len(reals))]
        return real if payer is None else Real(payer, real.payee_id, real.amount, real.merchant_category)

    return pick


def _again(scenario: Scenario, made: Sequence[Arrival], pick: Pick, draw: random.Random) -> Iterator[Arrival]:
    """Second payments within the hour; what comes after the window is not of this replay."""
    for arrival in made:
        if draw.random() < shapes.AGAIN:
            moment = Instant(arrival.occurred_at + draw.randint(*shapes.AGAIN_SECONDS) * SECOND)
            if moment < scenario.closes:
                yield _arrival(scenario, moment, pick(arrival.payer_id), draw)


def _arrival(scenario: Scenario, moment: Instant, real: Real, draw: random.Random) -> Arrival:
    """A payment, its number not yet known. Amounts beyond what the house takes become the largest it takes."""
    traffic = scenario.traffic
    mix = _scene(traffic.scenes, draw.randrange(BASIS_POINTS))
    return Arrival(
        payment_id="",
        occurred_at=moment,
        payer_id=real.payer_id,
        payee_id=f"{mix.scene}-{real.payee_id}",
        amount=min(max(1, round(real.amount * mix.times)), scenario.amount_max),
        scene=mix.scene,
        eligible=is_eligible(scenario, real.payer_id),
        merchant_category=real.merchant_category,
        stale=_point(scenario, "node", real.payer_id) * traffic.nodes < traffic.stale * BASIS_POINTS,
    )


def _numbered(scenario: Scenario, arrival: Arrival, number: int) -> Arrival:
    return Arrival(
        f"{scenario.id}-{number:05d}", arrival.occurred_at, arrival.payer_id, arrival.payee_id, arrival.amount,
        arrival.scene, arrival.eligible, arrival.merchant_category, arrival.stale,
    )  # fmt: skip


def _moment_of(arrival: Arrival) -> Instant:
    return arrival.occurred_at


def _scene(scenes: Sequence[SceneMix], point: int) -> SceneMix:
    for mix in scenes:
        if point < mix.share:
            return mix
        point -= mix.share
    raise AssertionError("the shares add up to every basis point")

"""Traffic for a replay: a synthetic mix of scenes over real amounts and real payers, bursty and repeatable.

Three facts about real traffic are kept, which a Poisson stream of equal payments would flatter away: the amounts are
those of a real file (log-normal, one order of magnitude and more), few payers make many payments, and counts scatter
more widely than Poisson ones. The rate is a slow wave between the scenario's bounds; within a second it is multiplied
by a gamma variable of mean one (Cox process; its counts are negative binomial).
"""

import hashlib
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from makegood.clock import SECOND, Instant
from makegood.money import BASIS_POINTS
from makegood.replay.scenario import Scenario, SceneMix

_WAVES = ((97.0, 0.6), (41.0, 0.4))  # Period in seconds and weight of the waves that the rate is made of.
_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Real:
    """What is taken of one real payment: who paid whom, and how much, minor units of the source."""

    payer_id: str
    payee_id: str
    amount: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """One generated payment. `eligible`: the payer is one whom the wrong campaign reaches."""

    payment_id: str
    occurred_at: Instant
    payer_id: str
    payee_id: str
    amount: int
    scene: str
    eligible: bool


def generate(scenario: Scenario, reals: Sequence[Real], seed: int) -> list[Arrival]:
    """The payments of the scenario's window, by time. The same seed and source give the same payments."""
    draw = random.Random(f"{scenario.id} {seed}")  # noqa: S311 - a simulation that can be repeated
    return [
        _arrival(scenario, number, moment, draw, reals) for number, moment in enumerate(_moments(scenario, draw), 1)
    ]


def rate_at(scenario: Scenario, second: float, phase: float) -> float:
    """The arrival rate, payments a second: a slow wave that never leaves the scenario's bounds."""
    wave = sum(weight * math.sin(math.tau * (second / period + phase)) for period, weight in _WAVES)
    middle, half = (scenario.rate_low + scenario.rate_high) / 2, (scenario.rate_high - scenario.rate_low) / 2
    return middle + half * wave


def is_eligible(scenario: Scenario, payer_id: str, seed: int) -> bool:
    """Whether the wrong campaign reaches a payer: the same for each of the payer's payments."""
    digest = hashlib.sha256(f"{scenario.id} {seed} {payer_id}".encode()).digest()
    return int.from_bytes(digest[:8]) % BASIS_POINTS < scenario.eligible


def _moments(scenario: Scenario, draw: random.Random) -> Iterator[Instant]:
    phase = draw.random()
    for second in range(scenario.seconds):
        rate = rate_at(scenario, second, phase)
        if scenario.burst > 0:
            rate *= draw.gammavariate(1 / scenario.burst, scenario.burst)
        offsets = sorted(draw.randrange(_MICROSECONDS) for _ in range(_poisson(rate, draw)))
        for offset in offsets:
            yield Instant(scenario.opens + second * SECOND + offset * 1_000)


def _poisson(mean: float, draw: random.Random) -> int:
    """A Poisson count, by the product of uniforms (Knuth, The Art of Computer Programming 2, 3.4.1)."""
    count, product, floor = 0, draw.random(), math.exp(-mean)
    while product > floor:
        count += 1
        product *= draw.random()
    return count


def _arrival(scenario: Scenario, number: int, moment: Instant, draw: random.Random, reals: Sequence[Real]) -> Arrival:
    real = reals[draw.randrange(len(reals))]
    mix = _scene(scenario.scenes, draw.randrange(BASIS_POINTS))
    amount = max(1, round(real.amount * scenario.minor_per_source_minor * mix.scale))
    return Arrival(
        payment_id=f"{scenario.id}-{number:05d}",
        occurred_at=moment,
        payer_id=real.payer_id,
        payee_id=f"{mix.scene}-{real.payee_id}",
        amount=amount,
        scene=mix.scene,
        eligible=is_eligible(scenario, real.payer_id, scenario.scale),
    )


def _scene(scenes: Sequence[SceneMix], point: int) -> SceneMix:
    for mix in scenes:
        if point < mix.share:
            return mix
        point -= mix.share
    raise AssertionError("the shares add up to every basis point")

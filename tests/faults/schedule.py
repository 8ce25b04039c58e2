"""What goes wrong and when: everything is drawn from one seed."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """A way in which a part fails. docs and results name it so."""

    KILL_SERVER = "kill_server"
    KILL_WORKER = "kill_worker"
    KILL_POSTGRES = "kill_postgres"
    KILL_BACKEND = "kill_backend"
    STOP_SERVER = "stop_server"
    STOP_POSTGRES = "stop_postgres"
    STOP_BACKENDS = "stop_backends"
    FILL_DISK = "fill_disk"
    END_BACKENDS = "end_backends"
    CUT_CONNECTIONS = "cut_connections"
    CUT_ANSWERS = "cut_answers"


PATIENT = 0.7  # Of the faults. With fewer, nothing would ever be served between two of them.
KILLS = (Kind.KILL_SERVER, Kind.KILL_WORKER, Kind.KILL_POSTGRES, Kind.KILL_BACKEND)


@dataclass(frozen=True, slots=True)
class Fault:
    """After `wait` seconds it strikes for `lasts` seconds. `victim` chooses among those it may strike.

    `patient`: the time counts from when the victim serves again; else it is struck also while it starts or recovers.
    """

    kind: Kind
    wait: float
    lasts: float
    victim: int
    patient: bool


# How many of each a hundred faults of a lane are. Lanes strike at the same time.
SERVER_LANE = {Kind.KILL_SERVER: 45, Kind.KILL_WORKER: 45, Kind.STOP_SERVER: 10}
STORE_LANE = {Kind.KILL_BACKEND: 80, Kind.KILL_POSTGRES: 12, Kind.END_BACKENDS: 8}
SLOW_LANE = {Kind.FILL_DISK: 40, Kind.STOP_BACKENDS: 40, Kind.STOP_POSTGRES: 20}
WIRE_LANE = {Kind.CUT_CONNECTIONS: 60, Kind.CUT_ANSWERS: 40}


def long_lanes(seed: int, kills: int, leave_out: Sequence[Kind] = ()) -> list[list[Fault]]:
    """Four lanes that hold exactly that many kills: two fifths at the servers, the others at the store."""
    chance = random.Random(f"{seed}/lanes")
    at_servers = kills * 2 // 5
    return [
        _lane(chance, SERVER_LANE, at_servers, (0.2, 1.4), leave_out),
        _lane(chance, STORE_LANE, kills - at_servers, (0.1, 1.0), leave_out),
        [_drawn(chance, SLOW_LANE, (1.0, 5.0), leave_out) for _ in range(kills // 6)],
        [_drawn(chance, WIRE_LANE, (0.5, 4.0), leave_out) for _ in range(kills // 4)],
    ]


def short_lanes(seed: int, leave_out: Sequence[Kind] = ()) -> list[list[Fault]]:
    """Three lanes that hold every kind once, in an order of their own."""
    chance = random.Random(f"{seed}/short")
    kinds = [kind for kind in Kind if kind not in leave_out]
    chance.shuffle(kinds)
    return [[_fault(chance, kind, (0.3, 0.6)) for kind in kinds[lane::3]] for lane in range(3)]


def counted(lanes: Sequence[Sequence[Fault]]) -> Counter[str]:
    """How many of each kind."""
    return Counter(fault.kind.value for lane in lanes for fault in lane)


def _lane(
    chance: random.Random, weights: dict[Kind, int], kills: int, waits: tuple[float, float], leave_out: Sequence[Kind]
) -> list[Fault]:
    lane: list[Fault] = []
    while sum(fault.kind in KILLS for fault in lane) < kills:
        lane.append(_drawn(chance, weights, waits, leave_out))
    return lane


def _drawn(
    chance: random.Random, weights: dict[Kind, int], waits: tuple[float, float], leave_out: Sequence[Kind]
) -> Fault:
    kinds = [kind for kind in weights if kind not in leave_out]
    return _fault(chance, chance.choices(kinds, [weights[kind] for kind in kinds])[0], waits)


def _fault(chance: random.Random, kind: Kind, waits: tuple[float, float]) -> Fault:
    lasts = chance.uniform(1.6, 2.4) if kind in (Kind.STOP_BACKENDS, Kind.STOP_POSTGRES, Kind.FILL_DISK) else 0.0
    lasts = chance.uniform(2.7, 3.3) if kind is Kind.STOP_SERVER else lasts
    lasts = chance.uniform(0.2, 0.6) if kind is Kind.CUT_ANSWERS else lasts
    wait, victim, patient = chance.uniform(*waits), chance.randrange(1 << 16), chance.random() < PATIENT
    return Fault(kind, round(wait, 3), round(lasts, 3), victim, patient)

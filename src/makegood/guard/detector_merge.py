"""What a node saw, told to the detector that all nodes merge into.

The sum of the nodes' own evidence is valid but weak: each would have to see the whole leak. What multiplies is
evidence from one start over all nodes. A payment does M ← (M + w) · L, which is a step M ← a · M + b, and so is any
number of payments: a is the product of their L, b what starts among them have made. A node tells a and b of what it saw
since it last told, and the merged detector does the step, once for each node, in any order. That counts
every L once, in products over payments whose choice looks at no outcome: each has a mean of at most 1 whatever the
order in time was, so the merged evidence grows by at most w a payment on average, as if one node had seen them all.
What is lost on the way is as if it had not happened, as long as nobody looks at what is in it: to leave out payments
that were granted nothing, and only those, would make evidence out of nothing.

Where nothing was granted only counts are told, and they can wait in the detector until `has_to_tell`. Between two
tellings a node stops by its own evidence; so that both together keep the guarantee, the portions of a node's detector
and of the merged one add up to 1, such as a half each.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from makegood.guard.detector import Detector
from makegood.guard.detector_alarm import Alarm
from makegood.guard.detector_cell import Block, CellState
from makegood.guard.detector_wire import (
    VERSION,
    Plain,
    count,
    cusum_from,
    cusum_to,
    each_cell,
    ids,
    number,
    numbers,
    record,
    table,
    versioned,
)

_KEYS = frozenset({"mean", "weight", "times", "added", "whole", "best", "last"})


def tell(detector: Detector) -> Plain:
    """What the detector saw since this was last called, as plain values for JSON. The detector was made `telling`."""
    assert detector.telling
    campaigns: dict[str, Plain] = {}
    for campaign, name, state in detector.blocks():
        campaigns.setdefault(campaign, {})[name] = _plain(state)
        state.block = None
    payments, scenes = detector.begin_blocks()
    return {"version": VERSION, "payments": payments, "scenes": scenes, "campaigns": campaigns}


def absorb(detector: Detector, told: Any) -> Sequence[Alarm]:
    """The alarms that what a node told raises; it is in the detector's evidence then. Each telling is absorbed once.

    A cell of a campaign that is not watched here, or against another expectation, is left out. Raises ValueError with
    a reason if it is nothing that was told; the detector is unchanged then.
    """
    raw = versioned(told, frozenset({"payments", "scenes", "campaigns"}), "what was told")
    payments, scenes = count(raw["payments"], "payments"), _scenes(raw["scenes"])
    found: list[_Told] = []
    each_cell(raw["campaigns"], lambda campaign, name, value: _read(detector, campaign, name, value, found))
    alarms = [alarm for one in found for alarm in _absorb(detector, one)]
    detector.payments += payments
    detector.scenes += scenes
    return alarms


@dataclass(frozen=True, slots=True)
class _Told:
    campaign: str
    name: str
    block: Block
    last: Sequence[str]


def _absorb(detector: Detector, one: _Told) -> Sequence[Alarm]:
    state = detector.state(one.campaign, one.name)
    assert state is not None
    watched = detector.campaigns[one.campaign]
    state.quiet_until(watched.population(one.name, detector.payments, detector.scenes))
    evidence = state.absorb(one.block, one.last)
    if evidence < detector.payments_a_year:
        return ()
    return (detector.alarm(watched.watch, one.name, state, evidence, None),)


def _plain(state: CellState) -> Plain:
    block = state.block
    assert block is not None
    times, added = block.steps
    return {
        "mean": state.bets.mean,
        "weight": state.bets.weight,
        "times": list(times),
        "added": list(added),
        "whole": cusum_to(block.whole),
        "best": cusum_to(block.best),
        "last": list(state.last)[-block.whole.grants :],
    }


def _read(detector: Detector, campaign: str, name: str, value: Any, found: list[_Told]) -> None:
    what = f"cell `{name}` of `{campaign}`"
    raw: Mapping[str, Any] = record(value, _KEYS, what)
    state = detector.state(campaign, name)
    mean, weight = number(raw["mean"], what, 0), number(raw["weight"], what, 0)
    if state is None or state.bets.mean != mean:
        return
    if not 0 < weight <= 1:
        raise ValueError(f"{what} begins with no capital that can be")
    length, ours = len(state.bets.stakes), state.bets.weight / weight
    times = numbers(raw["times"], length, what)
    added = [one * ours for one in numbers(raw["added"], length, what)]
    block = Block((times, added), cusum_from(raw["whole"], what), cusum_from(raw["best"], what))
    found.append(_Told(campaign, name, block, list(ids(raw["last"], what))))


def _scenes(raw: Any) -> Counter[str]:
    return Counter({scene: count(one, f"scene `{scene}`") for scene, one in table(raw, "the scenes").items()})

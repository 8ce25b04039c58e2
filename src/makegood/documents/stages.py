"""Stages: how much of the budget is open at first, and how it widens."""

from itertools import pairwise

from makegood.documents.reading import Place, Reading
from makegood.documents.scalar import Kind
from makegood.domain.policy import Policy
from makegood.findings import FindingCode
from makegood.limits import STAGES_MAX
from makegood.money import format_money, share

BY_HAND = "by_hand"
OPENINGS = ("by_itself", BY_HAND)
FIRST_BASIS_POINTS = 10  # 0.1 % of the budget opens first where the campaign does not say.


def read_stages(reading: Reading, place: Place, budget: int | None) -> tuple[int, ...] | None:
    """Cumulative minor units, strictly increasing, the last one the budget."""
    entries = reading.entries(place, STAGES_MAX, least=1)
    read = [reading.money(entry) for entry in entries]
    stages = [amount for amount in read if amount is not None]
    if not stages or len(stages) < len(entries):
        return None
    for index in range(1, len(stages)):
        if stages[index] <= stages[index - 1]:
            reading.error(entries[index], FindingCode.STAGES_ARE_WRONG, "must be larger than the stage before")
    if budget is not None and stages[-1] != budget:
        message = f"the last stage must be the budget, {_text(reading, budget)}"
        reading.error(entries[-1], FindingCode.STAGES_ARE_WRONG, message)
    return tuple(stages)


def read_opening(reading: Reading, place: Place) -> bool:
    """Whether a person opens the next stage."""
    return reading.name(place, OPENINGS, "way for a stage to open") == BY_HAND


def default_stages(budget: int, largest: int, policy: Policy) -> tuple[int, ...]:
    """From 0.1 % of the budget, or one largest discount, by the policy's largest growth up to the budget."""
    bounds = policy.stages
    stage = min(max(share(budget, FIRST_BASIS_POINTS), largest, 1), bounds.first_max, budget)
    stages = [stage]
    while stages[-1] < budget:
        stages.append(min(max(stages[-1], 1) * bounds.growth_max, budget))
    return tuple(stages)


def check_stages(reading: Reading, place: Place, stages: tuple[int, ...], largest: int, policy: Policy) -> None:
    """Add what the policy does not allow. The campaign can still be read: proofs and replays show what it does."""
    if stages[0] < min(largest, stages[-1]):
        message = f"the first stage must hold one largest discount, {_text(reading, largest)}"
        reading.error(_entry(place, 0), FindingCode.STAGES_ARE_WRONG, message, forbids=False)
    if stages[0] > policy.stages.first_max:
        message = f"the first stage is {_text(reading, stages[0])}; the policy opens at most"
        message += f" {_text(reading, policy.stages.first_max)} first"
        reading.error(_entry(place, 0), FindingCode.STAGES_ARE_WRONG, message, forbids=False)
    for index, (before, after) in enumerate(pairwise(stages), start=1):
        if after > before * policy.stages.growth_max:
            message = f"{_text(reading, after)} is more than {policy.stages.growth_max} times the stage before"
            reading.error(_entry(place, index), FindingCode.STAGES_ARE_WRONG, message, forbids=False)


def _entry(place: Place, index: int) -> Place:
    """The stage of that number where the document lists stages."""
    if place.node.kind is not Kind.LIST:
        return place
    return place.at(str(index), place.node.value[index])


def _text(reading: Reading, minor: int) -> str:
    assert reading.currency is not None
    return format_money(minor, reading.currency)

"""A detector's evidence written down, and taken up again: after a restart, or from a node that has left.

The evidences of detectors of different payments add up: each is at most the number of its payments on average, so
their sum is at most the number of all of them. To begin again with less evidence than there was is always allowed,
too, for it can only make an alarm later. Not allowed is a product, or the larger of two and both going on.
"""

from collections.abc import Mapping
from typing import Any

from makegood.guard.detector import Detector
from makegood.guard.detector_cell import CellState
from makegood.guard.detector_wire import (
    VERSION,
    Plain,
    cusum_from,
    cusum_to,
    each_cell,
    ids,
    number,
    numbers,
    record,
    versioned,
)
from makegood.guard.edetector import CAPITAL_MAX

_KEYS = frozenset({"mean", "capital", "cusum", "last"})


def state_of(detector: Detector) -> Plain:
    """The evidence of every cell where something was granted, as plain values for JSON."""
    detector.settle()
    campaigns = {
        campaign: {name: _plain(state) for name, state in watched.cells.items()}
        for campaign, watched in detector.campaigns.items()
        if watched.cells
    }
    return {"version": VERSION, "campaigns": campaigns}


def join(detector: Detector, state: Any) -> int:
    """How many cells were joined: their evidence is added to the detector's.

    `state` is of a detector of other payments, or of an earlier one of the same payments that is no more. A cell of a
    campaign that is not watched, or watched against another expectation by now, is left out. Raises ValueError with a
    reason if it is no state; the detector is unchanged then.
    """
    found: list[tuple[CellState, CellState]] = []
    raw = versioned(state, frozenset({"campaigns"}), "the state")["campaigns"]
    each_cell(raw, lambda campaign, name, value: _read(detector, campaign, name, value, found))
    detector.settle()
    for ours, theirs in found:
        ours.capital = [min(a + b, CAPITAL_MAX) for a, b in zip(ours.capital, theirs.capital, strict=True)]
        if theirs.cusum.score > ours.cusum.score:
            ours.cusum = theirs.cusum
            ours.last.clear()
            ours.last.extend(theirs.last)
    return len(found)


def _plain(state: CellState) -> Plain:
    return {
        "mean": state.bets.mean,
        "capital": list(state.capital),
        "cusum": cusum_to(state.cusum),
        "last": list(state.last),
    }


def _read(detector: Detector, campaign: str, name: str, value: Any, found: list[tuple[CellState, CellState]]) -> None:
    what = f"cell `{name}` of `{campaign}`"
    raw: Mapping[str, Any] = record(value, _KEYS, what)
    mean = number(raw["mean"], what, 0)
    ours = detector.state(campaign, name)
    if ours is None or ours.bets.mean != mean:
        return
    theirs = CellState.new(ours.bets)
    theirs.capital = numbers(raw["capital"], len(ours.bets.stakes), what)
    theirs.cusum = cusum_from(raw["cusum"], what)
    theirs.last.extend(ids(raw["last"], what))
    found.append((ours, theirs))

"""The cells of one campaign together."""

from collections.abc import Mapping, Sequence

from makegood.guard.cells import OUTSIDE_SHARE, WEIGHTS, Measure, Observed, Watch
from makegood.guard.detector_cell import CellState
from makegood.guard.edetector import Bets

_MEAN_MAX = 0.95  # Of the largest discount: with a mean agreed so near it, only discounts above the largest tell much.
_SCENE = Measure.SCENE.value + ":"

BetsKept = dict[tuple[float, float], Bets]
Counted = tuple[str, CellState, float]
"""A cell that a grant counted in, by name, and its evidence after it."""


def scene_of(cell: str) -> str | None:
    """The scene in a cell's name; None for the three that are over many scenes."""
    return cell.removeprefix(_SCENE) if cell.startswith(_SCENE) else None


class Watched:
    """What one campaign granted, cell by cell. A cell is there once something was granted in it.

    A cell is named `share`, `mean`, `outside` or `scene:` and a scene. `capital` is what all its bets together begin
    with at each payment. `kept` has the bets that campaigns share.
    """

    __slots__ = ("_capital", "_kept", "_scenes", "cells", "watch")

    def __init__(self, watch: Watch, capital: float, kept: BetsKept) -> None:
        self.watch = watch
        self.cells: dict[str, CellState] = {}
        self._capital, self._kept = capital, kept
        self._scenes = tuple(watch.scenes)

    def granted(
        self, scene: str, grant: Observed, payment: str, seen: int, scenes: Mapping[str, int]
    ) -> Sequence[Counted]:
        """The cells that a grant counts in. `seen` and `scenes` count the payments so far, with this one."""
        amount = grant.amount
        if not self.watch.agreed(scene, grant):
            name = _SCENE + scene
            outside, here = self.cell("outside"), self.cell(name)
            assert outside is not None and here is not None
            return (
                ("outside", outside, outside.granted(seen, amount, payment)),
                (name, here, here.granted(scenes[scene], amount, payment)),
            )
        share, mean = self.cell("share"), self.cell("mean")
        assert mean is not None
        worth = ("mean", mean, mean.worth(amount / self.watch.mean, amount, payment))
        if share is None:
            return (worth,)
        return (("share", share, share.granted(self._agreed(scenes), amount, payment)), worth)

    def begin_blocks(self, scene: str, grant: Observed, seen: int, scenes: Mapping[str, int]) -> None:
        """What the cells of this grant see is noted from payment `seen` on, if it is not noted already."""
        for name in ("share", "mean") if self.watch.agreed(scene, grant) else ("outside", _SCENE + scene):
            state = self.cell(name)
            if state is not None and state.block is None:
                state.quiet_until(self.population(name, seen, scenes))
                state.begin_block()

    def population(self, cell: str, seen: int, scenes: Mapping[str, int]) -> int:
        """How many payments of those that a cell counts have been seen."""
        if cell == "outside":
            return seen
        if cell == "share":
            return self._agreed(scenes)
        return self.cells[cell].seen if cell == "mean" else scenes[cell.removeprefix(_SCENE)]

    def settle(self, seen: int, scenes: Mapping[str, int]) -> None:
        """Every payment so far is in the evidence of every cell."""
        for name, state in self.cells.items():
            state.quiet_until(self.population(name, seen, scenes))

    def cell(self, name: str) -> CellState | None:
        """A cell, made when it is first needed; None for `share` where the brief expects a grant for every payment."""
        found = self.cells.get(name)
        if found is None:
            bets = self._bets(name)
            if bets is not None:
                found = self.cells[name] = CellState.new(bets)
        return found

    def _agreed(self, scenes: Mapping[str, int]) -> int:
        own = self._scenes
        return scenes[own[0]] if len(own) == 1 else sum([scenes[one] for one in own])

    def _bets(self, name: str) -> Bets | None:
        measure = Measure(name.partition(":")[0])
        mean = self.expected(measure)
        if mean >= 1:
            return None
        key = mean, self._capital * WEIGHTS[measure]
        return self._kept.get(key) or self._kept.setdefault(key, Bets.against(*key))

    def expected(self, measure: Measure) -> float:
        """The mean that a cell is watched against: a share of payments, or of the largest discount."""
        if measure is Measure.SHARE:
            return self.watch.share
        if measure is Measure.MEAN:
            return min(self.watch.mean / self.watch.most, _MEAN_MAX)
        return OUTSIDE_SHARE

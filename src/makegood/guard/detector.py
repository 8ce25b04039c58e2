"""The detector of a house: it stops a campaign that grants more, or elsewhere, than its brief expects.

Every payment submitted in the house is one observation, also one that is granted nothing. The capital that all bets of
all cells of all campaigns begin with at one payment adds up to 1 at most, so that one threshold holds for the whole
house: the payments of a year at the declared peak, for one false stop a year on average (edetector.py has the theorem).
Cells of different scenes share no payment and so no capital; views of the same payment share it.

There is no clock in here. Whatever clocks do, a payment is one observation.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import log

from makegood.guard.cells import Measure, Observed, Watch
from makegood.guard.detector_alarm import Alarm
from makegood.guard.detector_campaign import BetsKept, Watched, scene_of
from makegood.guard.detector_cell import CellState

_DAYS_A_YEAR = 365.25


class Detector:
    """What a house's live campaigns granted, and how sure it is that their briefs do not expect it.

    `payments_a_year` is the threshold N. `portion` is this detector's part of the capital: 1 alone; two detectors that
    both watch all payments, such as a node's own and the one that all nodes merge into, have parts that add up to 1.
    Detectors of different payments, such as those of two nodes, each have the same part: that costs nothing.
    `telling` notes what happens for others (detector_merge.py).
    """

    def __init__(
        self, watches: Iterable[Watch], payments_a_year: int, *, portion: float = 1.0, telling: bool = False
    ) -> None:
        assert payments_a_year >= 1 and 0 < portion <= 1
        named = {one.campaign: one for one in watches}
        capital, kept = portion / max(len(named), 1), BetsKept()
        self.campaigns: Mapping[str, Watched] = {name: Watched(one, capital, kept) for name, one in named.items()}
        self.payments_a_year = payments_a_year
        self.telling = telling
        self.has_to_tell = False  # Whether anything was granted since it was last told; until then counts can wait.
        self.payments = 0
        self.scenes: Counter[str] = Counter()
        self._told: tuple[int, Counter[str]] = 0, Counter()

    def observe(self, scene: str, grants: Sequence[Observed] = (), payment_id: str = "") -> Sequence[Alarm]:
        """The alarms that one payment raises: none nearly always. A cell that raised one begins again.

        `grants` is what the payment was granted in the end. It is observed once: not when it is previewed, and not
        when a retry is answered with its first outcome. Grants of campaigns that are not watched are left out.
        """
        self.payments += 1
        self.scenes[scene] += 1
        alarms: list[Alarm] = []
        for grant in grants:
            watched = self.campaigns.get(grant.campaign)
            if watched is None or grant.amount <= 0:
                continue
            if self.telling:
                self.has_to_tell = True
                watched.begin_blocks(scene, grant, *self._told)
            for name, state, evidence in watched.granted(scene, grant, payment_id, self.payments, self.scenes):
                if evidence >= self.payments_a_year:
                    alarms.append(self.alarm(watched.watch, name, state, evidence, (scene, grant)))
        return alarms

    def quiet(self, campaign: str) -> bool:
        """Whether a campaign's evidence is below what stops it, divided by the days of a year.

        That is wrong after a day's payments at the declared peak, on average, and no sooner. It stops nothing; it is a
        reason not to open the next stage yet. Payments that keep the brief make a campaign quiet again.
        """
        watched = self.campaigns.get(campaign)
        if watched is None:
            return True
        watched.settle(self.payments, self.scenes)
        limit = max(self.payments_a_year / _DAYS_A_YEAR, 1.0)
        return all(sum(state.capital) < limit for state in watched.cells.values())

    def evidence(self, campaign: str) -> Mapping[str, float]:
        """ln of the evidence in each cell where something was granted; an alarm is at ln `payments_a_year`."""
        watched = self.campaigns[campaign]
        watched.settle(self.payments, self.scenes)
        return {name: log(total) for name, state in watched.cells.items() if (total := sum(state.capital)) > 0}

    def forget(self, campaign: str) -> None:
        """The evidence against a campaign is gone, as when it resumes: always allowed, for less makes no alarm."""
        for state in self.campaigns[campaign].cells.values():
            state.restart()

    def settle(self) -> None:
        """Every payment so far is in the evidence of every cell."""
        for watched in self.campaigns.values():
            watched.settle(self.payments, self.scenes)

    def state(self, campaign: str, name: str) -> CellState | None:
        """A cell of a campaign by its name, made if need be; None where none is watched."""
        watched = self.campaigns.get(campaign)
        return watched.cell(name) if watched is not None else None

    def blocks(self) -> Iterable[tuple[str, str, CellState]]:
        """Every cell that something was granted in since blocks were last begun, with all that it saw meanwhile."""
        for campaign, watched in self.campaigns.items():
            for name, state in watched.cells.items():
                if state.block is not None:
                    state.quiet_until(watched.population(name, self.payments, self.scenes))
                    yield campaign, name, state

    def begin_blocks(self) -> tuple[int, Mapping[str, int]]:
        """How many payments there were since this was last called, in all and of each scene. Blocks begin anew."""
        (payments, scenes), self._told = self._told, (self.payments, self.scenes.copy())
        self.has_to_tell = False
        return self.payments - payments, dict(self.scenes - scenes)

    def alarm(
        self, watch: Watch, name: str, state: CellState, evidence: float, found: tuple[str, Observed] | None
    ) -> Alarm:
        """The alarm of a cell, which begins again. `found` is the scene and the grant that raised it, if it was one."""
        measure, cusum = Measure(name.partition(":")[0]), state.cusum
        scene, grant = found or (scene_of(name), None)
        expected = float(watch.mean) if measure is Measure.MEAN else state.bets.mean
        raised = Alarm(
            watch.campaign, measure, scene, grant, log(evidence), log(self.payments_a_year), expected,
            cusum.payments, cusum.grants, cusum.amount, tuple(state.last),
        )  # fmt: skip
        state.restart()
        return raised

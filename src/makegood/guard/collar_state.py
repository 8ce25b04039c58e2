"""What a node remembers of its own grants, in bounded memory: velocities, payments, stages and its clock.

Time is `age`: nanoseconds that have passed by the wall clock and by the stopwatch both. A clock that jumps ahead gives
no window an early end, one that jumps back gives none a second life, and the stopwatch alone cannot do either.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from makegood.clock import SECOND, Instant
from makegood.domain.payment import Payment
from makegood.domain.quote import Grant
from makegood.limits import (
    CLOCK_SKEW_SECONDS_MAX,
    COLLAR_CLOCK_SETTLE_SECONDS,
    COLLAR_COUNTER_MAX,
    COLLAR_KEPT_MAX,
    COLLAR_STAGE_SECONDS_MAX,
)

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
_JUMP = CLOCK_SKEW_SECONDS_MAX * SECOND
_SETTLED = COLLAR_CLOCK_SETTLE_SECONDS * SECOND
_BELIEVED = COLLAR_STAGE_SECONDS_MAX * SECOND

Granted = tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """When a payment is decided.

    `now` is the clock of the decision, `ticks` a stopwatch in nanoseconds, `lease_left` the nanoseconds that the
    node's lease still has. `steady` is False where `now` is a payment's own clock, in a test house: it need not run as
    `ticks` do.
    """

    now: Instant
    ticks: int
    lease_left: int
    steady: bool = True


class Windows:
    """Counts and sums by key, each over a window that begins with its first grant. At most `most` keys.

    The key that was counted longest ago makes room for a new one: it is forgotten, never taken for another.
    """

    __slots__ = ("_kept", "_most", "_span")

    def __init__(self, span: int, most: int = COLLAR_KEPT_MAX) -> None:
        self._span, self._most = span, most
        self._kept: dict[Hashable, tuple[int, int, int]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def seen(self, key: Hashable, age: int) -> tuple[int, int]:
        """Count and sum of the window that is open at `age`."""
        kept = self._kept.get(key)
        return (0, 0) if kept is None or age - kept[0] >= self._span else (kept[1], kept[2])

    def add(self, key: Hashable, age: int, amount: int) -> None:
        """Count one more of `amount`. Counters stop at their largest value."""
        kept = self._kept.pop(key, None)
        if kept is None or age - kept[0] >= self._span:
            kept = (age, 0, 0)
        began, count, total = kept
        total = min(total + amount, COLLAR_COUNTER_MAX)
        self._kept[key] = (began, min(count + 1, COLLAR_COUNTER_MAX), total)
        if len(self._kept) > self._most:
            del self._kept[next(iter(self._kept))]


class Watch:
    """The wall clock held against a stopwatch. `age` never goes back, and never runs ahead of either."""

    __slots__ = ("_age", "_doubt", "_now", "_ticks", "_trusted")

    def __init__(self) -> None:
        self._age = 0
        self._now, self._ticks = Instant(0), -1  # The first decision begins at no age, whatever its clocks say.
        self._trusted: Moment | None = None
        self._doubt: Moment | None = None

    def age(self, moment: Moment) -> int:
        """Nanoseconds since the first decision, as far as both clocks bear it out."""
        passed = moment.ticks - self._ticks
        if moment.steady:
            passed = min(passed, moment.now - self._now)
        return self._age + passed if passed > 0 and self._ticks >= 0 else self._age

    def jump(self, moment: Moment) -> int:
        """Nanoseconds that the wall clock went ahead of the stopwatch (below zero: fell behind) beyond belief, or 0."""
        trusted, doubt = self._trusted, self._doubt
        if trusted is None or not moment.steady:
            return 0
        drift = _drift(trusted, moment)
        if -_JUMP <= drift <= _JUMP:
            return 0
        if doubt is not None and moment.ticks - doubt.ticks >= _SETTLED and -_JUMP <= _drift(doubt, moment) <= _JUMP:
            return 0
        return drift

    def observe(self, moment: Moment) -> None:
        """Take in the clocks of a decision. A jump is believed once the clock ran on steadily for a while."""
        self._age = self.age(moment)
        back = self._ticks - moment.ticks
        if not 0 <= back <= _JUMP:  # A little back is a decision that took longer than the one before.
            self._ticks = moment.ticks
        self._now = moment.now
        if not moment.steady:
            return
        doubt = self._doubt
        if self.jump(moment) == 0:
            self._trusted, self._doubt = moment, None
        elif doubt is None or not -_JUMP <= _drift(doubt, moment) <= _JUMP:
            self._doubt = moment


class CollarState:
    """All that a node remembers for its collar of one house and currency. Every part is bounded by `most`."""

    __slots__ = ("_most", "devices", "payees", "payers", "payments", "spends", "stages", "watch")

    def __init__(self, most: int = COLLAR_KEPT_MAX) -> None:
        self.watch = Watch()
        self.payers, self.devices = Windows(HOUR, most), Windows(HOUR, most)
        self.payees, self.spends = Windows(MINUTE, most), Windows(MINUTE, most)
        self.payments: dict[str, Granted] = {}
        self.stages: dict[str, tuple[int, int]] = {}
        self._most = most

    def believe(self, campaign: str, open_minor: int, moment: Moment) -> None:
        """For the next few seconds `open_minor` of the campaign's open stage are left, as the store said just now."""
        _keep(self.stages, campaign, (self.watch.age(moment), open_minor), self._most)

    def left(self, campaign: str, age: int) -> int | None:
        """What is left of its open stage, less the node's own grants since; None where the store did not say lately.

        A word that is older counts no more: a node that withholds asks the store for nothing, and would never learn.
        """
        said = self.stages.get(campaign)
        return None if said is None or age - said[0] >= _BELIEVED else said[1]

    def note(self, payment: Payment, grants: Sequence[Grant], moment: Moment) -> None:
        """Take in a decision: `grants` are those that the store reserved, none where all were dropped or refused.

        A payment that is noted again counts once. Without the decisions in which all was dropped a clock that jumped
        is never believed again.
        """
        self.watch.observe(moment)
        if not grants or payment.payment_id in self.payments:
            return
        age = self.watch.age(moment)
        _keep(self.payments, payment.payment_id, granted_of(grants), self._most)
        for grant in grants:
            self._count(payment, grant, age)

    def _count(self, payment: Payment, grant: Grant, age: int) -> None:
        campaign, discount = grant.campaign, grant.discount
        self.spends.add(campaign, age, discount)
        self.payees.add((campaign, payment.payee_id), age, discount)
        if payment.payer_id is not None:
            self.payers.add((campaign, payment.payer_id), age, discount)
        if payment.device_id is not None:
            self.devices.add((campaign, payment.device_id), age, discount)
        if campaign in self.stages:
            said, left = self.stages[campaign]
            self.stages[campaign] = said, left - discount


def granted_of(grants: Sequence[Grant]) -> Granted:
    """What tells the grants of one payment from others."""
    return tuple((grant.campaign, grant.revision, grant.discount) for grant in grants)


def _keep(kept: dict[str, Any], key: str, value: Any, most: int) -> None:
    """Keep it as the newest; the oldest makes room."""
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > most:
        del kept[next(iter(kept))]


def _drift(earlier: Moment, later: Moment) -> int:
    return (later.now - earlier.now) - (later.ticks - earlier.ticks)

"""Limits and budgets in memory: what `price --limits` carries along, and the plain model of the store's
counters.

Money of a campaign is reserved, then granted, and comes back by release (all of it) or refund (a share).
Counters of limits are charged when a payment is reserved, to the day and hour of that decision; only release
gives them back. A counter belongs to a campaign, or to a limit across campaigns: then to `policy:` and its id.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from makegood.clock import SECOND, Instant
from makegood.domain.campaign import Campaign
from makegood.domain.limit import Balance, Balances, Limit, Period, Subject, Used
from makegood.domain.payment import Payment
from makegood.domain.policy import Policy, SharedLimit
from makegood.domain.quote import Grant, Refusal
from makegood.engine.limits import refusal_by_balance, refusals_together
from makegood.money import returned_after

_UNUSED = Used()
_CounterKey = tuple[str, Subject, Period, str, str]  # owner, subject, period, whose, when


class HoldState(StrEnum):
    """What became of a reserved payment."""

    RESERVED = "reserved"
    CAPTURED = "captured"
    RELEASED = "released"


@dataclass(slots=True)
class Hold:
    """One payment that was granted something. Money is minor units; `returned` is by campaign id."""

    payment: Payment
    grants: tuple[Grant, ...]
    decided_at: Instant
    state: HoldState = HoldState.RESERVED
    refunded: int = 0
    returned: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Money:
    """Where one campaign's money is, minor units. `granted` is after refunds, so the rest of the budget is
    left.
    """

    reserved: int = 0
    granted: int = 0


class Book:
    """The budgets and limits of some campaigns. Every amount is minor units of the policy's currency.

    `stages` gives the open stage by campaign id; a campaign that is missing from it has its whole budget
    open.
    """

    def __init__(
        self, policy: Policy, campaigns: Iterable[Campaign], *, stages: Mapping[str, int] | None = None
    ) -> None:
        self.zone = policy.timezone
        self.campaigns = {campaign.id: campaign for campaign in campaigns}
        self.shared = {label: policy.limits_on(label) for label in policy.labels}
        self.stages = dict(stages or {})
        self.money: defaultdict[str, Money] = defaultdict(Money)
        self.counters: dict[_CounterKey, Used] = {}
        self.holds: dict[str, Hold] = {}

    def balances(self, payment: Payment, now: Instant) -> Balances:
        """What `payment` sees of each campaign at `now`. Worked out when read: use it before the book
        changes.
        """
        return _Seen(self, payment, now)

    def balance(self, campaign: Campaign, payment: Payment, when: Mapping[Period, str]) -> Balance:
        """What `payment` sees of one campaign in the periods named by `when` (see `periods_at`)."""
        money = self.money[campaign.id]
        used = money.reserved + money.granted
        counted = {}
        for limit in campaign.limits:
            key = _counter_key(campaign.id, limit, payment, when)
            counted[limit.subject, limit.period] = self.counters.get(key, _UNUSED)
        shared = {}
        for one in self.shared[campaign.label]:
            key = _counter_key(_owner(one), one.limit, payment, when)
            shared[one.id] = self.counters.get(key, _UNUSED)
        stage = self.stages.get(campaign.id, campaign.budget)
        return Balance(campaign.budget - used, stage - used, counted, shared)

    def reserve(self, payment: Payment, grants: Sequence[Grant], now: Instant) -> Mapping[str, Refusal]:
        """Hold the money of `grants` and count them; or, where any does not fit, do nothing and say which and
        why.
        """
        assert payment.payment_id not in self.holds, "a payment is reserved once"
        refused = self._refusals(payment, grants, now)
        if not refused:
            self.holds[payment.payment_id] = Hold(payment, tuple(grants), now)
            for grant in grants:
                self.money[grant.campaign].reserved += grant.discount
            self._count(payment, grants, now, +1)
        return refused

    def settle(self, payment: Payment, grants: Sequence[Grant], now: Instant) -> Mapping[str, Refusal]:
        """Reserve and capture at once, keeping no hold: nothing of it can be released or refunded later."""
        refused = self._refusals(payment, grants, now)
        if not refused:
            for grant in grants:
                self.money[grant.campaign].granted += grant.discount
            self._count(payment, grants, now, +1)
        return refused

    def capture(self, payment_id: str, captured_amount: int | None = None) -> None:
        """The payment was paid. A partial capture is a capture and a refund of the difference, at once."""
        hold = self.holds[payment_id]
        assert hold.state is HoldState.RESERVED
        amount = hold.payment.amount
        assert captured_amount is None or 0 < captured_amount <= amount
        for grant in hold.grants:
            self.money[grant.campaign].reserved -= grant.discount
            self.money[grant.campaign].granted += grant.discount
        hold.state = HoldState.CAPTURED
        if captured_amount is not None and captured_amount < amount:
            self.refund(payment_id, amount - captured_amount)

    def release(self, payment_id: str) -> None:
        """The payment was not paid, or its quote expired: everything is as if it had not been reserved."""
        hold = self.holds[payment_id]
        assert hold.state is HoldState.RESERVED
        for grant in hold.grants:
            self.money[grant.campaign].reserved -= grant.discount
        self._count(hold.payment, hold.grants, hold.decided_at, -1)
        hold.state = HoldState.RELEASED

    def refund(self, payment_id: str, refund_amount: int) -> Mapping[str, int]:
        """Return `refund_amount` of the amount before discount: money goes back to budgets, by campaign as
        answered.

        Counts, and what a payer may still get, stay as they are.
        """
        hold = self.holds[payment_id]
        assert hold.state is HoldState.CAPTURED
        assert 0 < refund_amount <= hold.payment.amount - hold.refunded
        hold.refunded += refund_amount
        returned = {}
        for grant in hold.grants:
            so_far = returned_after(grant.discount, hold.refunded, hold.payment.amount)
            returned[grant.campaign] = so_far - hold.returned.get(grant.campaign, 0)
            hold.returned[grant.campaign] = so_far
            self.money[grant.campaign].granted -= returned[grant.campaign]
        return returned

    def _refusals(self, payment: Payment, grants: Sequence[Grant], now: Instant) -> dict[str, Refusal]:
        seen = self.balances(payment, now)
        refused = {}
        for grant in grants:
            campaign, balance = self.campaigns[grant.campaign], seen[grant.campaign]
            refusal = refusal_by_balance(campaign, balance, grant.discount, self.shared[campaign.label])
            if refusal is not None:
                refused[grant.campaign] = refusal
        left = [grant for grant in grants if grant.campaign not in refused]
        wanted = [(one.campaign, one.discount, self.shared[self.campaigns[one.campaign].label]) for one in left]
        return refused | refusals_together(wanted, seen)

    def _count(self, payment: Payment, grants: Sequence[Grant], at: Instant, sign: int) -> None:
        when = periods_at(at, self.zone)
        for grant in grants:
            campaign = self.campaigns[grant.campaign]
            owned = [(campaign.id, limit) for limit in campaign.limits]
            owned += [(_owner(one), one.limit) for one in self.shared[campaign.label]]
            for owner, limit in owned:
                key = _counter_key(owner, limit, payment, when)
                used = self.counters.get(key, _UNUSED)
                counted = Used(used.count + sign, used.amount + sign * grant.discount)
                assert counted.count >= 0 and counted.amount >= 0
                self.counters[key] = counted


class _Seen(Mapping[str, Balance]):
    """The balances of one payment, each worked out when asked for: pricing asks for few of them."""

    __slots__ = ("_book", "_now", "_payment", "_when")

    def __init__(self, book: Book, payment: Payment, now: Instant) -> None:
        self._book = book
        self._payment = payment
        self._now = now
        self._when: Mapping[Period, str] | None = None

    def __getitem__(self, campaign_id: str) -> Balance:
        if self._when is None:
            self._when = periods_at(self._now, self._book.zone)
        return self._book.balance(self._book.campaigns[campaign_id], self._payment, self._when)

    def __iter__(self) -> Iterator[str]:
        return iter(self._book.campaigns)

    def __len__(self) -> int:
        return len(self._book.campaigns)


def periods_at(now: Instant, zone: str) -> Mapping[Period, str]:
    """The name of the day and of the hour that `now` falls in, in an IANA zone.

    The hour's name has its offset, so that the hour which comes twice when summer time ends is two hours.
    """
    return _periods_of_second(int(now) // SECOND, zone)


@lru_cache(maxsize=1024)
def _periods_of_second(second: int, zone: str) -> Mapping[Period, str]:
    local = Instant(second * SECOND).local(zone)  # No zone's clock is off by a part of a second.
    return {
        Period.EVER: "",
        Period.DAY: local.date().isoformat(),
        Period.HOUR: local.isoformat(timespec="hours"),
    }


def _owner(shared: SharedLimit) -> str:
    return f"policy:{shared.id}"  # No campaign's id holds a colon.


def _counter_key(owner: str, limit: Limit, payment: Payment, when: Mapping[Period, str]) -> _CounterKey:
    return owner, limit.subject, limit.period, _whose(limit.subject, payment), when[limit.period]


def _whose(subject: Subject, payment: Payment) -> str:
    match subject:
        case Subject.ALL:
            return ""
        case Subject.PAYER:
            return payment.payer_id or ""
        case Subject.DEVICE:
            return payment.device_id or ""
        case Subject.PAYEE:
            return payment.payee_id

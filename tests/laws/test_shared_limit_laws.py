"""Limits across campaigns: what is carried along in one process against counts made plainly from its answers."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.pricing_world import NOON, POLICY, REVISION, campaign, raw_payment

from makegood.domain.benefit import AmountOff
from makegood.domain.campaign import Campaign
from makegood.domain.limit import Limit, Period, Subject
from makegood.domain.payment import Payment
from makegood.domain.policy import Label, Policy, SharedLimit
from makegood.domain.quote import Considered, Refusal
from makegood.engine.limits import refusal_of_limit
from makegood.engine.snapshot import Live, build_snapshot
from makegood.files.rows import Row
from makegood.files.run import Outcome, price_rows

LABELS = ("merchant_coupon", "platform_gift", "festival")
AMOUNT = 12_000
OWN = Limit(Subject.PAYER, Period.EVER, count_max=4)

limits = st.builds(
    Limit,
    st.sampled_from(Subject),
    st.sampled_from(Period),
    st.none() | st.integers(0, 6),
    st.integers(500, 4_000),
)
shared_limits = st.lists(
    st.tuples(limits, st.none() | st.lists(st.sampled_from(LABELS), min_size=1, unique=True).map(tuple)),
    min_size=1,
    max_size=4,
).map(lambda found: tuple(SharedLimit(f"limit-{n}", limit, labels) for n, (limit, labels) in enumerate(found)))


@st.composite
def campaigns(draw: st.DrawFn, groups: Sequence[str] | None = None) -> list[Campaign]:
    """A few that take an amount off everything. `groups` None: each in a group of its own, so that all combine."""
    return [
        replace(
            campaign(
                f"c{number}",
                benefit=AmountOff(draw(st.integers(1, 1_500))),
                group=f"g{number}" if groups is None else draw(st.sampled_from(groups)),
                priority=draw(st.integers(0, 3)),
                limits=(OWN,),
            ),
            label=draw(st.sampled_from(LABELS)),
        )
        for number in range(draw(st.integers(2, 5)))
    ]


@st.composite
def payments(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Up to a dozen in time order, by two payers on two devices at two payees over two days."""
    minutes = sorted(draw(st.lists(st.integers(0, 24 * 60), min_size=1, max_size=12)))
    return [
        raw_payment(
            payment_id=f"p-{number}",
            occurred_at=NOON.plus(60 * minute).text(),
            payer_id=draw(st.sampled_from(["ann", "bob", None])),
            device_id=draw(st.sampled_from(["phone", "tablet", None])),
            payee_id=draw(st.sampled_from(["lin", "wu"])),
            amount=AMOUNT,
        )
        for number, minute in enumerate(minutes)
    ]


def house(shared: tuple[SharedLimit, ...]) -> Policy:
    labels = {name: Label(name, {"en": name, "zh-CN": name}) for name in LABELS}
    return replace(POLICY, labels=labels, limits=shared)


def priced(policy: Policy, live: list[Campaign], raws: list[dict[str, Any]]) -> Iterator[Outcome]:
    one = build_snapshot(policy, [Live(each, f"rev_{each.id}") for each in live], policy_revision=REVISION, secret=b"s")
    rows = [Row(number, raw) for number, raw in enumerate(raws, 1)]
    for outcome in price_rows(rows, one, limits=True, stopwatch=lambda: 0.0):
        assert isinstance(outcome, Outcome)
        yield outcome


Slot = tuple[str, str | None, str]  # limit, whose, when


def slot(name: str, limit: Limit, payment: Payment) -> Slot:
    """Where a payment counts, worked out from its own fields."""
    local = payment.occurred_at.local(POLICY.timezone)
    when = {Period.EVER: "", Period.DAY: f"{local:%Y-%m-%d}", Period.HOUR: f"{local:%Y-%m-%d %H}"}
    whose = {
        Subject.ALL: "all",
        Subject.PAYER: payment.payer_id,
        Subject.DEVICE: payment.device_id,
        Subject.PAYEE: payment.payee_id,
    }
    return name, whose[limit.subject], when[limit.period]


class Counts:
    """Grants and minor units by slot, added up from answers."""

    def __init__(self) -> None:
        self.count: Counter[Slot] = Counter()
        self.amount: defaultdict[Slot, int] = defaultdict(int)

    def admits(self, at: Slot, limit: Limit, discount: int) -> bool:
        return limit.admits(self.count[at], self.amount[at], discount)

    def add(self, at: Slot, discount: int) -> None:
        self.count[at] += 1
        self.amount[at] += discount


@given(shared_limits, campaigns(("a", "b", "c")), payments())
def test_no_limit_across_campaigns_is_exceeded_by_one_minor_unit(
    shared: tuple[SharedLimit, ...], live: list[Campaign], raws: list[dict[str, Any]]
) -> None:
    counts = Counts()
    for outcome in priced(house(shared), live, raws):
        for grant in outcome.priced.grants:
            for one in shared:
                if one.covers(grant.label):
                    at = slot(one.id, one.limit, outcome.payment)
                    assert at[1] is not None, "nobody's grants were counted"
                    counts.add(at, grant.discount)
    for one in shared:
        for at in [at for at in counts.count if at[0] == one.id]:
            assert one.limit.count_max is None or counts.count[at] <= one.limit.count_max
            assert one.limit.amount_max is None or counts.amount[at] <= one.limit.amount_max


@given(shared_limits, campaigns(), payments())
def test_of_campaigns_that_all_combine_each_is_granted_that_fits_beside_those_of_higher_priority(
    shared: tuple[SharedLimit, ...], live: list[Campaign], raws: list[dict[str, Any]]
) -> None:
    counts = Counts()
    ranked = sorted(live, key=lambda one: (-one.stacking.priority, one.id))
    for outcome in priced(house(shared), live, raws):
        before = {considered.campaign: considered for considered in outcome.explanation}
        expected = [one.id for one in ranked if _takes(one, shared, outcome.payment, counts, before[one.id])]
        assert [grant.campaign for grant in outcome.priced.grants] == expected


def _takes(one: Campaign, shared: tuple[SharedLimit, ...], paid: Payment, counts: Counts, told: Considered) -> bool:
    """Whether the campaign is granted after those that were counted; it is counted then. The explanation agrees."""
    caps = [(one.id, OWN), *((each.id, each.limit) for each in shared if each.covers(one.label))]
    slots = [(slot(name, limit, paid), limit) for name, limit in caps]
    assert isinstance(one.benefit, AmountOff)
    discount = one.benefit.amount
    unknown = {limit.subject for at, limit in slots if at[1] is None}
    full = [limit for at, limit in slots if not counts.admits(at, limit, discount)]
    if unknown:
        payer_first = Refusal.PAYER_IS_UNKNOWN if Subject.PAYER in unknown else Refusal.DEVICE_IS_UNKNOWN
        assert told.refusal is payer_first
    elif full:
        assert told.refusal in {refusal_of_limit(limit) for limit in full}
    else:
        assert told.refusal is None
        for at, _ in slots:
            counts.add(at, discount)
    return not unknown and not full

"""A brief, a policy, payments and grants for tests of the collar, each with defaults that a test overrides."""

from dataclasses import replace
from typing import Any

from tests.unit.pricing_world import CLOSES, NOON, OPENS, POLICY, payment

from makegood.clock import SECOND, Instant
from makegood.domain.brief import Brief, Expectation, PerPayer, Share, Window
from makegood.domain.payment import Payment
from makegood.domain.policy import Funder, Label, Policy
from makegood.domain.quote import Grant
from makegood.guard.collar_state import CollarState, Moment
from makegood.guard.numbers import Numbers, numbers_of

LABELS = {
    "merchant_coupon": Label("merchant_coupon", {"en": "Merchant discount"}),
    "government_subsidy": Label("government_subsidy", {"en": "Government subsidy"}, owner="gov"),
}
HOUSE: Policy = replace(POLICY, labels=LABELS, funders={name: Funder(name) for name in ("platform", "merchant", "gov")})
TICKS = 10**15
OF_BRIEF = Brief(
    "spring", {"en": "spring"}, "merchant_coupon", (Share("platform", 7_000), Share("merchant", 3_000)),
    Window(OPENS, CLOSES), ("in_store_qr",), 10_000, 5_000, 2_000, 100_000_000, PerPayer(3, 10_000), 100_000,
    Expectation(500, 2_500, 600_000),
)  # fmt: skip

GRANT = Grant("spring", "rev_1", "merchant_coupon", "instant_discount", 2_000, OF_BRIEF.funding)


def known(*, policy: Policy = HOUSE, earlier: tuple[str, ...] = (), **brief: Any) -> Numbers:
    """The numbers of the brief with changes, for revision `rev_1`."""
    return numbers_of(replace(OF_BRIEF, **brief), policy, "rev_1", earlier)


def granted(**changes: Any) -> Grant:
    """20.00 off by the campaign of the brief."""
    return replace(GRANT, **changes)


def paid(**changes: Any) -> Payment:
    """A payment of 120.00. What a schema would refuse is put in behind its back."""
    outside = {name: changes.pop(name) for name in ("amount", "currency", "scene") if name in changes}
    made = payment(device_id="phone-1", **{"referrer_id": "friend", **changes})
    plain = {name: value for name, value in outside.items() if name != "scene"}
    return changed(made, **plain, fields={**made.fields, **outside})


def changed(one: Payment, **changes: Any) -> Payment:
    """The payment with other attributes, whatever a schema says of them."""
    names = ("payment_id", "occurred_at", "payee_id", "amount", "currency", "payer_id", "device_id", "codes", "items")
    return Payment(**{name: getattr(one, name) for name in (*names, "fields")} | changes)


def moment(*, after: float = 0, **changes: Any) -> Moment:
    """Noon and so many seconds later, by both clocks."""
    passed = int(after * SECOND)
    return replace(Moment(Instant(NOON + passed), TICKS + passed, SECOND), **changes)


def note_many(state: CollarState, count: int, discount: int = 2_000, **changes: Any) -> None:
    """So many payments that were granted `discount`, each of its own payer, payee and device unless told otherwise."""
    for number in range(count):
        own = {"payment_id": f"n-{number}", "payer_id": f"q-{number}", "payee_id": f"s-{number}"}
        one = changed(paid(), **{**own, "device_id": f"d-{number}", **changes})
        state.note(one, [granted(discount=discount)], moment())

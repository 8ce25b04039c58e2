"""The collar and pricing: what pricing grants by a campaign that keeps its brief is never dropped; what is bent is.

That the example campaigns keep their briefs is proved in tests/unit/test_proof.py and test_proof_items.py.
"""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.collar_world import HOUSE, OF_BRIEF, changed
from tests.unit.pricing_world import NOON, campaign, payment, snapshot
from tests.unit.proving import read_trio

from makegood.clock import SECOND, Instant
from makegood.domain.benefit import AmountOff, Benefit, PercentOff, RandomOff, Tier, Tiers, largest_discount
from makegood.domain.brief import Brief, PerPayer, Share
from makegood.domain.limit import Balances
from makegood.domain.payment import Payment, parse_payment
from makegood.domain.policy import Policy
from makegood.domain.quote import Grant
from makegood.engine.book import Book
from makegood.engine.price import price
from makegood.engine.snapshot import Live, Snapshot, build_snapshot
from makegood.guard.collar import check
from makegood.guard.collar_state import CollarState, Moment
from makegood.guard.numbers import Numbers, numbers_of

NAMES = ("spring", "tiers", "lucky", "coffee", "latte", "coffee-items")
LEASE = SECOND


def drawn(chance: Random, number: int, brief: Brief, policy: Policy) -> Payment:
    """A payment that the brief's campaign often likes, at any moment of its window, from few people."""
    scenes = policy.schema.fields["scene"].values or ()
    units = [chance.randrange(1, 4_000) for _ in range(chance.randrange(2, 8))]
    amount = chance.choice(
        (sum(units), sum(units), brief.spend_min, max(brief.spend_min - 1, 1), chance.randrange(1, 80_000))
    )
    raw: dict[str, Any] = {
        "payment_id": f"p-{number}",
        "occurred_at": Instant(chance.randrange(brief.window.opens, brief.window.closes) // 1_000 * 1_000).text(),
        "payer_id": f"payer-{chance.randrange(20)}",
        "device_id": f"phone-{chance.randrange(20)}",
        "payee_id": f"shop-{chance.randrange(3)}",
        "amount": amount,
        "currency": policy.currency,
        "scene": chance.choice((*brief.scenes, *brief.scenes, *brief.scenes, chance.choice(scenes))),
        "channel": chance.choice(("app", "mini_program")),
        "instrument": "balance",
        "merchant_category": "5814",
        "city": chance.choice(("Hangzhou", "Hangzhou", "Shanghai")),
        "items_count": len(units),
        "payer_is_new": chance.random() < 0.5,
        "payer_segments": [],
        "codes": ["COFFEE5"],
    }
    if amount == sum(units):
        raw["items"] = [_item(chance, unit) for unit in units]
    return parse_payment(raw, policy.schema)


def _item(chance: Random, unit: int) -> dict[str, Any]:
    return {
        "sku": chance.choice(("latte", "latte", "latte", "cake")),
        "category": "coffee",
        "amount": unit,
        "quantity": 1,
    }


def live_of(name: str) -> tuple[Snapshot, Book, Brief, Policy, dict[str, Numbers]]:
    """An example campaign as pricing has it, and as the collar knows it."""
    found, brief, policy = read_trio(name)
    made = build_snapshot(policy, [Live(found, "rev_1")], policy_revision="rev_policy", secret=b"house secret")
    return made, Book(policy, [found]), brief, policy, {found.id: numbers_of(brief, policy, "rev_1")}


@pytest.mark.parametrize("name", NAMES)
def test_no_grant_of_an_example_campaign_is_ever_dropped(name: str) -> None:
    """With the limits of a book, as the store keeps them, and without, as a node prices that knows none."""
    made, book, brief, policy, numbers = live_of(name)
    chance, granted = Random(name), 0
    booked, blind = CollarState(), CollarState()
    for number in range(500):
        paid = drawn(chance, number, brief, policy)
        at = Moment(paid.occurred_at, number * SECOND, LEASE, steady=False)
        balances: Balances = book.balances(paid, paid.occurred_at)
        for state, grants in (
            (booked, price(paid, made, balances, paid.occurred_at).grants),
            (blind, price(paid, made, {}, paid.occurred_at).grants),
        ):
            verdict = check(paid, grants, at, numbers, state)
            assert verdict.kept == grants, (paid, verdict.dropped)
            state.note(paid, verdict.kept, at)
            granted += len(grants)
            if state is booked:
                book.settle(paid, grants, paid.occurred_at)
    assert granted >= 100


Bend = Callable[[Payment, Grant, Numbers], tuple[Payment, Grant]]


def _fields(paid: Payment, **outside: Any) -> Payment:
    plain = {name: value for name, value in outside.items() if name != "scene"}
    return changed(paid, **plain, fields={**paid.fields, **outside})


BENDS: dict[str, Bend] = {
    "another campaign": lambda paid, grant, _: (paid, replace(grant, campaign="another")),
    "another revision": lambda paid, grant, _: (paid, replace(grant, revision="rev_2")),
    "another label": lambda paid, grant, _: (paid, replace(grant, label="government_subsidy")),
    "another funder": lambda paid, grant, _: (paid, replace(grant, funders=(Share("platform", 9_998), Share("x", 2)))),
    "yuan as fen": lambda paid, grant, _: (paid, replace(grant, discount=grant.discount * 100)),
    "all of it": lambda paid, grant, _: (paid, replace(grant, discount=paid.amount)),
    "no cap": lambda paid, grant, known: (
        _fields(paid, amount=50_000_000), replace(grant, discount=known.discount_max + 1),
    ),
    "a rate too high": lambda paid, grant, known: (
        paid, replace(grant, discount=paid.amount * known.rate_max // 10_000 + 1),
    ),
    "nothing": lambda paid, grant, _: (paid, replace(grant, discount=0)),
    "less than nothing": lambda paid, grant, _: (paid, replace(grant, discount=-grant.discount)),
    "a float": lambda paid, grant, _: (paid, replace(grant, discount=float(grant.discount))),  # type: ignore[arg-type]
    "a scene it never meant": lambda paid, grant, _: (_fields(paid, scene="rent"), grant),
    "a scene nobody knows": lambda paid, grant, _: (_fields(paid, scene="lottery"), grant),
    "a small amount": lambda paid, grant, known: (
        _fields(paid, amount=known.spend_min - 1), replace(grant, discount=1),
    ),
    "another currency": lambda paid, grant, _: (_fields(paid, currency="JPY"), grant),
    "no payer": lambda paid, grant, _: (_fields(paid, payer_id=None), grant),
    "its own payee": lambda paid, grant, _: (_fields(paid, payee_id=paid.payer_id), grant),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_grant_that_was_bent_is_dropped(name: str) -> None:
    made, _, brief, policy, numbers = live_of(name)
    chance, tried = Random(name), 0
    for number in range(80):
        paid = drawn(chance, number, brief, policy)
        at = Moment(paid.occurred_at, 0, LEASE)
        for grant in price(paid, made, {}, paid.occurred_at).grants:
            for word, bend in BENDS.items():
                bent, wrong = bend(paid, grant, numbers[grant.campaign])
                assert not check(bent, (wrong,), at, numbers, CollarState()).kept, word
            for when in (Instant(brief.window.opens - 1), brief.window.closes):
                assert not check(paid, (grant,), replace(at, now=when), numbers, CollarState()).kept
            assert check(paid, (grant, grant), at, numbers, CollarState()).kept == (grant,)
            tried += 1
    assert tried >= 10


minor = st.integers(1, 20_000)
benefits: st.SearchStrategy[Benefit] = st.one_of(
    st.builds(PercentOff, st.integers(1, 10_000), minor),
    st.builds(AmountOff, minor),
    st.lists(minor, min_size=4, max_size=4, unique=True)
    .map(sorted)
    .map(lambda four: Tiers((Tier(four[2], four[0]), Tier(four[3], four[1])))),
    st.tuples(minor, minor).map(sorted).map(lambda two: RandomOff(*two)),
)


def tight_brief(name: str, benefit: Benefit, least: int) -> Brief:
    """The narrowest brief that a campaign of this benefit, from `least` on, keeps."""
    (part, whole), most = tightest(benefit, least)
    return replace(
        OF_BRIEF, campaign=name, funding=(Share("platform", 10_000),), scenes=("in_store_qr",), spend_min=least,
        discount_max=most, rate_max=min(-(-part * 10_000 // whole), 10_000), budget=most, stage_first_max=most,
        per_payer=PerPayer(None, None),
    )  # fmt: skip


def tightest(benefit: Benefit, least: int) -> tuple[tuple[int, int], int]:
    """The largest part of an amount, as a fraction, and the largest discount, from `least` on."""
    if isinstance(benefit, PercentOff):
        return (benefit.rate, 10_000), benefit.up_to
    if isinstance(benefit, Tiers):
        parts = [(tier.off, max(tier.spend, least)) for tier in benefit.tiers]
        return max(parts, key=lambda pair: Fraction(*pair)), benefit.tiers[-1].off
    most = benefit.amount if isinstance(benefit, AmountOff) else largest_discount(benefit, 10**9)
    return (most, least), most


@settings(max_examples=120)
@given(st.lists(st.tuples(benefits, minor), min_size=1, max_size=3), st.lists(st.integers(1, 60_000), max_size=6))
def test_no_grant_within_the_narrowest_brief_is_dropped(parts: list[tuple[Benefit, int]], amounts: list[int]) -> None:
    live, numbers = [], {}
    for number, (benefit, least) in enumerate(parts):
        name, when = f"c{number}", f'payment.scene == "in_store_qr" && payment.amount >= {least}'
        live.append(campaign(name, when=when, benefit=benefit, group=f"g{number}"))
        numbers[name] = numbers_of(tight_brief(name, benefit, least), HOUSE, f"rev_{name}")
    made = snapshot(*live)
    for amount in (*amounts, *(least for _, least in parts)):
        paid = payment(amount=amount)
        grants = price(paid, made, {}, NOON).grants
        assert check(paid, grants, Moment(NOON, 0, LEASE), numbers, CollarState()).kept == grants

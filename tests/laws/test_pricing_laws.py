"""Pricing: what holds for every payment and every set of campaigns."""

from collections.abc import Mapping
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.pricing_world import CLOSES, NOON, OPENS, POLICY, campaign, payment, snapshot

from makegood.clock import Instant
from makegood.domain.benefit import (
    AmountOff,
    Benefit,
    BuyXGetY,
    Draw,
    FreeItem,
    ItemsOff,
    PaymentBenefit,
    PercentOff,
    RandomOff,
    Tier,
    Tiers,
    Units,
    draw_uniform,
    gross_discount,
    item_bound,
    largest_discount,
)
from makegood.domain.campaign import Campaign
from makegood.domain.limit import Balance, Limit, Period, Subject, Used
from makegood.domain.payment import Payment
from makegood.domain.quote import Priced, Refusal
from makegood.engine.book import Book
from makegood.engine.explain import explain
from makegood.engine.index import Index
from makegood.engine.price import price
from makegood.engine.snapshot import Snapshot
from makegood.rules.evaluate import EvaluationError

# Few values of each kind, so that payments and campaigns meet often.
CITIES = ("Hangzhou", "Shanghai", "Beijing")
AMOUNTS = (1, 2, 99, 100, 101, 999, 1000, 5000, 20_000)
MOMENTS = (OPENS, NOON, Instant(CLOSES - 1), CLOSES)

links = st.sampled_from(
    [
        'payment.city == "Hangzhou"',
        '"Shanghai" == payment.city',
        'payment.city in ["Hangzhou", "Beijing"]',
        "payment.city in []",
        '(payment.city == "Beijing" || payment.city == "Shanghai")',
        '(payment.city == "Beijing" || payment.amount > 500)',
        'payment.city != "Hangzhou"',
        'payment.channel == "app"',
        "payment.payer_is_new",
        "!payment.payer_is_new",
        "payment.payer_is_new == false",
        "payment.amount >= 100",
        "payment.amount > 100",
        "1000 <= payment.amount",
        "payment.amount < 5000",
        "payment.amount == 1000",
        "payment.items_count == 2",
        "10 / payment.items_count > 3",
        '(has(payment.store_type) && payment.store_type == "chain")',
        "has(payment.store_type)",
        "!has(payment.payer_id)",
        '(has(payment.payer_segments) && "gold" in payment.payer_segments)',
        'payment.occurred_at >= timestamp("2027-02-03T00:00:00+08:00")',
        "(payment.payer_is_new ? payment.amount > 99 : true)",
        "true",
    ]
)
conditions = st.lists(links, min_size=1, max_size=4).map(" && ".join)
discounts = st.integers(0, 6000)
payment_benefits: st.SearchStrategy[PaymentBenefit] = st.one_of(
    st.builds(PercentOff, st.integers(0, 10_000), discounts),
    st.builds(AmountOff, discounts),
    st.lists(st.tuples(st.integers(1, 1000), st.integers(1, 900)), min_size=1, max_size=4).map(
        lambda steps: Tiers(
            tuple(Tier(sum(s for s, _ in steps[: n + 1]), sum(o for _, o in steps[: n + 1])) for n in range(len(steps)))
        )
    ),
    st.tuples(discounts, discounts).map(lambda two: RandomOff(min(two), max(two))),
)
wheres = st.sampled_from(
    [
        'item.sku == "tea"',
        'item.category == "hot"',
        'has(item.category) || item.sku == "cup"',
        "item.amount / item.quantity > 20",
        "true",
    ]
)
units = st.builds(Units, wheres, st.integers(1, 2))
item_benefits = st.one_of(
    st.builds(ItemsOff, wheres, st.builds(PercentOff, st.integers(0, 10_000), discounts)),
    st.builds(ItemsOff, wheres, st.builds(AmountOff, st.integers(0, 200))),
    st.builds(BuyXGetY, units, units, st.integers(0, 10_000), discounts),
    st.builds(FreeItem, wheres, discounts),
)
benefits: st.SearchStrategy[Benefit] = payment_benefits | item_benefits
limits = st.lists(
    st.builds(
        Limit, st.sampled_from(Subject), st.sampled_from(Period), st.integers(0, 3), st.none() | st.integers(0, 9000)
    ),
    max_size=2,
    unique_by=lambda limit: (limit.subject, limit.period),
).map(tuple)
groups = st.sampled_from("abc")


@st.composite
def campaign_sets(draw: st.DrawFn) -> list[Campaign]:
    """Up to eight campaigns with ids of their own."""
    return [
        campaign(
            f"c{number}",
            when=draw(conditions),
            benefit=draw(benefits),
            budget=draw(st.integers(0, 20_000)),
            limits=draw(limits),
            group=draw(groups),
            priority=draw(st.integers(0, 2)),
            combines_with=draw(st.none() | st.lists(groups, max_size=2).map(tuple)),
            window=draw(st.sampled_from([(OPENS, CLOSES), (OPENS, NOON), (NOON, CLOSES)])),
            code=draw(st.sampled_from([None, None, None, "X", "Y"])),
        )
        for number in range(draw(st.integers(0, 8)))
    ]


@st.composite
def baskets(draw: st.DrawFn, amount: int) -> list[dict[str, object]]:
    """Lines that add up to the amount."""
    cuts = sorted(draw(st.lists(st.integers(0, amount), max_size=3)))
    return [
        {"sku": draw(st.sampled_from(["tea", "cup"])), "amount": end - start, "quantity": draw(st.integers(0, 3))}
        | draw(st.sampled_from([{}, {"category": "hot"}, {"category": "cold"}]))
        for start, end in pairwise([0, *cuts, amount])
    ]


@st.composite
def payments(draw: st.DrawFn) -> Payment:
    """A payment that many of those campaigns fit; some have a basket."""
    amount = draw(st.sampled_from(AMOUNTS))
    return payment(
        amount=amount,
        items=draw(st.none() | baskets(amount)),
        city=draw(st.sampled_from(CITIES)),
        channel=draw(st.sampled_from(["app", "web"])),
        payer_is_new=draw(st.booleans()),
        items_count=draw(st.sampled_from([0, 2])),
        payer_id=draw(st.sampled_from(["payer-1", "payer-2", None])),
        device_id=draw(st.sampled_from(["device-1", None])),
        store_type=draw(st.sampled_from(["chain", "independent", None])),
        payer_segments=draw(st.sampled_from([["gold"], [], None])),
        codes=draw(st.sampled_from([["X"], ["Y", "X"], [], None])),
    )


@st.composite
def balance_sets(draw: st.DrawFn) -> Mapping[str, Balance]:
    """Balances of some of the campaigns."""
    used = st.builds(Used, st.integers(0, 3), st.integers(0, 9000))
    keys = st.tuples(st.sampled_from(Subject), st.sampled_from(Period))
    left = st.integers(0, 8000)
    one = st.builds(Balance, left, left, st.dictionaries(keys, used, max_size=4))
    return draw(st.dictionaries(st.sampled_from([f"c{n}" for n in range(8)]), one, max_size=8))


moments = st.sampled_from(MOMENTS)
refusals = st.dictionaries(
    st.sampled_from([f"c{n}" for n in range(8)]),
    st.sampled_from([Refusal.BUDGET_IS_EXHAUSTED, Refusal.PAYER_LIMIT_IS_REACHED]),
    max_size=3,
)


def granted(priced: Priced) -> list[tuple[str, int]]:
    return [(grant.campaign, grant.discount) for grant in priced.grants]


@given(campaign_sets(), payments(), balance_sets(), moments, st.randoms(use_true_random=False))
def test_the_order_of_the_campaigns_changes_nothing(
    campaigns: list[Campaign], paid: Payment, balances: Mapping[str, Balance], now: Instant, random: object
) -> None:
    shuffled = list(campaigns)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = snapshot(*campaigns), snapshot(*shuffled)
    assert one.hash == other.hash
    assert price(paid, one, balances, now) == price(paid, other, balances, now)
    assert explain(paid, one, balances, now) == explain(paid, other, balances, now)


@given(campaign_sets(), payments(), balance_sets(), moments, refusals)
def test_the_explanation_says_what_pricing_does(
    campaigns: list[Campaign],
    paid: Payment,
    balances: Mapping[str, Balance],
    now: Instant,
    excluded: Mapping[str, Refusal],
) -> None:
    one = snapshot(*campaigns, stopped=["c3"])
    priced = price(paid, one, balances, now, excluded=excluded)
    considered = explain(paid, one, balances, now, excluded=excluded)
    assert [entry.campaign for entry in considered] == sorted(one.campaigns)
    assert sorted(granted(priced)) == [(c.campaign, c.discount) for c in considered if c.refusal is None]
    assert sum(entry.discount for entry in considered) == priced.discount
    assert all((entry.error is not None) is (entry.refusal is Refusal.CONDITION_FAILED) for entry in considered)


@given(campaign_sets(), payments(), balance_sets(), moments)
def test_a_payment_never_gets_more_than_its_amount_nor_a_part_of_an_offer(
    campaigns: list[Campaign], paid: Payment, balances: Mapping[str, Balance], now: Instant
) -> None:
    one = snapshot(*campaigns)
    priced = price(paid, one, balances, now)
    assert priced.discount <= paid.amount
    for grant in priced.grants:
        who = paid.payer_id or paid.payment_id
        draw = Draw(one.secret, grant.campaign, who, now.day(POLICY.timezone))
        benefit = one.campaigns[grant.campaign].benefit
        if isinstance(benefit, ItemsOff | BuyXGetY | FreeItem):
            assert 0 < grant.discount <= item_bound(benefit, paid.amount, paid.amount) and paid.items
        else:
            assert grant.discount == gross_discount(benefit, paid.amount, draw) > 0


@given(campaign_sets(), payments(), moments)
def test_grants_are_of_different_groups_that_combine_by_priority(
    campaigns: list[Campaign], paid: Payment, now: Instant
) -> None:
    one = snapshot(*campaigns)
    stackings = [one.campaigns[grant.campaign].stacking for grant in price(paid, one, {}, now).grants]
    assert len({stacking.group for stacking in stackings}) == len(stackings)
    assert all(first.priority >= second.priority for first, second in pairwise(stackings))
    assert all(a.combines(b) for number, a in enumerate(stackings) for b in stackings[:number])


def eligible(one: Snapshot, paid: Payment, now: Instant) -> set[str]:
    """Campaigns whose window, code and condition admit the payment, each asked one by one."""
    found = set()
    for entry in one.entries:
        live = entry.campaign
        try:
            holds = entry.condition(paid.at(now).fields)
        except EvaluationError:
            holds = False
        if holds and live.window.holds(now) and not entry.stopped and (live.code is None or live.code in paid.codes):
            found.add(entry.id)
    return found


@given(campaign_sets(), payments(), moments)
def test_the_index_finds_exactly_what_asking_every_condition_finds(
    campaigns: list[Campaign], paid: Payment, now: Instant
) -> None:
    one = snapshot(*campaigns, stopped=["c2"])
    seen = one.as_seen(paid, now)
    found = one.candidates(seen, now)
    assert len({entry.id for entry in found}) == len(found)
    wanted = eligible(one, paid, now)
    assert wanted <= {entry.id for entry in found}
    assert {entry.id for entry in found if entry.proven} <= wanted


@given(campaign_sets(), payments(), balance_sets(), moments)
def test_pricing_without_the_index_gives_the_same(
    campaigns: list[Campaign], paid: Payment, balances: Mapping[str, Balance], now: Instant
) -> None:
    one = snapshot(*campaigns)
    # The same campaigns behind a condition that says nothing of any field, so that each is asked in full.
    blind = snapshot(*(_hidden(each) for each in campaigns))
    assert all(not entry.keys and not entry.amount_low and not entry.proven for entry in blind.entries)
    assert granted(price(paid, one, balances, now)) == granted(price(paid, blind, balances, now))


def _hidden(one: Campaign) -> Campaign:
    return campaign(
        one.id,
        when=f"(1 + payment.items_count > 0 ? {one.when} : false)",
        benefit=one.benefit,
        budget=one.budget,
        limits=one.limits,
        group=one.stacking.group,
        priority=one.stacking.priority,
        combines_with=one.stacking.combines_with,
        window=(one.window.opens, one.window.closes),
        code=one.code,
    )


@given(campaign_sets(), payments(), balance_sets(), moments)
def test_leaving_out_what_got_nothing_for_its_own_reasons_changes_nothing(
    campaigns: list[Campaign], paid: Payment, balances: Mapping[str, Balance], now: Instant
) -> None:
    one = snapshot(*campaigns)
    considered = explain(paid, one, balances, now)
    losers = {Refusal.ANOTHER_IS_BETTER, Refusal.GROUP_DOES_NOT_COMBINE, Refusal.SUM_EXCEEDS_AMOUNT, None}
    left = [one.campaigns[entry.campaign] for entry in considered if entry.refusal in losers]
    assert granted(price(paid, snapshot(*left), balances, now)) == granted(price(paid, one, balances, now))


@given(campaign_sets(), st.lists(st.tuples(payments(), st.integers(0, 5)), max_size=25))
def test_a_book_never_spends_more_than_a_budget_or_a_limit(
    campaigns: list[Campaign], paid: list[tuple[Payment, int]]
) -> None:
    one = snapshot(*campaigns)
    book = Book(POLICY, campaigns)
    for number, (base, hours) in enumerate(paid):
        now = NOON.plus(hours * 3600)
        each = payment(**{**base.fields, "payment_id": f"p-{number}"})
        priced = price(each, one, book.balances(each, now), now)
        assert book.settle(each, priced.grants, now) == {}
    for live in campaigns:
        assert book.money[live.id].granted <= live.budget
        for (identity, subject, period, _, _), used in book.counters.items():
            for limit in live.limits if identity == live.id else ():
                if (limit.subject, limit.period) == (subject, period):
                    assert limit.count_max is None or used.count <= limit.count_max
                    assert limit.amount_max is None or used.amount <= limit.amount_max


@given(campaign_sets(), st.lists(st.tuples(payments(), st.sampled_from(["release", "capture", "refund"])), max_size=15))
def test_releasing_and_refunding_everything_leaves_every_budget_whole(
    campaigns: list[Campaign], paid: list[tuple[Payment, str]]
) -> None:
    one = snapshot(*campaigns)
    book = Book(POLICY, campaigns)
    for number, (base, end) in enumerate(paid):
        each = payment(**{**base.fields, "payment_id": f"p-{number}"})
        grants = price(each, one, book.balances(each, NOON), NOON).grants
        assert book.reserve(each, grants, NOON) == {}
        if end == "release":
            book.release(each.payment_id)
        else:
            book.capture(each.payment_id, None if end == "capture" else max(1, each.amount // 3))
    kept = dict.fromkeys(one.campaigns, 0)
    for identity, hold in book.holds.items():
        for grant in hold.grants:
            if hold.state == "captured":
                kept[grant.campaign] += grant.discount - hold.returned.get(grant.campaign, 0)
        if hold.state == "captured" and hold.refunded < hold.payment.amount:
            back = book.refund(identity, hold.payment.amount - hold.refunded)
            for name, minor in back.items():
                kept[name] -= minor
    assert all(minor == 0 for minor in kept.values())
    assert all((money.reserved, money.granted) == (0, 0) for money in book.money.values())


@given(payment_benefits, st.sampled_from(AMOUNTS), st.sampled_from(AMOUNTS), st.text(min_size=1, max_size=20))
def test_a_discount_grows_with_the_amount_and_stays_below_its_largest(
    benefit: PaymentBenefit, one: int, other: int, who: str
) -> None:
    draw = Draw(b"secret", "spring", who, NOON.day("UTC"))
    low, high = sorted((one, other))
    assert 0 <= gross_discount(benefit, low, draw) <= gross_discount(benefit, high, draw)
    assert gross_discount(benefit, high, draw) <= largest_discount(benefit, high)


@given(st.integers(0, 10**15), st.integers(0, 10**15), st.binary(max_size=40), st.text(max_size=20), st.dates())
def test_a_draw_stays_within_its_bounds_and_repeats(one: int, other: int, secret: bytes, who: str, day: object) -> None:
    low, high = sorted((one, other))
    draw = Draw(secret, "spring", who, day)  # type: ignore[arg-type]
    assert low <= draw_uniform(low, high, draw) <= high
    assert draw_uniform(low, high, draw) == draw_uniform(low, high, draw)


def test_an_index_of_nothing_finds_nothing() -> None:
    assert list(Index([], frozenset()).candidates(payment(), NOON)) == []

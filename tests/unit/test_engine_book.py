"""The book: budgets and counters through reservation, capture, release and refund."""

import pytest
from tests.unit.pricing_world import NOON, POLICY, campaign, payment, policy_with

from makegood.clock import Instant
from makegood.domain.campaign import Campaign
from makegood.domain.limit import Limit, Period, Subject, Used
from makegood.domain.payment import Payment
from makegood.domain.policy import SharedLimit
from makegood.domain.quote import Grant, Refusal
from makegood.engine.book import Book, HoldState, Money, periods_at

LIMITS = (
    Limit(Subject.ALL, Period.DAY, amount_max=2000),
    Limit(Subject.PAYER, Period.EVER, count_max=2, amount_max=1500),
    Limit(Subject.PAYEE, Period.HOUR, count_max=5),
)
NEXT_DAY = NOON.plus(86_400)


def grant(one: Campaign, discount: int = 500) -> Grant:
    return Grant(one.id, f"rev_{one.id}", one.label, one.stacking.group, discount)


def paid(identity: str, **changes: object) -> Payment:
    return payment(payment_id=identity, **changes)


@pytest.fixture
def spring() -> Campaign:
    return campaign(limits=LIMITS, budget=3000)


@pytest.fixture
def book(spring: Campaign) -> Book:
    return Book(POLICY, [spring])


def used(book: Book, spring: Campaign, at: Instant = NOON) -> dict[tuple[Subject, Period], Used]:
    return dict(book.balances(payment(), at)[spring.id].used)


def test_a_reservation_takes_from_the_budget_and_counts(book: Book, spring: Campaign) -> None:
    assert book.reserve(paid("p-1"), [grant(spring)], NOON) == {}
    assert book.balances(payment(), NOON)["spring"].budget == 2500
    assert set(used(book, spring).values()) == {Used(1, 500)}


def test_a_released_reservation_returns_exactly_what_it_took(book: Book, spring: Campaign) -> None:
    before = book.balances(payment(), NOON)["spring"]
    book.reserve(paid("p-1"), [grant(spring)], NOON)
    book.release("p-1")
    assert book.balances(payment(), NOON)["spring"] == before
    assert book.holds["p-1"].state is HoldState.RELEASED


def test_a_release_gives_back_to_the_day_it_was_charged_to(book: Book, spring: Campaign) -> None:
    book.reserve(paid("p-1"), [grant(spring)], NOON)
    book.reserve(paid("p-2"), [grant(spring)], NEXT_DAY)
    book.release("p-1")
    assert used(book, spring, NOON)[Subject.ALL, Period.DAY] == Used(0, 0)
    assert used(book, spring, NEXT_DAY)[Subject.ALL, Period.DAY] == Used(1, 500)


def test_a_refund_returns_money_but_neither_counts_nor_a_payers_right(book: Book, spring: Campaign) -> None:
    book.reserve(paid("p-1"), [grant(spring)], NOON)
    book.capture("p-1")
    assert book.refund("p-1", 12_000) == {"spring": 500}
    assert book.balances(payment(), NOON)["spring"].budget == 3000
    assert set(used(book, spring).values()) == {Used(1, 500)}


def test_refunds_in_parts_return_the_whole_discount_in_the_end(book: Book, spring: Campaign) -> None:
    book.reserve(paid("p-1", amount=999), [grant(spring, 100)], NOON)
    book.capture("p-1")
    assert [book.refund("p-1", 333)["spring"] for _ in range(3)] == [33, 33, 34]
    assert book.money["spring"] == Money(reserved=0, granted=0)


def test_a_partial_capture_is_a_capture_and_a_refund_of_the_difference(book: Book, spring: Campaign) -> None:
    book.reserve(paid("p-1"), [grant(spring)], NOON)
    book.capture("p-1", 9000)
    assert book.money["spring"] == Money(reserved=0, granted=375)
    assert book.refund("p-1", 9000) == {"spring": 375}


def test_what_does_not_fit_is_refused_and_nothing_is_taken(book: Book, spring: Campaign) -> None:
    other = campaign("other")
    book.campaigns["other"] = other
    assert book.reserve(paid("p-1"), [grant(other), grant(spring, 1501)], NOON) == {
        "spring": Refusal.PAYER_LIMIT_IS_REACHED
    }
    assert book.balances(payment(), NOON)["other"].budget == other.budget
    assert book.holds == {}


def test_the_third_payment_of_a_payer_is_refused_and_another_payers_is_not(book: Book, spring: Campaign) -> None:
    for identity in ("p-1", "p-2"):
        assert book.reserve(paid(identity), [grant(spring)], NOON) == {}
    assert book.reserve(paid("p-3"), [grant(spring)], NOON) == {"spring": Refusal.PAYER_LIMIT_IS_REACHED}
    assert book.reserve(paid("p-3", payer_id="payer-2"), [grant(spring)], NOON) == {}


def test_a_settled_payment_spends_like_a_captured_one_and_leaves_no_hold(spring: Campaign) -> None:
    held, settled = Book(POLICY, [spring]), Book(POLICY, [spring])
    held.reserve(paid("p-1"), [grant(spring)], NOON)
    held.capture("p-1")
    settled.settle(paid("p-1"), [grant(spring)], NOON)
    assert (held.money, held.counters) == (settled.money, settled.counters)
    assert settled.holds == {}


def test_a_stage_that_is_open_bounds_what_is_left_of_it(spring: Campaign) -> None:
    book = Book(POLICY, [spring], stages={"spring": 600})
    book.reserve(paid("p-1"), [grant(spring)], NOON)
    assert book.reserve(paid("p-2"), [grant(spring)], NOON) == {"spring": Refusal.STAGE_IS_EXHAUSTED}
    assert book.balances(payment(), NOON)["spring"].stage == 100


def test_a_payment_is_reserved_once(book: Book, spring: Campaign) -> None:
    book.reserve(paid("p-1"), [grant(spring)], NOON)
    with pytest.raises(AssertionError, match="reserved once"):
        book.reserve(paid("p-1"), [grant(spring)], NOON)


def test_a_released_payment_cannot_be_captured_nor_a_reserved_one_refunded(book: Book, spring: Campaign) -> None:
    book.reserve(paid("p-1"), [grant(spring)], NOON)
    with pytest.raises(AssertionError):
        book.refund("p-1", 1)
    book.release("p-1")
    with pytest.raises(AssertionError):
        book.capture("p-1")


def test_days_and_hours_are_those_of_the_zone() -> None:
    late = Instant.parse("2027-02-03T16:30:00Z")
    assert periods_at(late, "Asia/Shanghai")[Period.DAY] == "2027-02-04"
    assert periods_at(late, "UTC")[Period.DAY] == "2027-02-03"


def test_the_hour_that_comes_twice_is_counted_as_two() -> None:
    first, second = (Instant.parse(text) for text in ("2017-11-05T05:30:00Z", "2017-11-05T06:30:00Z"))
    zone = "America/New_York"
    assert periods_at(first, zone)[Period.DAY] == periods_at(second, zone)[Period.DAY]
    assert periods_at(first, zone)[Period.HOUR] != periods_at(second, zone)[Period.HOUR]


def test_the_balances_name_every_campaign_of_the_book(book: Book) -> None:
    seen = book.balances(payment(), NOON)
    assert (list(seen), len(seen), seen.get("other")) == (["spring"], 1, None)


GIFTS = SharedLimit("gifts", Limit(Subject.PAYER, Period.DAY, count_max=2, amount_max=900))


@pytest.fixture
def pair() -> Book:
    """Two campaigns that share a limit on each payer and day."""
    return Book(policy_with(GIFTS), [campaign("one"), campaign("other")])


def shared_use(book: Book, at: Instant = NOON, **changes: object) -> list[Used]:
    seen = book.balances(payment(**changes), at)
    return [seen[name].shared["gifts"] for name in ("one", "other")]


def test_campaigns_count_together_against_a_limit_across_them(pair: Book) -> None:
    pair.reserve(paid("p-1"), [grant(pair.campaigns["one"], 300)], NOON)
    pair.reserve(paid("p-2"), [grant(pair.campaigns["other"], 200)], NOON)
    assert shared_use(pair) == [Used(2, 500)] * 2
    assert shared_use(pair, payer_id="payer-2") == shared_use(pair, NEXT_DAY) == [Used()] * 2
    refused = pair.reserve(paid("p-3"), [grant(pair.campaigns["one"], 1)], NOON)
    assert refused == {"one": Refusal.PAYER_LIMIT_IS_REACHED}
    assert pair.reserve(paid("p-3"), [grant(pair.campaigns["one"], 900)], NEXT_DAY) == {}


def test_grants_of_one_payment_are_refused_where_only_their_sum_does_not_fit(pair: Book) -> None:
    wanted = [grant(pair.campaigns["other"], 500), grant(pair.campaigns["one"], 401)]
    assert pair.reserve(paid("p-1"), wanted, NOON) == {"one": Refusal.PAYER_LIMIT_IS_REACHED}
    assert pair.reserve(paid("p-1"), wanted[::-1], NOON) == {"other": Refusal.PAYER_LIMIT_IS_REACHED}
    assert pair.holds == {} and shared_use(pair) == [Used()] * 2


def test_a_release_gives_a_shared_right_back_and_a_refund_does_not(pair: Book) -> None:
    for identity in ("p-1", "p-2"):
        pair.reserve(paid(identity), [grant(pair.campaigns["one"], 300)], NOON)
    pair.release("p-1")
    pair.capture("p-2")
    pair.refund("p-2", 12_000)
    assert shared_use(pair) == [Used(1, 300)] * 2

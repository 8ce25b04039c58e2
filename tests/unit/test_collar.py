"""The collar: each check fails once and passes once, one step apart."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.collar_world import HOUSE, granted, known, moment, note_many, paid
from tests.unit.pricing_world import CLOSES, NOON, OPENS

from makegood.clock import SECOND, Instant
from makegood.domain.brief import Expectation, PerPayer, Share, Window
from makegood.domain.quote import Grant
from makegood.guard.checks import WITHHOLDS, CollarCheck
from makegood.guard.collar import NOTHING, Verdict, check
from makegood.guard.collar_state import CollarState, Moment
from makegood.guard.numbers import Numbers
from makegood.limits import COLLAR_PAYER_GRANTS_HOUR_MAX, MONEY_MINOR_MAX

C = CollarCheck
PAGE = Path(__file__).parents[2] / "docs" / "concepts" / "collar.md"


@dataclass(frozen=True)
class Case:
    """What is asked of the collar."""

    grants: tuple[Grant, ...] = (granted(),)
    payment: dict[str, Any] = field(default_factory=dict)
    numbers: tuple[Numbers, ...] = (known(),)
    at: Moment = field(default_factory=moment)
    before: Callable[[CollarState], object] = lambda _: None

    def verdict(self) -> Verdict:
        """The collar's answer."""
        state = CollarState()
        self.before(state)
        return check(paid(**self.payment), self.grants, self.at, {one.campaign: one for one in self.numbers}, state)


def off(discount: Any, **case: Any) -> Case:
    """A grant of `discount`."""
    return Case((granted(discount=discount),), **case)


def brief(**changes: Any) -> tuple[Numbers, ...]:
    """The numbers with another brief."""
    return (known(**changes),)


def noted(count: int, **changes: Any) -> Callable[[CollarState], object]:
    """A state in which so many payments were granted 20.00."""
    return lambda state: note_many(state, count, **changes)


def grants(*pairs: tuple[str, int]) -> tuple[Grant, ...]:
    """Grants of campaigns."""
    return tuple(granted(campaign=campaign, discount=discount) for campaign, discount in pairs)


def paid_by(*funders: Share, **changes: Any) -> tuple[Grant, ...]:
    """A grant of a revision with these funders."""
    return (granted(funders=funders, **changes),)


GENEROUS: dict[str, Any] = {"rate_max": 10_000, "discount_max": 50_000, "per_payer": PerPayer(None, None)}
SMALL: dict[str, Any] = {"expect": Expectation(500, 2_500, 60_000)}
TWO = (known(**GENEROUS), known(campaign="autumn", **GENEROUS))
BIG = {"amount": 50_000}
OWNED: dict[str, Any] = {"label": "government_subsidy"}
SUBSIDY = (granted(label="government_subsidy"),)
TWO_FUNDERS = (Share("platform", 9_999), Share("gov", 1))
ALONE = (Share("platform", 10_000),)
THREE = (Share("platform", 7_000), Share("merchant", 2_999), Share("gov", 1))
ONLY = PerPayer

# By check: what fails it, and what is one step away and passes everything.
CASES: dict[CollarCheck, tuple[Case, Case]] = {
    C.CAMPAIGN_IS_UNKNOWN: (Case(numbers=brief(campaign="autumn")), Case()),
    C.REVISION_IS_NOT_APPROVED: (Case((granted(revision="rev_0"),)), Case()),
    C.REVISION_IS_REPLACED: (Case((granted(revision="rev_0"),), numbers=brief(earlier=("rev_0", "rev_1"))),
                             Case(numbers=brief(earlier=("rev_0", "rev_1")))),
    C.LABEL_IS_NOT_DECLARED: (Case((granted(label="gift"),), numbers=brief(label="gift")), Case()),
    C.OWNER_DOES_NOT_FUND: (Case(SUBSIDY, numbers=brief(**OWNED)),
                            Case(paid_by(*THREE, label="government_subsidy"), numbers=brief(**OWNED, funding=THREE))),
    C.FUNDER_IS_NOT_DECLARED: (Case(numbers=brief(funding=(Share("platform", 9_999), Share("who", 1)))),
                               Case(paid_by(*TWO_FUNDERS), numbers=brief(funding=TWO_FUNDERS))),
    C.SHARES_DO_NOT_ADD_UP: (Case(numbers=brief(funding=(Share("platform", 9_999),))),
                             Case(paid_by(*ALONE), numbers=brief(funding=ALONE))),
    C.CURRENCY_DIFFERS: (Case(payment={"currency": "JPY"}), Case(payment={"currency": "CNY"})),
    C.AMOUNT_IS_OUT_OF_BOUNDS: (Case(payment={"amount": 50_000_001}), Case(payment={"amount": 50_000_000})),
    C.SCENE_IS_NOT_DECLARED: (Case(payment={"scene": "rent"}, numbers=brief(scenes=("rent", "transfer"))),
                              Case(payment={"scene": "transfer"}, numbers=brief(scenes=("rent", "transfer")))),
    C.PAYER_IS_MISSING: (Case(payment={"payer_id": None}, numbers=brief(per_payer=ONLY(3, None))),
                         Case(payment={"payer_id": None}, numbers=brief(per_payer=ONLY(None, None)))),
    C.DISCOUNT_IS_NOT_MONEY: (off(0), off(1)),
    C.DISCOUNT_IS_ABOVE_AMOUNT: (off(12_001, numbers=brief(**GENEROUS)), off(12_000, numbers=brief(**GENEROUS))),
    C.DISCOUNT_IS_ABOVE_MAX: (off(5_001, payment=BIG), off(5_000, payment=BIG)),
    C.RATE_IS_ABOVE_MAX: (off(2_401), off(2_400)),
    C.AMOUNT_IS_BELOW_SPEND_MIN: (off(1, payment={"amount": 9_999}), off(1, payment={"amount": 10_000})),
    C.SCENE_IS_NOT_IN_BRIEF: (Case(payment={"scene": "online"}),
                              Case(payment={"scene": "online"}, numbers=brief(scenes=("in_store_qr", "online")))),
    C.LABEL_DIFFERS: (Case(SUBSIDY), Case()),
    C.FUNDERS_DIFFER: (Case(paid_by(Share("platform", 6_999), Share("merchant", 3_001))),
                       Case(paid_by(Share("merchant", 3_000), Share("platform", 7_000)))),
    C.WINDOW_IS_NOT_OPEN: (Case(at=moment(now=CLOSES)), Case(at=moment(now=Instant(CLOSES - 1)))),
    C.DISCOUNT_IS_ABOVE_FIRST_STAGE: (off(2_001, numbers=brief(stage_first_max=2_000)),
                                      off(2_000, numbers=brief(stage_first_max=2_000))),
    C.DISCOUNT_IS_ABOVE_BUDGET: (off(2_001, numbers=brief(budget=2_000)), off(2_000, numbers=brief(budget=2_000))),
    C.SPEND_IS_FAR_ABOVE_EXPECTED: (off(2_001, numbers=brief(**SMALL), before=noted(599)),
                                    off(2_000, numbers=brief(**SMALL), before=noted(599))),
    C.GRANTS_ARE_ABOVE_BRIEF: (Case(grants(("spring", 1_201), ("spring", 1_200))), off(2_400)),
    C.CAMPAIGN_IS_GRANTED_TWICE: (Case(grants(("spring", 1_200), ("spring", 1_200))),
                                  Case(grants(("spring", 1_200), ("autumn", 1_200)), numbers=TWO)),
    C.SUM_IS_ABOVE_AMOUNT: (Case(grants(("spring", 6_000), ("autumn", 6_001)), numbers=TWO),
                            Case(grants(("spring", 6_000), ("autumn", 6_000)), numbers=TWO)),
    C.LEASE_IS_NOT_FRESH: (Case(at=moment(lease_left=0)), Case(at=moment(lease_left=1))),
    C.CLOCK_JUMPED: (Case(at=moment(now=Instant(NOON + 300 * SECOND + 1)), before=noted(1)),
                     Case(at=moment(now=Instant(NOON + 300 * SECOND)), before=noted(1))),
    C.PAYMENT_WAS_GRANTED_OTHERWISE: (off(1_999, before=noted(1, payment_id="p-1")),
                                      off(2_000, before=noted(1, payment_id="p-1"))),
    C.PAYER_IS_PAYEE: (Case(payment={"payee_id": "payer-1"}), Case(payment={"payee_id": "payer-2"})),
    C.PAYER_IS_REFERRER: (Case(payment={"referrer_id": "payer-1"}), Case(payment={"referrer_id": None})),
    C.STAGE_IS_NOT_OPEN: (Case(before=lambda state: state.believe("spring", 1_999, moment())),
                          Case(before=lambda state: state.believe("spring", 2_000, moment()))),
    C.DISCOUNT_IS_ABOVE_PAYERS: (off(1_001, numbers=brief(per_payer=ONLY(3, 1_000))),
                                 off(1_000, numbers=brief(per_payer=ONLY(3, 1_000)))),
    C.PAYER_COUNT_IS_FAR_ABOVE: (Case(before=noted(100, payer_id="payer-1"), numbers=brief(per_payer=ONLY(3, None))),
                                 Case(before=noted(99, payer_id="payer-1"), numbers=brief(per_payer=ONLY(3, None)))),
    C.PAYER_AMOUNT_IS_FAR_ABOVE: (
        off(2_001, before=noted(249, payer_id="payer-1"), numbers=brief(per_payer=ONLY(None, 10_000))),
        off(2_000, before=noted(249, payer_id="payer-1"), numbers=brief(per_payer=ONLY(None, 10_000)))),
    C.DEVICE_COUNT_IS_FAR_ABOVE: (Case(before=noted(2_000, discount=1, device_id="phone-1")),
                                  Case(before=noted(1_999, discount=1, device_id="phone-1"))),
    C.PAYEE_SPEND_IS_FAR_ABOVE: (off(2_001, numbers=brief(**SMALL), before=noted(299, payee_id="shop-1")),
                                 off(2_000, numbers=brief(**SMALL), before=noted(299, payee_id="shop-1"))),
}  # fmt: skip


def test_every_check_has_a_case_that_fails_it_and_one_that_passes() -> None:
    assert list(CASES) == list(CollarCheck)


@pytest.mark.parametrize("name", CASES)
def test_a_check_drops_what_is_beyond_its_bound(name: CollarCheck) -> None:
    verdict = CASES[name][0].verdict()
    assert [trip.check for trip in verdict.dropped] == [name]
    assert len(verdict.kept) == len(CASES[name][0].grants) - 1
    assert verdict.trips == (() if name in WITHHOLDS else verdict.dropped)


@pytest.mark.parametrize("name", CASES)
def test_a_check_keeps_what_is_just_within_its_bound(name: CollarCheck) -> None:
    case = CASES[name][1]
    assert case.verdict() == Verdict(case.grants)


@pytest.mark.parametrize(
    ("case", "name"),
    [
        (Case(payment={"amount": 0}), C.AMOUNT_IS_OUT_OF_BOUNDS),
        (Case(payment={"amount": True}), C.AMOUNT_IS_OUT_OF_BOUNDS),
        (Case(payment={"amount": math.nan}), C.AMOUNT_IS_OUT_OF_BOUNDS),
        (Case(payment={"amount": 2**63}), C.AMOUNT_IS_OUT_OF_BOUNDS),
        (off(-1), C.DISCOUNT_IS_NOT_MONEY),
        (off(True), C.DISCOUNT_IS_NOT_MONEY),
        (off(math.nan), C.DISCOUNT_IS_NOT_MONEY),
        (off(math.inf), C.DISCOUNT_IS_NOT_MONEY),
        (off(2_000.0), C.DISCOUNT_IS_NOT_MONEY),
        (off("2000"), C.DISCOUNT_IS_NOT_MONEY),
        (off(None), C.DISCOUNT_IS_NOT_MONEY),
        (off(2**63), C.DISCOUNT_IS_ABOVE_AMOUNT),
        (off(10**6000), C.DISCOUNT_IS_ABOVE_AMOUNT),
        (Case(numbers=brief(funding=())), C.SHARES_DO_NOT_ADD_UP),
        (Case(SUBSIDY, numbers=brief(**OWNED, funding=(Share("gov", 0), Share("platform", 10_000)))),
         C.OWNER_DOES_NOT_FUND),
        (Case(numbers=brief(window=Window(CLOSES, OPENS))), C.WINDOW_IS_NOT_OPEN),
        (Case(at=moment(now=Instant(OPENS - 1))), C.WINDOW_IS_NOT_OPEN),
        (Case(at=moment(now=Instant(2**70))), C.WINDOW_IS_NOT_OPEN),
        (off(1, numbers=brief(rate_max=0)), C.RATE_IS_ABOVE_MAX),
        (off(1, numbers=brief(discount_max=0)), C.DISCOUNT_IS_ABOVE_MAX),
        (Case(numbers=brief(scenes=())), C.SCENE_IS_NOT_IN_BRIEF),
        (Case(payment={"scene": None}), C.SCENE_IS_NOT_DECLARED),
        (Case(payment={"payer_id": None}, numbers=brief(per_payer=ONLY(None, 9_000))), C.PAYER_IS_MISSING),
        (off(100_001, payment={"amount": 50_000_000},
             numbers=brief(**GENEROUS | {"discount_max": 10**7}, stage_first_max=10**9)),
         C.DISCOUNT_IS_ABOVE_FIRST_STAGE),
        (Case(at=moment(lease_left=-1)), C.LEASE_IS_NOT_FRESH),
        (Case(at=moment(lease_left=60 * SECOND + 1)), C.LEASE_IS_NOT_FRESH),
        (Case(at=moment(now=Instant(NOON - 300 * SECOND - 1)), before=noted(1)), C.CLOCK_JUMPED),
        (Case(numbers=brief(per_payer=ONLY(0, None))), C.PAYER_COUNT_IS_FAR_ABOVE),
        (Case((granted(revision="rev_0"),), before=noted(1, payment_id="p-1"),
              numbers=brief(earlier=("rev_0",))), C.REVISION_IS_REPLACED),
    ],
)  # fmt: skip
def test_a_bad_input_is_dropped_and_leaves_evidence(case: Case, name: CollarCheck) -> None:
    verdict = case.verdict()
    assert [trip.check for trip in verdict.dropped] == [name]
    assert not verdict.kept
    for value in (verdict.dropped[0].seen, verdict.dropped[0].allowed, verdict.dropped[0].payment.discount):
        assert isinstance(value, str) or abs(value) < 2**63


@pytest.mark.parametrize(("amount", "bound"), [(0, 1), (50_000_001, 50_000_000), (math.nan, 50_000_000)])
def test_evidence_names_the_bound_that_an_amount_is_beyond(amount: Any, bound: int) -> None:
    assert Case(payment={"amount": amount}).verdict().dropped[0].allowed == bound


def test_a_lease_may_have_a_minute_left() -> None:
    assert Case(at=moment(lease_left=60 * SECOND)).verdict().kept


def test_a_window_is_open_from_its_first_instant_on() -> None:
    assert Case(at=moment(now=OPENS)).verdict().kept


def test_a_payment_without_a_grant_is_looked_at_by_nobody() -> None:
    assert Case(()).verdict() is NOTHING


def test_what_trips_comes_before_what_withholds() -> None:
    verdict = off(5_001, payment={**BIG, "payee_id": "payer-1"}, at=moment(lease_left=0)).verdict()
    assert [trip.check for trip in verdict.trips] == [C.DISCOUNT_IS_ABOVE_MAX]


def test_a_wrong_grant_does_not_take_a_right_one_with_it() -> None:
    case = Case(grants(("autumn", 6_000), ("spring", 6_001)), numbers=(known(**GENEROUS), known(campaign="autumn")))
    verdict = case.verdict()
    assert [grant.campaign for grant in verdict.kept] == ["spring"]
    assert [trip.campaign for trip in verdict.trips] == ["autumn"]


def test_evidence_has_the_numbers_and_names_no_person() -> None:
    trip = off(5_001, payment=BIG).verdict().trips[0]
    assert (trip.campaign, trip.revision, trip.seen, trip.allowed) == ("spring", "rev_1", 5_001, 5_000)
    assert trip.payment.payment_id == "p-1"
    assert (trip.payment.at, trip.payment.amount, trip.payment.discount) == (NOON, 50_000, 5_001)
    assert "payer-1" not in repr(trip)


def test_what_a_policy_without_a_list_of_scenes_says_is_not_asked() -> None:
    fields = {**HOUSE.schema.fields, "scene": replace(HOUSE.schema.fields["scene"], values=None)}
    policy = replace(HOUSE, schema=replace(HOUSE.schema, fields=fields))
    case = Case(payment={"scene": "rent"}, numbers=brief(policy=policy, scenes=("rent",)))
    assert case.verdict().kept


def test_a_payer_may_abandon_many_checkouts_that_a_brief_of_one_allows() -> None:
    once = brief(per_payer=ONLY(1, 2_000))
    assert Case(numbers=once, before=noted(60, payer_id="payer-1")).verdict().kept


@pytest.mark.parametrize(("brief", "most"), [((60_000, 5_000), 1_200_000), ((0, 5_000), 1_000_000)])
def test_a_minute_may_hold_many_times_the_maximum_of_the_brief_and_always_some_grants(
    brief: tuple[int, int], most: int
) -> None:
    numbers = known(expect=Expectation(1, 1, brief[0]), discount_max=brief[1])
    assert (numbers.spend_max, numbers.payee_spend_max) == (most, most // 2)
    assert numbers.spend_max >= 2 * COLLAR_PAYER_GRANTS_HOUR_MAX * numbers.discount_max


def test_the_page_lists_every_check_in_its_order_with_its_severity() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (yes|no) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [(one.value, "no" if one in WITHHOLDS else "yes") for one in CollarCheck]
    assert f"asks {len(CollarCheck)} questions" in PAGE.read_text(encoding="utf-8")


def test_the_largest_legal_amounts_are_counted_exactly() -> None:
    most = MONEY_MINOR_MAX
    state = CollarState()
    note_many(state, 3, discount=most)
    assert state.spends.seen("spring", 0) == (3, 3 * most)

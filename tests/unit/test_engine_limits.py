"""Step 4: what is left, and which refusal comes first."""

from dataclasses import replace

import pytest
from tests.unit.pricing_world import campaign

from makegood.domain.limit import Balance, Limit, Period, Subject, Used
from makegood.domain.policy import SharedLimit
from makegood.domain.quote import REFUSAL_ORDER, Refusal
from makegood.engine.limits import earlier, refusal_by_balance, refusal_of_limit, refusals_together


def balance(budget: int = 1000, stage: int = 1000, **used: Used) -> Balance:
    named = {"all_day": (Subject.ALL, Period.DAY), "payer": (Subject.PAYER, Period.EVER)}
    return Balance(budget, stage, {named[name]: value for name, value in used.items()})


@pytest.mark.parametrize(
    ("left", "refusal"), [(500, None), (499, Refusal.BUDGET_IS_EXHAUSTED), (0, Refusal.BUDGET_IS_EXHAUSTED)]
)
def test_a_discount_fits_a_budget_to_the_last_unit_and_not_beyond(left: int, refusal: Refusal | None) -> None:
    assert refusal_by_balance(campaign(), balance(budget=left), 500) is refusal


def test_a_stage_refuses_what_the_budget_would_still_cover() -> None:
    assert refusal_by_balance(campaign(), balance(stage=499), 500) is Refusal.STAGE_IS_EXHAUSTED


def test_a_count_is_reached_by_the_grant_after_the_last_one() -> None:
    one = campaign(limits=(Limit(Subject.PAYER, Period.EVER, count_max=2),))
    assert refusal_by_balance(one, balance(payer=Used(1, 10**9)), 500) is None
    assert refusal_by_balance(one, balance(payer=Used(2, 0)), 500) is Refusal.PAYER_LIMIT_IS_REACHED


def test_an_amount_counts_this_discount_too() -> None:
    one = campaign(limits=(Limit(Subject.ALL, Period.DAY, amount_max=800),))
    assert refusal_by_balance(one, balance(all_day=Used(1, 300)), 500) is None
    assert refusal_by_balance(one, balance(all_day=Used(1, 301)), 500) is Refusal.DAY_LIMIT_IS_REACHED


def test_a_limit_of_zero_means_zero() -> None:
    one = campaign(limits=(Limit(Subject.PAYER, Period.EVER, count_max=0),))
    assert refusal_by_balance(one, balance(), 1) is Refusal.PAYER_LIMIT_IS_REACHED


def test_of_several_limits_the_first_in_precedence_is_told_whatever_their_order() -> None:
    limits = (
        Limit(Subject.PAYER, Period.EVER, count_max=0),
        Limit(Subject.PAYEE, Period.HOUR, count_max=0),
        Limit(Subject.ALL, Period.DAY, count_max=0),
    )
    for ordered in (limits, limits[::-1]):
        assert refusal_by_balance(campaign(limits=ordered), balance(), 1) is Refusal.DAY_LIMIT_IS_REACHED


def shared(identity: str = "house", subject: Subject = Subject.ALL, **caps: int) -> SharedLimit:
    return SharedLimit(identity, Limit(subject, Period.EVER, **caps))


def test_a_limit_across_campaigns_refuses_like_a_campaigns_own() -> None:
    limit = shared(amount_max=800)
    assert refusal_by_balance(campaign(), replace(balance(), shared={"house": Used(9, 300)}), 500, [limit]) is None
    full = replace(balance(), shared={"house": Used(0, 301)})
    assert refusal_by_balance(campaign(), full, 500, [limit]) is Refusal.LIMIT_IS_REACHED
    assert refusal_by_balance(campaign(), full, 500) is None


def test_of_own_and_shared_limits_the_first_in_precedence_is_told() -> None:
    one = campaign(limits=(Limit(Subject.PAYER, Period.EVER, count_max=0),))
    assert refusal_by_balance(one, balance(), 1, [shared(count_max=0)]) is Refusal.LIMIT_IS_REACHED
    payee = shared(subject=Subject.PAYEE, count_max=0)
    assert refusal_by_balance(one, balance(), 1, [payee]) is Refusal.PAYER_LIMIT_IS_REACHED


def test_grants_of_one_payment_are_charged_in_their_order() -> None:
    limit, left = shared(amount_max=1000), replace(balance(), shared={"house": Used(0, 100)})
    wanted = [("a", 500, [limit]), ("b", 401, [limit]), ("c", 400, [limit])]
    everybody = dict.fromkeys("abc", left)
    assert refusals_together(wanted, everybody) == {"b": Refusal.LIMIT_IS_REACHED}
    assert refusals_together([wanted[2], wanted[1], wanted[0]], everybody) == {"a": Refusal.LIMIT_IS_REACHED}


def test_each_grant_of_a_payment_counts_once() -> None:
    limit = shared(subject=Subject.PAYER, count_max=3)
    left = replace(balance(), shared={"house": Used(1, 10**9)})
    wanted = [(name, 1, [limit]) for name in "abc"]
    assert refusals_together(wanted, dict.fromkeys("abc", left)) == {"c": Refusal.PAYER_LIMIT_IS_REACHED}


def test_grants_that_share_no_limit_do_not_meet() -> None:
    one, other = shared("one", amount_max=500), shared("other", amount_max=500)
    wanted = [("a", 500, [one]), ("b", 500, [other]), ("c", 500, ())]
    assert refusals_together(wanted, dict.fromkeys("abc", balance())) == {}


def test_a_campaign_of_which_nothing_is_known_is_charged_and_left_to_the_store() -> None:
    limit = shared(amount_max=500)
    wanted = [("a", 300, [limit]), ("b", 300, [limit])]
    assert refusals_together(wanted, {"a": balance()}) == {}
    assert refusals_together(wanted, {"b": balance()}) == {"b": Refusal.LIMIT_IS_REACHED}


def test_every_subject_and_period_has_its_refusal() -> None:
    found = {refusal_of_limit(Limit(subject, period)) for subject in Subject for period in Period}
    assert found == {
        one for one in Refusal if one.value.endswith("limit_is_reached") or one is Refusal.LIMIT_IS_REACHED
    }


def test_the_earlier_of_two_refusals_is_by_precedence_and_nothing_comes_last() -> None:
    late, early = Refusal.PAYER_LIMIT_IS_REACHED, Refusal.BUDGET_IS_EXHAUSTED
    assert REFUSAL_ORDER[early] < REFUSAL_ORDER[late]
    assert earlier(late, early) is earlier(early, late) is early
    assert earlier(None, late) is earlier(late, None) is late
    assert earlier(None, None) is None

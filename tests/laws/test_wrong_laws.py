"""Laws of wrong money: what was granted minus the most that the brief allows, and nothing else."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from makegood.clock import Instant
from makegood.domain.brief import Brief, Expectation, PerPayer, Share, Window
from makegood.replay.wrong import Answered, Tally, most_allowed

FUNDING = (Share("platform", 7_000), Share("seller", 3_000))
WINDOW = Window(Instant(1_000), Instant(2_000))
SCENES = ("online", "rent", "transfer")

amounts = st.integers(0, 500_000)
briefs = st.builds(
    Brief,
    campaign=st.just("spring"),
    purpose=st.just({"en": "spring"}),
    label=st.just("coupon"),
    funding=st.just(FUNDING),
    window=st.just(WINDOW),
    scenes=st.sets(st.sampled_from(SCENES), min_size=1).map(tuple),
    spend_min=amounts,
    discount_max=amounts,
    rate_max=st.integers(0, 10_000),
    budget=st.integers(0, 2_000_000),
    per_payer=st.builds(PerPayer, st.none() | st.integers(0, 4), st.none() | amounts),
    stage_first_max=amounts,
    expect=st.just(Expectation(1_000, 100, 1_000)),
)
answers = st.builds(
    Answered,
    occurred_at=st.integers(900, 2_100).map(Instant),
    payer_id=st.none() | st.sampled_from(("a", "b")),
    amount=amounts,
    scene=st.sampled_from(SCENES),
    discount=amounts,
    label=st.sampled_from(("coupon", "subsidy")),
    funding=st.sampled_from((FUNDING, FUNDING[::-1], FUNDING[:1])),
)


def inside(brief: Brief, answered: Answered) -> bool:
    """Written again from the words: whether the brief is for such a payment at all."""
    return (
        answered.scene in brief.scenes
        and answered.amount >= brief.spend_min
        and WINDOW.opens <= answered.occurred_at < WINDOW.closes
        and answered.label == "coupon"
        and sorted(answered.funding, key=lambda one: one.funder) == list(FUNDING)
    )


@given(briefs, answers)
def test_what_is_outside_the_brief_is_wrong_whole(brief: Brief, answered: Answered) -> None:
    wrong = Tally(brief).wrong_of(answered)
    assert 0 <= wrong <= answered.discount
    if not inside(brief, answered):
        assert most_allowed(brief, answered) == 0
        assert wrong == answered.discount


@given(briefs, answers)
def test_inside_the_brief_only_what_is_above_its_caps_is_wrong(brief: Brief, answered: Answered) -> None:
    free = replace(brief, budget=10**9, per_payer=PerPayer(10, None))
    payer = replace(answered, payer_id="a")
    if inside(brief, answered):
        cap = min(brief.discount_max, answered.amount * brief.rate_max // 10_000)
        assert Tally(free).wrong_of(payer) == max(0, answered.discount - cap)


@given(briefs, answers, st.integers(0, 1_000))
def test_granting_more_is_never_less_wrong(brief: Brief, answered: Answered, more: int) -> None:
    raised = replace(answered, discount=answered.discount + more)
    less, wrong = Tally(brief).wrong_of(answered), Tally(brief).wrong_of(raised)
    assert less <= wrong <= less + more


@given(briefs, st.lists(answers, max_size=12))
def test_what_is_not_wrong_stays_within_budget_and_limits(brief: Brief, course: list[Answered]) -> None:
    tally = Tally(brief)
    rightly = [(one.payer_id, one.discount - tally.wrong_of(one)) for one in course]
    assert sum(money for _, money in rightly) <= brief.budget
    for payer in ("a", "b"):
        given_ = [money for who, money in rightly if who == payer and money]
        assert brief.per_payer.count is None or len(given_) <= brief.per_payer.count
        assert brief.per_payer.amount is None or sum(given_) <= brief.per_payer.amount
    assert all(money == 0 for who, money in rightly if who is None)


@given(briefs, st.lists(answers, max_size=8))
def test_nothing_is_wrong_where_nothing_was_granted(brief: Brief, course: list[Answered]) -> None:
    tally = Tally(brief)
    assert [tally.wrong_of(replace(one, discount=0)) for one in course] == [0] * len(course)


@given(briefs, answers)
def test_a_limit_of_zero_allows_nothing(brief: Brief, answered: Answered) -> None:
    for none in (PerPayer(0, None), PerPayer(None, 0)):
        assert Tally(replace(brief, per_payer=none)).wrong_of(answered) == answered.discount
    assert Tally(replace(brief, budget=0)).wrong_of(answered) == answered.discount

"""The collar: what passes it keeps brief and policy, whatever pricing proposes and whatever the clocks do."""

from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.collar_world import HOUSE, OF_BRIEF, TICKS, changed, granted, paid
from tests.unit.pricing_world import CLOSES, NOON, OPENS

from makegood.clock import SECOND, Instant
from makegood.domain.brief import Brief, PerPayer, Share, Window
from makegood.domain.payment import Payment
from makegood.domain.quote import Grant
from makegood.guard.checks import CollarCheck
from makegood.guard.collar import check
from makegood.guard.collar_state import CollarState, Moment
from makegood.guard.collar_words import words
from makegood.guard.numbers import Numbers, numbers_of

NAMES = ("autumn", "spring", "winter")
HOUR = 3_600 * SECOND

# Few values of each kind, on both sides of each bound, and some that no schema lets in.
amounts: Any = st.sampled_from((-1, 0, 1, 99, 5_000, 10_000, 25_000, 50_000_000, 50_000_001, 2**63, True, float("nan")))
discounts: Any = st.sampled_from((-1, 0, 1, 50, 1_000, 2_000, 5_000, 5_001, 10**9, 2**63, True, 2.5, float("nan")))
scenes = st.sampled_from(("in_store_qr", "online", "transfer", "rent", ""))
labels = st.sampled_from(("merchant_coupon", "government_subsidy", "gift"))
moments = st.sampled_from((Instant(0), Instant(OPENS - 1), OPENS, NOON, Instant(CLOSES - 1), CLOSES))
funders = st.sampled_from(("platform", "merchant", "gov", "nobody"))
fundings = st.lists(st.builds(Share, funders, st.sampled_from((0, 5_000, 10_000))), max_size=3).map(tuple)
briefs = st.builds(
    lambda label, funding, window, allowed, numbers, payer: replace(
        OF_BRIEF, label=label, funding=funding, window=window, scenes=allowed,
        spend_min=numbers[0], discount_max=numbers[1], rate_max=numbers[2], budget=numbers[3],
        stage_first_max=numbers[4], per_payer=payer,
    ),
    labels, st.one_of(st.just(OF_BRIEF.funding), fundings),
    st.builds(Window, moments, moments) | st.just(OF_BRIEF.window),
    st.lists(scenes, max_size=3).map(tuple),
    st.tuples(st.sampled_from((0, 100)), st.sampled_from((1_000, 5_000, 10**9)), st.sampled_from((0, 2_000, 10_000)),
              st.sampled_from((2_000, 10**8)), st.sampled_from((1_500, 10**6))),
    st.builds(PerPayer, st.sampled_from((None, 0, 3)), st.sampled_from((None, 1_500, 10**6))),
)  # fmt: skip
proposals = st.lists(
    st.builds(
        Grant, st.sampled_from((*NAMES, "unknown")), st.sampled_from(("rev_1", "rev_1", "rev_0", "rev_x")), labels,
        st.just("g"), discounts, st.one_of(st.just(OF_BRIEF.funding), st.just(OF_BRIEF.funding[::-1]), fundings),
    ),
    max_size=5,
)  # fmt: skip
persons = st.sampled_from((None, "a", "b"))


def known_of(found: dict[str, Brief]) -> dict[str, Numbers]:
    """The collar's numbers of these briefs."""
    return {name: numbers_of(replace(one, campaign=name), HOUSE, "rev_1", ("rev_0",)) for name, one in found.items()}


def allows(brief: Brief, payment: Payment, grant: Grant, now: Instant) -> bool:
    """Whether brief and policy let the payment have this grant, written from their definitions."""
    schema, owner = HOUSE.schema, HOUSE.labels.get(brief.label)
    shares = Counter[str]()
    for one in brief.funding:
        shares[one.funder] += one.basis_points
    return (
        owner is not None
        and (owner.owner is None or shares[owner.owner] > 0)
        and set(shares) <= set(HOUSE.funders)
        and sum(shares.values()) == 10_000
        and grant.revision == "rev_1"
        and grant.label == brief.label
        and Counter(grant.funders) == Counter(brief.funding)
        and (payment.currency, payment.fields["currency"]) == ("CNY", "CNY")
        and isinstance(payment.amount, int)
        and schema.amount_min <= payment.amount <= schema.amount_max
        and payment.fields["scene"] in set(brief.scenes) & set(schema.fields["scene"].values or ())
        and payment.amount >= brief.spend_min
        and isinstance(grant.discount, int)
        and not isinstance(grant.discount, bool)
        and 1 <= grant.discount <= min(brief.discount_max, brief.budget, brief.stage_first_max, 100_000)
        and grant.discount / payment.amount <= brief.rate_max / 10_000
        and brief.window.opens <= now < brief.window.closes
        and (brief.per_payer == PerPayer(None, None) or payment.payer_id is not None)
        and brief.per_payer.count != 0
        and (brief.per_payer.amount is None or grant.discount <= brief.per_payer.amount)
        and payment.payer_id not in (payment.payee_id, payment.fields.get("referrer_id", object()))
    )


@settings(max_examples=400)
@given(st.dictionaries(st.sampled_from(NAMES), briefs), proposals, amounts, scenes, persons, persons, moments)
def test_what_passes_keeps_its_brief_and_the_policy(
    found: dict[str, Brief], grants: list[Grant], amount: Any, scene: str, payer: str | None, friend: str | None,
    now: Instant,
) -> None:  # fmt: skip
    payment = paid(amount=amount, scene=scene, payer_id=payer, payee_id="b", referrer_id=friend)
    verdict = check(payment, grants, Moment(now, TICKS, SECOND), known_of(found), CollarState())
    assert all(allows(found[grant.campaign], payment, grant, now) for grant in verdict.kept)
    assert sum(grant.discount for grant in verdict.kept) <= (payment.amount if verdict.kept else 0)
    assert len({grant.campaign for grant in verdict.kept}) == len(verdict.kept)
    rest = iter(grants)
    assert all(any(one is grant for one in rest) for grant in verdict.kept)
    assert len(verdict.kept) + len(verdict.dropped) == len(grants)
    assert all(words(trip)["en"] and words(trip)["zh-CN"] for trip in verdict.dropped)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(NAMES), briefs, min_size=1), st.data())
def test_what_brief_and_policy_allow_passes(found: dict[str, Brief], data: st.DataObject) -> None:
    """The other way round: one grant that the oracle allows is never dropped by a node that is well."""
    name = data.draw(st.sampled_from(sorted(found)))
    now = data.draw(moments)
    grant = Grant(name, "rev_1", found[name].label, "g", data.draw(st.integers(1, 6_000)), found[name].funding)
    payment = paid(amount=data.draw(st.integers(1, 60_000)), scene=data.draw(scenes), payer_id="a", payee_id="b")
    verdict = check(payment, [grant], Moment(now, TICKS, SECOND), known_of(found), CollarState())
    assert bool(verdict.kept) == allows(found[name], payment, grant, now)


steps = st.lists(
    st.tuples(
        st.sampled_from((0, 1, SECOND, 59 * SECOND, 61 * SECOND, HOUR // 2)),  # what the stopwatch went on
        st.sampled_from((0, 0, 0, HOUR, -HOUR, 10**18, -(10**18))),  # how the wall clock jumped meanwhile
        st.sampled_from((0, 0, 0, 0, -SECOND)),  # a decision that took longer than the next
    ),
    max_size=60,
)


@settings(max_examples=150)
@given(steps, st.booleans())
def test_no_jump_of_a_clock_lets_time_run_faster_or_back(walk: list[tuple[int, int, int]], steady: bool) -> None:
    state, ticks, now, age = CollarState(most=5), TICKS, int(NOON), 0
    for number, (passed, jumped, late) in enumerate(walk):
        ticks, now = ticks + passed, now + passed + jumped
        at = Moment(Instant(now + late), ticks + late, SECOND, steady)
        grew = state.watch.age(at) - age
        assert grew >= 0
        state.note(changed(paid(), payment_id=f"p-{number}"), [granted()], at)
        assert state.watch.age(at) >= age
        age = state.watch.age(at)
    assert age <= ticks - TICKS + SECOND
    assert max(len(part) for part in (state.payments, state.payers, state.devices, state.payees, state.spends)) <= 5


@settings(max_examples=60)
@given(steps)
def test_a_payer_never_has_more_in_an_hour_than_the_bound_whatever_the_wall_clock_does(
    walk: list[tuple[int, int, int]],
) -> None:
    """By the stopwatch, which tells the truth. Windows stand side by side: an hour meets two of them at most."""
    state, ticks, now, at_ticks = CollarState(), TICKS, int(NOON), list[int]()
    numbers = {"spring": replace(known_of({"spring": OF_BRIEF})["spring"], per_payer=PerPayer(3, None))}
    object.__setattr__(numbers["spring"], "payer_count_max", 4)
    for number, (passed, jumped, _) in enumerate(walk):
        ticks, now = ticks + passed, now + passed + jumped
        at, payment = Moment(Instant(now), ticks, SECOND), changed(paid(), payment_id=f"p-{number}")
        verdict = check(payment, [granted()], at, numbers, state)
        assert {trip.check for trip in verdict.dropped} <= {
            CollarCheck.PAYER_COUNT_IS_FAR_ABOVE, CollarCheck.CLOCK_JUMPED, CollarCheck.WINDOW_IS_NOT_OPEN
        }  # fmt: skip
        at_ticks += [ticks] * len(verdict.kept)
        state.note(payment, verdict.kept, at)
    for begin in at_ticks:
        assert sum(begin <= one < begin + HOUR for one in at_ticks) <= 8

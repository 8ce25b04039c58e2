"""What holds for every stream of payments: the sums behind the guarantee, merging, and taking up evidence again."""

import json
from itertools import product
from math import exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makegood.guard.cells import WEIGHTS, Measure, Observed, Watch
from makegood.guard.detector import Detector
from makegood.guard.detector_merge import absorb, tell
from makegood.guard.detector_state import join, state_of
from makegood.guard.edetector import Bets, stakes

FUNDERS = frozenset({"platform"})
WATCH = Watch("spring", frozenset({"qr", "online"}), "coupon", FUNDERS, 0.05, 2_500, 5_000)
NEVER = 10**250  # A threshold that nothing here reaches, so that no cell begins again.

scenes = st.sampled_from(("qr", "online", "rent", "transfer"))
grants = st.builds(
    Observed, st.just("spring"), st.sampled_from(("coupon", "subsidy")), st.just(FUNDERS), st.integers(1, 9_000)
)
payments = st.tuples(scenes, st.one_of(st.just(()), st.tuples(grants)))
streams = st.lists(payments, max_size=60)
Stream = list[tuple[str, tuple[Observed, ...]]]


def fed(stream: Stream, **options: bool | float) -> Detector:
    detector = Detector((WATCH,), NEVER, **options)  # type: ignore[arg-type]
    for scene, granted in stream:
        detector.observe(scene, granted)
    return detector


def one_by_one(stream: Stream) -> dict[str, float]:
    """The evidence by the definition: every payment does M ← (M + w) · L, for every bet of every cell."""
    found: dict[str, float] = {}
    kinds = {
        "share": 0.05,
        "outside": 1e-4,
        "mean": 0.5,
        **{f"scene:{s}": 1e-4 for s in ("qr", "online", "rent", "transfer")},
    }
    for name, mean in kinds.items():
        measure = Measure(name.partition(":")[0])
        total, granted_any = 0.0, False
        for stake in stakes(mean):
            capital, each = 0.0, WEIGHTS[measure] / len(stakes(mean))
            for scene, granted in stream:
                agreed = bool(granted) and scene in WATCH.scenes and granted[0].label == "coupon"
                outside = bool(granted) and not agreed
                if measure is Measure.SHARE and scene in WATCH.scenes:
                    odds = agreed / mean
                elif measure is Measure.OUTSIDE or name == f"scene:{scene}":
                    odds = outside / mean
                elif measure is Measure.MEAN and agreed:
                    odds = granted[0].amount / 2_500
                else:
                    continue
                granted_any |= odds > 0
                capital = (capital + each) * (1 - stake + stake * odds)
            total += capital
        if granted_any and total > 0:
            found[name] = total
    return found


@given(streams)
def test_evidence_that_skips_payments_without_a_grant_is_that_of_every_payment(stream: Stream) -> None:
    found = fed(stream).evidence("spring")
    assert {name: exp(value) for name, value in found.items()} == pytest.approx(one_by_one(stream), rel=1e-9)


@given(st.floats(1e-5, 0.99), st.floats(0, 1))
def test_no_bet_gains_on_average_while_the_mean_is_kept(mean: float, part: float) -> None:
    bets = Bets.against(mean, 1.0)
    (won, _), (lost, _) = bets.granted_after(0), bets.nothing(1)
    for up, down in zip(won, lost, strict=True):
        assert mean * part * up + (1 - mean * part) * down <= 1 + 1e-9


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=20), st.floats(1e-5, 0.94))
def test_no_bet_on_a_mean_gains_on_average_whatever_its_distribution_is(values: list[float], mean: float) -> None:
    bets, average = Bets.against(mean, 1.0), sum(values) / len(values) or 1.0
    times = [bets.worth(value / average)[0][0] for value in values]
    for each in zip(*times, strict=True):
        assert sum(each) / len(each) <= 1 + 1e-6


def _chance(outcome: tuple[bool, ...], mean: float) -> float:
    granted = sum(outcome)
    return mean**granted * (1 - mean) ** (len(outcome) - granted)


AGREED = (Observed("spring", "coupon", FUNDERS, 2_500),)


def _capital(detector: Detector) -> float:
    detector.settle()
    state = detector.state("spring", "share")
    assert state is not None
    state.quiet_until(sum(detector.scenes[scene] for scene in WATCH.scenes))
    return sum(state.capital)


def test_the_evidence_of_t_payments_is_t_times_its_capital_on_average_over_every_outcome() -> None:
    mean = 0.0
    for outcome in product((False, True), repeat=9):
        mean += _chance(outcome, 0.05) * _capital(fed([("qr", AGREED if one else ()) for one in outcome]))
    assert mean == pytest.approx(9 * WEIGHTS[Measure.SHARE])


def test_merged_evidence_of_two_nodes_is_the_same_on_average_over_every_outcome() -> None:
    """Payments alternate between the nodes; what they tell crosses: the second tells before the first, and twice."""
    mean = 0.0
    for outcome in product((False, True), repeat=8):
        nodes = [Detector((WATCH,), NEVER, telling=True) for _ in range(2)]
        merged = Detector((WATCH,), NEVER)
        for number, one in enumerate(outcome):
            nodes[number % 2].observe("qr", AGREED if one else ())
            if number in (3, 5):
                absorb(merged, tell(nodes[1]))
        for node in nodes:
            absorb(merged, tell(node))
        assert merged.payments == 8
        mean += _chance(outcome, 0.05) * _capital(merged)
    assert mean == pytest.approx(8 * WEIGHTS[Measure.SHARE])


def test_a_product_of_two_nodes_evidence_would_promise_too_much() -> None:
    """Why evidence of different starts is never multiplied: its mean grows as the square of the payments."""
    mean = 0.0
    for outcome in product((False, True), repeat=8):
        halves = [fed([("qr", AGREED if one else ()) for one in half]) for half in (outcome[:4], outcome[4:])]
        mean += _chance(outcome, 0.05) * (_capital(halves[0]) / 0.5) * (_capital(halves[1]) / 0.5)
    assert mean == pytest.approx(16) and mean > 8


@given(st.lists(st.tuples(st.integers(0, 2), st.lists(payments, max_size=12)), max_size=8))
def test_merging_is_as_if_one_node_had_seen_the_blocks_one_after_another(blocks: list[tuple[int, Stream]]) -> None:
    nodes = [Detector((WATCH,), NEVER, telling=True) for _ in range(3)]
    merged, serial = Detector((WATCH,), NEVER), Detector((WATCH,), NEVER)
    for number, block in blocks:
        for scene, granted in block:
            nodes[number].observe(scene, granted)
            serial.observe(scene, granted)
        absorb(merged, json.loads(json.dumps(tell(nodes[number]))))
    assert merged.scenes == serial.scenes and merged.payments == serial.payments
    assert dict(merged.evidence("spring")) == pytest.approx(dict(serial.evidence("spring")), rel=1e-9)
    for name, state in serial.campaigns["spring"].cells.items():
        other = merged.campaigns["spring"].cells[name]
        assert other.cusum.score == pytest.approx(state.cusum.score, abs=1e-9)
        assert (other.cusum.payments, other.cusum.grants, other.cusum.amount) == (
            state.cusum.payments, state.cusum.grants, state.cusum.amount
        )  # fmt: skip


@given(streams, st.integers(0, 60))
def test_a_node_that_tells_has_the_evidence_of_one_that_does_not(stream: Stream, at: int) -> None:
    telling = Detector((WATCH,), NEVER, telling=True)
    for number, (scene, granted) in enumerate(stream):
        if number == at:
            tell(telling)
        telling.observe(scene, granted)
    assert dict(telling.evidence("spring")) == pytest.approx(dict(fed(stream).evidence("spring")), rel=1e-9)


@given(streams, streams)
def test_evidence_survives_a_restart(before: Stream, after: Stream) -> None:
    """Cells that were granted something go on exactly; the others begin anew, which is never more."""
    going = fed(before)
    restored = Detector((WATCH,), NEVER)
    assert join(restored, json.loads(json.dumps(state_of(going)))) == len(going.campaigns["spring"].cells)
    known = set(going.campaigns["spring"].cells)
    for scene, granted in after:
        going.observe(scene, granted)
        restored.observe(scene, granted)
    had, has = going.evidence("spring"), restored.evidence("spring")
    assert {name: has[name] for name in known if name in had} == pytest.approx(
        {name: had[name] for name in known if name in had}, rel=1e-9
    )
    assert all(has[name] <= had[name] + 1e-9 for name in has)


@given(streams, streams)
def test_evidence_of_nodes_that_leave_adds_up(first: Stream, second: Stream) -> None:
    one, other = fed(first), fed(second)
    for name in other.campaigns["spring"].cells:
        one.state("spring", name)  # Also what was granted nothing so far has evidence: that of starts.
    sums = {name: exp(value) for name, value in one.evidence("spring").items()}
    for name, value in other.evidence("spring").items():
        sums[name] = sums.get(name, 0) + exp(value)
    join(one, state_of(other))
    assert {name: exp(value) for name, value in one.evidence("spring").items()} == pytest.approx(sums, rel=1e-9)


@given(streams)
def test_the_cusum_is_never_above_the_evidence_of_its_bet(stream: Stream) -> None:
    detector = fed(stream)
    detector.settle()
    for state in detector.campaigns["spring"].cells.values():
        if state.cusum.score > 0:
            began = state.bets.weight / len(state.bets.stakes)
            assert state.cusum.score + log(began) <= log(state.capital[-1]) + 1e-9

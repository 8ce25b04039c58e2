"""The detector: when it stops a campaign, what its alarm says, and what it never does."""

from collections.abc import Iterable
from dataclasses import replace
from math import inf, log
from random import Random

import pytest

from makegood.guard.cells import Measure, Observed, Watch, payments_a_year
from makegood.guard.detector import Detector
from makegood.guard.detector_alarm import Alarm

FUNDERS = frozenset({"platform", "lin"})
WATCH = Watch("spring", frozenset({"qr"}), "coupon", FUNDERS, 0.05, 2_500, 5_000)
AGREED = Observed("spring", "coupon", FUNDERS, 2_000)
WRONG = Observed("spring", "subsidy", frozenset({"platform"}), 80_000)
N = payments_a_year(1_000)
SCENES = ("qr", "online", "transfer", "card_repayment", "bill", "rent", "transit")


def detector(*watches: Watch, portion: float = 1.0) -> Detector:
    return Detector(watches or (WATCH,), N, portion=portion)


def warm(one: Detector, payments: int = 2_000, seed: int = 7) -> Detector:
    """The same detector after payments of every scene that keep the brief."""
    chance = Random(seed)
    for _ in range(payments):
        scene = chance.choice(SCENES)
        assert not one.observe(scene, (AGREED,) if scene == "qr" and chance.random() < 0.03 else ())
    return one


def first(one: Detector, payments: Iterable[tuple[str, tuple[Observed, ...]]]) -> tuple[int, Alarm]:
    """After how many payments the first alarm is raised, and that alarm."""
    for number, (scene, grants) in enumerate(payments, 1):
        alarms = one.observe(scene, grants, f"pay-{number}")
        if alarms:
            return number, alarms[0]
    raise AssertionError("no alarm was raised")


@pytest.mark.parametrize(
    ("scene", "grant"),
    [
        ("transfer", AGREED),
        ("qr", replace(AGREED, label="subsidy")),
        ("qr", replace(AGREED, funders=frozenset({"platform"}))),
        ("qr", replace(AGREED, funders=frozenset({"city"}))),
    ],
)
def test_a_leak_outside_scenes_label_or_funders_stops_within_twelve_payments(scene: str, grant: Observed) -> None:
    number, alarm = first(warm(detector()), [(scene, (grant,))] * 13)
    assert number <= 12
    assert alarm.campaign == "spring" and alarm.measure in (Measure.OUTSIDE, Measure.SCENE)
    assert (alarm.scene, alarm.grant) == (scene, grant)


def test_a_leak_spread_over_every_scene_stops_within_twelve_payments() -> None:
    number, alarm = first(warm(detector()), [(SCENES[k % 7], (WRONG,)) for k in range(20)])
    assert number <= 12 and alarm.measure is Measure.OUTSIDE


def test_a_hundred_campaigns_beside_it_leave_a_leak_within_twelve_payments() -> None:
    others = [replace(WATCH, campaign=f"other-{number}") for number in range(99)]
    number, _ = first(warm(detector(WATCH, *others)), [("rent", (AGREED,))] * 20)
    assert number <= 12


def test_a_leak_onto_one_payment_in_a_hundred_of_a_small_scene_stops_within_twenty_wrong_grants() -> None:
    chance, one, wrong = Random(3), warm(detector()), 0
    for _ in range(400_000):
        if chance.random() < 0.99:
            one.observe("qr")
            continue
        leaks = chance.random() < 0.01
        wrong += leaks
        if alarms := one.observe("rent", (AGREED,) if leaks else ()):
            break
    assert alarms[0].measure is Measure.SCENE and alarms[0].scene == "rent"
    assert wrong <= 20


def test_a_share_above_the_briefs_stops_the_campaign_in_its_own_scenes() -> None:
    number, alarm = first(warm(detector()), [("qr", (AGREED,))] * 40)
    assert number <= 12 and alarm.measure is Measure.SHARE and alarm.expected == 0.05


def test_a_mean_discount_above_the_briefs_stops_the_campaign_though_its_share_is_kept() -> None:
    dear = replace(AGREED, amount=5_000)
    number, alarm = first(detector(), [("qr", (dear,) if k % 25 == 0 else ()) for k in range(3_000)])
    assert alarm.measure is Measure.MEAN and alarm.expected == 2_500
    assert alarm.amount == 5_000 * alarm.grants
    assert number < 1_500


def test_a_discount_a_hundred_times_too_large_stops_the_campaign_at_the_eighth() -> None:
    yuan_for_fen = replace(AGREED, amount=200_000)
    payments = [("qr", (yuan_for_fen,) if k % 25 == 0 else ()) for k in range(3_000)]
    _, alarm = first(detector(), payments)
    assert alarm.measure is Measure.MEAN and alarm.grants <= 8


def test_payments_that_keep_the_brief_raise_no_alarm() -> None:
    chance, one = Random(11), detector()
    for _ in range(100_000):
        granted = (replace(AGREED, amount=chance.choice((100, 2_400, 4_900))),) if chance.random() < 0.05 else ()
        assert not one.observe("qr", granted)
    assert one.quiet("spring")


def test_one_wrong_grant_raises_no_alarm_and_no_warning() -> None:
    one = warm(detector())
    assert not one.observe("rent", (WRONG,)) and one.quiet("spring")


def test_a_campaign_is_not_quiet_before_it_is_stopped_and_is_again_after_payments_that_keep_the_brief() -> None:
    one = warm(detector())
    for _ in range(3):
        one.observe("rent", (AGREED,))
    assert not one.quiet("spring")
    for _ in range(5_000):
        one.observe("rent")
    assert one.quiet("spring")


def test_an_alarm_says_what_was_seen_since_the_leak_began_and_not_before() -> None:
    one = warm(detector())
    one.observe("rent", (AGREED,), "long ago")
    for _ in range(20_000):
        one.observe("rent")
    number, alarm = first(one, [("rent", (AGREED,))] * 20)
    assert alarm.grants == alarm.payments == number
    assert alarm.last == tuple(f"pay-{k}" for k in range(1, number + 1))
    assert alarm.statistic >= alarm.threshold == pytest.approx(log(N))


def test_an_alarm_says_it_in_both_languages() -> None:
    _, outside = first(detector(), [("rent", (WRONG,))] * 20)
    assert set(outside.words) == {"zh-CN", "en"}
    for word in ("`spring`", "`rent`", "`subsidy`", "platform", "0.01 %", f"{outside.grants} of {outside.payments}"):
        assert word in outside.words["en"]
    for word in ("`spring`", "`rent`", "`subsidy`", "立项单之外", "优惠标签"):
        assert word in outside.words["zh-CN"]
    _, share = first(detector(), [("qr", (AGREED,))] * 40)
    assert "in the scenes of its brief" in share.words["en"] and "支付场景" in share.words["zh-CN"]
    _, mean = first(detector(), [("qr", (replace(AGREED, amount=200_000),) if k % 25 == 0 else ()) for k in range(900)])
    assert "200,000 minor units" in mean.words["en"] and "平均立减" in mean.words["zh-CN"]


def test_the_payments_an_alarm_shows_are_bounded() -> None:
    slow = [("qr", (AGREED,) if k % 5 == 0 else ()) for k in range(5_000)]
    _, alarm = first(detector(), slow)
    assert alarm.grants > 20 and len(alarm.last) == 20


def test_a_cell_that_raised_an_alarm_begins_again() -> None:
    one = warm(detector())
    first(one, [("rent", (AGREED,))] * 20)
    again, _ = first(one, [("rent", (AGREED,))] * 20)
    assert again >= 1 and sum(len(one.observe("rent", (AGREED,))) for _ in range(2)) <= 1


def test_a_campaign_that_resumes_is_forgotten() -> None:
    one = warm(detector())
    for _ in range(3):
        one.observe("rent", (AGREED,))
    one.forget("spring")
    assert max(one.evidence("spring").values()) < 1


def test_another_campaigns_leak_is_no_evidence_against_this_one() -> None:
    other = replace(WATCH, campaign="other")
    _, alarm = first(warm(detector(WATCH, other)), [("rent", (replace(AGREED, campaign="other"),))] * 20)
    assert alarm.campaign == "other"


def test_grants_of_campaigns_that_are_not_watched_are_left_out() -> None:
    one = detector()
    assert not one.observe("qr", (replace(AGREED, campaign="stranger"),)) and one.quiet("stranger")


def test_a_brief_that_expects_every_payment_is_watched_for_everything_else() -> None:
    one = warm(detector(replace(WATCH, share=1.0)))
    for _ in range(1_000):
        assert not one.observe("qr", (AGREED,))
    assert first(one, [("rent", (AGREED,))] * 20)[0] <= 12


def test_absurd_amounts_leave_every_number_a_number() -> None:
    one = Detector((replace(WATCH, mean=1, most=10**15),), 10**9)
    for _ in range(50):
        one.observe("qr", (replace(AGREED, amount=10**15),))
        assert all(-inf < value < inf for value in one.evidence("spring").values())


def test_evidence_without_end_saturates() -> None:
    one = Detector((WATCH,), 10**300)
    for _ in range(400):
        one.observe("rent", (AGREED,))
    assert max(one.evidence("spring").values()) < log(1e283)


def test_a_long_silence_leaves_every_number_a_number() -> None:
    one = detector()
    one.observe("rent", (AGREED,))
    one.scenes["rent"] += 10**15
    one.payments += 10**15
    assert not one.observe("rent", (AGREED,)) and one.quiet("spring")
    assert all(-inf < value < inf for value in one.evidence("spring").values())


def test_cells_are_made_only_where_something_was_granted() -> None:
    one = warm(detector(*(replace(WATCH, campaign=f"c-{number}") for number in range(1_000))))
    assert sum(len(watched.cells) for watched in one.campaigns.values()) == 0


def test_campaigns_share_the_capital_of_a_payment() -> None:
    """Ten live campaigns: each needs ten times the evidence, so that the house has no more false stops than one."""
    alone, among = detector(), detector(WATCH, *(replace(WATCH, campaign=f"other-{number}") for number in range(9)))
    for one in (alone, among):
        one.observe("rent", (AGREED,))
    assert dict(among.evidence("spring")) == pytest.approx(
        {name: value - log(10) for name, value in alone.evidence("spring").items()}
    )

"""Evidence that is read back is refused where it is odd, and then nothing has changed."""

import copy
import json
from typing import Any

import pytest

from makegood.guard.cells import Observed, Watch
from makegood.guard.detector import Detector
from makegood.guard.detector_alarm import Alarm
from makegood.guard.detector_merge import absorb, tell
from makegood.guard.detector_state import join, state_of
from makegood.guard.edetector import stakes

FUNDERS = frozenset({"platform"})
WATCH = Watch("spring", frozenset({"qr"}), "coupon", FUNDERS, 0.05, 2_500, 5_000)
GRANT = Observed("spring", "coupon", FUNDERS, 2_000)
N = 10**9
BETS = len(stakes(0.05))


def told() -> Any:
    node = Detector((WATCH,), N, telling=True)
    for number in range(50):
        node.observe("rent" if number % 9 == 0 else "qr", (GRANT,) if number % 25 == 0 else (), f"pay-{number}")
    return json.loads(json.dumps(tell(node)))


def state() -> Any:
    node = Detector((WATCH,), N)
    for number in range(50):
        node.observe("qr", (GRANT,) if number % 25 == 0 else (), f"pay-{number}")
    return json.loads(json.dumps(state_of(node)))


def changed(value: Any, path: tuple[str, ...], new: Any) -> Any:
    found = copy.deepcopy(value)
    inner = found
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = new
    return found


CELL = ("campaigns", "spring", "share")
ODD: list[tuple[tuple[str, ...], Any]] = [
    (("version",), 2),
    (("version",), True),
    (("campaigns",), []),
    (("campaigns", "spring"), None),
    (("campaigns", "spring", "sahre"), {}),
    (CELL, {}),
    ((*CELL, "mean"), "0.05"),
    ((*CELL, "last"), ["x"] * 21),
    ((*CELL, "last"), [7]),
    ((*CELL, "last"), ["x" * 129]),
]
ODD_STATE: list[tuple[tuple[str, ...], Any]] = [
    *ODD,
    ((*CELL, "capital"), [0.0]),
    ((*CELL, "capital"), [-1.0] * BETS),
    ((*CELL, "capital"), [float("nan")] * BETS),
    ((*CELL, "capital"), [float("inf")] * BETS),
    ((*CELL, "capital"), [True] * BETS),
    ((*CELL, "cusum"), [0.0, 1, 1]),
    ((*CELL, "cusum"), [0.0, 1.5, 1, 1]),
    ((*CELL, "cusum"), [0.0, -1, 1, 1]),
    ((*CELL, "cusum"), [0.0, 10**19, 1, 1]),
    ((*CELL, "more"), 1),
]
ODD_TOLD: list[tuple[tuple[str, ...], Any]] = [
    *ODD,
    (("payments",), -1),
    (("scenes",), {"qr": "many"}),
    ((*CELL, "times"), [1.0] * (BETS - 1)),
    ((*CELL, "added"), "none"),
    ((*CELL, "weight"), 0),
    ((*CELL, "weight"), 1.5),
    ((*CELL, "whole"), None),
]


@pytest.mark.parametrize(("path", "new"), ODD_STATE, ids=str)
def test_a_state_with_something_odd_is_refused(path: tuple[str, ...], new: Any) -> None:
    detector = Detector((WATCH,), N)
    with pytest.raises(ValueError, match=r"\w"):
        join(detector, changed(state(), path, new))
    assert detector.evidence("spring") == {}


@pytest.mark.parametrize(("path", "new"), ODD_TOLD, ids=str)
def test_what_was_told_with_something_odd_is_refused(path: tuple[str, ...], new: Any) -> None:
    detector = Detector((WATCH,), N)
    with pytest.raises(ValueError, match=r"\w"):
        absorb(detector, changed(told(), path, new))
    assert detector.evidence("spring") == {} and detector.payments == 0


@pytest.mark.parametrize("raw", [None, 7, [], "x", {}, {"version": 1}])
def test_what_is_no_record_is_refused(raw: Any) -> None:
    for take in (join, absorb):
        with pytest.raises(ValueError, match=r"what was told|the state"):
            take(Detector((WATCH,), N), raw)


def test_evidence_against_another_expectation_or_campaign_is_left_out() -> None:
    for watch in (
        Watch("spring", WATCH.scenes, "coupon", FUNDERS, 0.06, 2_400, 5_000),
        Watch("autumn", WATCH.scenes, "coupon", FUNDERS, 0.05, 2_500, 5_000),
    ):
        detector = Detector((watch,), N)
        assert join(detector, state()) == 0
        absorb(detector, told())
        share = detector.state(watch.campaign, "share")
        assert share is not None and share.cusum.grants == 0 and detector.payments == 50


def test_evidence_told_by_a_node_with_another_portion_begins_with_the_capital_of_this_one() -> None:
    halves, whole = Detector((WATCH,), N, portion=0.5), Detector((WATCH,), N)
    for one in (halves, whole):
        absorb(one, told())
    had, has = whole.evidence("spring"), halves.evidence("spring")
    assert has == pytest.approx({name: value - 0.6931471805599453 for name, value in had.items()})


def test_a_leak_that_no_node_sees_enough_of_is_stopped_where_they_merge() -> None:
    nodes = [Detector((WATCH,), N, portion=0.5, telling=True) for _ in range(20)]
    merged = Detector((WATCH,), N, portion=0.5)
    alarms: list[Alarm] = []
    for number in range(12):
        assert not nodes[number].observe("rent", (GRANT,), f"pay-{number}")
        alarms += absorb(merged, tell(nodes[number]))
    assert alarms and alarms[0].grants <= 5
    assert alarms[0].last == tuple(f"pay-{k}" for k in range(alarms[0].grants))
    assert "outside its brief" in alarms[0].words["en"] and "立项单之外" in alarms[0].words["zh-CN"]


def test_counts_wait_until_something_was_granted_and_are_told_with_it() -> None:
    node = Detector((WATCH,), N, telling=True)
    for _ in range(100):
        node.observe("qr")
    assert not node.has_to_tell
    node.observe("qr", (GRANT,), "pay-1")
    assert node.has_to_tell and tell(node)["scenes"] == {"qr": 101} and not node.has_to_tell


def test_a_node_tells_each_payment_once() -> None:
    node = Detector((WATCH,), N, telling=True)
    node.observe("qr", (GRANT,), "pay-1")
    assert tell(node)["payments"] == 1
    assert tell(node) == {"version": 1, "payments": 0, "scenes": {}, "campaigns": {}}


def test_counters_stay_where_they_can_be_read_back() -> None:
    detector = Detector((WATCH,), 10**250)
    detector.observe("qr", (Observed("spring", "coupon", FUNDERS, 10**20),), "pay-1")
    assert join(Detector((WATCH,), 10**250), state_of(detector)) == 2


def test_evidence_that_is_joined_is_not_weakened_by_payments_from_before() -> None:
    going = Detector((WATCH,), 10**20)
    for number in range(3):
        going.observe("rent", (GRANT,), f"pay-{number}")
    restored = Detector((WATCH,), N)
    for _ in range(100_000):
        restored.observe("rent")
    join(restored, state_of(going))
    assert restored.evidence("spring")["scene:rent"] >= going.evidence("spring")["scene:rent"]

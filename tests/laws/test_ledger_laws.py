"""The ledger against a plain Python model: any order of calls gives the same outcomes and the same money."""

import asyncio
import itertools
import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.laws.ledger_model import PERIODS, SUBJECTS, Campaign, Model, explained
from tests.laws.real_ledger import LANES, RealLedger, request_of

from makegood.services.platform import Platform

NAMES = ("a", "b")
STATES = ("stale", "campaign_is_stopped", "budget_is_exhausted", "stage_is_exhausted")
EXAMPLES = settings.get_profile(os.environ.get("HYPOTHESIS_PROFILE", "default")).max_examples

payments = st.integers(0, 30).map("p{}".format)
lanes = st.integers(0, LANES - 1)
seldom = st.sampled_from([False] * 9 + [True])
picks = st.integers(0, 30)
refs = st.sampled_from([1, 2, 3, 1, 2, 3, 1, 2, 3, None]).map(lambda n: None if n is None else bytes([n]) * 32)
asked = st.fixed_dictionaries({
    "payment": payments, "other": seldom, "stale": seldom, "short": st.booleans(),
    "campaigns": st.sampled_from([("a",), ("b",), ("a", "b"), ("b", "a"), ("a",), ("b",), ("a", "b"), ()]),
    "discounts": st.tuples(st.integers(1, 120), st.integers(1, 120)),
    "payer": refs, "device": refs, "payee": st.integers(1, 2).map(lambda n: bytes([n]) * 32),
    "day": st.sampled_from(["2027-02-01", "2027-02-02"]), "hour": st.sampled_from(["2027-02-01T12", "2027-02-01T13"]),
    "supersedes": st.one_of(st.none(), st.none(), st.none(), st.none(), payments),
})  # fmt: skip
bounds = st.sampled_from([(2, None), (3, None), (5, None), (None, 200), (None, 400), (4, 300), (0, None)])
limits = st.builds(
    lambda subject, period, most: {"subject": subject, "period": period, "count_max": most[0], "amount_max": most[1]},
    st.sampled_from(SUBJECTS), st.sampled_from(PERIODS), bounds,
)  # fmt: skip
own = st.lists(limits, max_size=2, unique_by=lambda one: (one["subject"], one["period"])).map(tuple)
shared = st.lists(st.tuples(limits, st.sampled_from([None, ["x"], ["x", "y"]])), max_size=2).map(
    lambda some: tuple({"limit_id": f"l{n}", "labels": of, **one} for n, (one, of) in enumerate(some))
)
labels = st.sampled_from(["x", "y"])


class LedgerMachine(RuleBasedStateMachine):
    """Every rule asks both."""

    platform: ClassVar[Platform]
    loop: ClassVar[asyncio.AbstractEventLoop]
    houses = itertools.count()

    def __init__(self) -> None:
        super().__init__()
        self.real = RealLedger(self.platform, self.loop, f"model-{next(self.houses)}")
        self.model = Model()

    # -- what is live ----------------------------------------------------------------------------------

    @initialize(limits=st.tuples(own, own), budgets=st.tuples(st.integers(100, 900), st.integers(100, 900)))
    def begin(self, limits: tuple[Any, Any], budgets: tuple[int, int]) -> None:
        for name, some, budget in zip(NAMES, limits, budgets, strict=True):
            revision, told = self.real.go_live(name, budget, budget * 2 // 3, some, "x")
            assert told["outcome"] == "done"
            self.model.campaigns[name] = Campaign(budget, budget * 2 // 3, some, "x", revision)

    @rule(
        name=st.sampled_from(NAMES), budget=st.integers(1, 1_200), stage=st.integers(1, 1_200), some=own, label=labels
    )
    def go_live(self, name: str, budget: int, stage: int, some: Any, label: str) -> None:
        one, used = self.model.campaigns[name], self.model.used(name)
        revision, told = self.real.go_live(name, budget, stage, some, label)
        if budget < used:
            assert told == {"outcome": "budget_is_below_use", "used": used}
            return
        assert told["outcome"] == "done"
        shares = 1 if any(limit["subject"] == "all" for limit in some) else one.shares
        opened = max(min(one.open, budget), min(stage, budget))
        self.model.campaigns[name] = Campaign(budget, opened, some, label, revision, False, shares)

    @rule(some=shared)
    def put_policy(self, some: Any) -> None:
        self.real.put_policy(some)
        self.model.shared = some

    @rule(name=st.sampled_from(NAMES), really=seldom)
    def stop(self, name: str, really: bool) -> None:
        if not really:
            return
        self.real.stop(name)
        self.model.campaigns[name].stopped = True

    @precondition(lambda self: any(one.stopped for one in self.model.campaigns.values()))
    @rule(name=st.sampled_from(NAMES))
    def resume(self, name: str) -> None:
        one = self.model.campaigns[name]
        assert self.real.resume(name) == ("resumed" if one.stopped else "state_forbids")
        one.stopped = False

    @rule(name=st.sampled_from(NAMES), upto=st.integers(1, 1_200))
    def open_stage(self, name: str, upto: int) -> None:
        one = self.model.campaigns[name]
        may = not one.stopped and one.open < upto <= one.budget
        assert self.real.open_stage(name, one.revision, upto) == ("done" if may else "state_forbids")
        one.open = upto if may else one.open

    @rule(name=st.sampled_from(NAMES), shares=st.sampled_from([1, 2, 3, 4]))
    def split(self, name: str, shares: int) -> None:
        one = self.model.campaigns[name]
        refused = shares > 1 and any(limit["subject"] == "all" for limit in one.limits)
        assert self.real.split(name, shares) == ("limit_counts_all" if refused else "done")
        one.shares = one.shares if refused else shares

    # -- money calls -----------------------------------------------------------------------------------

    @rule(one=asked, lane=lanes)
    def reserve_too(self, one: dict[str, Any], lane: int) -> None:  # Twice as often as the rest.
        self.reserve(one, lane)

    @rule(one=asked, lane=lanes)
    def reserve(self, one: dict[str, Any], lane: int) -> None:
        request = self._request(one)
        (told,) = self.real.reserve(lane, [request])
        due = Model.reserve(self.model, request)
        if due.get("refused") and not request["supersedes"]:  # A look at what is stopped or sold out comes first.
            by_state = {name: why for name, why in due["refused"].items() if why in STATES}
            due["refused"] = by_state or due["refused"]
        assert {key: told[key] for key in due} == due

    @rule(some=st.lists(asked, min_size=2, max_size=8), lane=lanes)
    def reserve_batch(self, some: list[dict[str, Any]], lane: int) -> None:
        requests = [self._request(one) for one in some]
        told = self.real.reserve(lane, requests)
        calls = [partial(_reserves, request, seen) for request, seen in zip(requests, told, strict=True)]
        self._explain(calls, told)

    @rule(pick=picks, captured=st.one_of(st.none(), st.integers(1, 1_001)), late=seldom)
    def capture(self, pick: int, captured: int | None, late: bool) -> None:
        payment = self._known(pick)
        assert (
            self.real.capture(payment, captured, late)["outcome"]
            == self.model.capture(payment, captured, late)["outcome"]
        )

    @rule(pick=picks)
    def release(self, pick: int) -> None:
        payment = self._known(pick)
        assert self.real.release(payment)["outcome"] == self.model.release(payment)["outcome"]

    @rule(
        payment=payments,
        some=st.lists(st.tuples(st.sampled_from("rst"), st.integers(1, 1_000)), min_size=1, max_size=3),
    )
    def refund(self, payment: str, some: list[tuple[str, int]]) -> None:
        told = self.real.refunds(payment, some)

        def gave(name: str, amount: int, seen: str, model: Model) -> bool:
            return bool(model.refund(payment, name, amount)["outcome"] == seen)

        self._explain([partial(gave, *one, seen["outcome"]) for one, seen in zip(some, told, strict=True)], told)

    @rule(pick=picks, new=seldom)
    def disown(self, pick: int, new: bool) -> None:
        payment = f"p{pick}" if new else self._known(pick, "reserved")
        assert self.real.disown(payment) == self.model.disown(payment)

    @rule()
    def expire(self) -> None:
        assert self.real.expire() == self.model.expire()

    # -- after each of them ----------------------------------------------------------------------------

    @invariant()
    def the_money_is_the_same(self) -> None:
        for name in self.model.campaigns:
            assert self.real.money(name) == self.model.money(name)

    def teardown(self) -> None:
        assert self.real.violations() == ()

    def _known(self, pick: int, state: str | None = None) -> str:
        """A payment in this state, if any is in it; some payment if not."""
        known = [name for name, quote in self.model.quotes.items() if state is None or quote["state"] == state]
        return known[pick % len(known)] if known else f"p{pick}"

    def _request(self, one: dict[str, Any]) -> dict[str, Any]:
        live = {
            name: "rev_" + "0" * 64 if one["stale"] else self.model.campaigns[name].revision
            for name in one["campaigns"]
        }
        grants = {name: (live[name], discount) for name, discount in zip(live, one["discounts"], strict=False)}
        changes = {f"{who}_ref": one[who] for who in ("payer", "device", "payee")}
        changes |= {key: one[key] for key in ("day", "hour", "supersedes", "short")}
        return request_of(one["payment"], grants, content_hash=bytes([one["other"]]) * 32, **changes)

    def _explain(self, calls: Sequence[Callable[[Model], bool]], told: object) -> None:
        found = explained(self.model, calls)
        assert found is not None, f"no order of these explains {told}"
        self.model = found


def _reserves(request: dict[str, Any], seen: dict[str, Any], model: Model) -> bool:
    """Whether a reservation that comes next is told what was seen. Of several reasons to refuse it one may be told."""
    due = model.reserve(request)
    told: str = seen["outcome"]
    return due["outcome"] == told and set(seen.get("refused", ())) <= set(due.get("refused", ()))


async def test_the_ledger_does_what_the_model_does(platform: Platform) -> None:
    machine = type("Machine", (LedgerMachine,), {"platform": platform, "loop": asyncio.get_running_loop()})
    profile = settings(
        max_examples=max(EXAMPLES // 10, 1), stateful_step_count=40, suppress_health_check=list(HealthCheck)
    )
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=profile)

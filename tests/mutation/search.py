"""The search through the payments that documents can tell apart, for the smallest that is granted something wrong."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.mutation.amounts import Segment, first_where, segments
from tests.mutation.classes import Test, distinct, tests_of
from tests.mutation.constants import Constants, merged
from tests.mutation.granting import discount_bounds, draws_of, plan_of, sets_with
from tests.mutation.ruling import Ruling, rulings
from tests.mutation.values import ABSENT, base_fields, field_values, moments, scene_values

from makegood.clock import Instant
from makegood.domain.brief import Brief, Window
from makegood.domain.campaign import Campaign
from makegood.domain.policy import Policy
from makegood.rules.environment import payment_environment

BASIS_POINTS = 10_000
BRIEF = "inside_brief."
Members = tuple[Campaign, ...]


@dataclass(frozen=True, slots=True)
class Bad:
    """A payment that is granted something wrong; JSON-ready. `others` are discounts by campaign id."""

    payment: Mapping[str, Any]
    discount: int
    others: Mapping[str, int] = field(default_factory=dict)

    @property
    def amount(self) -> int:
        """Minor units."""
        amount: int = self.payment["amount"]
        return amount


class Search:
    """One search. After `run`, `bad` holds the smallest payment found for each obligation that payments can break,
    `least` the smallest payment that is granted anything, and `largest` the largest discount granted.
    """

    def __init__(
        self, campaign: Campaign, brief: Brief, policy: Policy, live: Sequence[Campaign], most: Mapping[str, int]
    ) -> None:
        """`most` is the largest discount that each of some more obligations allows."""
        environment = payment_environment(policy.schema)
        self.campaign, self.brief, self.policy, self.most = campaign, brief, policy, most
        self.sets = list(sets_with(campaign, live))
        self.live = [one for one in live if any(one in members for members in self.sets)]
        self.plan = plan_of(campaign, environment)
        self.plans = [plan_of(other, environment) for other in self.live]
        self.rulings = rulings(policy)
        self.bad: dict[str, Bad] = {}
        self.least: Bad | None = None
        self.largest = 0
        self._seen: set[Any] = set()
        self._bounds: dict[tuple[str, int], tuple[int, int] | None] = {}
        self._prepare()

    def _prepare(self) -> None:
        schema = self.policy.schema
        conditions = merged([self.plan.constants, *(plan.constants for plan in self.plans)])
        rules = merged([ruling.constants for ruling in self.rulings])
        rules.money |= set(self.most.values())
        every = merged([conditions, rules])
        self.marks = tuple(sorted({mark + step for mark in rules.money for step in (0, 1)}))
        parts = [
            *((one,) for one in (self.campaign, *self.live)),
            *(members for members in self.sets if len(members) > 1),
        ]
        self.segments = segments((schema.amount_min, schema.amount_max), conditions, rules, self.brief, parts)
        self.values = self._values(every)
        self.base = dict(base_fields(schema))
        codes = {one.code for one in (self.campaign, *self.live) if one.code is not None}
        self.base |= {"codes": tuple(sorted(codes))} if codes else {}
        self.base |= {"device_id": "device-1"}

    def _values(self, constants: Constants) -> dict[str, Sequence[Any]]:
        """What to try, by field; those that the campaign reads come first, so that most is cut off early."""
        schema, windows = self.policy.schema, [self.brief.window, *(one.window for one in self.live)]
        ends = [int(end) for window in windows for end in (window.opens, window.closes)]
        mine = (int(self.campaign.window.opens), int(self.campaign.window.closes))
        values: dict[str, Sequence[Any]] = {
            name: field_values(schema.fields[name], constants)
            for name in sorted(constants.names - {"amount", "scene", "occurred_at"})
        }
        values["scene"] = scene_values(schema, constants, self.brief.scenes)
        values["occurred_at"] = moments(constants, mine, ends)
        tests = tests_of(
            [*(plan.expression for plan in (self.plan, *self.plans)), *(one.expression for one in self.rulings)]
        )
        tests["scene"] = [*tests.get("scene", ()), lambda fields: fields["scene"] in self.brief.scenes]
        tests["occurred_at"] = [*tests.get("occurred_at", ()), *map(_is_within, windows)]
        values = {name: distinct(name, some, tests[name]) if name in tests else some for name, some in values.items()}
        own = self.plan.constants.names
        return dict(sorted(values.items(), key=lambda item: (item[0] not in own, len(item[1]))))

    def run(self, *, until_bad: bool = False) -> None:
        """Try every payment, or those up to the first that is granted something wrong."""
        for fields in self._cells(dict(self.base), list(self.values)):
            if until_bad and self.bad:
                return
            if not self.plan.knows(fields):
                continue
            for index, segment in enumerate(self.segments):
                fields["amount"] = segment.low
                if all(link.passes(fields) for link in self.plan.links if "amount" in link.names):
                    self._try_alone(fields, index, segment)
                    self._try_rules(fields, index, segment)

    def _cells(self, fields: dict[str, Any], names: list[str]) -> Iterator[dict[str, Any]]:
        """Every assignment of the fields that passes what the condition says of them, the amount aside."""
        if not names:
            yield dict(fields)
            return
        name, rest = names[0], names[1:]
        open_names = {*rest, "amount"}
        decided = [link for link in self.plan.links if name in link.names and not link.names & open_names]
        for value in self.values[name]:
            fields.pop(name, None)
            if value is not ABSENT:
                fields[name] = value
            if all(link.passes(fields) for link in decided):
                yield from self._cells(fields, rest)

    def _try_alone(self, fields: dict[str, Any], index: int, segment: Segment) -> None:
        in_scene = fields["scene"] in self.brief.scenes
        in_window = self.brief.window.holds(fields["occurred_at"])
        if self._was_seen((index, in_scene, in_window)):
            return
        for amount in segment.tried:
            bounds = self._bounds_of(self.campaign, amount)
            if bounds is None:
                continue
            self.largest = max(self.largest, bounds[1])
            self.least = self._smaller(self.least, fields, amount, bounds[1])
            for name in broken_alone(self.brief, amount, bounds[1], in_scene, in_window):
                self._note(name, fields, amount, bounds[1])
            for name, most in self.most.items():
                if bounds[1] > most:
                    self._note(name, fields, amount, bounds[1])

    def _try_rules(self, fields: dict[str, Any], index: int, segment: Segment) -> None:
        present = tuple(plan.campaign for plan in self.plans if plan.takes(fields))
        ids = tuple(one.id for one in present)
        sets = [members for members in self.sets if all(one in present for one in members[1:])]
        for ruling in self.rulings:
            read = tuple(fields.get(name) for name in ruling.constants.names if name != "amount")
            if not self._was_seen((ruling.name, index, read, ids)):
                self._try_rule(ruling, fields, segment, sets)

    def _try_rule(self, ruling: Ruling, fields: dict[str, Any], segment: Segment, sets: Sequence[Members]) -> None:
        before = segment.low - 1
        for amount in segment.tried:
            known = self.bad.get(ruling.name)
            if known is not None and known.amount <= amount:
                return
            if self._breaks(ruling, fields, amount, sets):
                self._refine(ruling, fields, before + 1, amount, sets)
                return
            before = amount

    def _refine(self, ruling: Ruling, fields: dict[str, Any], low: int, high: int, sets: Sequence[Members]) -> None:
        """Note the smallest amount of [low, high] that breaks the rule, as far as halving finds it."""
        found = first_where(lambda amount: self._breaks(ruling, fields, amount, sets), low, high)
        assert found is not None
        members, draw = next(self._broken(ruling, fields, found, sets))
        others = {one.id: off for one, off in zip(members[1:], draw[1:], strict=True)}
        self._note(ruling.name, fields, found, draw[0], others)

    def _breaks(self, ruling: Ruling, fields: dict[str, Any], amount: int, sets: Sequence[Members]) -> bool:
        return next(self._broken(ruling, fields, amount, sets), None) is not None

    def _broken(
        self, ruling: Ruling, fields: dict[str, Any], amount: int, sets: Sequence[Members]
    ) -> Iterator[tuple[Members, tuple[int, ...]]]:
        """The sets and draws that break the rule on that amount."""
        fields["amount"] = amount
        for members in sets:
            bounds = [self._bounds_of(one, amount) for one in members]
            if None not in bounds:
                for draw in draws_of(bounds, amount, self.marks):  # type: ignore[arg-type]
                    if ruling.is_broken(fields, members, draw):
                        yield members, draw

    def _bounds_of(self, campaign: Campaign, amount: int) -> tuple[int, int] | None:
        key = (campaign.id, amount)
        if key not in self._bounds:
            self._bounds[key] = discount_bounds(campaign, amount)
        return self._bounds[key]

    def _was_seen(self, key: Any) -> bool:
        known = key in self._seen
        self._seen.add(key)
        return known

    def _note(
        self, name: str, fields: Mapping[str, Any], amount: int, discount: int, others: Mapping[str, int] | None = None
    ) -> None:
        smaller = self._smaller(self.bad.get(name), fields, amount, discount, others)
        assert smaller is not None
        self.bad[name] = smaller

    def _smaller(
        self, known: Bad | None, fields: Mapping[str, Any], amount: int, discount: int,
        others: Mapping[str, int] | None = None,
    ) -> Bad:  # fmt: skip
        if known is not None and known.amount <= amount:
            return known
        return Bad(json_ready({**fields, "amount": amount}), discount, others or {})


def broken_alone(brief: Brief, amount: int, discount: int, in_scene: bool, in_window: bool) -> Iterator[str]:
    """The obligations of the brief that one grant breaks."""
    if discount > brief.discount_max:
        yield BRIEF + "discount_max"
    if discount * BASIS_POINTS > brief.rate_max * amount:
        yield BRIEF + "rate_max"
    if amount < brief.spend_min:
        yield BRIEF + "spend_min"
    if not in_scene:
        yield BRIEF + "scenes"
    if not in_window:
        yield BRIEF + "window"


def json_ready(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A payment as a file gives it."""
    ready = {name: value.text() if isinstance(value, Instant) else value for name, value in fields.items()}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in ready.items()}


def _is_within(window: Window) -> Test:
    return lambda fields: window.holds(fields["occurred_at"])

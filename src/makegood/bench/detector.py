"""The line `detector`: CPU to observe a payment, beside pricing the same payments."""

from collections.abc import Sequence
from dataclasses import dataclass

from makegood.bench.measure import cpu_seconds
from makegood.bench.price import World, build_world
from makegood.bench.row import AnswersDiffer, Lines, Row, Versus
from makegood.bench.shape import NOW, POLICY
from makegood.engine.price import price
from makegood.guard.cells import Observed, Watch, payments_a_year
from makegood.guard.detector import Detector

_UNIT = "µs of CPU a payment"
_FUNDERS = frozenset({"platform"})
_CAMPAIGNS = 100
_PASSES = 10  # Over the same payments, so that a turn is long enough to be measured.

Observations = Sequence[tuple[str, Sequence[Observed], str]]


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured: so many payments, each contestant so often."""

    payments: int = 1_000
    repeats: int = 30


def bench_detector(seed: int, effort: Effort = Effort()) -> Lines:
    """Rows for payments as priced, for payments without any grant, and for payments that are all granted something.

    Raises AnswersDiffer where a campaign that keeps its brief is stopped.
    """
    world = build_world(_CAMPAIGNS, seed, effort.payments)
    priced = observations(world)
    none = [(scene, (), payment) for scene, _, payment in priced]
    every = [(scene, _granted(world, number), payment) for number, (scene, _, payment) in enumerate(priced)]
    cases = {"as priced": priced, "no grant": none, "every payment granted": every}
    contestants = [lambda one=one: _observed(world, one) for one in cases.values()]
    *ours, pricing = cpu_seconds([*contestants, lambda: _priced(world)], effort.repeats)
    beside = Versus("pricing them, full order", pricing / effort.payments * 1e6)
    taken = [one / effort.payments / _PASSES * 1e6 for one in ours]
    rows = [
        Row("detector", f"{_CAMPAIGNS} campaigns, {case}", each, _UNIT, beside)
        for case, each in zip(cases, taken, strict=True)
    ]
    share = sum(bool(grants) for _, grants, _ in priced) / len(priced)
    said = f"The detector takes {taken[0]:.1f} µs a payment where {share:.0%} of them are granted something"
    return Lines(tuple(rows), f"{said}, and {taken[2]:.1f} µs where all are.")


def observations(world: World) -> Observations:
    """What the detector is told of each payment, as it was priced."""
    found = []
    for payment in world.payments:
        grants = price(payment, world.snapshot, world.book.balances(payment, NOW), NOW).grants
        seen = tuple(Observed(one.campaign, one.label, _FUNDERS, one.discount) for one in grants)
        found.append((str(payment.fields["scene"]), seen, payment.payment_id))
    return found


def _granted(world: World, number: int) -> Sequence[Observed]:
    return (Observed(world.campaigns[number % _CAMPAIGNS].id, "platform_discount", _FUNDERS, 500 + number % 50),)


def _observed(world: World, payments: Observations) -> Sequence[object]:
    """A new detector sees the payments some times over, which keep what is expected: half of them at most."""
    watches = (
        Watch(one.id, frozenset({"in_store_qr"}), "platform_discount", _FUNDERS, 0.5, 20_000, 30_000)
        for one in world.campaigns
    )
    detector = Detector(watches, payments_a_year(POLICY.payments_per_second))
    observe = detector.observe
    for _ in range(_PASSES):
        for scene, grants, payment_id in payments:
            if observe(scene, grants, payment_id):
                raise AnswersDiffer(f"the detector stopped `{grants[0].campaign}`, which keeps its brief")
    return payments


def _priced(world: World) -> Sequence[object]:
    snapshot, book = world.snapshot, world.book
    return [price(payment, snapshot, book.balances(payment, NOW), NOW) for payment in world.payments]

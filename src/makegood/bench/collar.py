"""The line `collar`: its wall time a payment, beside pricing the same payment from a hundred campaigns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from time import perf_counter_ns

from makegood.bench.measure import no_collection
from makegood.bench.price import build_world
from makegood.bench.row import AnswersDiffer, Lines, Row, Versus
from makegood.bench.shape import BUDGET, NOW, POLICY, WINDOW, draw_campaigns
from makegood.clock import SECOND
from makegood.domain.benefit import AmountOff
from makegood.domain.brief import Brief, Expectation, PerPayer, Share
from makegood.domain.payment import Payment
from makegood.domain.quote import Grant
from makegood.engine.price import price
from makegood.guard.collar import check
from makegood.guard.collar_state import CollarState, Moment
from makegood.guard.numbers import Numbers, numbers_of, policy_numbers_of
from makegood.money import BASIS_POINTS

_UNIT = "µs of wall time a payment"
_TOGETHER = 3  # So many groups rarely meet in one payment.


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured: so many payments, each so often, from so many campaigns."""

    payments: int = 500
    repeats: int = 40
    size: int = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """A payment, and what pricing proposes to grant it."""

    payment: Payment
    grants: Sequence[Grant]


Turn = tuple[Sequence[Asked], Callable[[Asked], object]]


def bench_collar(seed: int, effort: Effort = Effort()) -> Lines:
    """Percentiles over the payments, by what pricing proposes for them, and what it takes to note a decision.

    Raises AnswersDiffer where the collar drops a grant, for all of these campaigns keep their briefs.
    """
    world = build_world(effort.size, seed, effort.payments)
    numbers = _numbers(effort.size, seed)
    book, snapshot = world.book, world.snapshot
    alone = [Asked(one, price(one, snapshot, book.balances(one, NOW), NOW).grants) for one in world.payments]
    granted = [one for one in alone if one.grants]
    cases = [("no grant", [Asked(one.payment, ()) for one in alone]), ("one grant", granted),
             (f"{_TOGETHER} grants", _several(granted, seed))]  # fmt: skip
    turns: list[Turn] = [(granted, lambda one: price(one.payment, snapshot, book.balances(one.payment, NOW), NOW))]
    for _, asked in cases:
        state = _worn(granted)
        _expect_all_kept(asked, numbers, state)
        turns.append((asked, _checking(numbers, state)))
    priced, *taken = _taken([*turns, (granted, _noting(CollarState()))], effort.repeats)
    names = [*(case for case, _ in cases), "note a decision"]
    rows = [row for case, found in zip(names, taken, strict=True) for row in _rows(case, found, priced)]
    one_grant = next(row for row in rows if row.case == "one grant, p99")
    return Lines(tuple(rows), f"The collar takes {one_grant.value:.1f} µs at most for 99 of 100 payments with a grant.")


def _numbers(size: int, seed: int) -> Mapping[str, Numbers]:
    policy = policy_numbers_of(POLICY)
    found = {}
    for one in draw_campaigns(size, seed):
        most = one.benefit.amount if isinstance(one.benefit, AmountOff) else one.benefit.up_to
        brief = Brief(
            one.id, {"en": one.id}, "platform_discount", (Share("platform", BASIS_POINTS),), WINDOW, ("in_store_qr",),
            one.spend, most, BASIS_POINTS, BUDGET, PerPayer(1_000, None), BUDGET,
            Expectation(BASIS_POINTS, most, BUDGET),
        )  # fmt: skip
        found[one.id] = numbers_of(brief, policy, f"rev_{one.id}")
    return found


def _several(granted: Sequence[Asked], seed: int) -> Sequence[Asked]:
    """Payments with grants of several campaigns: some that others get, as far as the payment reaches their amounts."""
    chance = Random(seed)  # noqa: S311 - a benchmark
    by_campaign = {one.grants[0].campaign: one for one in granted}
    found = []
    for one in sorted(granted, key=lambda asked: -asked.payment.amount)[: len(granted) // 3]:
        fits = [asked for asked in by_campaign.values() if asked.payment.amount <= one.payment.amount]
        grants = [asked.grants[0] for asked in chance.sample(fits, min(_TOGETHER, len(fits)))]
        if len(grants) == _TOGETHER and sum(grant.discount for grant in grants) <= one.payment.amount:
            found.append(Asked(one.payment, tuple(grants)))
    return found


def _worn(granted: Sequence[Asked]) -> CollarState:
    """A state that has seen every payment under another id."""
    state = CollarState()
    for one in granted:
        state.believe(one.grants[0].campaign, BUDGET, _moment(0))
    for number, one in enumerate(granted):
        state.note(_renamed(one.payment, f"before-{number}"), one.grants, _moment(number))
    return state


def _renamed(one: Payment, payment_id: str) -> Payment:
    return Payment(
        payment_id, one.occurred_at, one.payee_id, one.amount, one.currency, one.payer_id, one.device_id, one.codes,
        one.items, one.fields,
    )  # fmt: skip


def _moment(number: int) -> Moment:
    return Moment(NOW, number, SECOND)


def _checking(numbers: Mapping[str, Numbers], state: CollarState) -> Callable[[Asked], object]:
    ready = _moment(0)  # Without a grant nobody needs the moment, and none is made.
    return lambda one: check(one.payment, one.grants, _moment(0) if one.grants else ready, numbers, state)


def _noting(state: CollarState) -> Callable[[Asked], object]:
    def note(one: Asked) -> None:
        state.payments.clear()  # A payment that is noted again is not counted again.
        state.note(one.payment, one.grants, _moment(0))

    return note


def _expect_all_kept(asked: Sequence[Asked], numbers: Mapping[str, Numbers], state: CollarState) -> None:
    for one in asked:
        dropped = check(one.payment, one.grants, _moment(0), numbers, state).dropped
        if dropped:
            raise AnswersDiffer(f"the collar drops a grant of pricing: {dropped[0]}")


def _taken(turns: Sequence[Turn], repeats: int) -> Sequence[Sequence[float]]:
    """Microseconds of every call of each, the least first. They take turns; the first round is left out."""
    taken: list[list[float]] = [[] for _ in turns]
    with no_collection():
        for number in range(repeats + 1):
            for (asked, ask), kept in zip(turns, taken, strict=True):
                found = [_one(ask, one) for one in asked]
                kept.extend(found if number else ())
    return [sorted(kept) for kept in taken]


def _one(ask: Callable[[Asked], object], one: Asked) -> float:
    begun = perf_counter_ns()
    ask(one)
    return (perf_counter_ns() - begun) / 1_000


def _rows(case: str, taken: Sequence[float], priced: Sequence[float]) -> Sequence[Row]:
    return [
        Row("collar", f"{case}, {word}", _at(taken, part), _UNIT, Versus(f"pricing, {word}", _at(priced, part)))
        for word, part in (("p50", 50), ("p99", 99))
    ]


def _at(ordered: Sequence[float], percent: int) -> float:
    return ordered[min(len(ordered) * percent // 100, len(ordered) - 1)]

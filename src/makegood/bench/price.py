"""The line `price`: CPU a payment, beside three libraries that decide the same from the same conditions."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from makegood.bench.cel import COMMON_CEL, OFFICIAL_CEL
from makegood.bench.contest import Fields, Form, Library
from makegood.bench.measure import cpu_seconds, same_answers
from makegood.bench.row import Lines, Row, Versus
from makegood.bench.shape import NOW, POLICY, Shaped, campaign_of, draw_campaigns, draw_payments
from makegood.bench.texts import FIELDS, Offers, offers_of
from makegood.bench.zen import ZEN
from makegood.domain.limit import Balances
from makegood.domain.payment import Payment
from makegood.engine.book import Book
from makegood.engine.price import best_offers, price
from makegood.engine.snapshot import Live, Snapshot, build_snapshot

SIZES = (10, 100, 1_000)
LIBRARIES: Sequence[Library] = (ZEN, COMMON_CEL, OFFICIAL_CEL)

_UNIT = "µs of CPU a payment"
_TRIAL_PAYMENTS = 100  # Enough to tell which form of a library is its fastest: they lie far apart.
_NO_BALANCES: Balances = {}


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured: so many payments, each contestant so often."""

    payments: int = 500  # They stay in the processor's cache, as a payment does that was just read.
    repeats: int = 40
    sizes: Sequence[int] = SIZES


@dataclass(frozen=True, slots=True)
class World:
    """Everything that one size needs; all contestants get the same."""

    campaigns: Sequence[Shaped]
    offers: Offers
    payments: Sequence[Payment]
    fields: Sequence[Fields]
    snapshot: Snapshot
    book: Book


def bench_price(seed: int, effort: Effort = Effort()) -> Lines:
    """Rows for each size: like for like, and the whole order with balances; then how the cost grows.

    Raises AnswersDiffer where a library answers otherwise than Makegood does.
    """
    missing = tuple(one for one in LIBRARIES if find_spec(one.module) is None)
    present = [one for one in LIBRARIES if one not in missing]
    rows: list[Row] = []
    for size in effort.sizes:
        rows += _rows(build_world(size, seed, effort.payments), present, effort.repeats)
    alike = [row for row in rows if row.case.endswith("like for like")]
    if len(alike) > 1:
        rows.append(_growth(alike, effort.sizes))
    return Lines(tuple(rows), _summary(alike), tuple(f"`{one.name}`: pip install {one.name}" for one in missing))


def build_world(size: int, seed: int, payments: int) -> World:
    """Campaigns, payments and the book after every payment was settled once, so that limits have been used."""
    campaigns = draw_campaigns(size, seed)
    paid = draw_payments(payments, seed)
    live = [Live(campaign_of(one), f"rev_{one.id}") for one in campaigns]
    snapshot = build_snapshot(POLICY, live, policy_revision="rev_policy", secret=bytes(32))
    book = Book(POLICY, snapshot.campaigns.values())
    for payment in paid:
        book.settle(payment, price(payment, snapshot, book.balances(payment, NOW), NOW).grants, NOW)
    fields = [{name: payment.fields[name] for name in FIELDS} for payment in paid]
    return World(campaigns, offers_of(campaigns), paid, fields, snapshot, book)


def answers(world: World) -> list[int]:
    """Makegood's own answers: the best offer of each payment by the conditions alone, as a number."""
    numbers = {one.id: one.number for one in world.campaigns}
    found = (best_offers(payment, world.snapshot, _NO_BALANCES, NOW) for payment in world.payments)
    return [world.offers.number(numbers[best[0][0].id], best[0][1]) if best else 0 for best in found]


def fastest_form(library: Library, world: World, expected: Sequence[int]) -> Form:
    """The form of a library that takes least CPU on some of the payments. All its forms must answer as expected."""
    some = world.fields[:_TRIAL_PAYMENTS]
    forms = list(library.forms(world.campaigns, world.offers))
    for form in forms:
        same_answers(expected[: len(some)], form.answer(some), f"{library.name} ({form.words})")
    seconds = cpu_seconds([_asking(form, some) for form in forms], 3)
    best = forms[seconds.index(min(seconds))]
    same_answers(expected, best.answer(world.fields), f"{library.name} ({best.words})")
    return best


def _asking(form: Form, fields: Sequence[Fields]) -> Callable[[], Sequence[int]]:
    return lambda: form.answer(fields)


def _rows(world: World, libraries: Sequence[Library], repeats: int) -> Iterator[Row]:
    expected = answers(world)
    forms = [fastest_form(library, world, expected) for library in libraries]
    ours = [lambda: _like_for_like(world), lambda: _full_order(world)]
    seconds = cpu_seconds([*ours, *(_asking(form, world.fields) for form in forms)], repeats)
    alike, full, *theirs = [taken / len(world.payments) * 1e6 for taken in seconds]
    named = zip(libraries, forms, theirs, strict=True)
    versus = sorted((Versus(f"{one.name}, {form.words}", taken) for one, form, taken in named), key=lambda v: v.value)
    if not versus:
        return
    size = f"{len(world.campaigns):,} campaigns"
    yield Row("price", f"{size}, like for like", alike, _UNIT, versus[0], tuple(versus[1:]))
    yield Row("price", f"{size}, full order", full, _UNIT, versus[0], tuple(versus[1:]))


def _like_for_like(world: World) -> list[object]:
    snapshot = world.snapshot
    return [best_offers(payment, snapshot, _NO_BALANCES, NOW) for payment in world.payments]


def _full_order(world: World) -> list[object]:
    snapshot, book = world.snapshot, world.book
    return [price(payment, snapshot, book.balances(payment, NOW), NOW) for payment in world.payments]


def _growth(alike: Sequence[Row], sizes: Sequence[int]) -> Row:
    times = sizes[-1] / sizes[0]
    more = Versus(f"{times:g} times the campaigns", times)
    case = f"from {sizes[0]:,} to {sizes[-1]:,} campaigns"
    return Row("price", case, alike[-1].value / alike[0].value, "times the CPU", more)


def _summary(alike: Sequence[Row]) -> str:
    if not alike:
        return "Nothing could be compared."
    said = "; ".join(f"{row.case.removesuffix(', like for like')}: {row.ratio:.1f} times less" for row in alike)
    return f"Conditions and the best offer take less CPU than the fastest other library with equal answers ({said})."

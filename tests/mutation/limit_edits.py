"""Edits of how much there is, for whom, how fast, and beside what: limits, stages, stacking, code."""

from collections.abc import Callable, Mapping
from random import Random

from tests.mutation.documents import Document, Trio, minor, money
from tests.mutation.trios import GROUPS

Edit = Callable[[Random, Document, Trio], bool]


def budget_widened(rng: Random, document: Document, trio: Trio) -> bool:
    """More budget, with the last stage as it must be, or (a slip) without."""
    budget = minor(document["limits"]["budget"]) * rng.choice([2, 10, 1_000])
    document["limits"]["budget"] = money(budget)
    if rng.random() < 0.8:
        document["stages"] = [*document["stages"][:-1], money(budget)]
    return True


def budget_narrowed(rng: Random, document: Document, trio: Trio) -> bool:
    """Less budget: nothing wrong, unless it holds no discount."""
    budget = rng.choice([1, 100, 10_000, 100_000])
    document["limits"]["budget"] = money(budget)
    document["stages"] = [stage for stage in document["stages"] if minor(stage) < budget] + [money(budget)]
    return True


def payer_limit_raised(rng: Random, document: Document, trio: Trio) -> bool:
    """More for one payer."""
    payer = document["limits"]["per_payer"]
    key = rng.choice([name for name in ("count", "amount") if name in payer])
    payer[key] = payer[key] + rng.choice([1, 1_000]) if key == "count" else money(minor(payer[key]) * 10 + 1)
    return True


def payer_limit_dropped(rng: Random, document: Document, trio: Trio) -> bool:
    """One of the limits for one payer less; the last one only for another period."""
    payer = document["limits"]["per_payer"]
    payer.pop(rng.choice(sorted(payer)))
    if not payer:
        payer["per_day"] = {"count": 3}
    return True


def stages_widened(rng: Random, document: Document, trio: Trio) -> bool:
    """More at once: a larger first stage, a stage less, or everything."""
    stages = document["stages"]
    choices = [stages[1:], stages[:1] + stages[2:], stages[-1:], [money(minor(stages[0]) + 1), *stages[1:]]]
    document["stages"] = rng.choice([choice for choice in choices if choice and choice[-1] == stages[-1]])
    return True


def stages_narrowed(rng: Random, document: Document, trio: Trio) -> bool:
    """A first stage that may be too small for one discount."""
    first = rng.choice([1, 100, 1_000, 10_000])
    document["stages"] = [money(first), *document["stages"]]
    return first < minor(document["stages"][1])


def stages_left_out(rng: Random, document: Document, trio: Trio) -> bool:
    """No stages: those that follow from budget and policy."""
    document.pop("stages")
    return True


def limit_zero(rng: Random, document: Document, trio: Trio) -> bool:
    """A limit of nothing: then nothing is ever granted."""
    limits = document["limits"]
    match rng.choice(["count", "amount", "per_day", "per_device", "budget", "total"]):
        case "budget":
            limits["budget"], document["stages"] = money(0), [money(0)]
        case "per_day":
            limits["per_day"] = {"count": 0}
        case "per_device":
            limits["per_device"] = {"per_hour": {"amount": money(0)}}
        case "total":
            limits["count"] = 0
        case key:
            limits["per_payer"][key] = 0 if key == "count" else money(0)
    return True


def limit_added(rng: Random, document: Document, trio: Trio) -> bool:
    """One more limit: nothing wrong, unless no discount fits it."""
    key = rng.choice(["per_day", "per_hour", "per_device", "per_payee"])
    document["limits"][key] = rng.choice([{"count": 5}, money(rng.choice([1, 300, 5_000])), {"amount": "20.00 CNY"}])
    return True


def group_changed(rng: Random, document: Document, trio: Trio) -> bool:
    """Another group: what was instead of others is now beside them."""
    document["stacking"]["group"] = rng.choice([*GROUPS, "of-its-own"])
    return True


def priority_changed(rng: Random, document: Document, trio: Trio) -> bool:
    """Another priority: limits may remove any campaign, so it is never wrong."""
    document["stacking"]["priority"] = rng.randint(0, 1_000)
    return True


def combining_changed(rng: Random, document: Document, trio: Trio) -> bool:
    """Other groups that it combines with, or every one."""
    stacking = document["stacking"]
    if stacking.pop("combines_with", None) is None:
        stacking["combines_with"] = rng.sample(GROUPS, rng.choice([0, 2, 4]))
    return True


def code_changed(rng: Random, document: Document, trio: Trio) -> bool:
    """A code more or less: who has it is no question of money."""
    if document.pop("codes", None) is None:
        document["codes"] = {"single": "SECRET"}
    return True


LIMIT_EDITS: Mapping[str, Edit] = {
    edit.__name__: edit
    for edit in (
        budget_widened, budget_narrowed, payer_limit_raised, payer_limit_dropped, stages_widened, stages_narrowed,
        stages_left_out, limit_zero, limit_added, group_changed, priority_changed, combining_changed, code_changed,
    )
}  # fmt: skip

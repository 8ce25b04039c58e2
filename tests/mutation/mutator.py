"""Edits that make a right campaign wrong, or look as if they did: each a named kind, seeded, on the document.

An edit is a function of a source of chance and a copy of the campaign; it says whether it found anything to edit.
Benefits on items of a basket get kinds of their own in `BENEFIT_EDITS` once they can be priced.
"""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from random import Random
from typing import Any

from tests.mutation.condition_edits import CONDITION_EDITS
from tests.mutation.documents import Document, Trio, minor, money
from tests.mutation.limit_edits import LIMIT_EDITS
from tests.mutation.trios import FUNDERS, LABELS

from makegood.clock import Instant
from makegood.limits import MONEY_MINOR_MAX

Edit = Callable[[Random, Document, Trio], bool]
HOUR = 3_600


def mutants(trio: Trio, rng: Random) -> Iterator[tuple[str, Document]]:
    """One mutant of each kind that this trio allows, in an order by chance; only those that differ from the trio."""
    kinds = sorted(EDITS)
    rng.shuffle(kinds)
    for kind in kinds:
        document = deepcopy(trio.campaign_document)
        if EDITS[kind](rng, document, trio) and document != trio.campaign_document:
            yield kind, document


def moneys(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a money text below a value: its container and its key."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in pairs:
        if isinstance(entry, str) and entry.endswith(" CNY"):
            yield value, key
        else:
            yield from moneys(entry)


def scale(container: Any, key: Any, times: int, by: int = 1) -> bool:
    """The money there times a fraction; whether it still is one."""
    changed = minor(container[key]) * times // by
    if changed <= MONEY_MINOR_MAX:
        container[key] = money(changed)
    return changed <= MONEY_MINOR_MAX


def _amounts(document: Document, times: int, by: int = 1) -> bool:
    """Everything that the benefit takes off, times a fraction."""
    places = [(box, key) for box, key in moneys(document["benefit"]) if key != "spend"]
    return all(scale(box, key, times, by) for box, key in places)


def amount_times_ten(rng: Random, document: Document, trio: Trio) -> bool:
    """Ten times as much off."""
    return _amounts(document, 10)


def amount_tenth(rng: Random, document: Document, trio: Trio) -> bool:
    """A tenth off."""
    return _amounts(document, 1, 10)


def unit_slip(rng: Random, document: Document, trio: Trio) -> bool:
    """One amount in fen where yuan were meant, or the other way."""
    times, by = rng.choice([(100, 1), (1, 100)])
    return scale(*rng.choice(list(moneys(document))), times, by)


def spend_changed(rng: Random, document: Document, trio: Trio) -> bool:
    """A tier is reached earlier or later."""
    tiers = document["benefit"].get("tiers")
    return bool(tiers) and scale(rng.choice(tiers), "spend", *rng.choice([(1, 2), (1, 10), (2, 1), (99, 100)]))


def cap_dropped(rng: Random, document: Document, trio: Trio) -> bool:
    """The cap of a percentage is the largest amount: none at all."""
    percent = document["benefit"].get("percent_off", {})
    percent |= {"up_to": money(trio.policy.schema.amount_max)} if percent else {}
    return bool(percent)


def cap_widened(rng: Random, document: Document, trio: Trio) -> bool:
    """The cap of a percentage is somewhat larger."""
    percent = document["benefit"].get("percent_off")
    if percent:
        percent["up_to"] = money(minor(percent["up_to"]) + rng.choice([1, 100, 1_000, 20_000]))
    return bool(percent)


def rate_raised(rng: Random, document: Document, trio: Trio) -> bool:
    """The rate of a percentage is higher."""
    percent = document["benefit"].get("percent_off")
    if percent:
        rate = float(percent["rate"].rstrip("%"))
        percent["rate"] = f"{min(rng.choice([rate + 0.5, rate + 10, rate * 2, rate * 10]), 100):g}%"
    return bool(percent)


def type_changed(rng: Random, document: Document, trio: Trio) -> bool:
    """Another template: the numbers of one kind of benefit in another kind."""
    amounts = [minor(box[key]) for box, key in moneys(document["benefit"]) if key != "spend"]
    most = max(*amounts, 1)
    others: Mapping[str, Document] = {
        "percent_off": {"percent_off": {"rate": rng.choice(["5%", "20%", "90%"]), "up_to": money(most)}},
        "amount_off": {"amount_off": {"amount": money(most)}},
        "tiers": {"tiers": [{"spend": money(rng.choice([most, most * 4])), "off": money(most)}]},
        "random_off": {"random_off": {"min": money(min(amounts)), "max": money(most)}},
    }
    document["benefit"] = others[rng.choice([kind for kind in others if kind not in document["benefit"]])]
    return True


def label_swapped(rng: Random, document: Document, trio: Trio) -> bool:
    """Payers are shown something else."""
    document["label"] = rng.choice([label for label in LABELS if label != document["label"]])
    return True


def funder_swapped(rng: Random, document: Document, trio: Trio) -> bool:
    """Somebody else pays."""
    share = rng.choice(document["funding"])
    taken = {one["funder"] for one in document["funding"]}
    share["funder"] = rng.choice([name for name in FUNDERS if name not in taken])
    return True


def share_moved(rng: Random, document: Document, trio: Trio) -> bool:
    """The shares of the funders are others, or stand in another order."""
    funding = document["funding"]
    if len(funding) == 1:
        other = rng.choice([name for name in FUNDERS if name != funding[0]["funder"]])
        funding[0]["share"] = rng.choice(["90%", "100%", "0%"])
        rest = {"90%": "10%", "100%": "0%", "0%": "100%"}[funding[0]["share"]]
        funding.append({"funder": other, "share": rest})
    elif rng.random() < 0.3:
        funding.reverse()
    else:
        funding[0]["share"], funding[1]["share"] = rng.choice([("99.5%", "0.5%"), ("0%", "100%"), ("30%", "70%")])
    return True


def window_moved(rng: Random, document: Document, trio: Trio) -> bool:
    """It opens and ends at another time."""
    return _move(document, *[rng.choice([-24 * 365, -24, -1, 1, 24, 24 * 7])] * 2)


def window_widened(rng: Random, document: Document, trio: Trio) -> bool:
    """It opens earlier or ends later, or the other way round."""
    step = rng.choice([1, 8, 24, 24 * 30])
    return _move(document, *rng.choice([(-step, 0), (0, step), (-step, step), (1, -1), (0, -8)]))


def _move(document: Document, first: int, last: int) -> bool:
    for key, hours in (("from", first), ("until", last)):
        document["window"][key] = Instant.parse(document["window"][key]).plus(hours * HOUR).text()
    return True


BENEFIT_EDITS: Mapping[str, Edit] = {
    edit.__name__: edit
    for edit in (amount_times_ten, amount_tenth, spend_changed, cap_dropped, cap_widened, rate_raised, type_changed)
}
EDITS: Mapping[str, Edit] = {
    **BENEFIT_EDITS,
    **CONDITION_EDITS,
    **LIMIT_EDITS,
    **{
        edit.__name__: edit
        for edit in (unit_slip, label_swapped, funder_swapped, share_moved, window_moved, window_widened)
    },
}

"""Edits that make a right campaign wrong, or look as if they did: each a named kind, seeded, on the document.

An edit is a function of a source of chance and a copy of the campaign; it says whether it found anything to edit.
"""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from random import Random

from tests.mutation.benefit_edits import BENEFIT_EDITS, moneys, scale
from tests.mutation.condition_edits import CONDITION_EDITS
from tests.mutation.documents import Document, Trio
from tests.mutation.limit_edits import LIMIT_EDITS
from tests.mutation.trios import FUNDERS, LABELS

from makegood.clock import Instant

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


def unit_slip(rng: Random, document: Document, trio: Trio) -> bool:
    """One amount in fen where yuan were meant, or the other way."""
    times, by = rng.choice([(100, 1), (1, 100)])
    return scale(*rng.choice(list(moneys(document))), times, by)


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


EDITS: Mapping[str, Edit] = {
    **BENEFIT_EDITS,
    **CONDITION_EDITS,
    **LIMIT_EDITS,
    **{
        edit.__name__: edit
        for edit in (unit_slip, label_swapped, funder_swapped, share_moved, window_moved, window_widened)
    },
}

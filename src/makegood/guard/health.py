"""Evidence that a running stage is healthy, weighed by betting against the claim that it is bad.

The claim (the null hypothesis): of the payers that the stage serves, at least one in so many is wronged, whatever
happened to those before. A bettor who doubts it starts with 1 and stakes it on each next payer. While the claim is true
nobody expects to gain, so the wealth is an e-process: it ever reaches 1 ÷ `FALSE_OPENING` with a probability of at most
`FALSE_OPENING`, however often one looks (Ville 1939; Waudby-Smith and Ramdas 2024, "Estimating means of bounded random
variables by betting"). The bettor plays a fixed mixture of strategies, so the wealth depends on the counts
alone: those of the ledger, of all nodes together.
"""

import math
from dataclasses import dataclass, fields
from functools import lru_cache

# One bad revision leaves the stage it is bad in with this probability at most. Proof, two approvals and collar let a
# bad revision through perhaps ten times in the life of a house; all of them together then come to one per cent.
FALSE_OPENING = 1 / 1000
LOG_NEEDED = -math.log(FALSE_OPENING)

# What counts as bad: at least one payer in so many is wronged. A small slice can only show the coarsest of these, by
# eighteen payers without a complaint. A larger one must show a finer one.
ONE_IN = (3, 5, 10, 20)

# The bettor's strategies: how many are wronged in truth, as a part of the claim's share, and what is staked on each.
# Most is staked on nobody at all, which is how a healthy campaign looks in its first minutes.
_STRATEGIES = ((0.0, 0.8), (1 / 8, 0.2 / 3), (1 / 4, 0.2 / 3), (1 / 2, 0.2 / 3))

COUNT_MAX = 2**63 - 1  # The store's largest integer.


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen since a stage opened, on all nodes.

    `payers`: whose captured grants the collar found within the brief. A payer and a device count once a stage,
    whatever they do. `payers_bad` of them got a purchase refunded, which is how a complaint is heard of;
    `payers_of_one_payee` paid the same payee, the one with the most of them. `judged`: of the captures, those that the
    collar judged. `spent_minor`: reserved and granted, minor units. `trips` and `alarms`: of collar and detector on
    this revision.
    """

    captured: int = 0
    judged: int = 0
    spent_minor: int = 0
    released: int = 0
    expired: int = 0
    payers: int = 0
    payers_bad: int = 0
    payers_of_one_payee: int = 0
    trips: int = 0
    alarms: int = 0

    def __post_init__(self) -> None:
        """Raises ValueError where a number is not a count, or a part is larger than its whole."""
        for one in fields(self):
            _check_count(one.name, getattr(self, one.name))
        for part, whole in (("judged", "captured"), ("payers_bad", "payers"), ("payers_of_one_payee", "payers")):
            if getattr(self, part) > getattr(self, whole):
                raise ValueError(f"`{part}` is above `{whole}`")


def counted_payers(payers: int, of_one_payee: int) -> int:
    """How many payers count: those of the largest payee count no more than those of all other payees together."""
    return min(payers, 2 * max(payers - of_one_payee, 0))


def log_e(payers: int, bad: int, one_in: int) -> float:
    """The logarithm of the bettor's wealth after so many payers, of whom so many are bad.

    Falls with every bad one and rises with every other, so that whoever turns bad later only takes from it.
    """
    good = max(payers - bad, 0)
    claim = 1 / one_in
    logs = []
    for part, stake in _STRATEGIES:
        if part > 0 or bad == 0:
            lost = bad * math.log(part) if bad else 0.0
            logs.append(math.log(stake) + good * math.log((1 - part * claim) / (1 - claim)) + lost)
    most = max(logs)
    return most + math.log(sum(math.exp(one - most) for one in logs))


@lru_cache(maxsize=4096)
def payers_needed(bad: int, one_in: int) -> int:
    """The fewest payers that are evidence enough where so many of them are bad."""
    low, high = bad, max(2 * bad, 1)
    while log_e(high, bad, one_in) < LOG_NEEDED:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if log_e(middle, bad, one_in) >= LOG_NEEDED else (middle, high)
    return high


def claim_of(slice_minor: int, largest: int) -> int:
    """One in how many payers is what counts as bad for a slice of that size, minor units.

    The finest share that the slice can show when half of it goes in largest discounts, and at least the coarsest.
    """
    room = slice_minor // max(largest, 1)
    return max((one_in for one_in in ONE_IN if 2 * payers_needed(0, one_in) <= room), default=ONE_IN[0])


def _check_count(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"`{name}` is not a whole number")
    if not 0 <= value <= COUNT_MAX:
        raise ValueError(f"`{name}` is not within 0 and {COUNT_MAX}")

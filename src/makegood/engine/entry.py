"""A campaign made ready for pricing: everything that does not depend on the payment is worked out once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from makegood.domain.campaign import Campaign
from makegood.domain.policy import SharedLimit
from makegood.engine.lines import OfBasket

Gross = Callable[[int], int]
"""The discount by the amount, both minor units, before any limit. It never falls where the amount grows."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One campaign of a snapshot.

    `rank` orders by priority, highest first, then by id; no two entries of a snapshot share one. `keys` and
    `amount_low` are conditions that must hold wherever `condition` is true: some field has one of some
    values, the amount is at least so many minor units. `proven` says that together they are the condition
    itself.
    """

    campaign: Campaign
    revision: str
    stopped: bool
    rank: int
    condition: Callable[[Mapping[str, Any]], bool]
    keys: Mapping[str, frozenset[Any]]
    amount_low: int
    proven: bool
    needs_payer: bool
    needs_device: bool
    shared: tuple[SharedLimit, ...]  # The policy's limits across campaigns that it counts against.
    # Copies of fields of the campaign, so that the hot loop reads one object.
    id: str
    group: str
    opens: int
    closes: int
    code: str | None
    gross: Gross | None  # None where the amount alone does not decide it.
    basket: OfBasket | None  # Of an item-level benefit only.
    turns: tuple[int, ...]  # Amounts from which on `gross` runs otherwise, as far as they are worth knowing.

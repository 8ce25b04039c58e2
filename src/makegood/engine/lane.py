"""Campaigns of one group side by side on a stretch of amounts, those that may take off most first.

Only the best of a group is granted. So whoever walks along a lane stops as soon as no campaign behind can take off
more than the best one so far, and seldom looks at more than two, whatever the number of campaigns.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from makegood.engine.entry import Entry
from makegood.engine.steps import Offer
from makegood.limits import MONEY_MINOR_MAX

Contender = tuple[int, Callable[[int], int | None] | None, bool, Entry]
"""The most it takes off on the stretch; by what function of the amount (None: exactly that much; a function to None:
the amount alone does not decide it); whether anything is left to ask of the payment; and the campaign. A plain tuple,
for pricing unpacks some for every payment.
"""

Lane = Sequence[Contender]


class Stretch:
    """The lanes of the amounts between two turning points: one for each group, or several.

    `sure` is what is offered for every such amount where nothing is known of balances and the payer is known; None
    where that depends on the payment.
    """

    __slots__ = ("lanes", "sure")

    def __init__(self, lanes: Sequence[Lane], sure: Sequence[Offer] | None = None) -> None:
        self.lanes = lanes
        self.sure = sure

    def open_at(self, now: int) -> "Stretch":
        """The same without the campaigns whose window is not open."""
        return Stretch([[one for one in lane if one[3].opens <= now < one[3].closes] for lane in self.lanes])

    def beside(self, other: "Stretch") -> "Stretch":
        """The lanes of both."""
        return Stretch([*self.lanes, *other.lanes])


NOBODY = Stretch((), ())


def build_stretch(entries: Iterable[Entry], start: int, end: int) -> Stretch:
    """The campaigns that accept some amount from `start` to `end` minor units."""
    groups: defaultdict[str, list[Contender]] = defaultdict(list)
    for entry in entries:
        if entry.amount_low <= end:
            groups[entry.group].append(_contender(entry, start, end))
    lanes = [tuple(sorted(lane, key=_order)) for _, lane in sorted(groups.items())]
    return Stretch(lanes, _sure(lanes, start))


def turning_points(entries: Iterable[Entry], most: int) -> list[int]:
    """Amounts at which a stretch should begin, for what a campaign takes off begins or changes there.

    At most `most` of them: any choice is right, and finer stretches only make for shorter walks.
    """
    points = sorted({point for entry in entries for point in (entry.amount_low, *entry.turns)})
    step = -(-len(points) // most)
    return points[::step]


def _contender(entry: Entry, start: int, end: int) -> Contender:
    careful = not entry.proven or entry.needs_device or entry.amount_low > start
    if entry.gross is None:  # Drawn, or by the items: nothing is known before the payment.
        return MONEY_MINOR_MAX, _undecided, True, entry
    low, high = entry.gross(start), entry.gross(end)
    return high, None if low == high else entry.gross, careful, entry


def _sure(lanes: Iterable[Lane], start: int) -> tuple[Offer, ...] | None:
    # Nobody behind the first of a lane can take off more than that one may, and an equal one stands behind it in rank.
    offers = []
    for (most, gross, careful, entry), *_ in lanes:
        if careful or gross is not None or not 0 < most <= start:
            return None
        offers.append((entry, most))
    return tuple(offers)


def _undecided(_: int) -> None:
    return None


def _order(contender: Contender) -> tuple[int, int]:
    return -contender[0], contender[3].rank

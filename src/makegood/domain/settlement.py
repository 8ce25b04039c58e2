"""Who bears what was granted: a running total split between funders, so that roundings never add up.

Largest remainder over the running total: each funder's part of it is within one minor unit of the exact share, and the
parts add up to it. A day is billed as the difference of two splits, so what a funder was billed depends on the total
alone, not on how many days or refunds led to it. With three funders or more a part may shrink by one unit while the
total grows (the Alabama paradox of this method; Balinski and Young, Fair Representation, 1982): that funder's line is
then one unit below zero.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from makegood.clock import Instant, time_zone
from makegood.domain.brief import Share
from makegood.money import split


@dataclass(frozen=True, slots=True)
class Funding:
    """Who pays, in the order of their ids, and in which proportion: the order in a document means nothing."""

    funders: tuple[str, ...]
    weights: tuple[int, ...]


def funding_of(shares: Iterable[Share]) -> Funding:
    """The funding that these shares make."""
    ordered = sorted(shares, key=lambda share: share.funder)
    return Funding(tuple(share.funder for share in ordered), tuple(share.basis_points for share in ordered))


def billed_for(total: int, funding: Funding) -> tuple[int, ...]:
    """What each funder was billed in all, once the running total of grants less returns is `total` ≥ 0 minor units."""
    return split(total, funding.weights)


def bill_between(before: int, after: int, funding: Funding) -> tuple[int, ...]:
    """What each funder is billed while the running total goes from `before` to `after`; below zero is a credit."""
    parts = zip(billed_for(before, funding), billed_for(after, funding), strict=True)
    return tuple(new - old for old, new in parts)


def end_of_day(day: dt.date, zone: str) -> Instant:
    """The instant at which a calendar day of an IANA zone is over: the first of the next one."""
    midnight = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), time_zone(zone))
    return Instant.of(midnight.astimezone(dt.UTC))


def days_between(first: dt.date, last: dt.date) -> Sequence[dt.date]:
    """The calendar days from `first` to `last`, both of them in it; none where `last` is earlier."""
    return [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]

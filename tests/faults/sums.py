"""What was held and granted at each moment, worked out from the clients' books in plain Python."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from tests.faults.book import Sale, returned
from tests.faults.processes import GRACE_SECONDS

Change = tuple[float, int]  # When, and by how much.
Rights = Mapping[tuple[str, str], tuple[list[Change], list[Change]]]  # Of what and whose: counts and amounts.


def peak(changes: Iterable[Change]) -> int:
    """The most that was held at once; of changes at one moment those that give back come first."""
    held = most = 0
    for _, amount in sorted(changes):
        held += amount
        most = max(most, held)
    return most


def budget_changes(sales: Iterable[Sale], campaign: str) -> Iterator[Change]:
    """Of a campaign's money. Only what is certain: taken once acknowledged, free once it may have been given back."""
    for sale in sales:
        discount = sale.benefits.get(campaign)
        if discount is not None:
            yield _acknowledged(sale), discount
            if sale.captured:
                yield from _returns(sale, discount)
            else:
                yield _free_from(sale), -discount


def right_changes(sales: Iterable[Sale], taken: Callable[[Sale], list[int]]) -> Rights:
    """Of each payer's right, each day's, and each payer's of each day: changes of the count and of the amount.

    `taken` says what of a sale counts, discount by discount. Refunds give nothing back.
    """
    found: dict[tuple[str, str], tuple[list[Change], list[Change]]] = defaultdict(lambda: ([], []))
    for sale in sales:
        discounts = taken(sale)
        if not discounts or sale.quote.first is None:
            continue
        day = sale.quote.first.body["decided_at"][:10]
        for key in (("payer", sale.payer), ("day", day), ("payer_day", f"{sale.payer} on {day}")):
            counts, amounts = found[key]
            counts.append((_acknowledged(sale), len(discounts)))
            amounts.append((_acknowledged(sale), sum(discounts)))
            if not sale.captured:
                counts.append((_free_from(sale), -len(discounts)))
                amounts.append((_free_from(sale), -sum(discounts)))
    return found


def kept(sales: Iterable[Sale], campaign: str) -> int:
    """What payers keep of a campaign's money: captured, less what went back with refunds."""
    return sum(
        discount - returned(discount, sale.refunded, sale.amount)
        for sale in sales
        if sale.captured and (discount := sale.benefits.get(campaign)) is not None
    )


def _acknowledged(sale: Sale) -> float:
    assert sale.quote.first is not None
    return sale.quote.first.ended


def _free_from(sale: Sale) -> float:
    """When a hold that was not captured may have ended: a client may have ended it, or its time was over."""
    assert sale.quote.first is not None
    valid_until = datetime.fromisoformat(sale.quote.first.body["valid_until"]).timestamp()
    until = max(valid_until + GRACE_SECONDS, _acknowledged(sale))
    return min(until, max(sale.over_from, _acknowledged(sale))) if sale.over_from is not None else until


def _returns(sale: Sale, discount: int) -> Iterator[Change]:
    """Largest first: each refund may have come before the others, so it is taken to have returned its most."""
    assert sale.capture is not None
    pieces = [(sale.capture.began, sale.amount - sale.captured)]
    pieces += [(deed.began, deed.body["refund_amount"]) for deed in sale.refunds if deed.done]
    refunded = 0
    for began, amount in sorted(pieces):
        before, refunded = refunded, refunded + amount
        back = returned(discount, refunded, sale.amount) - returned(discount, before, sale.amount)
        yield max(began, _acknowledged(sale)), -back

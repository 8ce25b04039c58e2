"""After the storm: what must be so, checked against the servers' answers and worked out again from the books."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.faults.book import Sale, returned
from tests.faults.calls import Line
from tests.faults.clients import Client
from tests.faults.offers import BY_ID, OFFERS, SHARED_PER_PAYER_COUNT, SHARED_PER_PAYER_DAY_AMOUNT
from tests.faults.operators import Stopped
from tests.faults.sums import Rights, budget_changes, kept, peak, right_changes

EXPIRY_SECONDS = 60.0  # Holds last five seconds; whoever sweeps comes by every few.
AT_ONCE = 16
UNACKNOWLEDGED_EVERY = 4  # Sales without a grant whose records are looked at.


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that must never be. `story` is what happened to the payment it was found at."""

    rule: str
    words: str
    story: str = ""


def from_books(clients: Sequence[Client], stops: Sequence[Stopped]) -> list[Violation]:
    """What the clients saw, and what follows from it alone."""
    sales = [sale for client in clients for sale in client.sales]
    found = [
        Violation("every retry is answered the same", words, sale.story())
        for client in clients
        for words, sale in client.wrong
    ]
    for sale in sales:
        found += [Violation("an answer adds up", words, sale.story()) for words in _answer_is_wrong(sale)]
    found += [Violation("nothing is granted after a stop", words, sale.story()) for words, sale in _late(sales, stops)]
    found += [Violation("no budget or limit is exceeded", words) for words in too_much(sales)]
    ids = Counter(sale.quote.first.body["quote_id"] for sale in sales if sale.quote.done and sale.quote.first)
    found += [
        Violation("every outcome is there once", f"{name} answers {n} payments") for name, n in ids.items() if n > 1
    ]
    return found


async def from_servers(clients: Sequence[Client], reader: Line) -> list[Violation]:
    """What is on record, sale by sale and campaign by campaign. Every hold has ended when it is looked at."""
    sales = [sale for client in clients for sale in client.sales]
    found = [Violation("every hold ends", words) async for words in _holds_left(reader)]
    lock = asyncio.Semaphore(AT_ONCE)

    async def look(sale: Sale) -> None:
        async with lock:
            said = await reader.insist("look", "GET", f"/v1/payments/{sale.payment_id}")
            wrong = _record_is_wrong(sale, said.body if said.done else None)
            found.extend(Violation("every outcome is there once", words, sale.story()) for words in wrong)

    # What was never acknowledged shows in a campaign's sums, too.
    looked = [sale for number, sale in enumerate(sales) if sale.quote.done or number % UNACKNOWLEDGED_EVERY == 0]
    await asyncio.gather(*(look(sale) for sale in looked))
    for offer in OFFERS:
        view = (await reader.insist("look", "GET", f"/v1/campaigns/{offer.id}")).body
        due = kept(sales, offer.id)
        if (view["granted_minor"], view["left_minor"]) != (due, offer.budget - due):
            told = {name: view[name] for name in ("granted_minor", "reserved_minor", "left_minor")}
            found.append(
                Violation("the books agree with the clients", f"{offer.id}: payers keep {due}, it says {told}")
            )
    return found


async def books_balance(reader: Line) -> list[Violation]:
    """`ledger verify` finds nothing."""
    said = await reader.insist("verify", "GET", "/v1/ledger/verification", seconds=120)
    if said.done and said.body["balanced"]:
        return []
    return [Violation("the books balance", str(one)) for one in said.body.get("violations", [said.body])]


def _answer_is_wrong(sale: Sale) -> Iterator[str]:
    """A quote grants what its campaigns say; a capture excludes a release; refunds return what they must."""
    for campaign, discount in sale.benefits.items():
        if discount != BY_ID[campaign].off(sale.quote.body):
            yield f"{campaign} took {discount} off"
    if sum(sale.benefits.values()) != sale.quote.discount:
        yield "the benefits are not the discount"
    if sale.captured and sale.release is not None and sale.release.done:
        yield "was both captured and released"
    if sale.refunded > sale.amount:
        yield "more was refunded than paid"
    if sale.capture is not None and sale.captured not in (0, sale.capture.body.get("captured_amount", sale.amount)):
        yield f"captured {sale.captured}"
    for deed in sale.refunds:
        if deed.first is not None and deed.done:
            yield from _refund_is_wrong(sale, deed.first.body)


def _refund_is_wrong(sale: Sale, body: dict[str, Any]) -> Iterator[str]:
    after = body["refunded_amount_minor"]
    before = after - body["refund_amount_minor"]
    due = {
        campaign: returned(discount, after, sale.amount) - returned(discount, before, sale.amount)
        for campaign, discount in sale.benefits.items()
    }
    told = {one["campaign"]: one["returned_discount_minor"] for one in body["benefits"]}
    if told != due or body["returned_discount_minor"] != sum(due.values()):
        yield f"refund {body['refund_id']} returned {told}, should return {due}"


def _late(sales: Iterable[Sale], stops: Sequence[Stopped]) -> Iterator[tuple[str, Sale]]:
    for sale in sales:
        said = sale.quote.first
        if said is None or not said.done:
            continue
        for stop in stops:
            if stop.campaign in sale.benefits and sale.quote.began > stop.since and said.ended < stop.until:
                yield f"{stop.campaign} granted {sale.quote.began - stop.since:.3f} s after its stop was answered", sale


def too_much(sales: Sequence[Sale]) -> Iterator[str]:
    """Budgets and limits that were exceeded by what is certain, in words."""
    for offer in OFFERS:
        most = peak(budget_changes(sales, offer.id))
        if most > offer.budget:
            yield f"{offer.id} held and granted {most} of a budget of {offer.budget}"
        rights = right_changes(sales, partial(_of_campaign, campaign=offer.id))
        yield from _above(rights, "payer", offer.id, offer.per_payer_count, offer.per_payer_amount)
        yield from _above(rights, "day", offer.id, None, offer.per_day_amount)
    together = right_changes(sales, lambda sale: list(sale.benefits.values()))
    yield from _above(together, "payer", "all campaigns", SHARED_PER_PAYER_COUNT, None)
    yield from _above(together, "payer_day", "all campaigns", None, SHARED_PER_PAYER_DAY_AMOUNT)


def _of_campaign(sale: Sale, campaign: str) -> list[int]:
    return [discount for name, discount in sale.benefits.items() if name == campaign]


def _above(rights: Rights, kind: str, who: str, count_max: int | None, amount_max: int | None) -> Iterator[str]:
    for (what, whose), (counts, amounts) in rights.items():
        if what != kind:
            continue
        if count_max is not None and (count := peak(counts)) > count_max:
            yield f"{who} gave {whose} {count} times, {count_max} are the most"
        if amount_max is not None and (amount := peak(amounts)) > amount_max:
            yield f"{who} gave {whose} {amount}, {amount_max} is the most"


async def _holds_left(reader: Line) -> AsyncIterator[str]:
    for offer in OFFERS:
        path, view = f"/v1/campaigns/{offer.id}", {"reserved_minor": -1}
        for _ in range(int(EXPIRY_SECONDS / 0.5)):
            view = (await reader.insist("look", "GET", path)).body
            if view["reserved_minor"] == 0:
                break
            await asyncio.sleep(0.5)
        else:
            yield f"{offer.id} still holds {view['reserved_minor']} after {EXPIRY_SECONDS} s"


def _record_is_wrong(sale: Sale, record: dict[str, Any] | None) -> Iterator[str]:
    """What is on record of a sale when all its holds have ended."""
    if record is None:
        if sale.quote.done:
            yield "is not on record"
        return
    if not sale.quote.done or sale.quote.first is None:
        if record["state"] not in ("expired", "released"):
            yield f"was never acknowledged and is {record['state']}"
        return
    told = sale.quote.first.body
    for name in ("quote_id", "discount_minor", "benefits", "decided_at"):
        if record[name] != told[name]:
            yield f"{name} on record is {record[name]!r}, was acknowledged as {told[name]!r}"
    if record["state"] not in _may_be(sale):
        yield f"is {record['state']} on record"
    if sale.captured:
        yield from _money_is_wrong(sale, record)


def _may_be(sale: Sale) -> set[str]:
    if sale.captured:
        return {"captured"}
    if sale.release is not None and sale.release.first is not None and sale.release.done:
        return {sale.release.first.body["state"]}
    return {"expired", "released"} if sale.superseded else {"expired"}


def _money_is_wrong(sale: Sale, record: dict[str, Any]) -> Iterator[str]:
    back = sum(returned(discount, sale.refunded, sale.amount) for discount in sale.benefits.values())
    due = {
        "captured_amount_minor": sale.captured,
        "refunded_amount_minor": sale.refunded,
        "returned_discount_minor": back,
        "kept_discount_minor": sale.quote.discount - back,
    }
    for name, amount in due.items():
        if record[name] != amount:
            yield f"{name} is {record[name]} on record, {amount} by what was acknowledged"
    told = {one["refund_id"]: one["refund_amount_minor"] for one in record["refunds"]}
    if told != {deed.body["refund_id"]: deed.body["refund_amount"] for deed in sale.refunds if deed.done}:
        yield f"its refunds on record are {told}"

"""Refunds of all shares, captures and settlement at once: every bill is one of a sequence, and the books hold."""

import asyncio

from tests.store.conftest import Books
from tests.store.settling import HALVES, THIRDS, Days, amounts, assert_settlement_holds, grant, settled_balances

from makegood.domain.brief import Share
from makegood.domain.settlement import billed_for, funding_of
from makegood.store.ledger import Ledger
from makegood.store.pool import call

SHARES = 3
PAYMENTS = 24


async def open_shares(books: Books, campaign: str, funders: tuple[tuple[str, int], ...]) -> tuple[str, list[Ledger]]:
    """A campaign whose budget is split; its revision, and a ledger for each share."""
    revision = await books.live(campaign, 100_000, funders=funders)
    assert (await call(books.pool, "split_budget", books.house.id, "bob", campaign, SHARES))["outcome"] == "done"
    return revision, [Ledger(books.pool, lane=n) for n in range(SHARES)]


def split_of(total: int, funders: tuple[tuple[str, int], ...]) -> dict[str, int]:
    funding = funding_of(Share(*one) for one in funders)
    return dict(zip(funding.funders, billed_for(total, funding), strict=True))


async def test_refunds_of_all_shares_at_once_reverse_one_bill_after_the_other(books: Books) -> None:
    days = Days(books)
    revision, ledgers = await open_shares(books, "c", THIRDS)
    for n in range(PAYMENTS):
        await grant(books, f"p{n}", "c", revision, 101, ledgers[n % SHARES])
    assert amounts(await days.next()) == split_of(101 * PAYMENTS, THIRDS)
    told = await asyncio.gather(*(books.refund(f"p{n}", "r", 5_000) for n in range(PAYMENTS)))
    assert {one["outcome"] for one in told} == {"done"}
    assert await settled_balances(books) == split_of(51 * PAYMENTS, THIRDS)
    await assert_settlement_holds(books)
    assert sum(amounts(await days.next()).values()) == -50 * PAYMENTS
    await assert_settlement_holds(books)


async def test_a_settlement_that_races_refunds_and_captures_bills_the_day_that_ended(books: Books) -> None:
    days = Days(books)
    revision, ledgers = await open_shares(books, "c", HALVES)
    for n in range(PAYMENTS):
        await grant(books, f"p{n}", "c", revision, 101, ledgers[n % SHARES])
    await days.end()
    settling = asyncio.gather(days.settle(), days.settle())
    refunds = (books.refund(f"p{n}", "r", 10_000) for n in range(PAYMENTS))
    grants = (grant(books, f"q{n}", "c", revision, 7, ledgers[n % SHARES]) for n in range(PAYMENTS))
    await asyncio.gather(*refunds, *grants)
    first, second = await settling
    assert amounts(first) == amounts(second) == split_of(101 * PAYMENTS, HALVES)
    await assert_settlement_holds(books)
    last = await days.next()
    assert {name: one.closing for name, one in last.items()} == split_of(7 * PAYMENTS, HALVES)
    await assert_settlement_holds(books)

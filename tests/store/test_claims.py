"""Whoever is answered with a hold has a claim on it, however long it waited for the answer."""

import asyncio
from typing import Any

import pytest
from tests.store.conftest import Books
from tests.store.test_limits_race import _blocked

from makegood.store.packing import columns_of
from makegood.store.pool import call, in_house


def _batch(books: Books, *requests: dict[str, Any]) -> tuple[Any, ...]:
    return (books.house.id, "till", 0, 10_000, None, *columns_of(requests))


@pytest.mark.parametrize("function", ["reserve", "replay"])
async def test_a_retry_that_waited_for_the_batch_of_another_server_claims_what_it_is_answered(
    books: Books, function: str
) -> None:
    revision = await books.live("spring", 1_000)
    first, second = (books.request(payment, {"spring": (revision, 5)}) for payment in ("p1", "p2"))
    await books.reserve(first)
    again = [first | {"quote_id": "qte_a"}, second | {"quote_id": "qte_b"}]
    arguments = _batch(books, *again)
    if function == "replay":
        arguments = (books.house.id, ["p1", "p2"], [one["content_hash"] for one in again])
    async with books.pool.acquire() as connection, connection.transaction():
        batch = _batch(books, first | {"quote_id": "qte_c"}, second)
        await connection.fetchval(f"select reserve({', '.join(f'${n}' for n in range(1, len(batch) + 1))})", *batch)
        retry = asyncio.create_task(call(books.pool, function, *arguments))
        await _blocked(books)
    told = await asyncio.wait_for(retry, 30)
    outcomes = told.values() if function == "reserve" else told
    assert [one["outcome"] for one in outcomes] == ["replayed", "replayed"]
    async with in_house(books.pool, books.house.id) as connection:
        claims = await connection.fetch("select payment_id, claims from quotes order by 1")
    assert [tuple(row) for row in claims] == [("p1", 3), ("p2", 2)]
    await books.balanced()

"""What the ledger says of payments, read by whoever asks and not by the node that decided them."""

import asyncio
from collections.abc import Collection

from makegood.services.access import house_named
from makegood.services.platform import Platform
from makegood.store.pool import in_house
from makegood.store.verify import verify

PATIENCE_SECONDS = 30
_LOOK_SECONDS = 0.05


async def held(platform: Platform, house: str, payments: Collection[str]) -> set[str]:
    """The payments among these that hold or got money now."""
    async with in_house(platform.store.pool, (await house_named(platform, house)).id) as connection:
        rows = await connection.fetch(
            """select payment_id from quotes
               where payment_id = any ($1::text[]) and state in ('reserved', 'captured')""",
            list(payments),
        )
    return {row["payment_id"] for row in rows}


async def ever_granted(platform: Platform, house: str, payments: Collection[str]) -> set[str]:
    """The payments among these for which the store made a hold at any time, also one that was ended since."""
    async with in_house(platform.store.pool, (await house_named(platform, house)).id) as connection:
        rows = await connection.fetch(
            """select distinct q.payment_id from quotes q join grants g using (house_id, quote_id)
               where q.payment_id = any ($1::text[])""",
            list(payments),
        )
    return {row["payment_id"] for row in rows}


async def until_nothing_held(platform: Platform, house: str, payments: Collection[str]) -> None:
    """Until none of these holds anything. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await held(platform, house, payments):  # noqa: ASYNC110 - nobody tells us, it is looked at
            await asyncio.sleep(_LOOK_SECONDS)


async def assert_balanced(platform: Platform, house: str) -> None:
    """The books of the house hold every invariant."""
    verified = await verify(platform.store.pool, (await house_named(platform, house)).id)
    assert verified.violations == ()

"""The pool: durable whatever the database's default is, and an undone transaction is repeated, then told."""

import pytest

from makegood.errors import StoreUnavailable
from makegood.services.platform import Platform
from makegood.store.connection import DATABASE
from makegood.store.pool import RETRIES_MAX, connect, open_pool, undone_again

UNDONE = "do $$ begin raise exception 'undone' using errcode = '{state}'; end $$"


async def test_the_databases_defaults_do_not_weaken_a_commit(platform: Platform) -> None:
    administrator = await connect(platform.store.url)
    await administrator.execute(f"alter database {DATABASE} set synchronous_commit = off")
    await administrator.execute(f"alter database {DATABASE} set default_transaction_isolation = 'serializable'")
    try:
        pool = await open_pool(platform.store.url, 1)
        shown = [await pool.fetchval(f"show {s}") for s in ("synchronous_commit", "default_transaction_isolation")]
        await pool.close()
    finally:
        await administrator.execute(f"alter database {DATABASE} reset all")
        await administrator.close()
    assert shown == ["on", "read committed"]


@pytest.mark.parametrize("state", ["40P01", "40001"])
async def test_a_transaction_undone_again_and_again_is_told_as_unavailable(platform: Platform, state: str) -> None:
    tries = []

    async def work() -> None:
        tries.append(state)
        await platform.store.pool.execute(UNDONE.format(state=state))

    with pytest.raises(StoreUnavailable, match="undone"):
        await undone_again(work)
    assert len(tries) == RETRIES_MAX + 1


async def test_a_transaction_undone_once_is_done_at_last(platform: Platform) -> None:
    tries = []

    async def work() -> str:
        tries.append(1)
        if len(tries) == 1:
            await platform.store.pool.execute(UNDONE.format(state="40P01"))
        return "done"

    assert await undone_again(work) == "done"

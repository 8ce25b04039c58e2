"""Reservations that were made and captured long ago, written into the tables in bulk.

Rows, keys and their order are those that the money calls would have written: half as many payers as payments, a day's
payments beside each other, one event and one audit row for a hundred payments. Only the audit chain they are in says
nothing: it was not made call by call, so `ledger verify` has nothing to check there.
"""

from collections.abc import Callable
from importlib.resources import files

from makegood.bench.ledger_world import DISCOUNT, SNAPSHOT, Budget
from makegood.store.pool import Connection, connect

CHUNK = 250_000
_CHAIN = 64  # No process writes to it while it is filled.
_SECONDS_MAX = 3_600
_SPAN_MS = 30 * 24 * 3_600 * 1_000  # The time in which they were made: no payer comes twice a day.


async def fill(url: str, budget: Budget, total: int, tell: Callable[[int], None] = lambda _: None) -> None:
    """Afterwards `total` captured reservations of `budget` are stored, analysed and on disk. `url`: a superuser's.

    The triggers that book entries rest for this session: what they would write is written once at the end.
    """
    connection = await connect(url)
    try:
        await _do(
            connection,
            "set search_path = makegood; set session_replication_role = replica; set synchronous_commit = off",
        )
        await _do(connection, "set work_mem = '256MB'; set temp_buffers = '256MB'")
        names = {"house": budget.house, "campaign": budget.campaign, "revision": budget.revision, "total": total}
        names |= {"step": max(1, _SPAN_MS // total), "discount": DISCOUNT, "snapshot": SNAPSHOT, "chain": _CHAIN}
        names["batch"] = await connection.fetchval("select nextval('batches')")
        *chunk, moved = files("makegood.bench").joinpath("ledger_filling.sql").read_text().split("\n\n")[1:]
        for first in range(0, total, CHUNK):
            last = min(first + CHUNK, total)
            for statement in chunk:
                await _do(connection, statement.format(**names, first=first, last=last - 1))
            tell(last)
        await _do(connection, moved.format(**names))
        await _do(connection, "vacuum (analyze)")
        await _do(connection, "checkpoint")
    finally:
        await connection.close()


async def bytes_stored(url: str) -> int:
    """Bytes of all tables and indexes."""
    connection = await connect(url)
    try:
        size: int = await connection.fetchval("select pg_database_size(current_database())")
    finally:
        await connection.close()
    return size


async def _do(connection: Connection, statements: str) -> None:
    await connection.execute(statements, timeout=_SECONDS_MAX)

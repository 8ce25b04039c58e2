"""What group commit is compared with: every reservation a transaction of its own, on a connection of its own.

Once by the same SQL function with a batch of one, and once statement by statement. Either writes the rows that a batch
writes, under the same constraints.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.resources import files

from makegood.bench.ledger_load import Reserve, wanted
from makegood.bench.ledger_world import PRINCIPAL, Budget
from makegood.store.packing import Request, columns_of, text
from makegood.store.pool import Connection, Pool, call, connect, open_pool

_PATIENCE_MS = 30_000
_PAID = ("quote_id", "payment_id", "content_hash", "payer_ref", "currency", "amount")
_UNTIL = ("decided_at", "valid_until", "hold_until", "snapshot")
_SLOTS = ("day", "hour", "payer_ref", "device_ref", "payee_ref")


@asynccontextmanager
async def by_function(login: str, budget: Budget, connections: int) -> AsyncIterator[list[Reserve]]:
    """Callers with a connection each, who call the function `reserve` with one reservation."""
    pool = await open_pool(login, connections)
    try:
        yield [_function(pool, budget)] * connections
    finally:
        pool.terminate()


def _function(pool: Pool, budget: Budget) -> Reserve:
    async def reserve(request: Request) -> str:
        columns = columns_of((request,))
        told = await call(pool, "reserve", budget.house, PRINCIPAL, 0, _PATIENCE_MS, None, *columns)
        return wanted(told.get(request["quote_id"], {}).get("outcome", "reserved"), "reserved", told)

    return reserve


@asynccontextmanager
async def by_statements(url: str, budget: Budget, connections: int) -> AsyncIterator[list[Reserve]]:
    """Callers with a connection each, who send one statement after the other. `url`: of whoever may
    write the tables."""
    statements = _statements()
    async with AsyncExitStack() as stack:
        callers = []
        for _ in range(connections):
            connection = await connect(url)
            stack.push_async_callback(connection.close)
            # A batch of the ledger writes times in UTC, bytes as hex digits and its rows by their keys, too.
            await connection.execute("set timezone = 'UTC'; set bytea_output = 'hex'; set enable_seqscan = off")
            callers.append(_statement_by_statement(connection, budget, statements))
        yield callers


def _statements() -> Mapping[str, str]:
    """The statements of ledger_naive.sql, by the first word of the comment before each."""
    parts = files("makegood.bench").joinpath("ledger_naive.sql").read_text().split("\n\n")[1:]
    named = (part.removeprefix("-- ").split("\n", 1) for part in parts)
    return {said.split()[0].rstrip(":"): statement for said, statement in named}


def _statement_by_statement(connection: Connection, budget: Budget, statements: Mapping[str, str]) -> Reserve:
    house, campaign = budget.house, budget.campaign

    async def do(name: str, *arguments: object) -> list[Mapping[str, object]]:
        rows: list[Mapping[str, object]] = await connection.fetch(statements[name], *arguments)
        return rows

    async def reserve(request: Request) -> str:
        r = request
        discount = r["grants"][0]["discount"]
        async with connection.transaction():
            await do("begin", house)
            wanted("known" if await do("known", house, r["payment_id"]) else "new", "new", r)
            kept = await do("payer", house, campaign, r["payer_ref"], r["day"], discount)
            wanted("reserved" if all(row["is_kept"] for row in kept) else "payer_limit_is_reached", "reserved", r)
            state = (await do("budget", house, campaign))[0]
            there = state["live"] == budget.revision and not state["stopped"] and int(str(state["balance"])) >= discount
            wanted("reserved" if there else "refused", "reserved", dict(state))
            await do("totals", house, campaign, r["day"], discount)
            await do("payment", house, r["payment_id"], r["quote_id"], r["content_hash"])
            seen, benefits = text(r["seen"]), text(r["benefits"])
            await do(
                "quote", house, *(r[name] for name in _PAID), discount, *(r[name] for name in _UNTIL), seen, benefits
            )
            granted = (campaign, budget.revision, discount, *(r[name] for name in _SLOTS))
            await do("grant", house, r["quote_id"], *granted)
            await do("entry", house, campaign, r["quote_id"], discount)
            await do("holds", house, campaign)
            await do("event", house, r["quote_id"], PRINCIPAL)
        return "reserved"

    return reserve

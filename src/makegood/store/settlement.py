"""Days that are billed to funders, and their statements."""

import datetime as dt
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from makegood.domain.statement import NO_STATEMENT, Line, Statement, hash_of
from makegood.store.pool import Connection, Pool, call, in_house, undone_again

_COUNT_SECONDS_MAX = 3600  # A day of the largest house; nobody waits for it but who settles.

_STATEMENTS = """
select h.name as house, s.funder, s.currency, d.zone, s.day, s.number, s.opening, s.closing, s.batch, s.previous, s.hash,
    coalesce((select jsonb_agg(jsonb_build_array(
                  l.campaign_id, l.funding, l.weight, l.total_before, l.total, l.billed_before, l.billed, m.batch)
                  order by l.campaign_id collate "C", l.funding)
              from statement_lines l join settlements m using (house_id, currency, day, campaign_id)
              where l.house_id = s.house_id and l.currency = s.currency and l.day = s.day and l.funder = s.funder), '[]') as lines
from statements s join houses h using (house_id) join settlement_days d using (house_id, currency, day)
"""


@dataclass(frozen=True, slots=True)
class Day:
    """A day of one currency as the store has it; `amount` is what was billed, None while it is not settled."""

    currency: str
    day: dt.date
    zone: str
    amount: int | None


async def open_day(
    pool: Pool, house: int, currency: str, day: dt.date, zone: str, until: dt.datetime
) -> dict[str, Any]:
    """Count a day that ended at `until`, once. The outcome, and the day it is about."""

    async def counted() -> dict[str, Any]:
        async with in_house(pool, house) as connection:
            outcome: dict[str, Any] = await connection.fetchval(
                "select open_day($1, $2, $3, $4, $5)", house, currency, day, zone, until, timeout=_COUNT_SECONDS_MAX
            )
        return outcome

    return await undone_again(counted)


async def unsettled(pool: Pool, house: int, currency: str, day: dt.date) -> list[str]:
    """The campaigns of an opened day that were not billed for it yet, by id."""
    async with in_house(pool, house) as connection:
        rows = await connection.fetch(
            """select distinct t.campaign_id from day_totals t
               left join settlements s using (house_id, currency, day, campaign_id)
               where t.currency = $1 and t.day = $2 and s.batch is null order by 1""",
            currency, day,
        )  # fmt: skip
    return [row["campaign_id"] for row in rows]


async def settle_campaign(pool: Pool, house: int, principal: str, currency: str, day: dt.date, campaign: str) -> bool:
    """Bill a campaign's funders for a day; whether that is new."""
    new: bool = await call(pool, "settle_campaign", house, principal, currency, day, campaign)
    return new


async def close_day(pool: Pool, house: int, principal: str, currency: str, day: dt.date) -> bool:
    """Write the statements of a day; False while one of its campaigns is not billed."""
    outcome: dict[str, Any] = await call(pool, "close_day", house, principal, currency, day)
    return bool(outcome["outcome"] == "done")


async def last_day(pool: Pool, house: int, currency: str) -> Day | None:
    """The newest day that was opened."""
    async with in_house(pool, house) as connection:
        row = await connection.fetchrow(_DAYS + "where d.currency = $1 order by d.day desc limit 1", currency)
    return None if row is None else Day(**row)


async def day_of(pool: Pool, house: int, currency: str, day: dt.date) -> Day | None:
    """A day that was opened."""
    async with in_house(pool, house) as connection:
        row = await connection.fetchrow(_DAYS + "where d.currency = $1 and d.day = $2", currency, day)
    return None if row is None else Day(**row)


async def settled_days(pool: Pool, house: int, most: int) -> list[Day]:
    """Days that were settled, newest first, at most `most`."""
    async with in_house(pool, house) as connection:
        rows = await connection.fetch(
            _DAYS + "where s.amount is not null order by d.day desc, d.currency limit $1", most
        )
    return [Day(**row) for row in rows]


async def newest_days(pool: Pool, house: int, funder: str) -> dict[str, dt.date]:
    """The newest settled day of each currency in which a funder was ever billed, by its name."""
    async with in_house(pool, house) as connection:
        rows = await connection.fetch(
            """select currency, max(day) as day from settled_days d
               where exists (select from statements s where s.funder = $1 and s.currency = d.currency)
               group by 1 order by 1""",
            funder,
        )  # fmt: skip
    return {row["currency"]: row["day"] for row in rows}


_DAYS = """select d.currency, d.day, d.zone, s.amount from settlement_days d
           left join settled_days s using (house_id, currency, day) """


async def now(pool: Pool, house: int) -> dt.datetime:
    """The store's clock."""
    async with in_house(pool, house) as connection:
        moment: dt.datetime = await connection.fetchval("select clock_timestamp()")
    return moment


async def first_booking(pool: Pool, house: int) -> dt.datetime | None:
    """When the first entry of a house was booked."""
    async with in_house(pool, house) as connection:
        at: dt.datetime | None = await connection.fetchval(
            "select at from entries where house_id = $1 order by entry_id limit 1", house
        )
    return at


async def statements_of_day(pool: Pool, house: int, currency: str, day: dt.date) -> list[Statement]:
    """The statements of a settled day, by funder."""
    async with in_house(pool, house) as connection:
        rows = await connection.fetch(
            _STATEMENTS + 'where s.currency = $1 and s.day = $2 order by s.funder collate "C"', currency, day
        )
    return [_statement(row) for row in rows]


async def statements_of(
    pool: Pool, house: int, funder: str, currency: str, first: dt.date, last: dt.date
) -> list[Statement]:
    """A funder's statements from `first` to `last`, oldest first."""
    async with in_house(pool, house) as connection:
        rows = await connection.fetch(
            _STATEMENTS + "where s.funder = $1 and s.currency = $2 and s.day between $3 and $4 order by s.number",
            funder, currency, first, last,
        )  # fmt: skip
    return [_statement(row) for row in rows]


async def broken_statements(connection: Connection) -> AsyncIterator[tuple[str, str]]:
    """(statement, what is wrong) for each that is not what its hash says, or does not name the one before it."""
    before: tuple[str, str, bytes] | None = None
    async for row in connection.cursor(
        _STATEMENTS + 'order by s.currency, s.funder collate "C", s.number', prefetch=100, timeout=600
    ):
        one = _statement(row)
        chain = (one.currency, one.funder)
        previous = before[2] if before is not None and before[:2] == chain else NO_STATEMENT
        if one.previous != previous or hash_of(one) != one.hash or not one.adds_up:
            yield f"{one.currency} {one.day} {one.funder}", "another content"
        before = (*chain, one.hash)


def _statement(row: Mapping[str, Any]) -> Statement:
    lines: Sequence[Sequence[Any]] = row["lines"]
    return Statement(**{**row, "lines": tuple(Line(*line) for line in lines)})

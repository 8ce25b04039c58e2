"""What a campaign granted lately, as the chart of its page asks for it. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from makegood.store.pool import Pool, in_house

# By the index on time alone: the house is compared as an expression, so that no plan walks through all of its entries.
_GRANTED = """
select date_bin('10 seconds', e.at, 'epoch') as slot,
    coalesce(sum(e.amount) filter (where e.kind = 'reserve'), 0)::bigint as granted,
    count(*) filter (where e.kind = 'reserve') as grants,
    coalesce(sum(e.amount) filter (where e.kind = 'capture'), 0)::bigint as paid
from entries e
where e.house_id + 0 = $1 and e.at >= $3 and e.at < $4 and e.kind in ('reserve', 'capture') and e.from_account = any (
    array(select account_id from accounts where house_id = $1 and campaign_id = $2 and kind in ('stage', 'reserved')))
group by 1
"""
_STANDING = """
select c.currency, c.live, c.stage_open, c.budget, c.stopped, (
    select coalesce(sum(balance), 0)::bigint from accounts a
    where a.house_id = $1 and a.campaign_id = $2 and a.kind = 'stage') as left_open
from campaigns c where c.house_id = $1 and c.campaign_id = $2
"""
_STOPS = "select target from stops where house_id = $1 and target = any ($2)"
_MARKS = """
select at, principal, action, subject, detail from audits where house_id = $1 and subject = any ($2) and action = any ($3)
order by serial desc limit $4
"""
_EVIDENCE = "select state #> array['campaigns', $2::text] from detectors where house_id = $1"


@dataclass(frozen=True, slots=True)
class Standing:
    """A campaign at one moment: its row, the wider stops in force of those asked for, its newest audit rows, newest
    first, and its cells in what the detectors of all nodes know together.
    """

    row: dict[str, Any]
    stops: frozenset[str]
    marks: list[dict[str, Any]]
    cells: dict[str, Any]


async def granted(pool: Pool, house: int, campaign: str, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """What a campaign was asked for and paid, minor units, in each ten seconds of a time; those of nothing are left out.

    A grant counts when its payment is answered; `paid` when it is captured.
    """
    async with in_house(pool, house) as connection:
        await connection.execute("set local enable_seqscan = off")
        rows = await connection.fetch(_GRANTED, house, campaign, since, until)
    return [dict(row) for row in rows]


async def standing(
    pool: Pool, house: int, campaign: str, wider: Sequence[str], actions: Sequence[str], most: int
) -> Standing | None:
    """How a campaign stands, with at most so many audit rows of these actions on it or on the wider targets."""
    async with in_house(pool, house, read_only=True) as connection:
        row = await connection.fetchrow(_STANDING, house, campaign)
        if row is None:
            return None
        stops = await connection.fetch(_STOPS, house, list(wider))
        marks = await connection.fetch(_MARKS, house, [campaign, *wider], list(actions), most)
        cells = await connection.fetchval(_EVIDENCE, house, campaign)
    return Standing(dict(row), frozenset(one["target"] for one in stops), [dict(one) for one in marks], cells or {})

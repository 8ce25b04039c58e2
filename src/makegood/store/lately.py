"""What a campaign granted lately, as the chart of its page asks for it. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from makegood.clock import Instant
from makegood.store.pool import Pool, in_house

PART_ENTRIES = 5_000  # Of a house, read at once: some milliseconds.
# By the primary key in both directions, and never more than was asked for. `settled`: an entry whose number is higher may
# yet come with a time from $4 on, for numbers and times are never a second apart; one whose number is lower may not.
_SUMS = """
select date_bin('10 seconds', p.at, 'epoch') as slot, p.at >= $4 as is_open,
    coalesce(sum(p.amount) filter (where p.kind = 'reserve' and m.mine), 0)::bigint as granted,
    count(*) filter (where p.kind = 'reserve' and m.mine) as grants,
    coalesce(sum(p.amount) filter (where p.kind = 'capture' and m.mine), 0)::bigint as paid,
    count(*) as entries, min(p.entry_id) as least, max(p.entry_id) filter (where p.at < $4 - interval '1 second') as settled
from part p, lateral (select p.from_account = any (array(
    select account_id from accounts where house_id = $1 and campaign_id = $2 and kind in ('stage', 'reserved'))) as mine) m
group by 1, 2
"""
_COLUMNS = "select entry_id, kind, from_account, amount, at from entries where house_id = $1 and "
_NEWER = f"with part as materialized ({_COLUMNS} entry_id > $3 and at >= $5) {_SUMS}"
_OLDER = f"with part as materialized ({_COLUMNS} entry_id < $3 order by entry_id desc limit $5) {_SUMS}"
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


@dataclass(frozen=True, slots=True)
class CampaignBooks:
    """The entries of a house, summed by slots of ten seconds, with what was granted and paid of one campaign.

    Granted is what was reserved, when its payment was answered; paid what was captured. Minor units.
    """

    pool: Pool
    house: int
    campaign: str

    async def newer(self, above: int, since: Instant, open_from: Instant) -> list[dict[str, Any]]:
        """Of the entries with a number above, not before `since`."""
        return await self._read(_NEWER, above, open_from, since.datetime())

    async def older(self, below: int, open_from: Instant) -> tuple[list[dict[str, Any]], bool]:
        """Of a part of the entries with a number below, the newest of them; and whether there are more."""
        rows = await self._read(_OLDER, below, open_from, PART_ENTRIES)
        return rows, sum(row["entries"] for row in rows) >= PART_ENTRIES

    async def _read(self, text: str, number: int, open_from: Instant, last: object) -> list[dict[str, Any]]:
        async with in_house(self.pool, self.house) as connection:
            await connection.execute("set local enable_seqscan = off; set local enable_bitmapscan = off")
            rows = await connection.fetch(text, self.house, self.campaign, number, open_from.datetime(), last)
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

"""Stops of more than one campaign, trips of breakers with their evidence, and drills."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from makegood.store.pool import Encoded, Pool, call, fetch, in_house
from makegood.telemetry import log


async def stop(pool: Pool, house: int, principal: str, target: str, reason: str) -> dict[str, Any]:
    """Stop a label, a funder, a scene or everything; once this returns, nothing commits a grant of it."""
    outcome: dict[str, Any] = await call(pool, "stop_target", house, principal, target, reason)
    return outcome


async def resume(
    pool: Pool, house: int, principal: str, target: str, reason: str, seconds: int, proofs: Mapping[str, str]
) -> dict[str, Any]:
    """Ask for the end of such a stop, or confirm another principal's request, on proofs of today by currency."""
    arguments = (house, principal, target, reason, seconds, dict(proofs))
    outcome: dict[str, Any] = await call(pool, "resume_target", *arguments)
    return outcome


_STOPS = """
select s.target, s.principal, s.reason, s.at, s.resume_by, s.resume_reason, s.resume_until, null as tripped_by,
    false as needs_new_revision, array(
        select c.campaign_id from campaigns c where c.live is not null and is_covered(c.house_id, s.target, c.campaign_id, c.label)
        order by 1) as campaigns
from stops s
union all
select 'campaign:' || c.campaign_id, c.stopped_by, c.stop_reason, c.stopped_at, c.resume_by, c.resume_reason, c.resume_until,
    c.tripped_by, needs_new_revision(c), array[c.campaign_id]
from campaigns c where c.stopped
order by at desc nulls last, target
"""


async def stops(pool: Pool, house: int) -> list[dict[str, Any]]:
    """Every stop in force, of campaigns and wider, with the live campaigns that it covers; newest first."""
    async with in_house(pool, house, read_only=True) as connection:
        rows = await connection.fetch(_STOPS)
    return [dict(row) for row in rows]


async def trip(
    pool: Pool, house: int, guard: str, campaign: str, revision: str, what: str, evidence: Mapping[str, Any], most: int
) -> bool:
    """Keep what a guard saw, and stop the revision it saw it of. Whether this opened its breaker.

    Evidence that the store cannot take is kept as text: it keeps no stop from it, nor those that wait behind it.
    """
    about = (house, guard, campaign, revision, what)
    try:
        opened: bool = await call(pool, "trip", *about, dict(evidence), most)
    except asyncpg.DataError:
        log.exception("evidence_cannot_be_stored", campaign=campaign, guard=guard, what=what)
        opened = await call(pool, "trip", *about, {"text": ascii(dict(evidence))}, most)
    return opened


async def trips(pool: Pool, house: int, campaign: str | None, most: int) -> list[dict[str, Any]]:
    """What guards saw when they tripped, newest first."""
    async with in_house(pool, house) as connection:
        rows = await connection.fetch(
            "select * from trips where $1::text is null or campaign_id = $1 order by trip_id desc limit $2",
            campaign,
            most,
        )
    return [dict(row) for row in rows]


async def record_drill(
    pool: Pool, house: int, principal: str, passed: bool, steps: Sequence[Mapping[str, Any]]
) -> None:
    """Keep and audit what a drill found."""
    await call(pool, "record_drill", house, principal, passed, [dict(step) for step in steps])


async def drills(pool: Pool, house: int, most: int) -> list[dict[str, Any]]:
    """The newest drills, newest first."""
    async with in_house(pool, house) as connection:
        rows = await connection.fetch("select * from drills order by drill_id desc limit $1", most)
    return [dict(row) for row in rows]


async def evidence_of_stages(pool: Pool, house: int, payers_most: int) -> list[dict[str, Any]]:
    """What stands for and against every stage that is not the last of its campaign; see the SQL function."""
    found = await fetch(pool, "evidence_of_stages", house, payers_most)
    return [row["evidence_of_stages"] for row in found]


async def detector(pool: Pool, house: int) -> tuple[int, dict[str, Any] | None]:
    """What the detectors of all nodes know together, and its version; 0 and None before anything is known."""
    async with in_house(pool, house) as connection:
        row = await connection.fetchrow("select version, state::text as state from detectors")
    if row is None:
        return 0, None
    return row["version"], await asyncio.to_thread(json.loads, row["state"])  # It is long with a thousand campaigns.


async def put_detector(pool: Pool, house: int, version: int, state: Encoded) -> bool:
    """Keep what they know now, if it was still of `version`."""
    kept: bool = await call(pool, "put_detector", house, version, state)
    return kept

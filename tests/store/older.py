"""A database as the first seven migrations left it, used by the functions they had."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from tests.store.conftest import DECIDED, SNAPSHOT, request_for

from makegood.services.platform import Platform
from makegood.store.embedded import SUPERUSER
from makegood.store.migrate import migrate, migrations
from makegood.store.pool import Connection, connect, open_pool
from makegood.store.verify import verify

LAST = 7
LATE = DECIDED + timedelta(minutes=76)
FUNDERS = [{"funder": "bank", "amount": 3_333}, {"funder": "shop", "amount": 6_667}]
LIMITS = [{"subject": subject, "period": period, "count_max": 9, "amount_max": None}
          for subject, period in (("payer", "day"), ("all", "ever"))]  # fmt: skip


async def fresh(platform: Platform, name: str) -> str:
    """An empty database; gives its URL."""
    assert platform.store.server is not None
    administrator = await connect(platform.store.url)
    await administrator.execute(f"drop database if exists {name} with (force)")
    await administrator.execute(f"create database {name}")
    await administrator.close()
    return platform.store.server.url(SUPERUSER, name)


async def migrate_to(connection: Connection, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bring a database to an older version."""
    some = migrations()[:number]
    with monkeypatch.context() as patch:
        patch.setattr("makegood.store.migrate.migrations", lambda: some)
        await migrate(connection)
    await connection.execute("set search_path = makegood")


async def trade(old: Connection) -> int:
    """A house with two campaigns of two funders and quotes of every state, some stacked, and a closed payment."""
    house: int = await old.fetchval(
        "insert into houses (name, live, draw_secret, payer_key, guards_left_out)"
        " values ('older', false, $1, $1, '{proof}') returning house_id", bytes(32),
    )  # fmt: skip
    await old.execute("insert into live_sets (house_id) values ($1)", house)
    policy = await _published(old, house, "policy", "CNY")
    await old.fetchval("select put_policy_in_force($1, 'bob', 'CNY', $2, 0, null)", house, policy)
    await old.execute("insert into snapshots values ($1, $2, $3, '[]')", house, SNAPSHOT, policy)
    live = {name: await _live(old, house, name, policy) for name in ("gift", "spring")}
    both = {name: (revision, 333) for name, revision in live.items()}
    for n, payment in enumerate(("held", "captured", "partly", "refunded", "released", "expired", "disowned", "whole")):
        grants = both if n % 2 else {"spring": (live["spring"], 250)}
        assert await _reserve(old, house, payment, grants, expired=payment == "expired") == "reserved"
    assert await _reserve(old, house, "superseding", both, supersedes="whole") == "reserved"
    for payment, captured in (("captured", None), ("partly", 3_001), ("refunded", None)):
        await old.fetchval("select capture($1, 'till', $2, null, $3, null)", house, f"qte_{payment}", captured)
    for amount in (333, 1_000):
        await old.fetchval("select refund($1, 'till', 'refunded', $2, $3)", house, f"r{amount}", amount)
    await old.fetchval("select release($1, 'till', 'qte_released')", house)
    assert await old.fetchval("select expire($1, $2, 9)", house, LATE) == 1
    for payment in ("disowned", "closed"):
        assert await old.fetchval("select disown($1, 'till', $2, $3, true)", house, payment, f"qte_{payment}")
    await old.fetchval("select stop_campaign($1, 'olga', 'gift', 'a look')", house)
    return house


async def _published(old: Connection, house: int, kind: str, subject: str) -> str:
    canonical = f'{{"kind": "{kind}", "id": "{subject}", "label": "merchant_coupon"}}'
    revision = "rev_" + hashlib.sha256(canonical.encode()).hexdigest()
    row = {
        "kind": kind,
        "subject": subject,
        "revision": revision,
        "canonical": canonical.encode().hex(),
        "currency": "CNY",
    }
    await old.execute("select publish($1, 'ann', $2, $3)", house, subject, [row])
    return revision


async def _live(old: Connection, house: int, campaign: str, policy: str) -> str:
    revision, brief = [await _published(old, house, kind, campaign) for kind in ("campaign", "brief")]
    plan = {
        "revision": revision, "brief": brief, "policy": policy, "live": None, "stopped_at": None, "proof": None,
        "budget": 10_000, "first_stage": 7_000, "limits": LIMITS, "funding": FUNDERS,
    }  # fmt: skip
    told = await old.fetchval("select go_live($1, 'bob', $2, $3)", house, campaign, plan)
    assert told["outcome"] == "done", told
    return revision


async def _reserve(old: Connection, house: int, payment: str, grants: dict[str, tuple[str, int]], **more: Any) -> str:
    until = LATE - timedelta(minutes=1) if more.pop("expired", False) else LATE + timedelta(days=1)
    request = request_for(payment, grants, valid_until=until.isoformat(), hold_until=until.isoformat(), **more)
    request |= {name: request[name].hex() for name in ("content_hash", "payer_ref", "payee_ref")}
    request["decided_at"] = DECIDED.isoformat()
    outcomes = await old.fetchval("select reserve($1, 'till', $2, 0)", house, [request])
    found: str = outcomes[0]["outcome"]
    return found


@asynccontextmanager
async def upgraded(url: str, house: int) -> AsyncIterator[Any]:
    """A pool on a database of this version, whose books balance before and after."""
    pool = await open_pool(url, 4)
    try:
        violations = (await verify(pool, house)).violations
        assert violations == (), violations
        yield pool
        violations = (await verify(pool, house)).violations
        assert violations == (), violations
    finally:
        await pool.close()

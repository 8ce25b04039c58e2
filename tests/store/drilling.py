"""What tests of drills share: a drill, what it found, a house's rows, and a function of the store that is broken."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from tests.shop import Shop

from makegood.services.drill import DrillResult, run_drill
from makegood.services.platform import Platform
from makegood.store.pool import in_house


def with_settings(platform: Platform, **changes: Any) -> Platform:
    """The same platform with other settings, and tasks of its own."""
    return replace(platform, settings=replace(platform.settings, **changes), tasks=set())


async def drilled(shop: Shop, platform: Platform | None = None) -> DrillResult:
    return await run_drill(platform or shop.platform, shop.house, "olga")


def failed(result: DrillResult) -> set[str]:
    return {step.step for step in result.steps if not step.passed}


def warned(result: DrillResult) -> set[str]:
    return {step.step for step in result.steps if step.warned}


async def rows_of(shop: Shop) -> dict[str, list[str]]:
    """Every row of the house that a drill could touch, but for those that record it."""
    tables = ("campaigns", "budgets", "accounts", "entries", "quotes", "grants", "payments", "counters", "stops",
              "trips", "live_sets", "policies", "limits")  # fmt: skip
    async with in_house(shop.platform.store.pool, shop.house.id) as connection:
        return {
            name: [row["r"] for row in await connection.fetch(f"select {name}::text as r from {name} order by 1")]
            for name in tables
        }


@asynccontextmanager
async def broken(platform: Platform, signature: str, body: str) -> AsyncIterator[None]:
    """The SQL function does `body` instead, for as long as this lasts."""
    owner = await platform.store.administrator()
    name = signature.partition("(")[0]
    try:
        async with owner.acquire() as connection:
            before = await connection.fetchval("select pg_get_functiondef($1::regproc)", f"makegood.{name}")
            head = before.partition("\nAS $")[0]
            await connection.execute(f"{head}\nAS $broken${body}$broken$")
        try:
            yield
        finally:
            async with owner.acquire() as connection:
                await connection.execute(before)
    finally:
        await owner.close()

"""A house on a cluster, under load, through the death of its primary."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from tests.cluster.load import Load
from tests.cluster.running import Running
from tests.shop import open_spring_shop

from makegood.services import control
from makegood.services.keeper import keep
from makegood.services.platform import close_platform, open_platform
from makegood.settings import Settings

DEADLINE_MS = 1_000


@asynccontextmanager
async def loaded(cluster: Running) -> AsyncIterator[Load]:
    """Clients of a house of the cluster, with a server's own pool and what a server does between calls."""
    boss = await open_platform(Settings(database=cluster.admin_url, deadline_ms=10_000))
    server = await open_platform(Settings(database=cluster.url, deadline_ms=DEADLINE_MS))
    keeping = asyncio.create_task(keep(server))
    try:
        shop = await open_spring_shop(boss, **{'rate: "20%"': 'rate: "1%"'})
        for _ in range(3):
            await control.open_stage(boss, shop.callers["olga"], "spring-qr-2027")
        yield Load(replace(shop, platform=server))
    finally:
        keeping.cancel()
        await close_platform(server)
        await close_platform(boss)

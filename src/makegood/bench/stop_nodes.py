"""Several server processes on one store, and a house with a campaign for each stop."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from makegood.bench.ledger_world import store_folder
from makegood.bench.quote_http_world import HOUSE, open_bench_house
from makegood.demo.server import serving
from makegood.domain.review import Guard, Scope
from makegood.services.access import create_key
from makegood.services.platform import Platform, close_platform, open_platform
from makegood.settings import Settings

STARTED_AT_ONCE = 4  # A process that starts has a core to itself for a second.
LEFT_OUT = (Guard.PROOF, Guard.DETECTOR)  # Every payment of the load is granted: a detector would stop that at once.


@dataclass(frozen=True, slots=True)
class Nodes:
    """Server processes by address, and the keys of a checkout and of whoever is on call."""

    platform: Platform
    addresses: Sequence[str]
    checkout: str
    on_call: str

    @property
    def cluster(self) -> Path:
        """The folder of their PostgreSQL."""
        return Path(self.platform.settings.data) / "postgres"


def campaign_of(number: int) -> tuple[str, str]:
    """The id of a campaign, from 1, and the city whose payments it grants."""
    return f"campaign-{number}", f"City {number}"


@asynccontextmanager
async def running(nodes: int, campaigns: int, settings: Settings) -> AsyncIterator[Nodes]:
    """So many nodes on a new embedded store, in a house with so many campaigns. Afterwards nothing of it is left."""
    with store_folder() as folder:
        data = str(folder / "data")
        platform = await open_platform(replace(settings, data=data, pool_size=4, deadline_ms=10_000))
        try:
            checkout = await open_bench_house(platform, others=campaigns, left_out=LEFT_OUT)
            on_call = (await create_key(platform, HOUSE, "oncall", [Scope.OPERATE])).key
            async with AsyncExitStack() as stack:
                turn = asyncio.Semaphore(STARTED_AT_ONCE)
                starting = (_start(stack, replace(settings, data=data), turn) for _ in range(nodes))
                yield Nodes(platform, await asyncio.gather(*starting), checkout, on_call)
        finally:
            await close_platform(platform)


async def _start(stack: AsyncExitStack, settings: Settings, turn: asyncio.Semaphore) -> str:
    async with turn:
        return await stack.enter_async_context(serving(settings))

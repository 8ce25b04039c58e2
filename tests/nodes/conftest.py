"""Three nodes on one store, shared by the tests of this folder that leave them as they were."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest_asyncio

from makegood.bench.stop_nodes import Nodes, running
from makegood.bench.stop_till import Till
from makegood.settings import Settings

NODES, CAMPAIGNS = 3, 24
SETTINGS = Settings(port=0, log_level="error", pool_size=4, deadline_ms=1_000, lease_ms=1_000)


@dataclass
class Site:
    """The nodes, and campaigns that nobody has used yet."""

    nodes: Nodes
    used: int = 0

    @property
    def settings(self) -> Settings:
        """Of one more node on the same store."""
        return Settings(
            data=self.nodes.platform.settings.data, port=0, log_level="error", pool_size=4, deadline_ms=1_000,
            lease_ms=SETTINGS.lease_ms,
        )  # fmt: skip

    def campaign(self) -> int:
        """The number of a campaign of one's own."""
        self.used += 1
        return self.used

    def till(self, node: int) -> Till:
        """A new connection to a node, of a checkout."""
        return Till(self.nodes.addresses[node], self.nodes.checkout)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site() -> AsyncIterator[Site]:
    """Nodes that answer."""
    async with running(NODES, CAMPAIGNS, SETTINGS) as nodes:
        yield Site(nodes)

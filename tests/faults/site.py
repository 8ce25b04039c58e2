"""Two servers on one embedded PostgreSQL, on a small disk, each behind a wire; and houses in it."""

import asyncio
import itertools
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
from tests.faults import processes
from tests.faults.calls import Line, Tally
from tests.faults.disk import Disk
from tests.faults.offers import OFFERS, POLICY
from tests.faults.processes import Server
from tests.faults.wire import Wire

from makegood.clock import system_clock
from makegood.domain.review import Scope
from makegood.services.access import create_house, create_key
from makegood.services.platform import close_platform, open_platform
from makegood.settings import Settings

WORKERS = (1, 2)  # Of each server.
PEOPLE: Mapping[str, tuple[Scope, ...]] = {
    "owner": (Scope.BRIEF, Scope.READ),
    "author": (Scope.AUTHOR, Scope.READ),
    "first": (Scope.APPROVE, Scope.RESUME, Scope.READ),
    "second": (Scope.APPROVE, Scope.RESUME, Scope.READ),
    "oncall": (Scope.OPERATE, Scope.READ),
    "till": (Scope.QUOTE, Scope.READ),
}
_houses = itertools.count(1)


class Site:
    """What is attacked."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http, self.disk = http, Disk()
        self.data = self.disk.folder / "data"
        self.log = self.disk.home / "servers.log"
        self.servers = [Server(self.data, self.log, workers) for workers in WORKERS]
        self.wires = [Wire(server.port) for server in self.servers]

    async def open(self) -> None:
        """Afterwards both servers answer."""
        for server, wire in zip(self.servers, self.wires, strict=True):
            await wire.listen()
            server.start()  # Both at once, on a folder that is empty: one of them makes the database.
        await self.ready()

    async def ready(self, seconds: float = 60) -> None:
        """Until every server that was started is ready for payments. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            for server in self.servers:
                if server.process is not None:
                    await self._until_ready(server)

    async def _until_ready(self, server: Server) -> None:
        for pause in itertools.repeat(0.1):
            if await self.is_ready(server):
                return
            await asyncio.sleep(pause)

    async def is_ready(self, server: Server) -> bool:
        """Whether it is ready for payments now."""
        try:
            return (await self.http.get(f"{server.address}/readyz", timeout=2)).status_code == 200
        except httpx.TransportError:
            return False

    async def close(self) -> None:
        """Nothing of it is left."""
        for wire in self.wires:
            await wire.close()
        processes.signal_all(processes.backends(self.data), signal.SIGCONT)
        await asyncio.gather(*(asyncio.to_thread(server.stop) for server in self.servers))
        await asyncio.to_thread(processes.end_postgres, self.data)
        await asyncio.to_thread(self.disk.close)

    async def house(self, tally: Tally) -> "House":
        """A new live house with its campaigns running."""
        name = f"house-{next(_houses)}"
        platform = await open_platform(Settings(data=str(self.data)), clock=system_clock)
        try:
            await create_house(platform, name, live=True)
            keys = {who: (await create_key(platform, name, who, scopes)).key for who, scopes in PEOPLE.items()}
        finally:
            await close_platform(platform)
        addresses = [wire.address for wire in self.wires]
        lines = {who: Line(addresses, self.http, key, tally) for who, key in keys.items()}
        await _launch(lines)
        return House(name, lines)


class House:
    """A house by name; `lines` are the ways of its principals."""

    def __init__(self, name: str, lines: Mapping[str, Line]) -> None:
        self.name, self.lines = name, lines


async def _launch(lines: Mapping[str, Line]) -> None:
    """The policy in force and every campaign running."""
    now = datetime.now(UTC)
    await _approve(lines, "second", await _propose(lines, "first", POLICY))
    for offer in OFFERS:
        brief, campaign = offer.documents(now)
        await _propose(lines, "owner", brief)
        state = await _approve(lines, "first", await _propose(lines, "author", campaign))
        assert state == "running", f"{offer.id} is {state}"


async def _propose(lines: Mapping[str, Line], who: str, text: str) -> str:
    body = {"documents": [{"file": "document.yaml", "text": text}]}
    said = await lines[who].insist("document", "POST", "/v1/documents", body)
    assert said.done, said.body
    published = said.body["published"][-1]
    return str(published["revision"])


async def _approve(lines: Mapping[str, Line], who: str, revision: str) -> str:
    said = await lines[who].insist("document", "POST", f"/v1/revisions/{revision}/approve", {})
    assert said.done, said.body
    return str(said.body["state"])


@asynccontextmanager
async def opened_site() -> AsyncIterator[Site]:
    """A site, taken down whatever happens."""
    limits = httpx.Limits(max_connections=400, max_keepalive_connections=400)
    async with httpx.AsyncClient(limits=limits, trust_env=False) as http:
        site = Site(http)
        try:
            await site.open()
            yield site
        finally:
            await site.close()

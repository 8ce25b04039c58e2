"""Doing what the schedule says: each fault strikes real processes, a real disk, real connections."""

import asyncio
import itertools
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from tests.faults import processes
from tests.faults.schedule import KILLS, Fault, Kind
from tests.faults.site import Site

WATCH_SECONDS = 0.2
PEACE_SECONDS_MAX = 30.0
STORE_KINDS = (
    *(Kind.KILL_POSTGRES, Kind.KILL_BACKEND, Kind.END_BACKENDS),
    *(Kind.STOP_POSTGRES, Kind.STOP_BACKENDS, Kind.FILL_DISK),
)
FELT_SECONDS = 1.0  # A call may fail so long after a fault has ended, and still for its sake.


@dataclass(slots=True)
class Struck:
    """Faults that found a victim, and when: kind, from, until."""

    times: list[tuple[Kind, float, float]] = field(default_factory=list)
    missed: Counter[str] = field(default_factory=Counter)

    def counted(self) -> Counter[str]:
        """How many of each kind."""
        return Counter(kind.value for kind, _, _ in self.times)

    @property
    def kills(self) -> int:
        """Processes that were ended by SIGKILL."""
        return sum(kind in KILLS for kind, _, _ in self.times)


class Attack:
    """Runs lanes of faults against a site."""

    def __init__(self, site: Site) -> None:
        self.site, self.struck = site, Struck()
        self.ready = [True] * len(site.servers)
        self.outage_seconds = 0.0
        self._do: dict[Kind, Callable[[Fault], Awaitable[bool]]] = {
            Kind.KILL_SERVER: self._kill_server,
            Kind.KILL_WORKER: self._kill_worker,
            Kind.KILL_POSTGRES: self._kill_postgres,
            Kind.KILL_BACKEND: self._kill_backend,
            Kind.STOP_SERVER: self._stop_server,
            Kind.STOP_POSTGRES: self._stop_postgres,
            Kind.STOP_BACKENDS: self._stop_backends,
            Kind.FILL_DISK: self._fill_disk,
            Kind.END_BACKENDS: self._end_backends,
            Kind.CUT_CONNECTIONS: self._cut_connections,
            Kind.CUT_ANSWERS: self._cut_answers,
        }

    async def run(self, lanes: Sequence[Sequence[Fault]]) -> None:
        """All lanes at the same time; afterwards every part runs, or is about to."""
        watching = asyncio.create_task(self._watch())
        try:
            await asyncio.gather(*(self._lane(lane) for lane in lanes))
        finally:
            watching.cancel()
            self.heal()

    def heal(self) -> None:
        """Nothing is stopped, full or cut any longer."""
        for wire in self.site.wires:
            wire.cuts_answers = False
        if self.site.disk.is_small:
            self.site.disk.free()
        for server in self.site.servers:
            server.send(signal.SIGCONT)
        self._continue(self._postgres())

    async def _lane(self, lane: Sequence[Fault]) -> None:
        for fault in lane:
            if fault.patient:
                await self._peace(fault)
            await asyncio.sleep(fault.wait)
            await self._strike(fault)

    async def _watch(self) -> None:
        """Keep `ready` true, and see how long nobody served."""
        served = time.monotonic()
        for pause in itertools.repeat(WATCH_SECONDS):
            await asyncio.sleep(pause)
            self.ready = [await self.site.is_ready(server) for server in self.site.servers]
            served = time.monotonic() if any(self.ready) else served
            self.outage_seconds = max(self.outage_seconds, time.monotonic() - served)

    async def _peace(self, fault: Fault) -> None:
        """Until its victim serves; not for ever, or one fault that never heals would be a way out of all others."""
        for _ in range(int(PEACE_SECONDS_MAX / WATCH_SECONDS)):
            victims = self.ready if fault.kind in STORE_KINDS else [self.ready[fault.victim % len(self.ready)]]
            if any(victims):
                return
            await asyncio.sleep(WATCH_SECONDS)

    async def _strike(self, fault: Fault) -> None:
        """A kill that finds nothing to kill waits until there is something again: a kill is a kill."""
        for _ in range(300):
            began = time.time()
            if await self._do[fault.kind](fault):
                self.struck.times.append((fault.kind, began, time.time()))
                return
            await asyncio.sleep(0.1)
        self.struck.missed[fault.kind.value] += 1

    # -- servers ---------------------------------------------------------------------------------------

    async def _kill_server(self, fault: Fault) -> bool:
        server = self.site.servers[fault.victim % len(self.site.servers)]
        killed = server.kill()
        server.start()
        return killed

    async def _kill_worker(self, fault: Fault) -> bool:
        """One of those that share a port; the others go on."""
        crew = [pid for server in self.site.servers for pid in server.crew()]
        return bool(crew) and processes.signal_all([crew[fault.victim % len(crew)]], signal.SIGKILL) == 1

    async def _stop_server(self, fault: Fault) -> bool:
        server = self.site.servers[fault.victim % len(self.site.servers)]
        if not server.send(signal.SIGSTOP):
            return False
        await asyncio.sleep(fault.lasts)
        server.send(signal.SIGCONT)
        return True

    # -- the store -------------------------------------------------------------------------------------

    def _postgres(self) -> list[int]:
        parent = processes.postmaster(self.site.data)
        return [] if parent is None else [parent, *processes.backends(self.site.data)]

    def _continue(self, pids: list[int]) -> None:
        processes.signal_all(pids, signal.SIGCONT)

    async def _kill_postgres(self, fault: Fault) -> bool:
        parent = processes.postmaster(self.site.data)
        return parent is not None and processes.signal_all([parent], signal.SIGKILL) == 1

    async def _kill_backend(self, fault: Fault) -> bool:
        """One of the busy ones. PostgreSQL then ends all others and recovers."""
        pids = processes.backends(self.site.data)[:4]
        return bool(pids) and processes.signal_all([pids[fault.victim % len(pids)]], signal.SIGKILL) == 1

    async def _end_backends(self, fault: Fault) -> bool:
        """What `pg_terminate_backend` sends."""
        return processes.signal_all(processes.backends(self.site.data), signal.SIGTERM) > 0

    async def _stop_backends(self, fault: Fault) -> bool:
        pids = processes.backends(self.site.data)[: 1 + fault.victim % 8]
        if processes.signal_all(pids, signal.SIGSTOP) == 0:
            return False
        await asyncio.sleep(fault.lasts)
        self._continue(pids)
        return True

    async def _stop_postgres(self, fault: Fault) -> bool:
        """Its connections end, and whoever wants a new one waits."""
        parent = processes.postmaster(self.site.data)
        if parent is None:
            return False
        backends = processes.backends(self.site.data)
        stopped = processes.signal_all([parent], signal.SIGSTOP)
        processes.signal_all(backends, signal.SIGTERM)
        await asyncio.sleep(fault.lasts)
        self._continue([parent])
        return stopped > 0

    async def _fill_disk(self, fault: Fault) -> bool:
        """Some blocks stay free, so that it fails at another place each time."""
        self.site.disk.fill(fault.victim % 32 * 8192)
        await asyncio.sleep(fault.lasts)
        self.site.disk.free()
        return True

    # -- the wires -------------------------------------------------------------------------------------

    async def _cut_connections(self, fault: Fault) -> bool:
        self.site.wires[fault.victim % len(self.site.wires)].cut()
        return True

    async def _cut_answers(self, fault: Fault) -> bool:
        wire = self.site.wires[fault.victim % len(self.site.wires)]
        wire.cuts_answers = True
        await asyncio.sleep(fault.lasts)
        wire.cuts_answers = False
        return True

"""A load generator for one HTTP server, lean enough not to be what is measured.

It runs as a process of its own: a plan as JSON in its argument, what it heard as JSON on its output. A connection
speaks plain bytes; what it says next is the business of its script. In an open loop requests are due at moments drawn
beforehand, whatever the server does, and the time of a call counts from the moment it was due.
"""

import asyncio
import sys
from collections import deque
from random import Random
from time import monotonic
from typing import cast

import msgspec
import uvloop

from makegood.bench.quote_http_scripts import SCRIPTS, Heard, Plan, Script, read_plan

MODULE = "makegood.bench.quote_http_load"
_TICK_SECONDS = 0.001  # The finest that the timers of an event loop can do; in an open loop it is part of each time.
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


class Connection(asyncio.Protocol):
    """One keep-alive connection, with one request under way at most."""

    def __init__(self, load: "Load", script: Script) -> None:
        self.begun = 0.0
        self.transport: asyncio.Transport
        self._load = load
        self._script = script
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready to send."""
        self.transport = cast(asyncio.Transport, transport)

    def go_on(self, body: bytes | None, begun: float) -> None:
        """Send what the script says next; its time counts from `begun`."""
        request = self._script.send(body)
        self.begun = begun or monotonic()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """A whole answer is told to the load."""
        self._buffer = buffer = self._buffer + data if self._buffer else data
        end = buffer.find(_HEAD_END)
        if end < 0:
            return
        at = buffer.index(_LENGTH) + len(_LENGTH)
        body_end = end + len(_HEAD_END) + int(buffer[at : buffer.index(b"\r", at)])
        if len(buffer) >= body_end:
            self._buffer = b""
            self._load.answered(self, buffer[9:12], buffer[end + len(_HEAD_END) : body_end])

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """If the load is not over, this ends it with a fault."""
        self._load.end("the server closed a connection")


class Load:
    """The connections of one run, and what they heard."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.heard = Heard()
        self.fault: str | None = None
        self._over = asyncio.Event()
        self._counting = False
        self._idle: list[Connection] = []
        self._waiting: deque[float] = deque()
        self._chance = Random(plan.seed)  # noqa: S311 - a benchmark
        self._due = 0.0

    def answered(self, connection: Connection, status: bytes, body: bytes) -> None:
        """Count it, then go on. Anything but 200 ends the run."""
        if status != b"200":
            self.end(f"{status.decode()}: {body[:300].decode(errors='replace')}")
        if self._over.is_set():
            return
        if self._counting:
            self.heard.calls += 1
            self.heard.times.append(monotonic() - connection.begun)
            self.heard.undecided += body.count(b'"decided":false')
        if self.plan.rate:
            self._idle.append(connection)
            self._send_waiting()
        else:
            connection.go_on(body, 0.0)

    def end(self, fault: str | None = None) -> None:
        """No more requests; the first to say so says why."""
        if not self._over.is_set():
            self.fault = fault
            self._over.set()

    async def run(self) -> None:
        """All of the plan: connect, warm up, count."""
        loop = asyncio.get_running_loop()
        plan = self.plan
        for number in range(plan.connections):
            script = SCRIPTS[plan.script](plan, f"{plan.prefix}-{number}")
            _, made = await loop.create_connection(lambda one=script: Connection(self, one), plan.host, plan.port)  # type: ignore[misc]
            self._idle.append(made)
        loop.call_later(plan.warm_seconds, self._count)
        loop.call_later(plan.warm_seconds + plan.seconds, self.end)
        connections = list(self._idle)
        if plan.rate:
            self._due = monotonic()
            self._tick(loop)
        else:
            for made in connections:
                made.go_on(None, 0.0)
        await self._over.wait()
        self.heard.end()
        for made in connections:
            made.transport.abort()

    def _count(self) -> None:
        self._counting = True
        self.heard.begin()

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        """Payers come at random, on average `rate` a second. Who finds no free connection waits, and the time runs."""
        now = monotonic()
        while self._due <= now:
            self._waiting.append(self._due)
            self._due += self._chance.expovariate(self.plan.rate)
        self._send_waiting()
        if not self._over.is_set():
            loop.call_later(_TICK_SECONDS, self._tick, loop)

    def _send_waiting(self) -> None:
        while self._waiting and self._idle:
            self._idle.pop().go_on(None, self._waiting.popleft())


def main() -> None:
    """Run the plan in the argument; exit 1 with the fault on stderr where there is one."""
    load = Load(read_plan())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(load.run())
    if load.fault is not None:
        sys.exit(load.fault)
    sys.stdout.buffer.write(msgspec.json.encode(load.heard))


if __name__ == "__main__":
    main()

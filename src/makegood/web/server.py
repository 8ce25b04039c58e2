"""The HTTP server process: uvicorn with the bounds that it leaves open, telling where it listens."""

import asyncio
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from makegood.limits import CONNECTIONS_MAX, HEADER_BYTES_MAX, HEADER_SECONDS_MAX
from makegood.web.extensions import AT_ONCE, WHOLE

SHUTDOWN_SECONDS_MAX = 10  # Calls that run get this long to end; a money call takes milliseconds.
KEEP_ALIVE_SECONDS = 60  # Payment gateways keep connections open between payments.


class BoundedProtocol(HttpToolsProtocol):
    """Drops a connection whose request line and headers are too long, or take too long to arrive."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._head_bytes = 0
        self._in_head = True
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The first request has to come."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any longer."""
        self._wait_no_longer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parses; drops the connection if a head is not whole after its bound. One packet may exceed it."""
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > HEADER_BYTES_MAX and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def on_message_begin(self) -> None:
        """A request starts: its head is counted and timed."""
        self._in_head = True
        self._head_bytes = 0
        self._wait()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole; the body has bounds of its own."""
        self._in_head = False
        self._wait_no_longer()
        super().on_headers_complete()
        if self.cycle is not None:
            self.scope[AT_ONCE] = partial(_at_once, self.cycle)  # type: ignore[literal-required]

    def on_message_complete(self) -> None:
        """The body is whole; whoever begins to read it now needs no clock."""
        self.scope[WHOLE] = True  # type: ignore[literal-required]
        super().on_message_complete()

    def _wait(self) -> None:
        self._wait_no_longer()
        self._patience = self.loop.call_later(HEADER_SECONDS_MAX, self._give_up)

    def _wait_no_longer(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


def _at_once(cycle: RequestResponseCycle, head: bytes, body: bytes) -> bool:
    """What `cycle.send` does with the two messages of an answer, with one write for both."""
    if cycle.response_started or cycle.disconnected or not cycle.keep_alive or cycle.flow.write_paused:
        return False
    cycle.waiting_for_100_continue = False
    cycle.response_started = cycle.response_complete = True
    date = [b"%b: %b\r\n" % header for header in cycle.default_headers]
    cycle.transport.write(b"".join((head, *date, b"content-length: %d\r\n\r\n" % len(body), body)))
    cycle.message_event.set()
    cycle.on_response()
    return True


class Server(uvicorn.Server):
    """A server that tells where it listens once it answers."""

    def __init__(self, app: ASGIApp, host: str, port: int, *, on_ready: Callable[[str], None]) -> None:
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            http=BoundedProtocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=CONNECTIONS_MAX,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS_MAX,
        )
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts listening, then tells."""
        await super().startup(sockets)
        if self.started:
            self._on_ready(self.address)

    @property
    def address(self) -> str:
        """Where it listens, e.g. `http://127.0.0.1:8765`; with the port that was free if 0 was asked for."""
        return address_of(self.servers[0].sockets[0])


def address_of(listening: Any) -> str:
    """The address of a socket that listens."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

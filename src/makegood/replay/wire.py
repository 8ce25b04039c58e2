"""The HTTP API as a caller in another process sees it: one client, many keys."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any
from uuid import uuid4

import httpx
import msgspec

from makegood.errors import MakegoodError

CALL_SECONDS_MAX = 30  # The deadline of a quote is far below; a call that lasts longer will not be answered.
_MONEY_CALLS = ("/v1/quotes", "/v1/payments")  # Their own ids are their idempotency keys.
_TRIES = 3  # A connection that the server closed while it was idle is opened again.


class CallFailed(MakegoodError):  # noqa: N818 - as `Problem`, it is what happened
    """An answer that this program did not expect; the message tells the call and what came back."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, and the seconds it took."""

    status: int
    body: Any
    seconds: float

    @property
    def code(self) -> str | None:
        """The permanent code of a problem; None where there is none."""
        return self.body.get("code") if isinstance(self.body, dict) and self.status >= 400 else None


class Connections:
    """Clients of one server; as many calls run at once as there are clients, each on a connection of its own.

    One client with many connections looks through all of them for every call, which costs more than the call.
    """

    def __init__(self, clients: Sequence[httpx.AsyncClient]) -> None:
        self._idle: asyncio.LifoQueue[httpx.AsyncClient] = asyncio.LifoQueue()
        for client in clients:
            self._idle.put_nowait(client)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client that nobody else uses meanwhile."""
        client = await self._idle.get()
        try:
            yield client
        finally:
            self._idle.put_nowait(client)


class Wire:
    """Calls to one server. `keys` are those that its callers hold, by principal."""

    def __init__(self, connections: Connections, keys: Mapping[str, str]) -> None:
        self._connections = connections
        self._headers = {who: {"Authorization": f"Bearer {key}"} for who, key in keys.items()}

    async def send(
        self, who: str | None, method: str, path: str, body: Any = None, *, content: bytes | None = None
    ) -> Reply:
        """Whatever comes back. The body is sent as JSON; `content` is sent as it is, said to be JSON."""
        data = content if body is None else msgspec.json.encode(body)
        headers = dict(self._headers.get(who, {})) if who is not None else {}
        if data is not None:
            headers["Content-Type"] = "application/json"
        if method == "POST" and not path.startswith(_MONEY_CALLS):
            headers["Idempotency-Key"] = uuid4().hex
        async with self._connections.one() as client:
            for last in (False,) * (_TRIES - 1) + (True,):
                begun = perf_counter()
                try:
                    response = await client.request(method, path, content=data, headers=headers)
                except httpx.TransportError as error:
                    if last:
                        why = str(error) or type(error).__name__
                        raise CallFailed(f"{method} {path} was not answered: {why}") from error
                    continue
                return Reply(response.status_code, _decoded(response), perf_counter() - begun)
        raise AssertionError("the last try returns or raises")

    async def call(self, who: str, method: str, path: str, body: Any = None) -> Any:
        """The body of an answer that must be fine. Raises CallFailed."""
        reply = await self.send(who, method, path, body)
        if reply.status != 200:
            raise CallFailed(f"{method} {path} as `{who}` gave {reply.status}: {_told(reply.body)}")
        return reply.body


@asynccontextmanager
async def connections_to(address: str, count: int) -> AsyncIterator[Connections]:
    """`count` connections to a server at `address`; they ask no proxy, and are closed afterwards."""
    unused = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # Plain HTTP; without it every client reads all certificates.
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
    async with AsyncExitStack() as stack:
        clients = [
            httpx.AsyncClient(base_url=address, timeout=CALL_SECONDS_MAX, limits=limits, trust_env=False, verify=unused)
            for _ in range(count)
        ]
        for client in clients:
            await stack.enter_async_context(client)
        yield Connections(clients)


def _decoded(response: httpx.Response) -> Any:
    try:
        return msgspec.json.decode(response.content) if response.content else None
    except msgspec.DecodeError:
        return response.text


def _told(body: Any) -> str:
    if not isinstance(body, dict):
        return str(body)[:200]
    places = "; ".join(f"{e['path']} {e['message']}" for e in body.get("errors", ())[:5])
    return f"{body.get('code')}: {body.get('detail')}" + (f" ({places})" if places else "")

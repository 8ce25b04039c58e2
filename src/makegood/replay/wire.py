"""The HTTP API as a caller in another process sees it: one client, many keys."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import httpx
import msgspec

from makegood.errors import MakegoodError

CALL_SECONDS_MAX = 30  # The deadline of a quote is far below; a call that lasts longer will not be answered.
_TRIES = 3  # A connection that the server closed while it was idle is opened again.


class CallFailed(MakegoodError):
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


class Wire:
    """Calls to one server. `keys` are those that its callers hold, by principal."""

    def __init__(self, client: httpx.AsyncClient, keys: Mapping[str, str]) -> None:
        self._client = client
        self._headers = {who: {"Authorization": f"Bearer {key}"} for who, key in keys.items()}

    async def send(
        self, who: str | None, method: str, path: str, body: Any = None, *, content: bytes | None = None
    ) -> Reply:
        """Whatever comes back. The body is sent as JSON; `content` is sent as it is, said to be JSON."""
        data = content if body is None else msgspec.json.encode(body)
        headers = dict(self._headers.get(who, {})) if who is not None else {}
        if data is not None:
            headers["Content-Type"] = "application/json"
        for last in (False,) * (_TRIES - 1) + (True,):
            begun = perf_counter()
            try:
                response = await self._client.request(method, path, content=data, headers=headers)
            except httpx.TransportError as error:
                if last:
                    raise CallFailed(f"{method} {path} was not answered: {error or type(error).__name__}") from error
                continue
            return Reply(response.status_code, _decoded(response), perf_counter() - begun)
        raise AssertionError("the last try returns or raises")

    async def call(self, who: str, method: str, path: str, body: Any = None) -> Any:
        """The body of an answer that must be fine. Raises CallFailed."""
        reply = await self.send(who, method, path, body)
        if reply.status != 200:
            raise CallFailed(f"{method} {path} as `{who}` gave {reply.status}: {_told(reply.body)}")
        return reply.body


def client_of(address: str, connections: int) -> AbstractAsyncContextManager[httpx.AsyncClient]:
    """A client of a server at `address` that asks no proxy and keeps its connections."""
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    return httpx.AsyncClient(base_url=address, timeout=CALL_SECONDS_MAX, limits=limits, trust_env=False)


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

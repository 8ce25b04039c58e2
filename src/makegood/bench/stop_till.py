"""Tills: connections that ask a node for quotes, steadily, and write down what they heard and when."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import msgspec

from makegood.bench.quote_http_payments import payment
from makegood.bench.row import AnswersDiffer

_LENGTH = b"content-length: "


class Till:
    """One keep-alive connection to a node, with one request under way at most. `through`: a socket connected to it."""

    def __init__(self, address: str, key: str, *, through: socket.socket | None = None) -> None:
        at = urlsplit(address)
        self._host, self._port, self._key, self._through = at.hostname or "", at.port or 0, key, through
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, body: Any) -> tuple[int, Any]:
        """The status and the decoded body of the answer. Raises OSError or EOFError where the node is gone."""
        if self._streams is None:
            self._streams = await self._connected()
        reader, writer = self._streams
        writer.write(self._request(path, msgspec.json.encode(body)))
        head = await reader.readuntil(b"\r\n\r\n")
        begins = head.index(_LENGTH) + len(_LENGTH)
        content = await reader.readexactly(int(head[begins : head.index(b"\r", begins)]))
        return int(head[9:12]), msgspec.json.decode(content)

    async def quote(self, body: dict[str, Any]) -> dict[str, Any]:
        """The answer to a payment. Raises AnswersDiffer where it is a problem."""
        status, answer = await self.post("/v1/quotes", body)
        if status != 200:
            raise AnswersDiffer(f"a payment was answered {status}: {answer!r}"[:400])
        return dict(answer)

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._through is not None:
            return await asyncio.open_connection(sock=self._through)
        return await asyncio.open_connection(self._host, self._port)

    def _request(self, path: str, content: bytes) -> bytes:
        head = f"POST {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nAuthorization: Bearer {self._key}\r\n"
        return f"{head}Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content


@dataclass(frozen=True, slots=True)
class Heard:
    """The answer of a node to one payment; `sent` and `heard` are seconds of this process's monotonic clock."""

    node: int
    city: str
    sent: float
    heard: float
    answer: dict[str, Any]

    @property
    def granted(self) -> bool:
        """Whether it was granted something."""
        return self.answer["quote_id"] is not None

    @property
    def refused(self) -> bool:
        """Whether the node decided that it gets nothing."""
        return self.answer["decided"] and not self.granted


class Load:
    """Payments of one city at a time, steadily on every node. What was heard is in `heard`, in the order it came."""

    def __init__(self, addresses: Sequence[str], key: str, seed: int, *, tills: int, rate: float) -> None:
        self.heard: list[Heard] = []
        self.city = ""
        self.nodes = range(len(addresses))
        self._tills = [(node, Till(at, key)) for node, at in enumerate(addresses) for _ in range(tills)]
        self._pause = tills / rate
        self._seed = seed
        self._more = asyncio.Condition()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Load":
        """Begin."""
        for number, (node, till) in enumerate(self._tills):
            self._tasks.append(asyncio.create_task(self._pay(number, node, till)))
        return self

    async def __aexit__(self, *error: object) -> None:
        """No further payments; answers under way are given up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for _, till in self._tills:
            till.close()

    async def until_everywhere(self, is_so: Callable[[Heard], bool], seconds: float = 60.0) -> None:
        """Until every node has answered a payment so, from now on. Raises what a till met, or TimeoutError."""
        begun, missing = len(self.heard), set(self.nodes)
        async with asyncio.timeout(seconds), self._more:
            while missing:
                await self._more.wait()
                for task in self._tasks:
                    if task.done():
                        task.result()
                missing -= {one.node for one in self.heard[begun:] if is_so(one)}

    async def _pay(self, number: int, node: int, till: Till) -> None:
        chance, paid = Random(f"{self._seed} {number}"), 0  # noqa: S311 - a benchmark
        try:
            while True:
                # Tills of a node do not go in step. Who was kept waiting does not make up for it.
                await asyncio.sleep(chance.uniform(0.5, 1.5) * self._pause)
                paid += 1
                asked = payment(f"{self._seed}-{number}-{paid}", granted=True) | {"city": self.city}
                sent = monotonic()
                answer = await till.quote(asked)
                await self._note(Heard(node, asked["city"], sent, monotonic(), answer))
        finally:
            async with self._more:
                self._more.notify_all()

    async def _note(self, heard: Heard) -> None:
        async with self._more:
            self.heard.append(heard)
            self._more.notify_all()

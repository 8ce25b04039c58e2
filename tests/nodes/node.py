"""A node: a server process of its own, which a test may kill, suspend, or put into another network."""

import asyncio
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

import msgspec

from makegood.settings import Settings

SERVER = ("-P", "-m", "makegood.demo.server")
READY_SECONDS_MAX = 60.0

Start = Callable[[Callable[[], "subprocess.Popen[bytes]"]], "subprocess.Popen[bytes]"]


class Node:
    """A running server."""

    def __init__(self, process: "subprocess.Popen[bytes]", address: str) -> None:
        self.process, self.address = process, address

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL; it is gone when this returns."""
        self.process.kill()
        self.process.wait()


@asynccontextmanager
async def started(
    settings: Settings, program: Sequence[str] = SERVER, start: Start = lambda popen: popen()
) -> AsyncIterator[Node]:
    """A server that answers. Afterwards it is gone. `start` calls what it is given, wherever it likes."""
    told = msgspec.json.encode(asdict(settings)).decode()

    def popen() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, *program, told], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            start_new_session=True, env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )  # fmt: skip

    process = await asyncio.to_thread(start, popen)
    try:
        yield Node(process, await _address(process))
    finally:
        await asyncio.to_thread(_end, process)


async def _address(process: "subprocess.Popen[bytes]") -> str:
    assert process.stdout is not None
    async with asyncio.timeout(READY_SECONDS_MAX):
        line = await asyncio.to_thread(process.stdout.readline)
    assert line, f"the node did not start: it returned {process.wait()}"
    return line.decode().strip()


def _end(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.close()  # It stops by itself.
    process.send_signal(signal.SIGCONT)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()


def payment(city: str, **changes: Any) -> dict[str, Any]:
    """A payment of a payer of its own, that the campaign of the city grants something."""
    name = secrets.token_hex(8)
    return {
        "payment_id": f"pay-{name}", "occurred_at": "2027-02-03T02:00:00Z", "payer_id": f"payer-{name}",
        "payee_id": "m-88", "amount": 10_000, "currency": "CNY", "scene": "in_store_qr", "channel": "app",
        "instrument": "balance", "city": city, "items_count": 1, "payer_is_new": False, "payer_segments": [],
    } | changes  # fmt: skip

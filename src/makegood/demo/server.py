"""The HTTP server of a demo, in a process of its own so that it has a core of its own.

It stops when its standard input ends, so it never outlives the process that started it, however that one died.
"""

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path

import msgspec
from starlette.types import ASGIApp

from makegood.errors import StoreUnavailable
from makegood.settings import Settings
from makegood.telemetry import configure_logging
from makegood.web.app import create_app
from makegood.web.server import Server

READY_SECONDS_MAX = 60  # A slow disk makes a new PostgreSQL in ten.
STOP_SECONDS_MAX = 20


@asynccontextmanager
async def serving(settings: Settings, module: str = "makegood.demo.server") -> AsyncIterator[str]:
    """The address of a server with these settings; afterwards its process is gone. `module` calls `serve`."""
    log = Path(settings.data) / "server.log"
    process = await _start(settings, log, module)
    try:
        yield await _address(process, log)
    finally:
        await asyncio.shield(asyncio.to_thread(_stop, process))


async def _start(settings: Settings, log: Path, module: str) -> "subprocess.Popen[bytes]":
    told = msgspec.json.encode(asdict(settings)).decode()
    with log.open("ab") as errors:
        # A session of its own: Ctrl-C reaches this process only, which then ends the other in order.
        return subprocess.Popen(  # noqa: S603, ASYNC220 - our own module; it returns at once
            [sys.executable, "-P", "-m", module, told],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True,
        )  # fmt: skip


async def _address(process: "subprocess.Popen[bytes]", log: Path) -> str:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(READY_SECONDS_MAX):
            line = await asyncio.to_thread(process.stdout.readline)
    except TimeoutError:
        line = b""
    if not line:
        raise StoreUnavailable(f"the demo's server did not start: {_tail(log)}")
    return line.decode().strip()


def _tail(log: Path) -> str:
    """The last line that the server logged."""
    return " ".join(log.read_text(errors="replace").splitlines()[-1:])[-400:] or "it said nothing"


def _stop(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()


def serve(settings: Settings, app: ASGIApp) -> None:
    """Serve `app` until standard input ends; where is told on standard output."""
    configure_logging(settings.log_level)

    def ready(address: str) -> None:
        sys.stdout.write(address + "\n")
        sys.stdout.flush()

    server = Server(app, settings.host, settings.port, on_ready=ready)

    def watch() -> None:
        sys.stdin.buffer.read()
        server.should_exit = True

    threading.Thread(target=watch, daemon=True).start()
    server.run()


if __name__ == "__main__":
    asked = Settings(**msgspec.json.decode(sys.argv[1]))
    serve(asked, create_app(asked))

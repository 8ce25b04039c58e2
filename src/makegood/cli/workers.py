"""Several server processes on one socket: who starts them, starts a dead one again, and ends them all in order.

1. The parent listens, so the port is taken once and no call is refused while a worker starts.
2. Each worker accepts from the same socket. What a worker acknowledged is in the store, so its death loses nothing.
3. A worker that dies is started again: at once, then after pauses that double.
4. SIGTERM and Ctrl-C are passed on. Workers are in sessions of their own, so a terminal's Ctrl-C reaches only the
   parent, and a worker hears it once: a second time would cut its calls off.
5. If the parent dies, the workers' standard input ends, and they stop by themselves.
"""

import asyncio
import os
import signal
import socket
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import msgspec

from makegood.cli.worker import MODULE, Orders
from makegood.limits import SHARES_MAX
from makegood.settings import Settings, worker_environment
from makegood.telemetry import log
from makegood.web.server import SHUTDOWN_SECONDS_MAX, address_of

STOP_SECONDS_MAX = SHUTDOWN_SECONDS_MAX + 20  # Calls that run, then the store: an embedded one stops with the last.
PAUSE_SECONDS = 0.1  # Before a worker that died young is started again; doubled each time.
PAUSE_SECONDS_MAX = 10.0
YOUNG_SECONDS = 30.0  # Who lived longer than this is started again at once.


def run_workers(
    settings: Settings, listening: socket.socket, on_ready: Callable[[str], None], *, demo: bool, as_json: bool
) -> None:
    """Serve by `settings.workers` processes until told to stop; none of them is left afterwards.

    `on_ready` is told the address once every worker answers. Raises KeyboardInterrupt where Ctrl-C ended it.
    """
    with tempfile.TemporaryDirectory(prefix="makegood-metrics-") as metrics:
        crew = Crew(settings, listening, metrics, demo=demo, as_json=as_json)
        ended_by = asyncio.run(crew.run(lambda: on_ready(address_of(listening))))
    if ended_by == signal.SIGINT:
        raise KeyboardInterrupt


class Crew:
    """The workers of one server."""

    def __init__(
        self, settings: Settings, listening: socket.socket, metrics: str, *, demo: bool, as_json: bool
    ) -> None:
        self._settings = settings
        self._listening = listening
        self._metrics = metrics
        self._demo = demo
        self._as_json = as_json
        self._ending: asyncio.Future[signal.Signals]
        self._processes: dict[int, Process] = {}

    async def run(self, on_ready: Callable[[], None]) -> signal.Signals:
        """Until a signal says to end, which is returned once all workers are gone."""
        loop = asyncio.get_running_loop()
        self._ending = loop.create_future()
        for one in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(one, self._end, one)
        ready = [asyncio.Event() for _ in range(self._settings.workers)]
        kept = [asyncio.create_task(self._keep(number, event)) for number, event in enumerate(ready)]
        telling = asyncio.create_task(_tell_once(ready, on_ready))
        try:
            return await self._ending
        finally:
            telling.cancel()
            await asyncio.gather(*kept)

    def _end(self, by: signal.Signals) -> None:
        if not self._ending.done():
            self._ending.set_result(by)
        for process in self._processes.values():
            with suppress(ProcessLookupError):
                process.terminate()

    async def _keep(self, number: int, ready: asyncio.Event) -> None:
        """Keep a worker alive until all are to end; then see it end."""
        loop = asyncio.get_running_loop()
        pause = 0.0
        first = True
        while not self._ending.done():
            begun = loop.time()
            try:
                process = await self._start(number, ready, demo=self._demo and first and number == 0)
            except OSError as error:  # No memory or no descriptors: that may pass, and the others go on.
                pause = min(max(pause * 2, PAUSE_SECONDS), PAUSE_SECONDS_MAX)
                log.error("worker_was_not_started", worker=number, reason=str(error), starts_again_in=pause)
                await asyncio.wait({self._ending}, timeout=pause)
                continue
            self._processes[number] = process
            first = False
            either: set[asyncio.Future[Any]] = {asyncio.ensure_future(process.wait()), self._ending}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if self._ending.done():
                await _ended(process)
                return
            young = loop.time() - begun < YOUNG_SECONDS
            log.warning("worker_died", worker=number, status=process.returncode, starts_again_in=pause)
            await asyncio.wait({self._ending}, timeout=pause)
            pause = min(max(pause * 2, PAUSE_SECONDS), PAUSE_SECONDS_MAX) if young else 0.0

    async def _start(self, number: int, ready: asyncio.Event, *, demo: bool) -> Process:
        heard, told = os.pipe()
        listening = self._listening.fileno()
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", MODULE, stdin=PIPE, pass_fds=(listening, told), start_new_session=True,
                env=worker_environment(self._metrics),
            )  # fmt: skip
        except BaseException:
            os.close(heard)
            raise
        finally:
            os.close(told)
        _when_told(heard, ready)
        lane = (max(self._settings.lane, 0) + number) % SHARES_MAX  # Side by side, so that shares are spread evenly.
        orders = Orders(replace(self._settings, lane=lane), listening, told, demo, self._as_json)
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(orders) + b"\n")
        return process


async def _tell_once(ready: list[asyncio.Event], on_ready: Callable[[], None]) -> None:
    for one in ready:
        await one.wait()
    on_ready()


def _when_told(heard: int, ready: asyncio.Event) -> None:
    """Set `ready` at the first byte that comes; the pipe is closed then, or when nobody can write to it any more."""
    loop = asyncio.get_running_loop()

    def look() -> None:
        if os.read(heard, 1):
            ready.set()
        loop.remove_reader(heard)
        os.close(heard)

    loop.add_reader(heard, look)


async def _ended(process: Process) -> None:
    """The worker has ended: in order if it could within its time."""
    try:
        async with asyncio.timeout(STOP_SECONDS_MAX):
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
    except TimeoutError:
        log.error("worker_was_killed", worker=process.pid)
        process.kill()
        await process.wait()

"""`makegood serve --workers`: several processes on one port, none of which is missed when it dies."""

import asyncio
import errno
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.web.running import Running, eventually, payment

from makegood.cli import workers
from makegood.settings import Settings


@dataclass
class Crew:
    """A server of two workers beside the server of the other tests, on its store."""

    process: "subprocess.Popen[str]"
    address: str
    keys: dict[str, str]

    def workers(self) -> set[int]:
        """The processes that the server started and that run."""
        told = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return {int(pid) for pid in told.split() if _runs(int(pid))}

    def client(self, who: str = "checkout") -> httpx.Client:
        """A client whose every call is a new connection, so that any worker may take it."""
        headers = {"Authorization": f"Bearer {self.keys[who]}", "Connection": "close"}
        return httpx.Client(base_url=self.address, headers=headers, timeout=20, trust_env=False, verify=False)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] != "Z"
    except OSError:
        return False


@contextmanager
def crew_of(server: Running) -> Iterator[Crew]:
    told = ("--data", str(server.data), "--port", "0", "--workers", "2", "--json")
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("makegood")), "serve", *told],
        stdout=subprocess.PIPE, text=True,  # What it logs is pytest's: a pipe that nobody reads would stop it.
        env={**os.environ, "MAKEGOOD_LOG_LEVEL": "warning", "MAKEGOOD_DEADLINE_MS": "5000"},
    )  # fmt: skip
    assert process.stdout is not None
    try:
        yield Crew(process, json.loads(process.stdout.readline())["address"], server.keys)
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.fixture(scope="module")
def crew(server: Running) -> Iterator[Crew]:
    with crew_of(server) as made:
        yield made


def quote(client: httpx.Client) -> dict[str, Any]:
    """The answer to a payment that is granted something, asked until there is one."""
    raw = payment()
    for _ in range(20):
        try:
            response = client.post("/v1/quotes", json=raw)
        except httpx.TransportError:
            continue  # The worker died; the same payment is asked again.
        if response.status_code == 200 and response.json()["decided"]:
            answer: dict[str, Any] = response.json()
            return answer
    raise AssertionError("nobody answers")


def granted(crew: Crew) -> int:
    with crew.client("auditor") as client:
        text = client.get("/metrics").text
    found = re.search(r'^makegood_quotes_total\{outcome="granted"\} (\d+)', text, re.MULTILINE)
    assert text.endswith("# EOF\n")
    return int(found[1]) if found else 0


def test_each_of_two_workers_answers_while_the_other_does_not(crew: Crew) -> None:
    workers = crew.workers()
    assert len(workers) == 2
    for silent in workers:
        os.kill(silent, signal.SIGSTOP)
        try:
            with crew.client() as client:
                assert client.get("/readyz").json() == {"ready": True}
        finally:
            os.kill(silent, signal.SIGCONT)


def test_metrics_count_all_workers_together(crew: Crew) -> None:
    before = granted(crew)
    first, second = crew.workers()
    for silent in (first, second):
        os.kill(silent, signal.SIGSTOP)
        try:
            with crew.client() as client:
                assert quote(client)["discount_minor"] == 2_000
        finally:
            os.kill(silent, signal.SIGCONT)
    assert granted(crew) == before + 2


def test_a_worker_killed_under_load_comes_back_and_nothing_acknowledged_is_lost(crew: Crew) -> None:
    acknowledged: list[dict[str, Any]] = []
    over = threading.Event()

    def pay() -> None:
        with crew.client() as client:
            while not over.is_set():
                acknowledged.append(quote(client))

    before = crew.workers()
    payers = [threading.Thread(target=pay) for _ in range(4)]
    for payer in payers:
        payer.start()
    try:
        assert eventually(lambda: len(acknowledged) > 10)
        os.kill(before.copy().pop(), signal.SIGKILL)
        assert eventually(lambda: len(crew.workers() - before) == 1), "another one was started"
        many = len(acknowledged)
        assert eventually(lambda: len(acknowledged) > many + 10)
    finally:
        over.set()
        for payer in payers:
            payer.join(30)
    with crew.client() as client:
        for one in acknowledged[-200:]:
            assert client.get(f"/v1/quotes/{one['quote_id']}").json() == one
    with crew.client("auditor") as client:
        assert client.get("/v1/ledger/verification").json()["balanced"]
    assert granted(crew) >= len(acknowledged), "what a dead worker counted is kept"


def test_ctrl_c_ends_the_server_and_its_workers_in_order(crew: Crew) -> None:
    workers = crew.workers()
    crew.process.send_signal(signal.SIGINT)
    assert crew.process.wait(60) == 0
    assert not any(map(_runs, workers))


def test_no_worker_outlives_a_server_that_was_killed(server: Running) -> None:
    with crew_of(server) as crew:
        workers = crew.workers()
        assert len(workers) == 2
        crew.process.kill()
        assert eventually(lambda: not any(map(_runs, workers)))


async def test_a_worker_that_cannot_be_started_is_tried_again_and_costs_no_descriptor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[int] = []

    async def refused(*_: object, **__: object) -> None:
        tried.append(len(os.listdir("/proc/self/fd")))  # noqa: PTH208 - of a folder that is not on a disk
        if len(tried) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(workers, "PAUSE_SECONDS_MAX", 0.01)
    monkeypatch.setattr(asyncio, "create_subprocess_exec", refused)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        crew = workers.Crew(Settings(workers=1), listening, "", demo=False, as_json=False)
        assert await asyncio.wait_for(crew.run(lambda: None), 30) is signal.SIGTERM
    assert len(tried) == 3 and len(set(tried)) == 1

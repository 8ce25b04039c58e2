"""A real server in a thread of its own: uvicorn on loopback, an embedded PostgreSQL, one test house with a campaign."""

import asyncio
import itertools
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

from makegood.domain.review import Guard, Scope
from makegood.services.access import create_house, create_key
from makegood.services.platform import Platform
from makegood.settings import Settings
from makegood.web.app import create_app
from makegood.web.server import Server

EXAMPLES = Path(__file__).parents[2] / "examples"
CAMPAIGN = "spring-qr-2027"
PEOPLE: dict[str, tuple[Scope, ...]] = {
    "wei": (Scope.BRIEF, Scope.READ),
    "ana": (Scope.AUTHOR, Scope.READ),
    "risk": (Scope.APPROVE, Scope.READ, Scope.RESUME),
    "finance": (Scope.APPROVE, Scope.READ, Scope.RESUME),
    "oncall": (Scope.OPERATE, Scope.READ),
    "checkout": (Scope.QUOTE,),
    "auditor": (Scope.READ,),
}

T = TypeVar("T")
_numbers = itertools.count(1)


@dataclass
class Running:
    """A server that answers at `address`; `keys` are those of its house `shop`, by principal."""

    data: Path
    address: str = ""
    keys: dict[str, str] = field(default_factory=dict)
    loop: asyncio.AbstractEventLoop | None = None
    app: Any = None

    def platform(self) -> Platform:
        """The server's own platform."""
        found = self.app.state.shared.platform
        assert found is not None, "the server has not opened its store"
        return found  # type: ignore[no-any-return]

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`, done in the server's loop."""
        assert self.loop is not None
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def client(self, who: str | None = "checkout", **headers: str) -> httpx.Client:
        """A client with that principal's key, or with none."""
        given = {"Authorization": f"Bearer {self.keys[who]}"} if who is not None else {}
        return httpx.Client(base_url=self.address, headers=given | headers, timeout=20, trust_env=False, verify=False)

    def postmaster(self) -> int:
        """The process id of the embedded PostgreSQL."""
        return int((self.data / "postgres" / "postmaster.pid").read_text().splitlines()[0])

    def kill_store(self) -> None:
        """SIGKILL to PostgreSQL: what it had not made durable is gone."""
        os.kill(self.postmaster(), signal.SIGKILL)


@contextmanager
def data_folder() -> Iterator[Path]:
    """A short-named folder that also PostgreSQL's own user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="mg-"))
    folder.chmod(0o755)
    try:
        yield folder / "data"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(data: Path, **settings: Any) -> Iterator[Running]:
    """A server, stopped gracefully afterwards."""
    made = Running(data)
    ready = threading.Event()
    made.app = create_app(Settings(data=str(data), **settings))
    server = Server(made.app, "127.0.0.1", 0, on_ready=lambda address: _ready(made, address, ready))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert ready.wait(60), "the server did not start"
    try:
        yield made
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive(), "the server did not stop"


def _ready(made: Running, address: str, ready: threading.Event) -> None:
    made.address = address
    made.loop = asyncio.get_running_loop()
    ready.set()


def make_house(server: Running, name: str, people: Iterable[str] = PEOPLE, *, live: bool = False) -> dict[str, str]:
    """A house and a key for each of `people`. A test house goes without a detector: what tests pay is not what a brief
    expects.
    """
    left_out = () if live else (Guard.DETECTOR,)
    server.run(create_house(server.platform(), name, live=live, guards_left_out=left_out))
    return {who: server.run(create_key(server.platform(), name, who, PEOPLE[who])).key for who in people}


def publish(server: Running, keys: dict[str, str], *, open_stages: bool = True) -> None:
    """The example policy and campaign, approved: in a test house it runs when payments say it is February 2027."""

    def call(who: str, path: str, body: Any) -> Any:
        headers = {"Authorization": f"Bearer {keys[who]}", "Idempotency-Key": f"key-{next(_numbers)}"}
        response = httpx.post(
            server.address + path, json=body, headers=headers, timeout=20, trust_env=False, verify=False
        )
        assert response.status_code == 200, response.text
        return response.json()

    def propose(who: str, file: str) -> str:
        documents = [{"file": file, "text": (EXAMPLES / file).read_text(encoding="utf-8")}]
        return call(who, "/v1/documents", {"documents": documents})["published"][-1]["revision"]  # type: ignore[no-any-return]

    call("finance", f"/v1/revisions/{propose('risk', 'policy.yaml')}/approve", {})
    propose("wei", "brief-spring.yaml")
    revision = propose("ana", "campaign-spring.yaml")
    for who in ("risk", "finance"):
        call(who, f"/v1/revisions/{revision}/approve", {})
    for opened in (100_000, 1_000_000) if open_stages else ():
        call("oncall", f"/v1/campaigns/{CAMPAIGN}/stages", {"opened_minor": opened})


def payment(**changes: Any) -> dict[str, Any]:
    """A payment of a new payer that the example campaign takes 20.00 CNY off."""
    number = next(_numbers)
    return {
        "payment_id": f"pay-{number}",
        "occurred_at": "2027-02-03T02:00:00Z",
        "payer_id": f"payer-{number}",
        "payee_id": "m-88",
        "amount": 10_000,
        "currency": "CNY",
        "scene": "in_store_qr",
        "channel": "app",
        "instrument": "balance",
        "city": "Hangzhou",
        "items_count": 1,
        "payer_is_new": False,
        "payer_segments": [],
    } | changes


def eventually(holds: Callable[[], bool], seconds: float = 40.0) -> bool:
    """Whether `holds` becomes true within the time."""
    waiting = threading.Event()
    for _ in range(int(seconds / 0.05)):
        if holds():
            return True
        waiting.wait(0.05)
    return holds()

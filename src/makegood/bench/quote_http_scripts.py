"""What a load asks: plans, the scripts that connections follow, and what was heard."""

import sys
from collections.abc import Callable, Generator, Mapping
from itertools import count, islice
from time import monotonic, process_time
from typing import Any

import msgspec

from makegood.bench.quote_http_payments import granted, mixed

Script = Generator[bytes, bytes | None, None]  # Yields a request, is sent the body of its answer.

BATCH = 100  # Payments of one batch.
EMPTY = "/empty"


class Plan(msgspec.Struct, frozen=True):
    """One run. `rate`: requests a second that are due whatever the server does; 0 for as fast as it answers."""

    host: str
    port: int
    key: str
    script: str
    prefix: str
    connections: int = 32
    seconds: float = 2.0
    warm_seconds: float = 0.5
    rate: float = 0.0
    seed: int = 0


class Heard(msgspec.Struct):
    """What came back while it was counted. `cpu` is what the load itself used, in seconds; so is `times`."""

    calls: int = 0
    undecided: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    times: list[float] = []

    def begin(self) -> None:
        """Counting begins."""
        self.seconds, self.cpu = -monotonic(), -process_time()

    def end(self) -> None:
        """Counting is over."""
        self.seconds += monotonic()
        self.cpu += process_time()

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.calls / self.seconds

    def percentile(self, share: float) -> float:
        """Milliseconds that this share of the calls stays below."""
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1_000


def _request(plan: Plan, path: str, body: Any = None) -> bytes:
    content = b"" if body is None else msgspec.json.encode(body)
    head = f"POST {path} HTTP/1.1\r\nHost: {plan.host}:{plan.port}\r\nAuthorization: Bearer {plan.key}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


def _empty(plan: Plan, prefix: str) -> Script:
    for one in mixed(prefix):
        yield _request(plan, EMPTY, one)


def _quotes(plan: Plan, prefix: str) -> Script:
    for one in mixed(prefix):
        yield _request(plan, "/v1/quotes", one)


def _cycles(plan: Plan, prefix: str) -> Script:
    """A quote that is granted something, then its capture."""
    for one in granted(prefix):
        body = yield _request(plan, "/v1/quotes", one)
        quote_id = msgspec.json.decode(body or b"")["quote_id"]
        if quote_id is not None:
            yield _request(plan, f"/v1/quotes/{quote_id}/capture")


def _batches(plan: Plan, prefix: str) -> Script:
    """The same, a hundred at a time."""
    payments = granted(prefix)
    for _ in count():
        body = yield _request(plan, "/v1/quotes/batch", {"payments": list(islice(payments, BATCH))})
        quotes = msgspec.json.decode(body or b"")["quotes"]
        captures = [{"quote_id": quote["quote_id"]} for quote in quotes if quote["quote_id"] is not None]
        yield _request(plan, "/v1/captures", {"captures": captures})


SCRIPTS: Mapping[str, Callable[[Plan, str], Script]] = {
    "empty": _empty,
    "quotes": _quotes,
    "cycles": _cycles,
    "batches": _batches,
}


def read_plan() -> Plan:
    """The plan in this process's argument."""
    return msgspec.json.decode(sys.argv[1], type=Plan)

"""Calls over HTTP to whichever server answers, and what was said."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

PATIENCE_SECONDS = 2.5  # Of a payment, at its till. A server that is stopped is stopped for longer.
OFFICE_PATIENCE_SECONDS = 20.0  # Of everybody else: a resume is proved again first.
TILL = {"quote", "capture", "captures", "release", "refund"}
AWAY = {"store_is_unavailable", "too_many_requests", "idempotency_key_is_busy", "internal"}


@dataclass(frozen=True, slots=True)
class Said:
    """An answer that says what is so. Times are seconds of the epoch."""

    status: int
    body: dict[str, Any]
    began: float
    ended: float

    @property
    def done(self) -> bool:
        """Whether it was done, and not refused."""
        return self.status == 200

    @property
    def code(self) -> str:
        """Why it was refused."""
        return str(self.body.get("code", self.status))


@dataclass(slots=True)
class Tally:
    """Calls counted by kind and outcome, when calls failed, and what was found to be wrong."""

    outcomes: Counter[str] = field(default_factory=Counter)
    failed: list[tuple[float, float]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def clear(self) -> None:
        """Forget what was counted."""
        self.outcomes.clear()
        self.failed.clear()

    def failures(self, since: float, until: float) -> int:
        """Calls that ran in that time and were told nothing."""
        return sum(1 for began, ended in self.failed if began <= until and ended >= since)


class Line:
    """The ways to the servers, for one principal."""

    def __init__(self, addresses: Sequence[str], http: httpx.AsyncClient, key: str, tally: Tally) -> None:
        self.addresses, self.tally = tuple(addresses), tally
        self._http, self._headers = http, {"Authorization": f"Bearer {key}"}

    async def call(self, kind: str, method: str, path: str, body: Any = None, *, to: int = 0) -> Said | None:
        """What was said; None where nothing was: no answer, half of one, or that nothing could be decided."""
        began = time.time()
        headers = self._headers | ({"Idempotency-Key": f"{began!r}-{to}"} if kind in ("resume", "document") else {})
        try:
            address = self.addresses[to % len(self.addresses)] + path
            patience = PATIENCE_SECONDS if kind in TILL else OFFICE_PATIENCE_SECONDS
            response = await self._http.request(method, address, json=body, headers=headers, timeout=patience)
            answer = response.json()
        except (httpx.TransportError, ValueError) as error:
            self._nothing(kind, "no answer" if isinstance(error, httpx.TransportError) else "no json", began)
            return None
        code = answer.get("code")
        if code in AWAY or response.status_code >= 500:
            self._price_stays(kind, body, answer.get("fallback"))
            self._nothing(kind, str(code), began)
            return None
        if answer.get("decided") is False and response.status_code == 200:
            self._price_stays(kind, body, answer)
            self._nothing(kind, f"undecided, {answer['reason']}", began)
            return None
        self.tally.outcomes[f"{kind}: {_outcome(response.status_code, answer)}"] += 1
        return Said(response.status_code, answer, began, time.time())

    async def insist(self, kind: str, method: str, path: str, body: Any = None, *, seconds: float = 60) -> Said:
        """What was said, asking again and again. Raises TimeoutError when nothing is said in that time."""
        for attempt in range(int(seconds / 0.2)):
            said = await self.call(kind, method, path, body, to=attempt)
            if said is not None:
                return said
            await asyncio.sleep(0.2)
        raise TimeoutError(f"nothing was said to {method} {path} for {seconds} s")

    def _nothing(self, kind: str, why: str, began: float) -> None:
        self.tally.outcomes[f"{kind}: {why}"] += 1
        self.tally.failed.append((began, time.time()))

    def _price_stays(self, kind: str, body: Any, told: Any) -> None:
        """A payment goes on at its full price when nothing was decided. Before it was read that is told as null."""
        if kind != "quote":
            return
        if not told or told["discount_minor"] != 0 or told["to_pay_minor"] not in (None, body["amount"]):
            self.tally.wrong.append(f"payment {body['payment_id']} of {body['amount']} was told to pay {told}")


def _outcome(status: int, answer: dict[str, Any]) -> str:
    if status != 200:
        return str(answer.get("code"))
    if "to_pay_minor" in answer and "state" in answer:
        return str(answer["state"] or "nothing")
    return "done"

"""Payments that are quoted and captured without pause, and what was acknowledged of them."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from tests.shop import Shop

from makegood.errors import Problem, StoreUnavailable
from makegood.limits import BATCH_PAYMENTS_MAX
from makegood.services import holds, quotes

CLIENTS = 8
PAUSE_SECONDS = 0.02  # After an answer at full price, or a shop would ask thousands of times for nothing.


@dataclass
class Load:
    """What clients were told. `answers` and `captures` are by payment id, and are never forgotten."""

    shop: Shop
    payments: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    captures: dict[str, dict[str, Any]] = field(default_factory=dict)
    granted: asyncio.Event = field(default_factory=asyncio.Event)
    undecided: int = 0
    tasks: "list[asyncio.Task[None]]" = field(default_factory=list)

    def start(self) -> None:
        """Let the clients begin."""
        self.tasks = [asyncio.create_task(self._client()) for _ in range(CLIENTS)]

    async def stop(self) -> None:
        """Let each client finish its payment. Raises what a client found wrong."""
        tasks, self.tasks = self.tasks, []
        await asyncio.gather(*tasks)

    async def next_grant(self, seconds: float) -> float:
        """When the next grant was answered, on the monotonic clock."""
        self.granted.clear()
        async with asyncio.timeout(seconds):
            await self.granted.wait()
        return time.monotonic()

    async def _client(self) -> None:
        me = asyncio.current_task()
        while me in self.tasks:
            payment = self.shop.payment(amount=10_000)
            answer = await quotes.quote(self.shop.platform, self.shop.callers["till"], payment)
            if not answer["decided"]:
                assert answer["to_pay_minor"] == payment["amount"]  # The payment goes on.
                self.undecided += 1
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            assert answer["quote_id"], "the campaign has run out of money: the test measures nothing"
            self.granted.set()
            self.payments[payment["payment_id"]] = payment
            self.answers[payment["payment_id"]] = answer
            if len(self.answers) % 2:
                await self._capture(payment["payment_id"], answer["quote_id"])

    async def _capture(self, payment: str, quote: str) -> None:
        try:
            self.captures[payment] = await holds.capture(self.shop.platform, self.shop.callers["till"], quote, {})
        except StoreUnavailable:
            await asyncio.sleep(PAUSE_SECONDS)

    async def lost(self) -> list[str]:
        """What was acknowledged and is answered otherwise now, in words."""
        faults: list[str] = []
        names = list(self.payments)
        for start in range(0, len(names), BATCH_PAYMENTS_MAX):
            some = names[start : start + BATCH_PAYMENTS_MAX]
            till = self.shop.callers["till"]
            again = await quotes.quote_batch(self.shop.platform, till, [self.payments[name] for name in some])
            for name, answer in zip(some, again, strict=True):
                faults += self._faults(name, answer)
        return faults

    def _faults(self, name: str, again: dict[str, Any] | Problem) -> list[str]:
        if isinstance(again, Problem):
            return [f"{name}: {again.detail}"]
        same = ("quote_id", "discount_minor", "benefits", "decided_at")
        faults = [f"{name}: {key}" for key in same if again[key] != self.answers[name][key]]
        if name in self.captures and again["state"] != "captured":
            faults.append(f"{name}: its capture")
        return faults

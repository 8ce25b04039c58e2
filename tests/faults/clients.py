"""The clients: each sells, pays, abandons, refunds and asks again, by choices drawn from its seed."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tests.faults.book import Deed, Sale
from tests.faults.calls import AWAY, Line, Said

TRIES = 5  # In the storm. What is not answered by then is asked again when it is over.
RETRY_SECONDS = 0.3
THINK_SECONDS = 1.0
ASKED_AGAIN_AFTERWARDS = 0.3  # Of what was answered. Records are compared with all of it.
SALES_AN_EPOCH = 6  # After so many sales clients go on to new payers; the old ones have used up their right.
PAYERS_AN_EPOCH = 24


class Client:
    """One client. `sales` is its book."""

    def __init__(self, number: int, seed: int, line: Line, prefix: str) -> None:
        self.number, self.line, self.prefix = number, line, prefix
        self.chance = random.Random(f"{seed}/{number}")
        self.sales: list[Sale] = []
        self.wrong: list[tuple[str, Sale]] = []
        self._weights = {
            self._sell: 10, self._sell_several: 1, self._sell_instead: 1, self._refund: 3, self._refund_twice: 1,
            self._ask_again: 4, self._reuse_an_id: 1,
        }  # fmt: skip

    async def run(self, over: asyncio.Event) -> None:
        """Act until it is over; a call under way is waited for."""
        while not over.is_set():
            await self._act()
            await asyncio.sleep(self.chance.uniform(0, THINK_SECONDS))

    async def _act(self) -> None:
        await self.chance.choices([*self._weights], [*self._weights.values()])[0]()

    # -- selling ---------------------------------------------------------------------------------------

    async def _sell(self, *, instead_of: Sale | None = None) -> None:
        sale = self._new_sale(instead_of)
        if self.chance.random() < 0.15:  # Both servers at once, as an impatient gateway does.
            await asyncio.gather(self.ask(sale, sale.quote, to=0), self.ask(sale, sale.quote, to=1))
        else:
            await self._try(sale, sale.quote)
        if sale.quote.done:
            await asyncio.sleep(self.chance.choice((0.0, 0.0, 0.2, 1.0, 2.5)))
            await self._end(sale)

    async def _sell_several(self) -> None:
        """Several payments at once, captured by one call, as they come out of a queue."""
        sales = [self._new_sale(None) for _ in range(self.chance.randrange(2, 6))]
        await asyncio.gather(*(self._try(sale, sale.quote) for sale in sales))
        held = [sale for sale in sales if sale.quote.done]
        for sale in held:
            sale.capture = self._new_capture(sale)
        for to in range(TRIES if held else 0):
            if await self._capture_together(held, to=self.number + to):
                return
            await asyncio.sleep(RETRY_SECONDS)

    async def _sell_instead(self) -> None:
        """A new checkout that supersedes an abandoned one."""
        open_ = [one for one in self.sales if one.quote.done and one.over_from is None and one.capture is None]
        if open_:
            await self._sell(instead_of=open_[-1])

    def _new_sale(self, instead_of: Sale | None) -> Sale:
        chance, number = self.chance, len(self.sales)
        payer = f"{self.prefix}-{number // SALES_AN_EPOCH}-{chance.randrange(PAYERS_AN_EPOCH)}"
        body: dict[str, Any] = {
            "payment_id": f"{self.prefix}-{self.number}-{number}",
            "payer_id": instead_of.payer if instead_of is not None else payer,
            "payee_id": "shop",
            "amount": chance.randrange(2_000, 40_000),
            "currency": "CNY",
            "scene": chance.choice(("in_store_qr", "in_store_qr", "online")),
            "channel": "app",
            "instrument": "balance",
        }
        if instead_of is not None:
            body["supersedes"] = instead_of.payment_id
            instead_of.superseded, instead_of.over_from = True, time.time()
        sale = Sale(Deed("quote", "/v1/quotes", body), body["payer_id"])
        self.sales.append(sale)
        return sale

    async def _end(self, sale: Sale) -> None:
        fate = self.chance.random()
        if fate < 0.7:
            sale.capture = self._new_capture(sale)
        if 0.6 <= fate < 0.85:  # A tenth both captures and releases at the same moment: one of them wins.
            sale.release = Deed("release", f"/v1/quotes/{sale.quote_id}/release", {})
            sale.over_from = time.time()
        await asyncio.gather(*(self._try(sale, deed) for deed in (sale.capture, sale.release) if deed is not None))

    def _new_capture(self, sale: Sale) -> Deed:
        assert sale.quote.first is not None
        body: dict[str, Any] = {}
        if self.chance.random() < 0.3:
            body["paid_at"] = sale.quote.first.body["decided_at"]
        if self.chance.random() < 0.25:
            body["captured_amount"] = self.chance.randrange(1, sale.amount + 1)
        return Deed("capture", f"/v1/quotes/{sale.quote_id}/capture", body)

    # -- afterwards ------------------------------------------------------------------------------------

    async def _refund(self) -> None:
        sale = self._captured()
        if sale is not None:
            left = sale.amount - sale.refunded
            whole = self.chance.random() < 0.7
            await self._try(sale, self._new_refund(sale, left if whole else self.chance.randrange(1, left + 1)))

    async def _refund_twice(self) -> None:
        """Two refunds that race: together they are more than is left, so at most one of them is whole."""
        sale = self._captured()
        if sale is not None and sale.amount - sale.refunded > 1:
            left = sale.amount - sale.refunded
            both = [self._new_refund(sale, part) for part in (left, left // 2 + 1)]
            await asyncio.gather(*(self._try(sale, deed) for deed in both))

    def _captured(self) -> Sale | None:
        """A sale that was captured, has something left, and no refund whose outcome is not known."""
        found = [
            sale
            for sale in self.sales[-40:]
            if sale.captured and sale.refunded < sale.amount and all(deed.first for deed in sale.refunds)
        ]
        return self.chance.choice(found) if found else None

    def _new_refund(self, sale: Sale, amount: int) -> Deed:
        body = {"refund_id": f"r-{len(sale.refunds)}", "refund_amount": amount}
        deed = Deed("refund", f"/v1/payments/{sale.payment_id}/refunds", body)
        sale.refunds.append(deed)
        return deed

    async def _ask_again(self) -> None:
        """Some call of some sale, word for word: the answer must be the first one."""
        if self.sales:
            sale = self.chance.choice(self.sales[-60:])
            deed = self.chance.choice(list(sale.deeds()))
            if deed.first is not None:
                await self.ask(sale, deed, to=self.chance.randrange(2))

    async def _reuse_an_id(self) -> None:
        """Other content under an id that was acknowledged is refused, and changes nothing."""
        done = [
            (sale, deed)
            for sale in self.sales[-30:]
            for deed in sale.deeds()
            if deed.done and deed.kind in ("quote", "refund")
        ]
        if done:
            sale, deed = self.chance.choice(done)
            name = "amount" if deed.kind == "quote" else "refund_amount"
            said = await self._send(deed, deed.body | {name: deed.body[name] + 1}, to=self.chance.randrange(2))
            if said is not None and said.code != "content_differs":
                self.wrong.append((f"{deed.kind} with another amount was answered {said.code}", sale))

    # -- asking ----------------------------------------------------------------------------------------

    async def _try(self, sale: Sale, deed: Deed) -> None:
        to = self.chance.randrange(2)
        for attempt in range(TRIES):
            if await self.ask(sale, deed, to=to + attempt):
                return
            await asyncio.sleep(RETRY_SECONDS)

    async def ask(self, sale: Sale, deed: Deed, *, to: int) -> bool:
        """Whether it was answered; what was wrong with the answer is kept."""
        deed.began = deed.began or time.time()
        said = await self._send(deed, deed.body, to=to)
        if said is None:
            return False
        if deed.kind == "quote" and said.done and said.body["quote_id"] is None:
            sale.answered_nothing = True
        wrong = deed.take(said)
        if wrong is not None:
            self.wrong.append((f"{deed.kind} {wrong}", sale))
        return True

    async def _capture_together(self, sales: Sequence[Sale], *, to: int) -> bool:
        """Whether the call was answered. What it left undecided is asked for again, each by itself, when it is over."""
        deeds = [sale.capture for sale in sales if sale.capture is not None]
        for deed in deeds:
            deed.began = deed.began or time.time()
        captures = [{"quote_id": sale.quote_id} | deed.body for sale, deed in zip(sales, deeds, strict=True)]
        said = await self.line.call("captures", "POST", "/v1/captures", {"captures": captures}, to=to)
        if said is None or not said.done:
            self.wrong += [(f"captures were told `{said.code}`", sales[0])] if said is not None else []
            return said is not None
        for sale, deed, told in zip(sales, deeds, said.body["quotes"], strict=True):
            problem = told.get("problem")
            one = replace(said, status=problem["status"], body=problem) if problem else replace(said, body=told)
            if one.code not in AWAY and (wrong := deed.take(one)) is not None:
                self.wrong.append((f"{deed.kind} {wrong}", sale))
        return True

    async def _send(self, deed: Deed, body: dict[str, Any], *, to: int) -> Said | None:
        if deed.kind == "quote":  # The clock is no part of what was asked.
            body = body | {"occurred_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"}
        return await self.line.call(deed.kind, "POST", deed.path, body, to=to)

    async def settle(self) -> None:
        """The storm is over: what was never answered is, and what was acknowledged is answered the same again."""
        for sale in self.sales:
            for deed in sale.deeds():
                unanswered = deed.first is None and not (deed.kind == "quote" and sale.answered_nothing)
                if (unanswered or self.chance.random() < ASKED_AGAIN_AFTERWARDS) and not await self._insist(sale, deed):
                    self.wrong.append((f"{deed.kind} is still not answered when all is well again", sale))

    async def _insist(self, sale: Sale, deed: Deed) -> bool:
        for attempt in range(100):
            if await self.ask(sale, deed, to=self.number + attempt):
                return True
            await asyncio.sleep(0.1)
        return False

"""The real ledger with the same names as the model has, called from another thread than the loop's."""

import asyncio
import hashlib
import secrets
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from tests.laws.ledger_model import AMOUNT, Limit
from tests.store.conftest import DECIDED, SNAPSHOT, Books, request_for
from tests.store.policies import put_policy

from makegood.domain.brief import Share
from makegood.domain.review import Guard
from makegood.services.access import create_house
from makegood.services.platform import Platform
from makegood.services.reviews import funding_change
from makegood.store import campaigns, records
from makegood.store.ledger import Ledger
from makegood.store.verify import verify

T = TypeVar("T")
LATE = DECIDED + timedelta(minutes=100)
FUNDERS = (Share("bank", 3_333), Share("shop", 6_667))
LANES = 3


class RealLedger:
    """A house of its own on a real store. Reservations come by several lanes, as from several processes."""

    def __init__(self, platform: Platform, loop: asyncio.AbstractEventLoop, name: str) -> None:
        self.loop, self.published = loop, 0
        house = self.wait(create_house(platform, name, live=False, guards_left_out=[Guard.PROOF]))
        self.books, self.pool, self.house = Books(platform, house), platform.store.pool, house.id
        self.lanes = [Ledger(self.pool, lane=n) for n in range(LANES)]
        self.wait(put_policy(self.books))
        self.wait(records.save_snapshot(self.pool, self.house, SNAPSHOT, "rev_none", []))

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """What it gives, done in the loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def reserve(self, lane: int, requests: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        return self.wait(self.lanes[lane].reserve(self.house, "till", requests))

    def capture(self, payment: str, captured: int | None, late: bool) -> dict[str, Any]:
        return self.wait(self.books.capture(f"qte_{payment}", captured, now=LATE if late else DECIDED))

    def release(self, payment: str) -> dict[str, Any]:
        return self.wait(self.books.release(f"qte_{payment}"))

    def refunds(self, payment: str, some: Sequence[tuple[str, int]]) -> list[dict[str, Any]]:
        """All at once."""

        async def race() -> list[dict[str, Any]]:
            return await asyncio.gather(*(self.books.refund(payment, name, amount) for name, amount in some))

        return self.wait(race())

    def disown(self, payment: str) -> bool:
        return self.wait(
            self.books.ledger.disown(self.house, "till", payment, f"qte_{payment}", True, secrets.token_hex(8))
        )

    def expire(self) -> int:
        return self.wait(self.books.ledger.expire(self.house, LATE))

    def stop(self, campaign: str) -> None:
        assert self.wait(campaigns.stop(self.pool, self.house, "olga", campaign, "a look"))["outcome"] == "done"

    def resume(self, campaign: str) -> str:
        for who in ("olga", "omar"):
            told = self.wait(campaigns.resume(self.pool, self.house, who, campaign, "fine", 60, None))
        found: str = told["outcome"]
        return found

    def open_stage(self, campaign: str, revision: str, cumulative: int) -> str:
        told = self.wait(campaigns.open_stage(self.pool, self.house, "olga", campaign, revision, cumulative))
        found: str = told["outcome"]
        return found

    def split(self, campaign: str, shares: int) -> str:
        found: str = self.wait(campaigns.split(self.pool, self.house, "bob", campaign, shares))["outcome"]
        return found

    def put_policy(self, limits: Sequence[Limit]) -> None:
        self.wait(put_policy(self.books, *limits))

    def go_live(
        self, campaign: str, budget: int, stage: int, limits: Sequence[Limit], label: str
    ) -> tuple[str, dict[str, Any]]:
        """A new revision of a campaign, and what going live with it gave."""
        return self.wait(self._go_live(campaign, budget, stage, limits, label))

    async def _go_live(
        self, campaign: str, budget: int, stage: int, limits: Sequence[Limit], label: str
    ) -> tuple[str, dict[str, Any]]:
        self.published += 1
        canonical = f'{{"id": "{campaign}", "n": {self.published}}}'.encode()
        revision = "rev_" + hashlib.sha256(canonical).hexdigest()
        brief = "rev_" + hashlib.sha256(campaign.encode()).hexdigest()
        documents = [
            campaigns.NewDocument("campaign", campaign, revision, canonical, "CNY"),
            campaigns.NewDocument("brief", campaign, brief, campaign.encode(), "CNY"),
        ]
        await campaigns.publish(self.pool, self.house, "ann", campaign, documents)
        policy = await campaigns.policy_in_force(self.pool, self.house, "CNY")
        assert policy is not None
        seen = (await campaigns.standings(self.pool, self.house, campaign))[0]
        stopped = seen["stopped_at"]
        committed = await campaigns.commitments(self.pool, self.house, campaign)
        plan = {
            "revision": revision, "label": label, "brief": brief, "policy": policy["revision"], "proof": None,
            "live": seen["live"], "stopped_at": None if stopped is None else stopped.isoformat(), "budget": budget,
            "first_stage": stage, "limits": list(limits), "funding": funding_change(FUNDERS, budget, committed),
        }  # fmt: skip
        return revision, await campaigns.go_live(self.pool, self.house, "bob", campaign, plan)

    def money(self, campaign: str) -> tuple[int, int, int, int]:
        return self.wait(self.books.money(campaign))

    def violations(self) -> tuple[object, ...]:
        return self.wait(verify(self.pool, self.house)).violations


def request_of(payment: str, grants: dict[str, tuple[str, int]], **changes: Any) -> dict[str, Any]:
    """A reservation of a payment of 1,000, with a hold that ends before LATE if `short`."""
    until = DECIDED + (timedelta(minutes=75) if changes["short"] else timedelta(days=9))
    return request_for(payment, grants, amount=AMOUNT, valid_until=until, hold_until=until, **changes)

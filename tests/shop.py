"""A house with the example policy, brief and campaign live, and its principals: where many tests start."""

import itertools
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from makegood.documents.source import Source
from makegood.domain.review import Guard, Scope
from makegood.services import campaigns
from makegood.services.access import Caller, House, authenticate, create_house, create_key
from makegood.services.campaigns import Published
from makegood.services.platform import Platform
from makegood.settings import Settings

EXAMPLES = Path(__file__).parents[1] / "examples"
PRINCIPALS: Mapping[str, tuple[Scope, ...]] = {
    "rita": (Scope.APPROVE,),  # risk: writes policy
    "otto": (Scope.BRIEF,),  # budget owner
    "mara": (Scope.AUTHOR,),  # marketing
    "bob": (Scope.APPROVE,),
    "carl": (Scope.APPROVE,),
    "olga": (Scope.OPERATE, Scope.RESUME),  # on call
    "omar": (Scope.RESUME,),
    "till": (Scope.QUOTE,),
}

_payments = itertools.count(1)


@dataclass
class Shop:
    """A house and its callers by name; `keys` are their keys in the clear."""

    platform: Platform
    house: House
    callers: dict[str, Caller]
    keys: dict[str, str]

    def elsewhere(self) -> "Shop":
        """The same house from another process: with a prover, a lock and a picture of what is live of its own."""
        other = Platform(self.platform.store, self.platform.settings, self.platform.clock)
        return replace(self, platform=other)

    async def publish(self, who: str, *texts: str) -> list[Published]:
        """Publish documents given as text."""
        sources = [Source(f"{n}.yaml", text.encode()) for n, text in enumerate(texts)]
        return await campaigns.publish(self.platform, self.callers[who], sources)

    async def approve(self, revision: str, *who: str) -> Published:
        """Approve a revision by each of these."""
        for name in who:
            published = await campaigns.approve(self.platform, self.callers[name], revision)
        return published

    async def launch(self, campaign: str, brief: str) -> Published:
        """Publish and approve until it is live."""
        await self.publish("otto", brief)
        published = (await self.publish("mara", campaign))[-1]
        return await self.approve(published.revision, "bob", "carl", "rita")

    def payment(self, **changes: Any) -> dict[str, Any]:
        """A payment that the example campaign likes: 20 % of 200.00 CNY."""
        fields = {
            "payment_id": f"pay-{next(_payments)}",
            "occurred_at": "2027-02-01T12:00:00+08:00",
            "payer_id": f"payer-{next(_payments)}",
            "payee_id": "tea-house",
            "amount": 20_000,
            "currency": "CNY",
            "scene": "in_store_qr",
            "channel": "app",
            "instrument": "balance",
            "city": "Hangzhou",
            "items_count": 1,
            "payer_is_new": False,
            "payer_segments": [],
        } | changes
        return {key: value for key, value in fields.items() if value is not ...}


async def open_shop(
    platform: Platform,
    *,
    live: bool = False,
    scopes: Iterable[str] = PRINCIPALS,
    policy: str | None = None,
    guards_left_out: Iterable[Guard] = (Guard.DETECTOR,),
) -> Shop:
    """A house with principals and a policy in force, no campaign.

    A test house goes without a detector: what tests pay is not what a brief expects.
    """
    guards_left_out = () if live else guards_left_out
    name = f"shop-{secrets.token_hex(6)}"
    house = await create_house(platform, name, live=live, guards_left_out=guards_left_out)
    keys = {
        name: (await create_key(platform, house.name, name, [*PRINCIPALS[name], Scope.READ])).key for name in scopes
    }
    callers = {name: await authenticate(platform, key) for name, key in keys.items()}
    shop = Shop(platform, house, callers, keys)
    published = (await shop.publish("rita", policy or example("policy.yaml")))[0]
    await shop.approve(published.revision, "bob")
    return shop


async def open_spring_shop(platform: Platform, **changes: str) -> Shop:
    """The same with the spring campaign live; `changes` replace texts of the campaign file."""
    shop = await open_shop(platform)
    text = example("campaign-spring.yaml")
    for before, after in changes.items():
        assert before in text, before
        text = text.replace(before, after)
    await shop.launch(text, example("brief-spring.yaml"))
    return shop


def example(name: str) -> str:
    """An example document."""
    return (EXAMPLES / name).read_text(encoding="utf-8")


def with_deadline(platform: Platform, milliseconds: int) -> Platform:
    """The same platform with another deadline."""
    settings = Settings(data=platform.settings.data, deadline_ms=milliseconds)
    return replace(platform, settings=settings)

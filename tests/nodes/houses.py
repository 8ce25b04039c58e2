"""Houses that tests of several nodes have to themselves."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.faults.offers import BY_ID, POLICY

from makegood.bench.quote_http_world import open_bench_house
from makegood.bench.stop_nodes import LEFT_OUT
from makegood.documents.source import Source
from makegood.domain.review import Scope
from makegood.services.access import authenticate, create_house, create_key
from makegood.services.campaigns import approve, publish
from makegood.services.platform import Platform

LIVE_CAMPAIGN, LIVE_DISCOUNT = "hot-budget", 300
_SCOPES: Mapping[str, Scope] = {
    "author": Scope.AUTHOR, "brief": Scope.BRIEF, "risk": Scope.APPROVE, "finance": Scope.APPROVE,
    "till": Scope.QUOTE, "oncall": Scope.OPERATE,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Keys:
    """What a checkout and whoever is on call hold."""

    checkout: str
    on_call: str


async def small_house(platform: Platform) -> Keys:
    """A new test house with one campaign, which grants payments in Hangzhou."""
    name = f"house-{secrets.token_hex(6)}"
    checkout = await open_bench_house(platform, name, others=0, left_out=LEFT_OUT)
    return Keys(checkout, (await create_key(platform, name, "oncall", [Scope.OPERATE])).key)


async def live_house(platform: Platform) -> Keys:
    """A new live house, which goes by the store's clock, with one campaign that is proved and running."""
    name = f"house-{secrets.token_hex(6)}"
    await create_house(platform, name, live=True)
    keys = {who: (await create_key(platform, name, who, [scope])).key for who, scope in _SCOPES.items()}
    people = {who: await authenticate(platform, key) for who, key in keys.items()}
    brief, campaign = BY_ID[LIVE_CAMPAIGN].documents(datetime.now(UTC))
    brief = brief.replace('spend_per_minute: "100000.00 CNY"', 'spend_per_minute: "100.00 CNY"')  # Below the budget.
    for who, text in (("risk", POLICY), ("brief", brief), ("author", campaign)):
        for one in await publish(platform, people[who], [Source(who, text.encode())]):
            if who != "brief":
                await approve(platform, people["finance"], one.revision)
    return Keys(keys["till"], keys["oncall"])


def live_payment(occurred_at: datetime) -> dict[str, Any]:
    """A payment that the campaign of the live house grants something."""
    name = secrets.token_hex(8)
    return {
        "payment_id": f"pay-{name}", "occurred_at": occurred_at.isoformat(), "payer_id": f"payer-{name}",
        "payee_id": "m-88", "amount": 10_000, "currency": "CNY", "scene": "online", "channel": "app",
        "instrument": "balance",
    }  # fmt: skip

"""A campaign that is live in the store, made without documents of meaning: the ledger does not read them."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.store.clusters import copy_cluster, end, temporary

from makegood.domain.brief import Share
from makegood.money import format_rate
from makegood.services.access import House
from makegood.services.platform import Platform
from makegood.services.reviews import funding_change
from makegood.store import campaigns, embedded, proofs, records
from makegood.store.pool import Pool
from makegood.store.verify import verify

DECIDED = datetime(2027, 2, 1, 4, tzinfo=UTC)
SNAPSHOT = "snp_" + "0" * 64

LiveCampaign = Callable[..., Awaitable[str]]
Request = Callable[..., dict[str, Any]]


async def make_live(
    platform: Platform,
    house: House,
    campaign: str,
    budget: int,
    *,
    stage: int | None = None,
    limits: tuple[Mapping[str, Any], ...] = (),
    funders: tuple[tuple[str, int], ...] = (("platform", 100),),
) -> str:
    """A live campaign; gives its revision. `funders` are names and weights."""
    pool = platform.store.pool
    paid_by = [{"funder": funder, "share": format_rate(share)} for funder, share in funders]
    content = {"id": campaign, "budget": budget, "funding": paid_by}
    revision = await _known(pool, house, "campaign", campaign, content)
    brief = await _known(pool, house, "brief", campaign, {"brief": campaign})
    policy = await _known(pool, house, "policy", "CNY", {"policy": "CNY"})
    version = await campaigns.live_version(pool, house.id)
    await campaigns.put_policy_in_force(pool, house.id, "bob", "CNY", policy, version, None)
    before = (await campaigns.standings(pool, house.id, campaign))[0]
    shares = tuple(Share(funder, share) for funder, share in funders)
    funding = funding_change(shares, budget, await campaigns.commitments(pool, house.id, campaign))
    outcome = await campaigns.go_live(
        pool,
        house.id,
        "bob",
        campaign,
        {
            "revision": revision,
            "live": before["live"],
            "stopped_at": None,
            "brief": brief,
            "policy": policy,
            "proof": await _proved(pool, house, campaign, revision, brief, policy),
            "budget": budget,
            "first_stage": budget if stage is None else stage,
            "limits": [{"count_max": None, "amount_max": None, **limit} for limit in limits],
            "funding": funding,
        },
    )
    assert outcome["outcome"] == "done", outcome
    await records.save_snapshot(pool, house.id, SNAPSHOT, revision, [])
    return revision


async def _proved(pool: Pool, house: House, campaign: str, revision: str, brief: str, policy: str) -> str:
    """A proof that says yes: its content is as little read by the ledger as that of the documents."""
    live = await proofs.live_beside(pool, house.id, "CNY", campaign)
    row: dict[str, Any] = {
        "obligation": "can_ever_apply",
        "verdict": "proved",
        "question_sha256": proofs.name_of_question(""),
    }
    said: dict[str, Any] = {
        "revision": revision,
        "brief": brief,
        "policy": policy,
        "live_set": list(live),
        "exposure": None,
    }
    said |= {"is_proved": True, "rows": [row], "solver": "none"}
    name = proofs.name_of(said)
    await proofs.keep(pool, house.id, "ann", campaign, said | {"proof": name, "questions": [""]})
    return name


async def _known(pool: Pool, house: House, kind: str, subject: str, content: Mapping[str, Any]) -> str:
    canonical = json.dumps(content).encode()
    revision = "rev_" + hashlib.sha256(canonical).hexdigest()
    new = campaigns.NewDocument(kind, subject, revision, canonical, "CNY")
    await campaigns.publish(pool, house.id, "ann", subject, [new])
    return revision


def request_for(payment: str, grants: Mapping[str, tuple[str, int]], **changes: Any) -> dict[str, Any]:
    """A reservation of one payment: `grants` are (revision, discount) by campaign."""
    content: dict[str, Any] = {
        "quote_id": f"qte_{payment}",
        "payment_id": payment,
        "content_hash": hashlib.sha256(payment.encode()).digest(),
        "payer_ref": hashlib.sha256(b"payer").digest(),
        "device_ref": None,
        "scene": "in_store_qr",
        "payee_ref": hashlib.sha256(b"payee").digest(),
        "currency": "CNY",
        "amount": 10_000,
        "decided_at": DECIDED,
        "valid_until": DECIDED + timedelta(minutes=15),
        "hold_until": DECIDED + timedelta(minutes=75),
        "day": "2027-02-01",
        "hour": "2027-02-01T12+0800",
        "snapshot": SNAPSHOT,
        "seen": {},
        "benefits": {"benefits": [], "lines": []},
        "supersedes": None,
        "candidates": list(grants),
        "grants": [{"campaign": c, "revision": r, "discount": d} for c, (r, d) in grants.items()],
    }
    return content | changes


async def assert_balanced(platform: Platform, house: House) -> None:
    """Every invariant of the house's ledger holds."""
    verified = await verify(platform.store.pool, house.id)
    assert verified.violations == ()


async def money_of(platform: Platform, house: House, campaign: str) -> tuple[int, int, int, int]:
    """(unopened, open, reserved, granted) of a campaign, minor units."""
    row = (await campaigns.standings(platform.store.pool, house.id, campaign))[0]
    return row["budget_left"], row["stage_left"], row["reserved"], row["granted"]


class Books:
    """A house's ledger with short names, for tests."""

    def __init__(self, platform: Platform, house: House) -> None:
        self.platform, self.house, self.pool = platform, house, platform.store.pool
        self.ledger = platform.store.ledger

    async def live(self, campaign: str, budget: int, **more: Any) -> str:
        return await make_live(self.platform, self.house, campaign, budget, **more)

    async def reserve(self, *requests: dict[str, Any]) -> list[dict[str, Any]]:
        return await self.ledger.reserve(self.house.id, "till", requests)

    async def capture(self, quote: str, captured: int | None = None, **more: Any) -> dict[str, Any]:
        return await self.ledger.capture(self.house.id, "till", quote, more.get("paid_at"), captured, more.get("now"))

    async def release(self, quote: str) -> dict[str, Any]:
        return await self.ledger.release(self.house.id, "till", quote)

    async def refund(self, payment: str, refund_id: str, amount: int) -> dict[str, Any]:
        return await self.ledger.refund(self.house.id, "till", payment, refund_id, amount)

    async def money(self, campaign: str) -> tuple[int, int, int, int]:
        return await money_of(self.platform, self.house, campaign)

    async def balanced(self) -> None:
        await assert_balanced(self.platform, self.house)

    request = staticmethod(request_for)


@pytest.fixture
def books(platform: Platform, house: House) -> Books:
    """The ledger of a fresh house."""
    return Books(platform, house)


@pytest.fixture(scope="session")
def made() -> Iterator[Path]:
    """A folder with a stopped cluster, to be copied."""
    with temporary() as path:
        embedded.start(path).close()
        yield path


@pytest.fixture
def folder(made: Path) -> Iterator[Path]:
    """A copy of that cluster, for a test to do with it what it likes."""
    with temporary() as path:
        copy_cluster(made, path)
        yield path
        end(path)

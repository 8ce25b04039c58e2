"""What the ledger's lines reserve from: a store of its own, a test house, and budgets that nothing but load touches."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from time import time_ns

import msgspec

from makegood.bench.row import AnswersDiffer
from makegood.documents.source import Source
from makegood.domain.review import Guard, Scope
from makegood.money import format_money, parse_money
from makegood.services.access import Caller, authenticate, create_house, create_key
from makegood.services.campaigns import approve, publish
from makegood.services.platform import Platform, close_platform, open_platform
from makegood.settings import Settings
from makegood.store.campaigns import standings
from makegood.store.connection import DATABASE
from makegood.store.migrate import SERVER_ROLE
from makegood.store.packing import Request
from makegood.store.records import save_snapshot
from makegood.store.verify import verify

PRINCIPAL = "till"
DISCOUNT = 1_000
BIG = "1000000000.00 CNY"  # No load empties it.
SNAPSHOT = "snp_" + "0" * 64
DECIDED = datetime(2027, 2, 3, 2, tzinfo=UTC)
DAY, HOUR = "2027-02-03", "2027-02-03T10+0800"

_SCOPES = {"author": Scope.AUTHOR, "brief": Scope.BRIEF, "risk": Scope.APPROVE, "finance": Scope.APPROVE}
_POLICY = """
makegood: policy/1
id: house
currency: CNY
timezone: Asia/Shanghai
payment: {amount: {min: "0.01 CNY", max: "500000.00 CNY"}, scene: [online], channel: [app], attributes: {}}
peak: {payments_per_second: 1000}
labels:
  platform_gift: {text: {zh-CN: 平台红包, en: Platform gift}}
funders:
  platform: {keys: []}
rules: []
stages: {first_max: "1000000000.00 CNY", growth_max: 10}
worst: {per_second: "100000000.00 CNY", total: "100000000000.00 CNY"}
approvals:
  - {approvers: 1}
"""
_SPEND = "30000.00 CNY"
_SHARED = """label: platform_gift
funding: [{funder: platform, share: "100%"}]
window: {from: "2027-02-01T00:00:00+08:00", until: "2027-02-15T00:00:00+08:00"}
"""
_BRIEF = """makegood: brief/1
campaign: NAME
purpose: {zh-CN: 测速, en: bench}
SHAREDscenes: [online]
spend_min: "100.00 CNY"
discount_max: "10.00 CNY"
rate_max: "10%"
budget: "MONEY"
per_payer: {count: 3, amount: "100.00 CNY"}
stages: {first_max: "MONEY"}
expect: {share_of_payments: "5%", discount_mean: "10.00 CNY", spend_per_minute: "SPEND"}
"""
_CAMPAIGN = """makegood: campaign/1
id: NAME
title: {zh-CN: 测速, en: bench}
SHAREDwhen: 'payment.scene == "online" && payment.amount >= 10000'
benefit: {amount_off: {amount: "10.00 CNY"}}
limits:
  budget: "MONEY"
  per_payer: {count: 3, amount: "100.00 CNY", per_day: {count: 1}}
stages: ["MONEY"]
stacking: {group: instant_discount, priority: 100}
"""


class Budget(msgspec.Struct, frozen=True):
    """One budget, by what a reservation must name."""

    house: int
    campaign: str
    revision: str


@dataclass(frozen=True, slots=True)
class World:
    """A store with its budgets, in the order in which they were asked for."""

    platform: Platform
    budgets: Sequence[Budget]

    @property
    def login(self) -> str:
        """The URL of the server's own role."""
        assert self.platform.store.server is not None
        return self.platform.store.server.url(SERVER_ROLE, DATABASE)

    async def check(self) -> None:
        """Raises AnswersDiffer unless every invariant of the house holds."""
        verified = await verify(self.platform.store.pool, self.budgets[0].house)
        if not verified.balanced:
            raise AnswersDiffer(f"the books do not balance: {verified.violations[:3]}")


@asynccontextmanager
async def ledger_world(budgets: Sequence[tuple[str, str]], pool_size: int = 8) -> AsyncIterator[World]:
    """A new embedded store with budgets of these names and sums. Afterwards nothing of it is left."""
    with store_folder() as folder:
        platform = await open_platform(Settings(data=str(folder / "data"), pool_size=pool_size))
        try:
            yield World(platform, await open_budgets(platform, budgets))
        finally:
            await close_platform(platform)


@contextmanager
def store_folder() -> Iterator[Path]:
    """A folder for the data of an embedded store, removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="makegood-bench-"))
    folder.chmod(0o755)  # As root PostgreSQL runs as another user, who has to come this far.
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def open_budgets(platform: Platform, budgets: Sequence[tuple[str, str]], house: str = "bench") -> list[Budget]:
    """A new test house with these budgets (names and sums), made without the guard `proof`."""
    made = await create_house(platform, house, live=False, guards_left_out=[Guard.PROOF])
    people = {who: await _caller(platform, house, who, scope) for who, scope in _SCOPES.items()}
    await _run(platform, people, "risk", Source("policy", _POLICY.encode()))
    for name, money in budgets:
        await _run(platform, people, "brief", Source("brief", _text(_BRIEF, name, money)))
        await _run(platform, people, "author", Source("campaign", _text(_CAMPAIGN, name, money)))
    await save_snapshot(platform.store.pool, made.id, SNAPSHOT, "rev_bench", [])
    rows = {row["campaign_id"]: row for row in await standings(platform.store.pool, made.id)}
    assert all(rows[name]["stage_left"] for name, _ in budgets), rows
    return [Budget(made.id, name, rows[name]["live"]) for name, _ in budgets]


async def _caller(platform: Platform, house: str, who: str, scope: Scope) -> Caller:
    return await authenticate(platform, (await create_key(platform, house, who, [scope])).key)


async def _run(platform: Platform, people: dict[str, Caller], who: str, source: Source) -> None:
    for one in await publish(platform, people[who], [source]):
        if who != "brief":
            await approve(platform, people["finance"], one.revision)


def _text(template: str, name: str, money: str) -> bytes:
    spend = min(
        parse_money(money), parse_money(_SPEND), key=lambda amount: amount.minor
    )  # No brief expects more than it has.
    text = template.replace("SHARED", _SHARED).replace("NAME", name).replace("MONEY", money)
    return text.replace("SPEND", format_money(spend.minor, spend.currency)).encode()


def requests(budget: Budget, seed: str) -> Iterator[Request]:
    """Reservations without end, each a payment and a payer of its own, others for another seed.

    Ids begin with the time, as those of quotes do.
    """
    draw = Random(seed)  # noqa: S311 - payments, not secrets
    benefit = {"campaign": budget.campaign, "revision": budget.revision, "label": "platform_gift"}
    words = {"text": {"zh-CN": "平台红包", "en": "Platform gift"}, "discount_minor": DISCOUNT}
    same = {
        "payee_ref": draw.randbytes(32), "device_ref": None, "currency": "CNY", "scene": "in_store_qr",
        "amount": 10_000, "decided_at": DECIDED,
        "valid_until": DECIDED + timedelta(minutes=15), "hold_until": DECIDED + timedelta(minutes=75), "day": DAY,
        "hour": HOUR, "snapshot": SNAPSHOT, "seen": {"balances": {}, "excluded": {}, "at": "2027-02-03T02:00:00Z"},
        "benefits": {"benefits": [benefit | words], "lines": []}, "supersedes": None, "candidates": [budget.campaign],
        "grants": [{"campaign": budget.campaign, "revision": budget.revision, "discount": DISCOUNT}],
    }  # fmt: skip
    while True:
        ref, name = draw.randbytes(32), f"{time_ns() // 1_000_000:012x}{draw.randbytes(10).hex()}"
        named = {"quote_id": f"qte_{name}", "payment_id": f"pay-{name}", "content_hash": ref, "payer_ref": ref}
        yield same | named

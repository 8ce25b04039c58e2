"""The demo from end to end: store, server, people, campaigns, payments, books, replay."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from time import perf_counter
from typing import Protocol

from makegood.clock import Instant, system_clock
from makegood.demo.books import Line, reconcile
from makegood.demo.checkout import Checkout
from makegood.demo.mistakes import make_mistakes
from makegood.demo.payments import journey_sources, stretch
from makegood.demo.plan import CAPTURE_GRACE_SECONDS, CLIENTS, DEADLINE_MS, Plan
from makegood.demo.record import Journal
from makegood.demo.server import serving
from makegood.domain.payment import Payment
from makegood.replay.generator import Real, generate
from makegood.replay.guards import ladder_runs
from makegood.replay.house import Opened, open_house, put_in_force
from makegood.replay.load import load_scenario
from makegood.replay.replayed import Replayed, replay_scenario
from makegood.replay.tell import is_within
from makegood.replay.wire import Connections, connections_to
from makegood.services.books import verify_ledger
from makegood.services.keeper import expire_house
from makegood.services.platform import Platform, close_platform, open_platform
from makegood.settings import Settings
from makegood.store.verify import Verified

HOUSE = "journey"
REPLAY = "alipay-2025-01-16"
RUNS = ladder_runs()


class Watch(Protocol):
    """Who watches a demo: told of each phase and of the steps in it."""

    def phase(self, name: str, total: int | None = None) -> None:
        """A new phase begins; it has `total` steps, where that is known."""

    def step(self, count: int) -> None:
        """Some more steps are done."""


@dataclass(frozen=True, slots=True)
class Result:
    """Everything a report tells."""

    plan: Plan
    payments: Sequence[Payment]
    journal: Journal
    lines: Sequence[Line]
    verified: Verified
    replayed: Replayed
    currency: str
    timezone: str
    made_at: Instant
    seconds: float

    @property
    def granted(self) -> int:
        """Payments that were granted something."""
        return sum(bool(record.benefits) for record in self.journal.records)

    @property
    def discount_minor(self) -> int:
        """What all answers together granted, minor units."""
        return sum(record.discount for record in self.journal.records)

    @property
    def kept_minor(self) -> int:
        """What payers keep after releases, expiry and refunds, minor units."""
        return sum(line.client_granted for line in self.lines)

    @property
    def reconciled(self) -> bool:
        """Whether every campaign agrees in both books, and every answer with the rule for refunds and retries."""
        journal = self.journal
        differ = journal.answers_that_differ + journal.retries_that_differ
        return differ == 0 and all(line.equal for line in self.lines)

    @property
    def books_agree(self) -> bool:
        """Whether all books balance and agree."""
        return self.reconciled and self.verified.balanced and self.replayed.balanced

    @property
    def within(self) -> bool:
        """Whether no run of the replay granted more than the guards that were left let through."""
        return is_within([self.replayed], as_published=False)

    @property
    def fine(self) -> bool:
        """Whether all books balance and agree, and every guard did its work."""
        return self.books_agree and self.within


async def run_demo(plan: Plan, watch: Watch, *, data: Path | None = None) -> Result:
    """The whole demo. Its server and its PostgreSQL are gone afterwards, and so is its folder unless `data` is given.

    Raises CallFailed, Problem or StoreUnavailable.
    """
    begun = perf_counter()
    watch.phase("start")
    payments = await asyncio.to_thread(stretch, plan)
    async with running(data) as (platform, connections):
        opened = await open_house(platform, connections, f"{HOUSE}-{_stamp()}" if data is not None else HOUSE)
        await put_in_force(opened.wire, journey_sources())
        journal = await _pay(plan, payments, opened, watch)
        watch.phase("books")
        lines, verified = await _close_books(platform, opened, payments, journal)
        replayed = await _replay(plan, payments, platform, connections, watch)
    return Result(
        plan=plan,
        payments=payments,
        journal=journal,
        lines=lines,
        verified=verified,
        replayed=replayed,
        currency=lines[0].view["currency"],
        timezone=lines[0].view["timezone"],
        made_at=system_clock(),
        seconds=perf_counter() - begun,
    )


@asynccontextmanager
async def running(data: Path | None) -> AsyncIterator[tuple[Platform, Connections]]:
    """A store and a server over it, both in `data` or in a temporary folder that is gone afterwards."""
    folder = data if data is not None else Path(tempfile.mkdtemp(prefix="makegood-"))
    settings = Settings(
        data=str(folder),
        port=0,
        deadline_ms=DEADLINE_MS,
        capture_grace_seconds=CAPTURE_GRACE_SECONDS,
        log_level="warning",
    )
    try:
        async with AsyncExitStack() as stack:
            platform = await open_platform(settings)
            stack.push_async_callback(close_platform, platform)
            address = await stack.enter_async_context(serving(settings))
            connections = await stack.enter_async_context(connections_to(address, CLIENTS + 4))
            yield platform, connections
    finally:
        if data is None:
            rmtree(folder, ignore_errors=True)


async def _pay(plan: Plan, payments: Sequence[Payment], opened: Opened, watch: Watch) -> Journal:
    watch.phase("payments", len(payments))
    begun = perf_counter()
    journal = await Checkout(plan, payments, opened.wire, watch.step).run()
    journal.seconds = perf_counter() - begun
    journal.mistakes = await make_mistakes(opened.wire, payments, journal)
    return journal


async def _close_books(
    platform: Platform, opened: Opened, payments: Sequence[Payment], journal: Journal
) -> tuple[list[Line], Verified]:
    """Let abandoned quotes expire, as they would an hour later; then compare and verify."""
    settings = platform.settings
    hold = settings.quote_valid_seconds + settings.capture_grace_seconds
    await expire_house(platform, opened.house, payments[-1].occurred_at.plus(hold + 1))
    for record in journal.records:
        if record.state == "reserved":
            answer = await opened.wire.call("till", "GET", f"/v1/payments/{record.payment_id}")
            record.state = answer["state"]
    views = (await opened.wire.call("auditor", "GET", "/v1/campaigns"))["campaigns"]
    return reconcile(journal.records, views), await verify_ledger(platform, opened.house)


async def _replay(
    plan: Plan, payments: Sequence[Payment], platform: Platform, connections: Connections, watch: Watch
) -> Replayed:
    scenario = load_scenario(REPLAY)
    reals = [Real(p.payer_id or p.payment_id, p.payee_id, p.amount) for p in payments]
    arrivals = generate(scenario, plan.seed, reals)
    watch.phase("replay", len(arrivals) * len(RUNS))
    return await replay_scenario(platform, connections, scenario, RUNS, arrivals, step=watch.step)


def _stamp() -> str:
    """A word for the name of a house that is made again and again in one store."""
    return system_clock().datetime().strftime("%Y%m%d-%H%M%S-%f")

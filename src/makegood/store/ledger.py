"""The money calls: each has one durable outcome, which a retry gets again.

Every outcome is a mapping with `outcome` and, where there is one, `quote` (see `quote_json` in migrations/) or `refund`.
"""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg

from makegood.domain.limit import Balance, Period, Subject, Used
from makegood.errors import LeaseIsOver, StoreUnavailable
from makegood.limits import BATCH_CALLS_MAX, BATCHES_IN_FLIGHT_MAX, KNOWN_CALLS_MAX, SHARES_MAX
from makegood.store.lanes import Lane
from makegood.store.packing import Request, columns_of, quote_of, reserved
from makegood.store.pool import Pool, call, fetch

Outcome = dict[str, Any]
UNWANTED: Outcome = {"outcome": "unwanted"}  # Nobody wanted it any more when its turn came; nothing was done.
LEASE_IS_OVER = "MG201"
REBALANCES_MAX = 8  # For one request; after that others take what the shares get as fast as it comes.


@dataclass(frozen=True, slots=True)
class Slots:
    """Whose limits a payment counts against, and the day and hour it counts on. References are keyed hashes."""

    payer: bytes | None
    device: bytes | None
    payee: bytes
    day: str
    hour: str


@dataclass(slots=True)
class _Lanes:
    """The lanes of one house."""

    known: Lane
    reserve: Lane
    replay: Lane
    capture: Lane
    release: Lane


@dataclass(slots=True)
class Ledger:
    """Money calls of one process on one store. `lane` is the share of each budget and the audit chain that it writes to."""

    pool: Pool
    lane: int = -1
    _houses: dict[int, _Lanes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Without a lane of its own a process takes one by its number."""
        self.lane = (os.getpid() if self.lane < 0 else self.lane) % SHARES_MAX

    async def reserve(
        self,
        house: int,
        principal: str,
        requests: Sequence[Request],
        patience_ms: int = 10_000,
        claim: Callable[[], bool] | None = None,
        lease: datetime | None = None,
    ) -> list[Outcome]:
        """Reserve for each request, in batches with whatever else is asked. One outcome each, in order: see the SQL
        function `reserve`, or UNWANTED where `claim` said, when its turn came, that nobody wants it any more.

        Raises StoreUnavailable, with nothing done for a request that raises it, when a lock takes longer than `patience_ms`;
        LeaseIsOver, likewise, when the store's clock is past `lease`. None: whoever asks needs no lease.
        """
        lane = self._of(house).reserve
        return await _all([lane.ask(principal, _keys(one), (one, patience_ms, lease), claim) for one in requests])

    async def replay(self, house: int, payments: Sequence[tuple[str, bytes]]) -> list[Outcome | None]:
        """The first outcome of each payment (its id, and the hash of its content), in order, or None."""
        lane = self._of(house).replay
        return await _all([lane.ask("", (payment,), (payment, content)) for payment, content in payments])

    def is_known(self, house: int, payment: str) -> "asyncio.Future[bool]":
        """Whether a payment was decided before; then `replay` tells how. It takes no lock and claims nothing."""
        return self._of(house).known.ask("", (), payment)

    async def capture(
        self,
        house: int,
        principal: str,
        quote: str,
        paid_at: datetime | None,
        captured: int | None,
        now: datetime | None,
    ) -> Outcome:
        """Turn a hold into a grant; `captured` minor units of the amount, None for all of it."""
        content = (quote, paid_at, captured, now)
        outcome: Outcome = await self._of(house).capture.ask(principal, (quote,), content)
        return outcome

    async def release(self, house: int, principal: str, quote: str) -> Outcome:
        """End a hold; exactly what it took returns."""
        outcome: Outcome = await self._of(house).release.ask(principal, (quote,), quote)
        return outcome

    async def disown(self, house: int, principal: str, payment: str, quote: str, touched: bool, attempt: str) -> bool:
        """End what was or may yet be held for a payment whose caller was answered full price, unless somebody else was
        answered with it. `touched`: this caller's try, `attempt`, is known to have got the hold. Whether it closed the
        payment, or found it closed. Done again for the same attempt it does nothing.
        """
        closed: bool = await call(self.pool, "disown", house, principal, payment, quote, touched, attempt)
        return closed

    async def refund(self, house: int, principal: str, payment: str, refund_id: str, amount: int) -> Outcome:
        """Refund `amount` minor units of a captured payment; the discount of that share returns to the budget."""
        return _read(await call(self.pool, "refund", house, principal, payment, refund_id, amount))

    async def expire(self, house: int, now: datetime, most: int = 500) -> int:
        """Expire holds that ended before `now`, at most `most`. How many."""
        expired: int = await call(self.pool, "expire", house, now, most)
        return expired

    async def balances(self, house: int, campaigns: Sequence[str], slots: Slots) -> dict[str, Balance]:
        """What a payment with these slots sees of each campaign now."""
        stored: dict[str, dict[str, Any]] = await call(
            self.pool, "balances", house, list(campaigns), slots.payer, slots.device, slots.payee, slots.day, slots.hour
        )
        return read_balances(stored)

    # -- batches ---------------------------------------------------------------------------------------

    def _of(self, house: int) -> _Lanes:
        lanes = self._houses.get(house)
        if lanes is None:
            most, flights = BATCH_CALLS_MAX, BATCHES_IN_FLIGHT_MAX
            lanes = self._houses[house] = _Lanes(
                # Nothing in it waits for a lock, so one flight at a time serves all who came meanwhile.
                Lane(lambda _, calls: self._known(house, calls), KNOWN_CALLS_MAX, 1),
                Lane(lambda who, calls: self._reserve(house, who, calls), most, flights, UNWANTED),
                Lane(lambda _, calls: self._replay(house, calls), most, flights),
                Lane(lambda who, calls: self._capture(house, who, calls), most, flights),
                Lane(lambda who, calls: self._release(house, who, calls), most, flights),
            )
        return lanes

    async def _reserve(
        self, house: int, principal: str, calls: Sequence[tuple[Request, int, datetime | None]]
    ) -> Sequence[Outcome | Exception]:
        requests = [request for request, _, _ in calls]
        patience = max(milliseconds for _, milliseconds, _ in calls)
        # The lease is the process's: whoever asked last knows best how long it lasts, and who waited longer has it, too.
        lease = max((until for _, _, until in calls if until is not None), default=None)
        outcomes: dict[str, Outcome] = {}
        left = requests
        for number in range(REBALANCES_MAX):
            try:
                if number:
                    await self._rebalance(house, left, outcomes)
                told = await self._reserve_once(house, principal, left, patience, lease)
            except Exception as error:
                if number == 0:
                    raise
                failed = {request["quote_id"] for request in left}  # The others have committed.
                return [error if r["quote_id"] in failed else outcomes[r["quote_id"]] for r in requests]
            for request in left:
                outcome = told.get(request["quote_id"])
                outcomes[request["quote_id"]] = reserved(request) if outcome is None else _read(outcome)
            left = [r for r in left if "share_is_short" in outcomes[r["quote_id"]].get("refused", {}).values()]
            if not left:
                break
        for request in left:
            refused = outcomes[request["quote_id"]]["refused"]
            refused |= {c: "stage_is_exhausted" for c, why in refused.items() if why == "share_is_short"}
        return [outcomes[r["quote_id"]] for r in requests]

    async def _reserve_once(
        self, house: int, principal: str, requests: Sequence[Request], patience: int, lease: datetime | None
    ) -> dict[str, Outcome]:
        arguments = (house, principal, self.lane, patience, lease, *columns_of(requests))
        try:
            told: dict[str, Outcome] = await call(self.pool, "reserve", *arguments)
        except asyncpg.PostgresError as error:
            if getattr(error, "sqlstate", None) == LEASE_IS_OVER:
                raise LeaseIsOver("the lease was over before the store could grant") from error
            if isinstance(error, asyncpg.LockNotAvailableError):
                raise StoreUnavailable("the store is too busy to decide in time") from error
            raise
        return told

    async def _rebalance(self, house: int, requests: Sequence[Request], outcomes: Mapping[str, Outcome]) -> None:
        """Get from other shares what this one lacks for all of these, as far as they have it."""
        needs: dict[str, int] = {}
        for request in requests:
            for grant in request["grants"]:
                if outcomes[request["quote_id"]]["refused"].get(grant["campaign"]) == "share_is_short":
                    needs[grant["campaign"]] = needs.get(grant["campaign"], 0) + grant["discount"]
        for campaign, need in sorted(needs.items()):
            await call(self.pool, "rebalance", house, campaign, self.lane, need)

    async def _known(self, house: int, payments: Sequence[str]) -> list[bool]:
        known = frozenset(await call(self.pool, "known_payments", house, list(payments)))
        return [payment in known for payment in payments]

    async def _replay(self, house: int, calls: Sequence[tuple[str, bytes]]) -> Sequence[Outcome | None]:
        outcomes = await call(self.pool, "replay", house, [one[0] for one in calls], [one[1] for one in calls])
        if outcomes is None:
            return [None] * len(calls)
        return [None if outcome is None else _read(outcome) for outcome in outcomes]

    async def _capture(self, house: int, principal: str, calls: Sequence[tuple[Any, ...]]) -> list[Outcome]:
        columns = [list(column) for column in zip(*calls, strict=True)]
        rows = await fetch(self.pool, "capture", house, principal, self.lane, *columns)
        return _by_quote(rows, columns[0])

    async def _release(self, house: int, principal: str, quotes: Sequence[str]) -> list[Outcome]:
        rows = await fetch(self.pool, "release", house, principal, self.lane, list(quotes))
        return _by_quote(rows, quotes)


async def _all(asked: "Sequence[asyncio.Future[Any]]") -> list[Any]:
    """What all of these gave. Raises what the first that failed raised, once every one is done.

    LeaseIsOver says that nothing was done, so it is raised only where each of them says so.
    """
    if len(asked) == 1:
        return [await asked[0]]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    failed = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    for error in failed:
        if not isinstance(error, LeaseIsOver):
            raise error
    if failed and len(failed) < len(outcomes):
        raise StoreUnavailable("the lease was over before all of it was done") from failed[0]
    if failed:
        raise failed[0]
    return outcomes


def _by_quote(rows: Sequence[Mapping[str, Any]], quotes: Sequence[str]) -> list[Outcome]:
    found = {row["quote_id"]: _read({"outcome": row["outcome"], "quote": row["quote"]}) for row in rows}
    return [found[quote] for quote in quotes]


def _read(outcome: Outcome) -> Outcome:
    quote = outcome.get("quote")
    return outcome if quote is None else outcome | {"quote": quote_of(quote)}


def _keys(request: Request) -> tuple[str, ...]:
    superseded = request["supersedes"]
    return (request["payment_id"],) if superseded is None else (request["payment_id"], superseded)


def read_balances(stored: Mapping[str, Mapping[str, Any]]) -> dict[str, Balance]:
    """Balances as the store tells them, and as they are kept beside an answer."""
    return {
        campaign: Balance(
            one["budget"],
            one["stage"],
            _used(one["used"]),
            {i: Used(*used) for i, used in one.get("shared", {}).items()},
        )
        for campaign, one in stored.items()
    }


def _used(rows: Sequence[Sequence[Any]]) -> dict[tuple[Subject, Period], Used]:
    return {(Subject(subject), Period(period)): Used(count, amount) for subject, period, count, amount in rows}

"""Settlement: days are billed to funders, and funders get statements."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from makegood.clock import Instant
from makegood.domain.review import Scope
from makegood.domain.settlement import days_between, end_of_day
from makegood.domain.statement import Statement
from makegood.errors import FieldError, Problem, ProblemCode
from makegood.limits import STATEMENT_DAYS_MAX
from makegood.services.access import Caller, House, require
from makegood.services.live import policy_of
from makegood.services.platform import Platform
from makegood.store import campaigns, settlement
from makegood.store.settlement import Day

PRINCIPAL = "makegood"  # Nobody decides what a day was.


@dataclass(frozen=True, slots=True)
class Settled:
    """A currency's day after it was settled. `new`: by this call, at least in part."""

    day: Day
    statements: tuple[Statement, ...]
    new: bool


async def settle(
    platform: Platform, house: House, day: dt.date | None = None, *, seen: Callable[[], None] = lambda: None
) -> tuple[Settled, ...]:
    """Settle every day up to `day` (default: yesterday, where the policy is) in every currency of the house.

    Afterwards each of those days has its statements. What was settled stays as it is, and a run that was cut short is
    finished; several may run at once. A currency without a booking by then is left out. `seen` is called after each
    day. Raises Problem for a day that is not over.
    """
    done: list[Settled | None] = []
    for row in await campaigns.policies_in_force(platform.store.pool, house.id):
        document = policy_of(row)
        assert document.policy is not None, "a policy in force was read before it came into force"
        done.append(await _settle(platform, house, document.policy.currency, document.policy.timezone, day, seen))
    return tuple(one for one in done if one is not None)


async def _settle(
    platform: Platform, house: House, currency: str, zone: str, wanted: dt.date | None, seen: Callable[[], None]
) -> Settled | None:
    pool = platform.store.pool
    now = Instant.of(await settlement.now(pool, house.id))
    day = wanted or now.day(zone) - dt.timedelta(days=1)
    if day >= now.day(zone):
        raise _forbidden(f"{day} is not over in {zone}", "settle it tomorrow, or an earlier day now")
    first = await _first_day(platform, house, currency, zone)
    if first is None:
        return None
    new = False
    for each in days_between(first, day):
        new |= await _settle_day(platform, house, currency, each, zone)
        seen()
    found = await settlement.day_of(pool, house.id, currency, day)
    if found is None:
        return None
    return Settled(found, tuple(await settlement.statements_of_day(pool, house.id, currency, day)), new)


async def _first_day(platform: Platform, house: House, currency: str, zone: str) -> dt.date | None:
    """The first day that is not settled, counted or not; None before anything was booked."""
    last = await settlement.last_day(platform.store.pool, house.id, currency)
    if last is not None:
        return last.day + dt.timedelta(days=last.amount is not None)
    booked = await settlement.first_booking(platform.store.pool, house.id)
    return None if booked is None else Instant.of(booked).day(zone)


async def _settle_day(platform: Platform, house: House, currency: str, day: dt.date, zone: str) -> bool:
    # 1. Count it. If we die here, the counts stand and the next run goes on from them.
    # 2. Bill its campaigns, a transaction each. If we die here, the next run bills the others.
    # 3. Close it. Only now there are statements.
    pool = platform.store.pool
    outcome = await settlement.open_day(pool, house.id, currency, day, zone, end_of_day(day, zone).datetime())
    if outcome["outcome"] != "done":
        raise _forbidden(f"{day} cannot be settled now: {outcome['outcome']}, {outcome['day']}", "run it again")
    known = await settlement.day_of(pool, house.id, currency, day)
    assert known is not None, "it was opened"
    if known.amount is not None:
        return False
    for campaign in await settlement.unsettled(pool, house.id, currency, day):
        await settlement.settle_campaign(pool, house.id, PRINCIPAL, currency, day, campaign)
    closed = await settlement.close_day(pool, house.id, PRINCIPAL, currency, day)
    assert closed, "each of its campaigns was billed"
    return True


def statement_json(one: Statement) -> dict[str, Any]:
    """A statement as the API and `--json` give it; amounts are minor units."""
    lines = [
        {
            "campaign": line.campaign,
            "share_basis_points": line.weight,
            "granted_minor": line.granted,
            "amount_minor": line.amount,
            "batch": line.batch,
        }
        for line in one.lines
    ]
    return {
        "house": one.house,
        "funder": one.funder,
        "currency": one.currency,
        "zone": one.zone,
        "day": one.day.isoformat(),
        "number": one.number,
        "opening_minor": one.opening,
        "amount_minor": one.closing - one.opening,
        "closing_minor": one.closing,
        "lines": lines,
        "batch": one.batch,
        "previous": one.previous.hex(),
        "hash": one.hash.hex(),
    }


async def settled_days(platform: Platform, caller: Caller) -> list[Day]:
    """The newest days that were settled."""
    require(caller, Scope.READ)
    return await settlement.settled_days(platform.store.pool, caller.house.id, STATEMENT_DAYS_MAX)


async def settled_day(platform: Platform, caller: Caller, currency: str, day: str) -> Settled:
    """One settled day with its statements. Raises Problem(NOT_FOUND)."""
    require(caller, Scope.READ)
    pool, wanted = platform.store.pool, _day(day)
    found = await settlement.day_of(pool, caller.house.id, currency, wanted)
    if found is None or found.amount is None:
        raise Problem(ProblemCode.NOT_FOUND, "no such day was settled")
    return Settled(found, tuple(await settlement.statements_of_day(pool, caller.house.id, currency, wanted)), new=False)


async def statement(platform: Platform, caller: Caller, funder: str, currency: str, day: str) -> Statement:
    """A funder's statement of one day. Raises Problem(NOT_FOUND), also where the funder has none of that day."""
    require(caller, Scope.READ)
    wanted = _day(day)
    found = await settlement.statements_of(platform.store.pool, caller.house.id, funder, currency, wanted, wanted)
    if not found:
        raise Problem(ProblemCode.NOT_FOUND, "this funder has no statement of that day")
    return found[0]


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Problem(ProblemCode.NOT_FOUND, "that is no day", hint="write it as 2027-02-01") from None


async def statements(
    platform: Platform,
    who: Caller | House,
    funder: str,
    first: dt.date | None = None,
    last: dt.date | None = None,
    *,
    currency: str | None = None,
) -> tuple[Statement, ...]:
    """A funder's statements from `first` to `last`, by currency, oldest first; days without a line have none.

    Without `last`, until the newest settled day; without `first`, of the last day only. Raises Problem for a funder
    that was never billed, and for days that are too many or not settled yet: a statement never ends early unseen.
    """
    if isinstance(who, Caller):
        require(who, Scope.READ)
        who = who.house
    pool = platform.store.pool
    days = await settlement.newest_days(pool, who.id, funder)
    if currency not in (None, *days) or not days:
        raise Problem(
            ProblemCode.NOT_FOUND,
            f"nothing was billed to `{funder[:80]}`" + (f" in `{currency[:80]}`" if currency else ""),
            hint="statements are written by makegood settle",
        )
    found: list[Statement] = []
    for name in days if currency is None else [currency]:
        until = last or days[name]
        _check(first or until, until, days[name])
        found += await settlement.statements_of(pool, who.id, funder, name, first or until, until)
    return tuple(found)


def _check(first: dt.date, last: dt.date, newest: dt.date) -> None:
    if last > newest:
        raise _forbidden(f"{last} is not settled yet; {newest} is the newest day that is", "run makegood settle first")
    if not 0 <= (last - first).days < STATEMENT_DAYS_MAX:
        where = FieldError("/from", f"must be before the end, and by less than {STATEMENT_DAYS_MAX} days")
        raise Problem(ProblemCode.REQUEST_IS_INVALID, "these days make no statement", errors=(where,))


def _forbidden(detail: str, hint: str) -> Problem:
    return Problem(ProblemCode.STATE_FORBIDS, detail, hint=hint)

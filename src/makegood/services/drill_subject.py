"""What a drill is about: a house, a campaign that grants now, and payments that nobody makes."""

import hashlib
import itertools
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from makegood.guard.numbers import Numbers
from makegood.services.access import House
from makegood.services.live import LiveSet, live_set
from makegood.services.platform import Platform
from makegood.store import shadow
from makegood.store.pool import Connection

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Subject:
    """The campaign that a drill is about: live, not stopped, another one each time."""

    campaign: str
    revision: str
    snapshot: str
    numbers: Numbers


@dataclass(slots=True)
class Drill:
    """One drill under way. `mark` is in all that it writes, so that nothing of it can be taken for anything else.

    `subject` is None where nothing grants now. `requests` are those that the store was asked.
    """

    platform: Platform
    house: House
    principal: str
    connection: Connection
    mark: str
    known: LiveSet = field(default_factory=LiveSet)
    subject: Subject | None = None
    requests: list[dict[str, Any]] = field(default_factory=list)

    @property
    def who(self) -> shadow.Who:
        """In whose name the store is asked."""
        return shadow.Who(self.house.id, self.principal, self.platform.store.ledger.lane)

    async def look(self) -> None:
        """See what is live now, and choose what it is about. Raises StoreUnavailable."""
        self.known = await live_set(self.platform, self.house, fresh=True)
        self.subject = _subject(self.known, self.mark)

    def request(self) -> dict[str, Any]:
        """A reservation of one minor unit for a payment that nobody makes."""
        made = _request(self)
        self.requests.append(made)
        return made


async def prepared(platform: Platform, house: House, principal: str, connection: Connection) -> Drill:
    """A drill that is about to begin, on what is live now. Raises StoreUnavailable."""
    drill = Drill(platform, house, principal, connection, f"drill-{secrets.token_hex(8)}")
    await drill.look()
    # What is asked is planned now, with a campaign that there is not: planned later it would hold locks meanwhile.
    request = drill.request() | {"candidates": [drill.mark], "grants": [_grant(drill.mark, drill.mark)]}
    with suppress(shadow.NotNow):
        arguments = (house.id, principal, drill.mark, drill.mark)
        await shadow.seen_after(connection, drill.who, "stop_campaign", arguments, request)
    return drill


def scene_of(numbers: Numbers) -> str:
    """A scene in which the campaign may grant."""
    return min(numbers.scenes)


def _subject(known: LiveSet, mark: str) -> Subject | None:
    """One of the campaigns that grant now, drawn by the mark."""
    return min(
        _grants_now(known), key=lambda one: hashlib.sha256(f"{mark}{one.campaign}".encode()).digest(), default=None
    )


def _grants_now(known: LiveSet) -> Iterator[Subject]:
    for currency, snapshot in known.snapshots.items():
        for entry in snapshot.entries:
            numbers = known.guarded.numbers.get(currency, {}).get(entry.id)
            if numbers is not None and not entry.stopped:
                yield Subject(entry.id, entry.revision, snapshot.hash, numbers)


def _request(drill: Drill) -> dict[str, Any]:
    subject, house = drill.subject, drill.house
    name = f"{drill.mark}-{next(_numbers)}"
    now = drill.known.store_clock()
    day = now.datetime()
    return {
        "quote_id": f"qte_{name.replace('-', '')}",
        "payment_id": name,
        "content_hash": hashlib.sha256(name.encode()).digest(),
        **{f"{kind}_ref": house.reference(kind, name) for kind in ("payer", "device", "payee")},
        "currency": subject.numbers.policy.currency if subject else "XTS",
        "scene": scene_of(subject.numbers) if subject else name,
        "amount": 1,
        "decided_at": day,
        "valid_until": now.plus(1).datetime(),
        "hold_until": now.plus(1).datetime(),
        "day": day.strftime("%Y-%m-%d"),
        "hour": day.strftime("%Y-%m-%dT%H+0000"),
        "snapshot": subject.snapshot if subject else name,
        "seen": {},
        "benefits": {"benefits": [], "lines": []},
        "supersedes": None,
        "candidates": [subject.campaign] if subject else [],
        "grants": [_grant(subject.campaign, subject.revision)] if subject else [],
    }


def _grant(campaign: str, revision: str) -> dict[str, Any]:
    return {"campaign": campaign, "revision": revision, "discount": 1}

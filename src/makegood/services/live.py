"""The live set of a house as pricing reads it: one snapshot a currency, refreshed when the store says it changed.

A stale picture is harmless: the store itself refuses a stopped campaign or a replaced revision when money is reserved.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from makegood.clock import Instant
from makegood.documents.document import CampaignDocument, PolicyDocument
from makegood.documents.read import read_documents
from makegood.documents.source import Source
from makegood.domain.brief import Brief
from makegood.engine.snapshot import Live, Snapshot, build_snapshot
from makegood.errors import LeaseIsOver, Problem, ProblemCode
from makegood.findings import FindingCode, Severity
from makegood.services.access import House
from makegood.services.briefs import Known, known_of
from makegood.services.platform import Platform
from makegood.store import campaigns as rows
from makegood.store import records
from makegood.telemetry import log

POLICIES_KEPT = 64  # Revisions never change, so what was read once stays read.
CAMPAIGNS_KEPT = 4_096
AGE_SECONDS_MAX = 0.25  # After this a call asks the store whether the live set changed.


@dataclass(slots=True)
class LiveSet:
    """What a process knows of a house's live set. `skew` turns its own clock into the store's, nanoseconds.

    `test`: the house goes by the clock of its payments. `lease` is until when it may grant by the store's clock, and
    `leased_until` by the monotonic clock of this process: whichever is over first.
    """

    test: bool = False
    version: int = -1
    asked: float = 0.0
    lease: datetime | None = None
    leased_until: float = 0.0
    skew: int = 0
    snapshots: Mapping[str, Snapshot] = field(default_factory=dict)
    policies: Mapping[str, PolicyDocument] = field(default_factory=dict)
    guarded: Known = field(default_factory=Known)
    saved: set[str] = field(default_factory=set)
    refreshing: "asyncio.Task[object] | None" = None
    refresh_began: float = 0.0

    def store_clock(self) -> Instant:
        """The store's time now, as last compared."""
        return Instant(time.monotonic_ns() + self.skew)

    @property
    def is_leased(self) -> bool:
        """Whether this process may grant by its own clock; the store looks at its own."""
        return time.monotonic() < self.leased_until

    @property
    def is_cut_off(self) -> bool:
        """Whether the lease is over and the store was asked a while ago, without an answer yet."""
        asking = self.refreshing is not None and not self.refreshing.done()
        slow = time.monotonic() - self.refresh_began > AGE_SECONDS_MAX
        return asking and slow and self.version >= 0 and not self.is_leased


def fresh_set(platform: Platform, house: House) -> LiveSet | None:
    """The live set where it is known and fresh: nearly always."""
    known = platform.live.get(house.id)
    return known if known is not None and time.monotonic() - known.asked <= AGE_SECONDS_MAX else None


async def live_set(platform: Platform, house: House, *, fresh: bool = False) -> LiveSet:
    """The live set, at most a quarter of a second old; `fresh` asks the store in any case.

    Raises LeaseIsOver where the store has not answered for so long that nobody needs to wait for it any more.
    """
    known = platform.live.setdefault(house.id, LiveSet(test=not house.live))
    if not fresh and known.is_cut_off:
        raise LeaseIsOver("nothing was heard from the store for as long as a lease lasts")
    if fresh or time.monotonic() - known.asked > AGE_SECONDS_MAX:
        await _refreshed(platform, house, known, fresh=fresh)
    return known


async def _refreshed(platform: Platform, house: House, known: LiveSet, *, fresh: bool) -> None:
    """Wait for a refresh that all who ask now share; `fresh`: for one that began after this call did."""
    running = known.refreshing
    if fresh and running is not None:
        await asyncio.wait({running})
    if known.refreshing is None or known.refreshing.done():
        known.refresh_began = time.monotonic()
        task: asyncio.Task[object] = asyncio.create_task(_refresh(platform, house, known))
        task.add_done_callback(_heed)
        platform.tasks.add(task)
        task.add_done_callback(platform.tasks.discard)
        known.refreshing = task
    await asyncio.shield(known.refreshing)  # Who gives up waiting does not end it for the others.


def _heed(task: asyncio.Task[object]) -> None:
    """Take a refresh's error from it, though everybody who waited for it may be gone."""
    if not task.cancelled():
        task.exception()


async def _refresh(platform: Platform, house: House, known: LiveSet) -> None:
    began = time.monotonic()
    stored = await records.live_set(platform.store.pool, house.id, known.version)
    seconds = platform.settings.lease_ms / 1000
    known.skew = Instant.of(stored.now) - time.monotonic_ns()
    if stored.version > known.version:
        known.policies, known.snapshots, known.guarded = await _build(platform, house, stored, known.snapshots)
        known.version = stored.version
    # Counted from before the store was asked: what it said then is what the lease is for.
    known.lease, known.leased_until = stored.now + timedelta(seconds=seconds), began + seconds
    known.asked = time.monotonic()


async def _build(
    platform: Platform, house: House, stored: records.LiveSet, before: Mapping[str, Snapshot]
) -> tuple[dict[str, PolicyDocument], dict[str, Snapshot], Known]:
    briefs = [row["brief"] for row in stored.campaigns if row["brief"]]
    revisions = [*stored.policies.values(), *(row["revision"] for row in stored.campaigns), *briefs]
    documents = await rows.documents(platform.store.pool, house.id, revisions)
    # A thousand campaigns take most of a second to check and compile: not in the loop that answers payments.
    return await asyncio.to_thread(_compile, house, stored, documents, before)


def _compile(
    house: House,
    stored: records.LiveSet,
    documents: Mapping[str, Mapping[str, Any]],
    before: Mapping[str, Snapshot],
) -> tuple[dict[str, PolicyDocument], dict[str, Snapshot], Known]:
    policies = {currency: policy_of(documents[revision]) for currency, revision in stored.policies.items()}
    for currency in [currency for currency, policy in policies.items() if policy.policy is None]:
        log.error(
            "the policy in force cannot be read; its currency grants nothing", house=house.name, currency=currency
        )
        del policies[currency]
    members = {currency: [row for row in stored.campaigns if row["currency"] == currency] for currency in policies}
    snapshots = {
        currency: _snapshot(house, policy, members[currency], documents, stored.scenes, before.get(currency))
        for currency, policy in policies.items()
    }
    briefs = [
        (currency, row["revision"], brief_of(documents[row["brief"]], policy) if row["brief"] in documents else None)
        for currency, policy in policies.items()
        for row in members[currency]
    ]
    plain = {currency: policy.policy for currency, policy in policies.items() if policy.policy is not None}
    return (
        policies,
        snapshots,
        known_of(house, plain, briefs, [row["campaign_id"] for row in stored.campaigns if row["stopped"]]),
    )


def _snapshot(
    house: House,
    policy: PolicyDocument,
    members: Iterable[Mapping[str, Any]],
    documents: Mapping[str, Mapping[str, Any]],
    stopped_scenes: frozenset[str],
    before: Snapshot | None = None,
) -> Snapshot:
    live = []
    for row in members:
        document = campaign_of(documents[row["revision"]], policy)
        if document.campaign is None or document.has_errors:
            # It cannot be, but if it is, one campaign grants nothing: the others and the payments go on.
            log.error("a live campaign cannot be read by the policy in force and grants nothing",
                      house=house.name, revision=row["revision"], policy=policy.revision)  # fmt: skip
            continue
        live.append(Live(document.campaign, row["revision"], row["stopped"]))
    assert policy.policy is not None
    return build_snapshot(
        policy.policy,
        live,
        policy_revision=policy.revision,
        secret=house.draw_secret,
        stopped_scenes=stopped_scenes,
        before=before,
    )


def policy_of(row: Mapping[str, Any]) -> PolicyDocument:
    """The policy in a stored document."""
    return _read_policy(row["revision"], row["canonical"])


def campaign_of(row: Mapping[str, Any], policy: PolicyDocument) -> CampaignDocument:
    """The campaign in a stored document, read by a policy."""
    return _read_campaign(row["revision"], row["canonical"], policy.revision, policy.canonical)


def brief_of(row: Mapping[str, Any], policy: PolicyDocument) -> Brief | None:
    """The brief in a stored document, read by a policy; None where the policy refuses it."""
    return _read_brief(row["revision"], row["canonical"], policy.revision, policy.canonical)


@lru_cache(maxsize=POLICIES_KEPT)
def _read_policy(revision: str, canonical: bytes) -> PolicyDocument:
    return read_documents([Source(revision, canonical)], now=Instant(0)).policies[0]


@lru_cache(maxsize=CAMPAIGNS_KEPT)
def _read_campaign(revision: str, canonical: bytes, policy: str, policy_canonical: bytes) -> CampaignDocument:
    reader = _read_policy(policy, policy_canonical)
    return read_documents([Source(revision, canonical)], now=Instant(0), policy=reader).campaigns[0]


@lru_cache(maxsize=CAMPAIGNS_KEPT)
def _read_brief(revision: str, canonical: bytes, policy: str, policy_canonical: bytes) -> Brief | None:
    reader = _read_policy(policy, policy_canonical)
    document = read_documents([Source(revision, canonical)], now=Instant(0), policy=reader).briefs[0]
    # What was published before expectations were judged is what was agreed; the detector has nothing to say of it then.
    errors = {finding.code for finding in document.findings if finding.severity is Severity.ERROR}
    return document.brief if errors <= {FindingCode.EXPECTATION_IS_ABSURD} else None


def snapshot_for(known: LiveSet, currency: Any) -> Snapshot:
    """The snapshot of a payment's currency; any, where the currency is not one of the house's."""
    if not known.snapshots:
        raise Problem(
            ProblemCode.POLICY_IS_MISSING,
            "this house has no policy in force",
            hint="publish one and have another principal approve it: makegood publish policy.yaml",
        )
    found = known.snapshots.get(currency) if isinstance(currency, str) else None
    return found or next(iter(known.snapshots.values()))


async def save_snapshot(platform: Platform, house: House, known: LiveSet, snapshot: Snapshot) -> None:
    """Keep what the snapshot's hash stands for; afterwards quotes may name it."""
    if snapshot.hash in known.saved:
        return
    members = [
        {"campaign": entry.id, "revision": entry.revision, "stopped": entry.stopped} for entry in snapshot.entries
    ]
    members += [{"scene": scene} for scene in sorted(snapshot.stopped_scenes)]
    policy = known.policies[snapshot.policy.currency].revision
    await records.save_snapshot(platform.store.pool, house.id, snapshot.hash, policy, members)
    known.saved.add(snapshot.hash)


async def snapshot_named(platform: Platform, house: House, name: str) -> Snapshot:
    """The snapshot of a hash, rebuilt from the stored documents. Raises Problem(NOT_FOUND)."""
    row = await records.snapshot(platform.store.pool, house.id, name)
    if row is None:
        raise Problem(ProblemCode.NOT_FOUND, f"there is no snapshot `{name[:80]}`")
    members = [member for member in row["members"] if "scene" not in member]
    scenes = frozenset(member["scene"] for member in row["members"] if "scene" in member)
    documents = await rows.documents(
        platform.store.pool, house.id, [row["policy"], *(member["revision"] for member in members)]
    )
    return _snapshot(house, policy_of(documents[row["policy"]]), members, documents, scenes)

"""Snapshot: the live campaigns of a house at one moment, immutable, compiled and indexed."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from makegood.clock import Instant
from makegood.domain.campaign import Campaign
from makegood.domain.payment import Payment
from makegood.domain.policy import Policy
from makegood.engine.compile import Compiler
from makegood.engine.entry import Entry
from makegood.engine.index import Index
from makegood.limits import CAMPAIGNS_LIVE_MAX


@dataclass(frozen=True, slots=True)
class Live:
    """A revision in the live set. A stopped one is never granted, but is explained."""

    campaign: Campaign
    revision: str
    stopped: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """What pricing reads. `hash` names its content: policy, revisions, and what of them and of scenes is stopped."""

    hash: str
    policy: Policy
    zone: str
    secret: bytes
    campaigns: Mapping[str, Campaign]
    entries: tuple[Entry, ...]  # Sorted by campaign id.
    reads_time: bool
    shares_limits: bool  # Whether any campaign counts against a limit across campaigns.
    index: Index
    stopped_scenes: frozenset[str] = frozenset()

    def as_seen(self, payment: Payment, now: Instant) -> Payment:
        """The payment as rules must read it when the decision is made at `now`."""
        return payment.at(now) if self.reads_time and payment.occurred_at != now else payment

    def candidates(self, seen: Payment, now: Instant) -> Sequence[Entry]:
        """Every running campaign that the payment may be eligible for, by window, code and indexed
        conditions.
        """
        return self.index.candidates(seen, now)


def build_snapshot(
    policy: Policy,
    live: Iterable[Live],
    *,
    policy_revision: str,
    secret: bytes,
    stopped_scenes: frozenset[str] = frozenset(),
    before: "Snapshot | None" = None,
) -> Snapshot:
    """The snapshot of `live` under `policy`, where nothing is granted in `stopped_scenes`. `secret` feeds the random
    benefits of the house and is not in the hash. What `before`, a snapshot under the same policy, has of a revision is
    taken over: a stop changes one of a thousand campaigns.

    Documents were checked before, so a campaign that does not fit the policy is a bug: an assert.
    """
    members = sorted(live, key=lambda member: member.campaign.id)
    assert len(members) <= CAMPAIGNS_LIVE_MAX
    assert len({member.campaign.id for member in members}) == len(members), "a campaign is live once"
    for member in members:
        _assert_fits(member.campaign, policy)
    entries = _compile(members, policy, before)
    optional = frozenset(name for name, field in policy.schema.fields.items() if field.optional)
    return Snapshot(
        hash=_hash(policy_revision, members, stopped_scenes),
        policy=policy,
        zone=policy.timezone,
        secret=secret,
        campaigns=MappingProxyType({member.campaign.id: member.campaign for member in members}),
        entries=entries,
        # A rule can read the field only by naming it, so this is never wrong in the dangerous direction.
        reads_time=any("occurred_at" in member.campaign.when for member in members),
        shares_limits=any(entry.shared for entry in entries),
        index=Index((entry for entry in entries if not entry.stopped), optional),
        stopped_scenes=stopped_scenes,
    )


def _compile(members: Sequence[Live], policy: Policy, before: Snapshot | None) -> tuple[Entry, ...]:
    compiler = Compiler(policy)
    is_usable = before is not None and before.policy is policy
    compiled = {entry.revision: entry for entry in before.entries} if before is not None and is_usable else {}
    by_priority = sorted(members, key=lambda member: (-member.campaign.stacking.priority, member.campaign.id))
    rank = {member.campaign.id: index for index, member in enumerate(by_priority)}

    def entry_of(member: Live) -> Entry:
        place, known = rank[member.campaign.id], compiled.get(member.revision)
        if known is not None:
            return replace(known, stopped=member.stopped, rank=place)
        return compiler.compile(member.campaign, member.revision, stopped=member.stopped, rank=place)

    return tuple(map(entry_of, members))


def _hash(policy_revision: str, members: Iterable[Live], stopped_scenes: Iterable[str]) -> str:
    lines = sorted(f"{member.revision} {'stopped' if member.stopped else 'running'}" for member in members)
    scenes = sorted(f"scene {scene} stopped" for scene in stopped_scenes)
    text = "\n".join(["makegood snapshot/1", policy_revision, *lines, *scenes])
    return "snp_" + hashlib.sha256(text.encode()).hexdigest()


def _assert_fits(campaign: Campaign, policy: Policy) -> None:
    assert campaign.label in policy.labels, f"{campaign.id}: its label is not the policy's"
    assert all(share.funder in policy.funders for share in campaign.funding), f"{campaign.id}: an unknown funder"
    assert campaign.window.opens < campaign.window.closes, f"{campaign.id}: its window is empty"
    assert campaign.budget >= 0 and campaign.stages[-1:] == (campaign.budget,), f"{campaign.id}: stages"

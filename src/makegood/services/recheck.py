"""Proving again: what is live against the policy and the live set of today, and a new policy against what is live."""

import asyncio
from collections.abc import Mapping
from typing import Any

from makegood.clock import Instant
from makegood.documents.document import PolicyDocument
from makegood.domain.review import Guard
from makegood.services.access import Caller, House
from makegood.services.live import campaign_of, live_set, policy_of
from makegood.services.platform import Platform
from makegood.services.proofs import Proof, refuse_unproved, world_of
from makegood.services.proving import prove_policy_over_live, prove_revision
from makegood.store import campaigns as rows


async def prove_live(platform: Platform, caller: Caller, campaign_id: str) -> Proof | None:
    """A proof that a stopped campaign may grant again: beside its brief, under today's policy, among all that is live.

    None where there is nothing to prove: it is not live or not stopped, or the house does without proofs. Raises
    Problem(NOT_PROVED) with every row that does not say yes.
    """
    pool, house = platform.store.pool, caller.house
    standing = next(iter(await rows.standings(pool, house.id, campaign_id)), None)
    if standing is None or standing["live"] is None or not standing["stopped"] or Guard.PROOF in house.guards_left_out:
        return None
    in_force = await rows.policy_in_force(pool, house.id, standing["currency"])
    stored = await rows.document(pool, house.id, standing["live"])
    assert in_force is not None and stored is not None, "what is live was read by a policy"
    policy = policy_of(in_force)
    revisions = (standing["live"], standing["brief"], policy.revision)
    world = await world_of(platform, house, standing["currency"], campaign_id, *revisions)
    proof = await prove_revision(platform, caller, world, campaign_of(stored, policy), policy)
    return refuse_unproved(proof, "it stays stopped: nothing proves that it keeps its brief and today's policy")


async def prove_policy(platform: Platform, caller: Caller, policy: PolicyDocument) -> Proof | None:
    """A proof that everything live in its currency keeps a new policy; None where nothing is, or without the guard.

    Raises Problem(NOT_PROVED) with every row that does not say yes.
    """
    house = caller.house
    assert policy.policy is not None
    currency = policy.policy.currency
    world = await world_of(platform, house, currency, "", policy.revision, "", policy.revision)
    if not world.live or Guard.PROOF in house.guards_left_out:
        return None
    standings = await rows.standings(platform.store.pool, house.id)
    live = [one for one in standings if one["live"] in world.live]
    if len(live) != len(world.live):
        return None  # Others changed what is live meanwhile; the store asks for a proof and refuses without it.
    members = await _not_ended(platform, house, live, policy)
    proof = await prove_policy_over_live(platform, caller, world, policy, members)
    return refuse_unproved(proof, "the policy in force stays: nothing proves that everything live keeps the new one")


async def prove_everything_live(platform: Platform, caller: Caller) -> dict[str, str]:
    """For each currency in which something is live, a proof that all of it keeps today's policy.

    Raises Problem(NOT_PROVED) with every row that does not say yes.
    """
    proofs: dict[str, str] = {}
    for row in await rows.policies_in_force(platform.store.pool, caller.house.id):
        policy = policy_of(row)
        proof = await prove_policy(platform, caller, policy) if policy.policy is not None else None
        if proof is not None and policy.policy is not None:
            proofs[policy.policy.currency] = proof.proof
    return proofs


async def _not_ended(
    platform: Platform, house: House, live: list[dict[str, Any]], policy: PolicyDocument
) -> list[tuple[str, str]]:
    """(revision, brief) of what can still grant. A test house's clock may go back, so there nothing has ended."""
    stored = await rows.documents(platform.store.pool, house.id, [one["live"] for one in live])
    now = (await live_set(platform, house)).store_clock() if house.live else None

    def left() -> list[tuple[str, str]]:
        return [(one["live"], one["brief"]) for one in live if _may_grant(stored[one["live"]], policy, now)]

    return await asyncio.to_thread(left)  # Each is read by the new policy for the first time.


def _may_grant(row: Mapping[str, Any], policy: PolicyDocument, now: Instant | None) -> bool:
    campaign = campaign_of(row, policy).campaign
    return campaign is not None and (now is None or now < campaign.window.closes)

"""Policies that are put in force in the store with a proof that says yes."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tests.store.conftest import Books

from makegood.store import campaigns, proofs


async def put_policy(books: Books, *limits: Mapping[str, Any]) -> str:
    """A policy with these limits across campaigns is in force now; gives its revision."""
    pool, house = books.pool, books.house.id
    version = await campaigns.live_version(pool, house)
    canonical = json.dumps({"limits": list(limits), "version": version}).encode()
    policy = "rev_" + hashlib.sha256(canonical).hexdigest()
    await campaigns.publish(
        pool, house, "ann", "CNY", [campaigns.NewDocument("policy", "CNY", policy, canonical, "CNY")]
    )
    live = await proofs.live_beside(pool, house, "CNY", "")
    row: dict[str, Any] = {"obligation": "can_ever_apply", "verdict": "proved"}
    said: dict[str, Any] = {"revision": policy, "brief": "", "policy": policy, "live_set": list(live), "exposure": None}
    said |= {"is_proved": True, "rows": [row | {"question_sha256": proofs.name_of_question("")}], "solver": "none"}
    name = proofs.name_of(said)
    await proofs.keep(pool, house, "ann", "CNY", said | {"proof": name, "questions": [""]})
    arguments = (pool, house, "bob", "CNY", policy, version, name, [dict(one) for one in limits])
    outcome = await campaigns.put_policy_in_force(*arguments)
    assert outcome["outcome"] == "done", outcome
    return policy

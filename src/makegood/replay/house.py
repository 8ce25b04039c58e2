"""A test house with its people, and documents that come into force the way they must: by three principals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from makegood.documents.source import Source
from makegood.domain.review import Guard, Scope
from makegood.replay.wire import CallFailed, Connections, Wire
from makegood.services.access import House, create_house, create_key
from makegood.services.platform import Platform

PEOPLE: Mapping[str, tuple[Scope, ...]] = {
    "risk": (Scope.APPROVE, Scope.READ),
    "budget-owner": (Scope.BRIEF, Scope.READ),
    "marketing": (Scope.AUTHOR, Scope.READ),
    "finance": (Scope.APPROVE, Scope.READ),
    "legal": (Scope.APPROVE, Scope.READ),
    "on-call": (Scope.OPERATE, Scope.READ),
    "till": (Scope.QUOTE,),
    "auditor": (Scope.READ,),
}
_APPROVERS = ("finance", "legal")  # Neither writes anything, so either may approve everything.
_AUTHORS = {"policy": "risk", "brief": "budget-owner", "campaign": "marketing"}


@dataclass(frozen=True, slots=True)
class Opened:
    """A test house, ready for payments."""

    house: House
    wire: Wire
    keys: Mapping[str, str]


class NotProved(CallFailed):
    """A proof refuses a campaign, so it does not run; `rows` are what the proof does not say yes to."""

    def __init__(self, campaign: str, rows: Sequence[Mapping[str, Any]]) -> None:
        obligations = ", ".join(row["obligation"] for row in rows) or "no proof could be made"
        super().__init__(f"the campaign `{campaign}` is not proved: {obligations}")
        self.rows = tuple(rows)


async def open_house(
    platform: Platform, connections: Connections, name: str, *, guards_left_out: Sequence[Guard] = ()
) -> Opened:
    """A new test house with a key for each of PEOPLE. Raises Problem(HOUSE_EXISTS)."""
    house = await create_house(platform, name, live=False, guards_left_out=guards_left_out)
    keys = {who: (await create_key(platform, name, who, scopes)).key for who, scopes in PEOPLE.items()}
    return Opened(house, Wire(connections, keys), keys)


async def put_in_force(wire: Wire, sources: Sequence[Source]) -> None:
    """Publish and approve `sources` over HTTP: a policy first, then briefs, then campaigns, each by who may.

    Raises NotProved where a proof refuses a campaign, and CallFailed where one does not run for another reason.
    """
    for kind, author in _AUTHORS.items():
        documents = [_document(source) for source in sources if f"makegood: {kind}/".encode() in source.data]
        if not documents:
            continue
        published = await wire.call(author, "POST", "/v1/documents", {"documents": documents})
        for one in published["published"]:
            if one["missing"]:
                await _approve(wire, one)


async def _approve(wire: Wire, published: Mapping[str, Any]) -> None:
    missing: list[str] = published["missing"]
    if any(lack.partition(":")[0] == "proof" for lack in missing):
        raise NotProved(published["id"], [row for row in published["proofs"] if row["verdict"] != "proved"])
    for who in _APPROVERS:
        if not missing:
            return
        answer = await wire.call(who, "POST", f"/v1/revisions/{published['revision']}/approve", {})
        missing = answer["missing"]
    if missing:
        raise CallFailed(f"the {published['kind']} `{published['id']}` still lacks {', '.join(missing)}")


def _document(source: Source) -> dict[str, str]:
    return {"file": source.file, "text": source.data.decode()}

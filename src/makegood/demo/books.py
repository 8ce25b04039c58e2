"""Do two independent books agree? What the answers said, added up by the client, beside what the ledger holds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from makegood.demo.record import Record


@dataclass(frozen=True, slots=True)
class Line:
    """One campaign in both books, minor units. `view` is the campaign as the API shows it."""

    campaign: str
    client_granted: int
    ledger_granted: int
    client_reserved: int
    ledger_reserved: int
    view: Mapping[str, Any]

    @property
    def equal(self) -> bool:
        """To the minor unit, and the budget is used by exactly that much."""
        left = self.view["budget_minor"] - self.client_granted - self.client_reserved
        return (
            self.client_granted == self.ledger_granted
            and self.client_reserved == self.ledger_reserved
            and left == self.view["left_minor"]
        )


def reconcile(records: Iterable[Record], views: Iterable[Mapping[str, Any]]) -> list[Line]:
    """A line for each campaign of the house, by id."""
    held = list(records)
    return [
        Line(
            campaign=view["id"],
            client_granted=sum(record.kept(view["id"]) for record in held),
            ledger_granted=view["granted_minor"],
            client_reserved=sum(r.benefits.get(view["id"], 0) for r in held if r.state == "reserved"),
            ledger_reserved=view["reserved_minor"],
            view=view,
        )
        for view in sorted(views, key=lambda view: str(view["id"]))
    ]

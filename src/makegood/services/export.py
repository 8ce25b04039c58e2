"""The entries of a house as rows of a file."""

from collections.abc import Callable

from makegood.clock import Instant
from makegood.domain.statement import plain
from makegood.services.access import House
from makegood.services.platform import Platform
from makegood.store import export
from makegood.store.export import Account, Entry, Totals

Row = dict[str, str | int | None]

COLUMNS = (
    *("entry_id", "line", "at", "batch", "kind", "subject", "campaign", "currency"),
    *("from_account", "from_kind", "from_share", "from_funder", "to_account", "to_kind", "to_share", "to_funder"),
    *("amount", "amount_minor"),
)


async def export_entries(platform: Platform, house: House, write: Callable[[Row], None]) -> Totals:
    """Call `write` with every entry of a house, oldest first. What was written, and whether accounts hold as much."""
    totals = Totals()
    async for entry in export.entries(platform.store.pool, house.id, totals):
        write(row_of(entry))
    return totals


def row_of(entry: Entry) -> Row:
    """One entry by column, its texts as they are."""
    head: Row = {
        "entry_id": entry.entry_id,
        "line": entry.line,
        "at": Instant.of(entry.at).text(),
        "batch": entry.batch,
        "kind": entry.kind,
        "subject": entry.subject,
        "campaign": entry.from_account.campaign,
        "currency": entry.from_account.currency,
    }
    sides = _side("from", entry.from_id, entry.from_account) | _side("to", entry.to_id, entry.to_account)
    return head | sides | {"amount": plain(entry.amount, entry.from_account.currency), "amount_minor": entry.amount}


def _side(name: str, number: int, account: Account) -> Row:
    return {
        f"{name}_account": number,
        f"{name}_kind": account.kind,
        f"{name}_share": account.share,
        f"{name}_funder": account.funder,
    }

"""A result as scripts read it."""

from collections import Counter
from typing import Any

from makegood.demo.run import Result
from makegood.replay.tell import facts_of, rows_of


def summary(result: Result, report: str | None) -> dict[str, Any]:
    """The object that `--json` prints and data.json holds. Money in minor units of `currency`."""
    journal = result.journal
    records = journal.records
    states = Counter(record.state for record in records)
    verified = result.verified
    return {
        "payments": len(records),
        "granted": result.granted,
        "discount_minor": result.discount_minor,
        "kept_minor": result.kept_minor,
        "currency": result.currency,
        "refused": journal.refused(),
        "captured": states["captured"],
        "partly_captured": sum(record.partly for record in records),
        "released": states["released"],
        "expired": states["expired"],
        "refunded": sum(bool(record.refunds) for record in records),
        "refunds": sum(record.refunds for record in records),
        "retries": journal.retries,
        "retries_that_differ": journal.retries_that_differ,
        "problems": dict(Counter(mistake.code for mistake in journal.mistakes)),
        "ledger": {
            "balanced": verified.balanced,
            "accounts": verified.accounts,
            "entries": verified.entries,
            "violations": list(verified.violations),
        },
        "reconciled": result.reconciled,
        "replay": _replay(result),
        "seed": result.plan.seed,
        "seconds": round(result.seconds, 3),
        "made_at": result.made_at.text(),
        "report": report,
    }


def _replay(result: Result) -> dict[str, Any]:
    replayed = result.replayed
    return facts_of(replayed) | {"rows": rows_of(replayed, as_published=False), "within": result.within}

"""What `makegood price` found: counted, written one row a payment, and told to a person or a script."""

import csv
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from rich.table import Table

from makegood.cli.output import console, finding_json, print_finding
from makegood.domain.quote import Refusal
from makegood.engine.snapshot import Snapshot
from makegood.files.run import Invalid, Outcome, Skipped
from makegood.findings import Finding
from makegood.money import format_money

Write = Callable[[Outcome], None]

_ERRORS_SHOWN = 5  # Of the rows that do not fit; their number tells the rest.
_COLUMNS = ("payment_id", "discount_minor", "benefits", "refusals")


@dataclass(slots=True)
class Totals:
    """What one run found. Money is minor units of `currency`."""

    currency: str
    payments: int = 0
    granted: int = 0
    discount: int = 0
    seconds: float = 0.0
    skipped: int = 0
    invalid: int = 0
    refused: Counter[Refusal] = field(default_factory=Counter)
    grants: Counter[str] = field(default_factory=Counter)
    discounts: Counter[str] = field(default_factory=Counter)
    errors: list[Invalid] = field(default_factory=list)

    def add(self, outcome: Skipped | Invalid | Outcome) -> None:
        """Count one row."""
        match outcome:
            case Skipped():
                self.skipped += 1
            case Invalid():
                self.invalid += 1
                if len(self.errors) < _ERRORS_SHOWN:
                    self.errors.append(outcome)
            case Outcome():
                self._add_priced(outcome)

    def _add_priced(self, outcome: Outcome) -> None:
        self.payments += 1
        self.seconds += outcome.seconds
        self.granted += bool(outcome.priced.grants)
        self.discount += outcome.priced.discount
        for grant in outcome.priced.grants:
            self.grants[grant.campaign] += 1
            self.discounts[grant.campaign] += grant.discount
        if outcome.refusal is not None:
            self.refused[outcome.refusal] += 1

    @property
    def payments_per_second(self) -> int:
        """How many payments were priced in one second of pricing."""
        return round(self.payments / self.seconds) if self.seconds else 0


def json_writer(stream: Any) -> Write:
    """Writes JSON lines to a text stream."""

    def write(outcome: Outcome) -> None:
        stream.write(msgspec.json.encode(row_json(outcome)).decode() + "\n")

    return write


def csv_writer(stream: Any) -> Write:
    """Writes a header and CSV rows to a text stream; lists are JSON."""
    lines = csv.writer(stream)
    lines.writerow(_COLUMNS)

    def write(outcome: Outcome) -> None:
        row = row_json(outcome)
        lists = [msgspec.json.encode(row[name]).decode() for name in ("benefits", "refusals")]
        lines.writerow([row["payment_id"], row["discount_minor"], *lists])

    return write


def row_json(outcome: Outcome) -> dict[str, Any]:
    """One payment as `--out` writes it: what it got, and why not from every other campaign."""
    return {
        "payment_id": outcome.payment.payment_id,
        "discount_minor": outcome.priced.discount,
        "benefits": [
            {
                "campaign": grant.campaign,
                "revision": grant.revision,
                "label": grant.label,
                "discount_minor": grant.discount,
            }
            for grant in outcome.priced.grants
        ],
        "refusals": [
            {"campaign": one.campaign, "refusal": one.refusal} | ({"error": one.error} if one.error else {})
            for one in outcome.explanation
            if one.refusal is not None
        ],
    }


def totals_json(totals: Totals, snapshot: Snapshot, findings: Iterable[Finding]) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "payments": totals.payments,
        "granted": totals.granted,
        "discount_minor": totals.discount,
        "currency": totals.currency,
        "seconds": round(totals.seconds, 6),
        "payments_per_second": totals.payments_per_second,
        "skipped": totals.skipped,
        "invalid": totals.invalid,
        "refused": {refusal.value: totals.refused[refusal] for refusal in Refusal if totals.refused[refusal]},
        "campaigns": [
            {
                "campaign": entry.id,
                "revision": entry.revision,
                "granted": totals.grants[entry.id],
                "discount_minor": totals.discounts[entry.id],
            }
            for entry in snapshot.entries
        ],
        "snapshot": snapshot.hash,
        "errors": [
            {"row": one.number, "path": error.path, "message": error.message, "hint": error.hint}
            for one in totals.errors
            for error in one.errors
        ],
        "findings": [finding_json(finding) for finding in findings],
    }


def print_totals(totals: Totals, snapshot: Snapshot, findings: Iterable[Finding]) -> None:
    """What a person reads."""
    print_findings(findings)
    table = Table("campaign", "label", box=None)
    table.add_column("payments", justify="right")
    table.add_column(f"discount, {totals.currency}", justify="right")
    for entry in snapshot.entries:
        amount = format_money(totals.discounts[entry.id], totals.currency).removesuffix(f" {totals.currency}")
        table.add_row(entry.id, entry.campaign.label, f"{totals.grants[entry.id]:,}", amount)
    console.print(table)
    share = f" ({totals.granted / totals.payments:.1%})" if totals.payments else ""
    discount = format_money(totals.discount, totals.currency)
    console.print(f"{totals.payments:,} payments, {totals.granted:,} granted{share}, {discount} off in all")
    for refusal in Refusal:
        if totals.refused[refusal]:
            console.print(f"  {totals.refused[refusal]:>9,} got nothing: {refusal.value}", markup=False)
    speed = f"{totals.payments_per_second:,} payments a second"
    console.print(f"{totals.seconds:.2f} s of pricing, {speed}; {totals.skipped:,} rows are no completed purchases")
    _print_errors(totals)


def _print_errors(totals: Totals) -> None:
    if not totals.invalid:
        return
    console.print(f"[bold red]✗ error[/] {totals.invalid:,} rows do not fit the policy's schema and were not priced")
    for one in totals.errors:
        for error in one.errors:
            hint = f" - {error.hint}" if error.hint else ""
            console.print(f"  row {one.number}: {error.path or 'the row'} {error.message}{hint}", markup=False)


def print_findings(findings: Iterable[Finding]) -> None:
    """One line a finding."""
    for finding in findings:
        print_finding(finding)

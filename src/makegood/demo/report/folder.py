"""The report folder: pages, data.json, payments.csv. It is written beside and renamed, never half there."""

import csv
import io
import os
from collections.abc import Mapping
from pathlib import Path
from shutil import rmtree
from typing import Any

import msgspec

from makegood.demo.report.page import page
from makegood.demo.report.words import FILES
from makegood.demo.run import Result
from makegood.demo.tell import summary
from makegood.replay.report.folder import check_folder

_COLUMNS = (
    "payment_id", "occurred_at", "amount_minor", "discount_minor", "kept_discount_minor", "currency", "campaigns",
    "outcome", "refunded_minor", "quote_ms",
)  # fmt: skip


def write_report(result: Result, folder: Path) -> Path:
    """The address of the English page; `folder` holds the whole report afterwards."""
    check_folder(folder, "--out")
    making = folder.with_name(f".{folder.name}.{os.getpid()}")
    making.mkdir(parents=True)
    try:
        for language, name in FILES.items():
            (making / name).write_text(page(result, language), encoding="utf-8")
        data = summary(result, str(folder)) | {"campaigns": [_campaign(line) for line in result.lines]}
        (making / "data.json").write_bytes(msgspec.json.format(msgspec.json.encode(data), indent=2) + b"\n")
        (making / "payments.csv").write_text(_csv(result), encoding="utf-8")
        if folder.exists():
            folder.rmdir()
        making.rename(folder)
    except BaseException:
        rmtree(making, ignore_errors=True)
        raise
    return folder / FILES["en"]


def _campaign(line: Any) -> Mapping[str, Any]:
    shown = ("id", "title", "budget_minor", "stage_minor", "granted_minor", "reserved_minor", "left_minor", "summary")
    return {key: line.view[key] for key in shown} | {"client_granted_minor": line.client_granted, "equal": line.equal}


def _csv(result: Result) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for record in result.journal.records:
        writer.writerow(
            (
                record.payment_id,
                record.occurred_at.text(),
                record.amount,
                record.discount,
                sum(record.kept(campaign) for campaign in record.benefits),
                result.currency,
                ";".join(f"{campaign}={minor}" for campaign, minor in record.benefits.items()),
                record.state or record.refusal,
                record.refunded,
                "" if record.seconds is None else f"{record.seconds * 1_000:.3f}",
            )
        )
    return text.getvalue()

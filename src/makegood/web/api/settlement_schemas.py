"""JSON Schemas of settled days and statements: more components of the OpenAPI document."""

from typing import Any

from makegood.limits import STATEMENT_DAYS_MAX
from makegood.money import BASIS_POINTS
from makegood.web.api.schemas import CURRENCY, MINOR, TEXT, Schema, listed, record, ref

_DATE: Schema = {"type": "string", "format": "date"}
_SIGNED: Schema = {"type": "integer", "description": "Minor units of `currency`; below zero is a credit."}
_HASH: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "SHA-256."}
_NUMBER: Schema = {"type": "integer", "minimum": 1}
_DAY: dict[str, Schema] = {
    "currency": CURRENCY,
    "day": _DATE,
    "zone": TEXT | {"description": "The IANA zone of the policy, whose day it was."},
    "amount_minor": _SIGNED | {"description": "Granted less returned on the day, billed to all funders together."},
}

STATEMENT_LINE = record(
    "One campaign's part. A campaign whose funding changed has a line for each funding.",
    {
        "campaign": TEXT,
        "share_basis_points": {"type": "integer", "minimum": 0, "maximum": BASIS_POINTS},
        "granted_minor": _SIGNED
        | {"description": "What the campaign granted less what was returned, for all funders."},
        "amount_minor": _SIGNED,
        "batch": _NUMBER | {"description": "The ledger's batch that booked it."},
    },
)
STATEMENT = record(
    "A funder's day: opening balance plus lines is closing balance. `previous` is the hash of the statement before.",
    {
        "house": TEXT,
        "funder": TEXT,
        "currency": CURRENCY,
        "zone": TEXT,
        "day": _DATE,
        "number": _NUMBER,
        "opening_minor": MINOR,
        "amount_minor": _SIGNED,
        "closing_minor": MINOR,
        "lines": listed(ref("StatementLine")),
        "batch": _NUMBER,
        "previous": _HASH,
        "hash": _HASH,
    },
)
SETTLEMENT = record("A settled day.", _DAY | {"statements": listed(ref("Statement"))})
SETTLEMENTS = record(
    "The newest settled days, newest first.", {"days": listed(record("A day.", _DAY), maxItems=STATEMENT_DAYS_MAX)}
)
SETTLEMENT_COMPONENTS: dict[str, Schema] = {
    "StatementLine": STATEMENT_LINE,
    "Statement": STATEMENT,
    "Settlement": SETTLEMENT,
    "Settlements": SETTLEMENTS,
}

STATEMENT_EXAMPLE: dict[str, Any] = {
    "house": "acme",
    "funder": "merchant-lin",
    "currency": "CNY",
    "zone": "Asia/Shanghai",
    "day": "2027-02-03",
    "number": 1,
    "opening_minor": 0,
    "amount_minor": 600,
    "closing_minor": 600,
    "lines": [
        {
            "campaign": "spring-qr-2027",
            "share_basis_points": 3000,
            "granted_minor": 2000,
            "amount_minor": 600,
            "batch": 812,
        }
    ],
    "batch": 813,
    "previous": "00" * 32,
    "hash": "7d" * 32,
}

"""JSON Schemas (2020-12) of what the API takes and answers: the components of the OpenAPI document."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from makegood.domain.quote import Refusal, Undecided
from makegood.domain.review import Guard, State
from makegood.findings import FindingCode, Severity
from makegood.limits import (
    BATCH_PAYMENTS_MAX,
    DOCUMENTS_PER_CALL_MAX,
    ID_CHARS_MAX,
    MONEY_MINOR_MAX,
    TEXT_CHARS_MAX,
)

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    """A reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def record(says: str, required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """An object of exactly these members."""
    return {
        "type": "object",
        "description": says,
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def listed(item: Schema, **bounds: int) -> Schema:
    """An array of `item`."""
    return {"type": "array", "items": item} | bounds


def nullable(schema: Schema) -> Schema:
    """`schema`, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def one_of(words: type[StrEnum], says: str) -> Schema:
    """One word of a closed list."""
    return {"type": "string", "enum": [word.value for word in words], "description": says}


BOOL: Schema = {"type": "boolean"}
TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
MINOR: Schema = {"type": "integer", "minimum": 0, "description": "Minor units of `currency`."}
MOMENT: Schema = {"type": "string", "format": "date-time", "description": "RFC 3339, UTC."}
CURRENCY: Schema = {"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217."}
WORDS: Schema = {
    "type": "object",
    "additionalProperties": TEXT,
    "description": "A text by language (BCP 47).",
}
QUOTE_ID: Schema = {"type": "string", "pattern": "^qte_[0-9A-Za-z]+$"}
REVISION: Schema = {"type": "string", "pattern": "^rev_[0-9a-f]{64}$"}
POSITIVE: Schema = {"type": "integer", "minimum": 1, "maximum": MONEY_MINOR_MAX}
ID: Schema = {"type": "string", "minLength": 1, "maxLength": ID_CHARS_MAX}
REASON: Schema = {"type": "string", "minLength": 1, "maxLength": TEXT_CHARS_MAX}

PAYMENT: Schema = {
    "type": "object",
    "description": "One request to pay, before discounts, with the attributes that the house's policy "
    "declares beside these. What the policy does not declare is refused with its path.",
    "properties": {
        "payment_id": ID | {"description": "Yours; the idempotency key of the quote."},
        "occurred_at": MOMENT,
        "payer_id": nullable(ID) | {"description": "Kept as a keyed hash only."},
        "payee_id": ID,
        "amount": POSITIVE | {"description": "Minor units, before any discount."},
        "currency": CURRENCY,
        "scene": TEXT | {"description": "One of the policy's scenes."},
        "channel": TEXT | {"description": "One of the policy's channels."},
        "instrument": TEXT,
        "merchant_category": nullable(TEXT) | {"description": "ISO 18245."},
        "device_id": nullable(ID),
        "referrer_id": nullable(ID),
        "items": listed(ref("Item")) | {"description": "Lines that add up to `amount`."},
        "codes": listed(TEXT) | {"description": "Codes that the payer entered."},
        "supersedes": ID | {"description": "An abandoned checkout of the same payer, released in the same step."},
        "explain": BOOL | {"description": "Adds `explanation` to the answer."},
    },
    "required": [
        "payment_id",
        "occurred_at",
        "payee_id",
        "amount",
        "currency",
        "scene",
        "channel",
        "instrument",
    ],
    "additionalProperties": True,
}

BENEFIT = record(
    "What one campaign gives this payment.",
    {"campaign": TEXT, "revision": REVISION, "label": TEXT, "text": WORDS, "discount_minor": MINOR},
)
CONSIDERED = record(
    "One campaign that was considered: granted where `refusal` is null.",
    {
        "campaign": TEXT,
        "revision": REVISION,
        "discount_minor": MINOR,
        "refusal": nullable(one_of(Refusal, "Why it gives nothing; see docs/reference/refusals.md.")),
        "error": nullable(TEXT),
    },
)
STATES: Schema = {"type": "string", "enum": ["reserved", "captured", "released", "expired"]}

_QUOTE: dict[str, Schema] = {
    "quote_id": nullable(QUOTE_ID) | {"description": "Null where nothing was granted: nothing to capture."},
    "payment_id": nullable(ID),
    "state": nullable(STATES),
    "decided": BOOL | {"description": "False: nobody decided in time. Charge the full price."},
    "reason": nullable(one_of(Undecided, "Why nothing was decided; null when `decided`.")),
    "currency": nullable(TEXT) | {"description": "ISO 4217; as it was sent, where nothing was decided."},
    "amount_minor": nullable(MINOR),
    "discount_minor": MINOR,
    "to_pay_minor": nullable(MINOR) | {"description": "What the payer is charged: amount less discount."},
    "benefits": listed(ref("Benefit")),
    "lines": listed(record("One item's part of the discount.", {"index": COUNT, "discount_minor": MINOR})),
    "decided_at": nullable(MOMENT),
    "valid_until": nullable(MOMENT) | {"description": "The quote can be paid until then."},
    "paid_at": nullable(MOMENT),
    "snapshot": nullable(TEXT) | {"description": "Hash of the live set that priced it."},
    "captured_amount_minor": MINOR,
    "refunded_amount_minor": MINOR | {"description": "Refunded so far, of the amount before discount."},
    "returned_discount_minor": MINOR,
    "kept_discount_minor": MINOR,
}
_EXPLANATION: dict[str, Schema] = {"explanation": listed(ref("Considered"))}
REFUND = record(
    "One refund and what of the discount returned to the budgets with it.",
    {
        "refund_id": ID,
        "payment_id": ID,
        "quote_id": QUOTE_ID,
        "currency": CURRENCY,
        "refund_amount_minor": MINOR,
        "returned_discount_minor": MINOR,
        "refunded_amount_minor": MINOR | {"description": "Refunded so far, this one included."},
        "benefits": listed(record("Of one campaign.", {"campaign": TEXT, "returned_discount_minor": MINOR})),
    },
)
FINDING = record(
    "Something wrong or odd in a document, with its place.",
    {
        "severity": one_of(Severity, "An error refuses the document."),
        "code": one_of(FindingCode, "See docs/reference/findings.md."),
        "message": TEXT,
        "path": TEXT | {"description": "JSON Pointer into the document."},
        "file": nullable(TEXT),
        "line": nullable(COUNT),
        "column": nullable(COUNT),
        "hint": nullable(TEXT),
    },
)
PROOF_NAME: Schema = {
    "type": "string",
    "pattern": "^prf_[0-9a-f]{64}$",
    "description": "Hash of all that a proof says.",
}
CAMPAIGN_STATE = one_of(State, "State of the revision.")
CAMPAIGN = record(
    "One campaign: what it is, and what it spent. Money is minor units of `currency`.",
    {
        "id": TEXT,
        "revision": REVISION,
        "proposed": REVISION | {"description": "The newest revision; another than `revision` while it waits."},
        "title": WORDS,
        "label": TEXT,
        "label_text": WORDS,
        "state": CAMPAIGN_STATE,
        "proved": BOOL
        | {"description": "It went live with a proof, or what is proposed is proved among all that is live."},
        "proof": nullable(PROOF_NAME),
        "guards_left_out": listed(one_of(Guard, "A guard that this test house was made without.")),
        "currency": CURRENCY,
        "timezone": TEXT,
        "opens": MOMENT,
        "closes": MOMENT,
        "summary": WORDS,
        "budget_minor": MINOR,
        "stage_minor": MINOR | {"description": "Open so far, cumulative."},
        "stages_minor": listed(MINOR),
        "reserved_minor": MINOR,
        "granted_minor": MINOR | {"description": "Captured, less what refunds returned."},
        "left_minor": MINOR,
        "stage_left_minor": MINOR,
        "granted_today_minor": MINOR,
        "grants_today": COUNT,
        "per_day_minor": nullable(MINOR),
        "open_quotes": COUNT,
        "missing": listed(TEXT),
        "author": TEXT,
        "brief_author": nullable(TEXT),
        "approvers": listed(TEXT),
        "approvals_needed": COUNT,
        "stopped_targets": listed(TEXT)
        | {"description": "Every stop that holds it, its own first; the next three are of the first."},
        "stopped_by": nullable(TEXT),
        "stopped_at": nullable(MOMENT),
        "stop_reason": nullable(TEXT),
        "resume_requested_by": nullable(TEXT),
        "resume_confirm_by": nullable(MOMENT),
        "tripped_by": nullable({"type": "string", "enum": ["collar", "detector"]}),
        "needs_new_revision": BOOL | {"description": "A guard stopped it, and a resume does not help."},
        "worst_minor": {
            "type": "object",
            "additionalProperties": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        },
        "as_of": MOMENT,
    },
)
FALLBACK = record(
    "A problem never stops a payment: it may go on like this.",
    {"decided": {"const": False}, "discount_minor": {"const": 0}, "to_pay_minor": nullable(MINOR)},
)
FIELD_ERROR = record(
    "One place that is wrong.",
    {"path": TEXT | {"description": "JSON Pointer into the body."}, "message": TEXT},
    {"hint": TEXT},
)
PUBLISHED = record(
    "What became of one document.",
    {
        "kind": TEXT,
        "id": TEXT,
        "revision": REVISION,
        "state": CAMPAIGN_STATE,
        "missing": listed(TEXT) | {"description": "What it still needs before it may run."},
        "findings": listed(ref("Finding")),
        "proved": BOOL | {"description": "Whether a proof says yes to it, among all that is live."},
        "proof": nullable(PROOF_NAME),
        "proofs": listed(ref("ProofRow")) | {"description": "The rows of the proof that was made of a campaign."},
        "hint": nullable(TEXT) | {"description": "Why no proof could be made."},
    },
)

_PAID: dict[str, Schema] = {
    "paid_at": MOMENT | {"description": "When the payer paid; not after `valid_until`."},
    "captured_amount": POSITIVE
    | {"description": "Minor units of the amount before discount; less is a partial capture."},
}

COMPONENTS: dict[str, Schema] = {
    "Payment": PAYMENT,
    "Item": record("One line of a basket.", {"sku": TEXT, "amount": MINOR}, {"category": TEXT, "quantity": COUNT}),
    "Benefit": BENEFIT,
    "Considered": CONSIDERED,
    "Quote": record("The answer to a payment.", _QUOTE, _EXPLANATION),
    "Preview": record("A price without a reservation.", {**_QUOTE, **_EXPLANATION}),
    "Payments": record("A batch.", {"payments": listed(ref("Payment"), minItems=1, maxItems=BATCH_PAYMENTS_MAX)}),
    "Quotes": record(
        "One answer or one problem for each payment, in the same order.",
        {"quotes": listed({"anyOf": [ref("Quote"), record("A member's problem.", {"problem": ref("Problem")})]})},
    ),
    "Capture": record("How it was paid. Nothing means: now, and all of it.", {}, _PAID),
    "Captures": record(
        "A batch.",
        {
            "captures": listed(
                record("One capture.", {"quote_id": QUOTE_ID}, _PAID), minItems=1, maxItems=BATCH_PAYMENTS_MAX
            )
        },
    ),
    "Captured": record(
        "The quote as it stands, or one problem, for each capture, in the same order.",
        {"quotes": listed({"anyOf": [ref("Quote"), record("A member's problem.", {"problem": ref("Problem")})]})},
    ),
    "RefundRequest": record(
        "A refund of a purchase, whole or in part.",
        {
            "refund_id": ID | {"description": "Yours; the idempotency key of the refund."},
            "refund_amount": POSITIVE | {"description": "Minor units of the amount before discount."},
        },
    ),
    "Refund": REFUND,
    "PaymentView": record("The quote of a payment, with its refunds.", {**_QUOTE, "refunds": listed(ref("Refund"))}),
    "Explained": record("A quote, with every campaign that was considered.", {**_QUOTE, **_EXPLANATION}),
    "Nothing": record("An empty object, or no body at all.", {}),
    "OpenStage": record(
        "The stage to open is the one after this.",
        {
            "opened_minor": {
                "type": "integer",
                "minimum": 0,
                "description": "What is open now, minor units: `stage_minor`.",
            }
        },
    ),
    "Finding": FINDING,
    "Documents": record(
        "Documents as text, each under the name that findings show.",
        {
            "documents": listed(
                record("One YAML document.", {"file": REASON, "text": {"type": "string", "minLength": 1}}),
                minItems=1,
                maxItems=DOCUMENTS_PER_CALL_MAX,
            )
        },
    ),
    "Published": PUBLISHED,
    "PublishedList": record("What became of each document.", {"published": listed(ref("Published"))}),
    "Campaign": CAMPAIGN,
    "Campaigns": record("Every campaign of the house.", {"campaigns": listed(ref("Campaign"))}),
    "Reason": record("Why, in words that the audit trail keeps.", {"reason": REASON}),
    "Stopped": record("What stopped.", {"stopped": listed(TEXT), "honoured_quotes": COUNT}),
    "Resumed": record(
        "A resume that was asked for, or confirmed.",
        {
            "target": TEXT,
            "state": TEXT | {"description": "`requested`, `resumed`, or the state of the campaign."},
            "confirm_by": nullable(MOMENT),
        },
        {"campaign": TEXT | {"description": "The id, where the target is a campaign."}},
    ),
    "Verified": record(
        "Whether every invariant of the books holds.",
        {"balanced": BOOL, "accounts": COUNT, "entries": COUNT, "violations": listed(ref("Violation"))},
    ),
    "Violation": record(
        "One invariant that does not hold, for one subject.",
        {"invariant": TEXT, "subject": TEXT, "expected": TEXT, "found": TEXT},
    ),
    "Fallback": FALLBACK,
    "FieldError": FIELD_ERROR,
}

"""Answers as callers read them: money in minor units, instants in RFC 3339."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from makegood.clock import Instant
from makegood.domain.payment import Payment
from makegood.domain.policy import Policy
from makegood.domain.quote import Considered, Grant, Undecided
from makegood.money import split

_sorted = msgspec.json.Encoder(order="sorted").encode


def benefits_of(grants: Iterable[Grant], policy: Policy) -> list[dict[str, Any]]:
    """What a payer is shown for each grant."""
    return [
        {
            "campaign": grant.campaign,
            "revision": grant.revision,
            "label": grant.label,
            "text": dict(policy.labels[grant.label].text),
            "discount_minor": grant.discount,
        }
        for grant in grants
    ]


def lines_of(payment: Payment, discount: int) -> list[dict[str, int]]:
    """The discount on each line of the basket: largest remainder by amount, summing exactly."""
    if not payment.items:
        return []
    parts = split(discount, [item.amount for item in payment.items])
    return [{"index": index, "discount_minor": part} for index, part in enumerate(parts)]


def stored_answer(quote: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of a quote on record."""
    told = quote["benefits"]
    return {
        "quote_id": quote["quote_id"],
        "payment_id": quote["payment_id"],
        "state": quote["state"],
        "decided": True,
        "reason": None,
        "currency": quote["currency"],
        "amount_minor": quote["amount"],
        "discount_minor": quote["discount"],
        # Released or expired, it can no longer be captured: what is to pay is the full price.
        "to_pay_minor": quote["amount"] - (quote["discount"] if quote["state"] in ("reserved", "captured") else 0),
        "benefits": told["benefits"],
        "lines": told["lines"],
        "decided_at": instant_text(quote["decided_at"]),
        "valid_until": instant_text(quote["valid_until"]),
        "paid_at": instant_text(quote["paid_at"]),
        "snapshot": quote["snapshot"],
        "captured_amount_minor": quote["captured"],
        "refunded_amount_minor": quote["refunded"],
        "returned_discount_minor": quote["returned"],
        "kept_discount_minor": quote["discount"] - quote["returned"]
        if quote["state"] in ("reserved", "captured")
        else 0,
    }


def nothing_answer(payment: Payment, decided_at: Instant | None, snapshot: str | None) -> dict[str, Any]:
    """Decided, and nothing is granted: nothing is stored, and a retry is decided afresh."""
    answer = _full_price(payment.payment_id, payment.amount, payment.currency)
    answer["decided"] = True
    answer["decided_at"] = decided_at.text() if decided_at is not None else None
    answer["snapshot"] = snapshot
    return answer


def undecided_answer(raw: Any, reason: Undecided) -> dict[str, Any]:
    """Full price, because nothing could be decided in time: the payment goes on."""
    fields = raw if isinstance(raw, dict) else {}
    amount = fields.get("amount")
    readable = isinstance(amount, int) and not isinstance(amount, bool) and amount >= 0
    answer = _full_price(fields.get("payment_id"), amount if readable else None, fields.get("currency"))
    return answer | {"reason": reason.value}


def explanation_of(considered: Iterable[Considered]) -> list[dict[str, Any]]:
    """Every campaign considered, by id."""
    return [
        {
            "campaign": one.campaign,
            "revision": one.revision,
            "discount_minor": one.discount,
            "refusal": one.refusal,
            "error": one.error,
        }
        for one in considered
    ]


def refund_answer(refund: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """The answer of a refund on record."""
    benefits = refund["benefits"]
    return {
        "refund_id": refund["refund_id"],
        "payment_id": refund["payment_id"],
        "quote_id": refund["quote_id"],
        "currency": currency,
        "refund_amount_minor": refund["amount"],
        "returned_discount_minor": refund["returned"],
        "refunded_amount_minor": refund["refunded_after"],
        "benefits": [{"campaign": b["campaign"], "returned_discount_minor": b["returned"]} for b in benefits],
    }


def instant_text(value: datetime | str | None) -> str | None:
    """RFC 3339 of a stored time, whichever way the store gave it."""
    if value is None:
        return None
    return Instant.of(datetime.fromisoformat(value) if isinstance(value, str) else value).text()


def _full_price(payment_id: Any, amount: int | None, currency: Any) -> dict[str, Any]:
    return {
        "quote_id": None,
        "payment_id": payment_id if isinstance(payment_id, str) else None,
        "state": None,
        "decided": False,
        "reason": None,
        "currency": currency if isinstance(currency, str) else None,
        "amount_minor": amount,
        "discount_minor": 0,
        "to_pay_minor": amount,
        "benefits": [],
        "lines": [],
        "decided_at": None,
        "valid_until": None,
        "paid_at": None,
        "snapshot": None,
        "captured_amount_minor": 0,
        "refunded_amount_minor": 0,
        "returned_discount_minor": 0,
        "kept_discount_minor": 0,
    }


def canonical_bytes(value: Any) -> bytes:
    """One byte string for one content: what an idempotency key is compared by."""
    try:
        return _sorted(value)
    except (OverflowError, TypeError, ValueError):  # A number beyond 64 bits, say: nothing that a policy would take.
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

"""Batches as the SQL functions take them: one array a column."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

Request = Mapping[str, Any]

_INSTANTS = ("decided_at", "valid_until", "hold_until", "paid_at")
_QUOTE = (
    *("quote_id", "payment_id", "currency", "amount", "discount", "snapshot", "benefits", "state", "captured"),
    *("refunded", "returned", *_INSTANTS),
)
_TEXT = msgspec.json.Encoder()


def columns_of(requests: Sequence[Request]) -> list[list[Any]]:
    """The arrays of the function `reserve`, in its order."""
    return [
        [r["quote_id"] for r in requests],
        [r["payment_id"] for r in requests],
        [r["content_hash"] for r in requests],
        [r["payer_ref"] for r in requests],
        [r["device_ref"] for r in requests],
        [r["payee_ref"] for r in requests],
        [r["currency"] for r in requests],
        [r["scene"] for r in requests],
        [r["amount"] for r in requests],
        [sum(g["discount"] for g in r["grants"]) for r in requests],
        [r["decided_at"] for r in requests],
        [r["valid_until"] for r in requests],
        [r["hold_until"] for r in requests],
        [r["day"] for r in requests],
        [r["hour"] for r in requests],
        [r["snapshot"] for r in requests],
        [text(r["seen"]) for r in requests],
        [text(r["benefits"]) for r in requests],
        [r["supersedes"] for r in requests],
        [text(r["candidates"]) for r in requests],
        [n for n, r in enumerate(requests, 1) for _ in r["grants"]],
        [g["campaign"] for r in requests for g in r["grants"]],
        [g["revision"] for r in requests for g in r["grants"]],
        [g["discount"] for r in requests for g in r["grants"]],
    ]


def reserved(request: Request) -> dict[str, Any]:
    """The outcome of a request that was reserved, with its quote as it now is in the store."""
    return {
        "outcome": "reserved",
        "quote": {
            "quote_id": request["quote_id"],
            "payment_id": request["payment_id"],
            "currency": request["currency"],
            "amount": request["amount"],
            "discount": sum(grant["discount"] for grant in request["grants"]),
            "decided_at": request["decided_at"],
            "valid_until": request["valid_until"],
            "hold_until": request["hold_until"],
            "snapshot": request["snapshot"],
            "benefits": request["benefits"],
            "state": "reserved",
            "captured": 0,
            "paid_at": None,
            "refunded": 0,
            "returned": 0,
        },
    }


def quote_of(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A quote as outcomes have it, from the store's row or from its JSON."""
    quote = {name: stored[name] for name in _QUOTE}
    for name in _INSTANTS:
        if isinstance(quote[name], str):
            quote[name] = datetime.fromisoformat(quote[name])
    return quote


def text(value: Any) -> str:
    """JSON text."""
    return _TEXT.encode(value).decode()

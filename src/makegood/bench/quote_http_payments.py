"""The payments of the line `quote_http`, made as they are sent. It imports nothing, so that a load starts at once."""

from collections.abc import Iterator
from typing import Any

GRANTED_CITY = "Hangzhou"
GRANTED_EVERY = 50  # Two payments in a hundred are granted something.


def payment(number: str, *, granted: bool) -> dict[str, Any]:
    """A payment of a payer of its own, which gets 20.00 CNY off or nothing."""
    return {
        "payment_id": f"pay-{number}",
        "occurred_at": "2027-02-03T02:00:00Z",
        "payer_id": f"payer-{number}",
        "payee_id": "m-88",
        "amount": 10_000,
        "currency": "CNY",
        "scene": "in_store_qr",
        "channel": "app",
        "instrument": "balance",
        "city": GRANTED_CITY if granted else "Beijing",
        "items_count": 1,
        "payer_is_new": False,
        "payer_segments": [],
    }


def mixed(prefix: str) -> Iterator[dict[str, Any]]:
    """Payments without end, of which every fiftieth is granted something. Each prefix gives other payments."""
    number = 0
    while True:
        number += 1
        yield payment(f"{prefix}-{number}", granted=number % GRANTED_EVERY == 0)


def granted(prefix: str) -> Iterator[dict[str, Any]]:
    """Payments without end that are all granted something."""
    number = 0
    while True:
        number += 1
        yield payment(f"{prefix}-{number}", granted=True)

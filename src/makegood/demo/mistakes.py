"""Deliberately wrong requests: each is refused with a permanent code, and none moves money."""

from collections.abc import Sequence
from typing import Any

from makegood.demo.plan import request_of
from makegood.demo.record import Journal, Mistake
from makegood.domain.payment import Payment
from makegood.replay.wire import CallFailed, Reply, Wire

_QUOTES = "/v1/quotes"


async def make_mistakes(wire: Wire, payments: Sequence[Payment], journal: Journal) -> list[Mistake]:
    """Every mistake with what came back. Raises CallFailed where one was not refused."""
    good = request_of(payments[0]) | {"payment_id": "wrong-1"}
    found = [
        ("a negative amount", await _quote(wire, good | {"amount": -500})),
        ("an amount above 63 bits", await _quote(wire, good | {"amount": 2**64})),
        ("an amount with a point", await _quote(wire, good | {"amount": 12.5})),
        ("another currency", await _quote(wire, good | {"currency": "EUR"})),
        ("a field that no policy declares", await _quote(wire, good | {"basket_departmnt": "produce"})),
        ("a scene that does not exist", await _quote(wire, good | {"scene": "transfer"})),
        ("a payment that supersedes itself", await _quote(wire, good | {"supersedes": "wrong-1"})),
        ("half a JSON text", await wire.send("till", "POST", _QUOTES, content=b'{"payment_id": "wr')),
        ("brackets 10,000 deep", await wire.send("till", "POST", _QUOTES, content=b"[" * 10_000)),
        ("a body of 100 KiB", await wire.send("till", "POST", _QUOTES, content=b" " * 102_400)),
        ("no key", await wire.send(None, "POST", _QUOTES, good)),
        ("a key without the scope", await wire.send("auditor", "POST", _QUOTES, good)),
        (
            "a till that stops a campaign",
            await wire.send("till", "POST", "/v1/campaigns/fuel-2017/stop", {"reason": "?"}),
        ),
        ("a quote that does not exist", await wire.send("till", "POST", f"{_QUOTES}/qte_{'0' * 32}/capture", {})),
        *await _on_a_captured_payment(wire, payments, journal),
    ]
    return [_mistake(what, reply) for what, reply in found]


async def _on_a_captured_payment(wire: Wire, payments: Sequence[Payment], journal: Journal) -> list[tuple[str, Reply]]:
    """Mistakes with money that was granted; none where nothing was captured whole."""
    whole = (n for n, r in enumerate(journal.records) if r.state == "captured" and not r.refunded)
    index = next(whole, None)
    if index is None:
        return []
    payment = payments[index]
    path = f"/v1/payments/{payment.payment_id}"
    quote = (await wire.call("till", "GET", path))["quote_id"]
    over = {"refund_id": "wrong-refund", "refund_amount": payment.amount + 1}
    return [
        ("a payment id with another amount", await _quote(wire, request_of(payment) | {"amount": payment.amount + 1})),
        ("a release of what was captured", await wire.send("till", "POST", f"{_QUOTES}/{quote}/release", {})),
        ("a refund above the amount", await wire.send("till", "POST", f"{path}/refunds", over)),
        ("a refund of nothing", await wire.send("till", "POST", f"{path}/refunds", over | {"refund_amount": 0})),
    ]


async def _quote(wire: Wire, body: dict[str, Any]) -> Reply:
    return await wire.send("till", "POST", _QUOTES, body)


def _mistake(what: str, reply: Reply) -> Mistake:
    if reply.code is None:
        raise CallFailed(f"{what} was not refused: {reply.status} {str(reply.body)[:200]}")
    return Mistake(what, reply.status, reply.code)

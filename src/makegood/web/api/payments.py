"""Payments: the quote that a payment was made with, and its refunds."""

from typing import Any

from makegood.services import holds
from makegood.web.api.operation import Call


async def get_payment(call: Call) -> Any:
    """The quote of a payment with its refunds so far."""
    return await holds.get_payment(call.platform, call.caller, call.id("payment_id"))


async def create_refund(call: Call) -> Any:
    """A purchase was refunded, whole or in part: the same share of its discount returns to the budget."""
    return await holds.refund(call.platform, call.caller, call.id("payment_id"), call.body)


async def get_refund(call: Call) -> Any:
    """One refund."""
    return await holds.get_refund(call.platform, call.caller, call.id("payment_id"), call.id("refund_id"))

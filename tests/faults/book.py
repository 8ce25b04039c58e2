"""What a client remembers of each sale: what it asked, what it was told first, and whether it was told so again."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.faults.calls import Said

# What an answer says for ever, whatever happens to the quote afterwards.
LASTS = {
    "quote": (
        *("quote_id", "payment_id", "currency", "amount_minor", "discount_minor", "benefits", "lines"),
        *("decided_at", "valid_until", "snapshot"),
    ),
    "capture": ("quote_id", "payment_id", "state", "discount_minor", "paid_at", "captured_amount_minor"),
    "release": ("quote_id", "payment_id", "state", "discount_minor"),
    "refund": (
        *("refund_id", "payment_id", "quote_id", "currency", "refund_amount_minor", "returned_discount_minor"),
        *("refunded_amount_minor", "benefits"),
    ),
}
MAY_BE_REFUSED = {
    "quote": {"superseded_is_captured"},
    "capture": {"quote_has_expired", "quote_is_released"},
    "release": {"quote_is_captured", "quote_has_expired"},
    "refund": {"refund_exceeds_payment"},
}
OVER = {
    "quote_has_expired",
    "quote_is_released",
}  # Its hold is over; which way it ended may be told more exactly later.


@dataclass(slots=True)
class Deed:
    """One money call. `first` is the first answer that decided it."""

    kind: str
    path: str
    body: dict[str, Any]
    began: float = 0.0
    first: Said | None = None

    @property
    def done(self) -> bool:
        """Whether it was acknowledged."""
        return self.first is not None and self.first.done

    def take(self, said: Said) -> str | None:
        """Remember the first answer; what is wrong with this one, in words."""
        if self.kind == "quote" and said.done and said.body["quote_id"] is None:
            if self.first is None or said.began < self.first.ended:  # It may have been looked at before the grant.
                return None
            return f"was granted {self.discount}, then told that nothing is"
        if not said.done and said.code not in MAY_BE_REFUSED[self.kind]:
            return f"was told `{said.code}`: {said.body.get('detail')}"
        if self.first is None:
            self.first = said
            return None
        return self._differs(self.first, said)

    def _differs(self, first: Said, said: Said) -> str | None:
        if not first.done or not said.done:
            same = first.done == said.done and (first.code == said.code or {first.code, said.code} <= OVER)
            return None if same else f"was told `{first.code}` first, then `{said.code}`"
        for name in LASTS[self.kind]:
            if first.body[name] != said.body[name]:
                return f"was told {name} {first.body[name]!r} first, then {said.body[name]!r}"
        return None

    @property
    def discount(self) -> int:
        """Of a quote that was granted."""
        return int(self.first.body["discount_minor"]) if self.first is not None and self.first.done else 0


@dataclass(slots=True)
class Sale:
    """One payment. `over_from`: since then its hold may have been ended by its client."""

    quote: Deed
    payer: str
    capture: Deed | None = None
    release: Deed | None = None
    refunds: list[Deed] = field(default_factory=list)
    superseded: bool = False
    over_from: float | None = None
    answered_nothing: bool = False

    @property
    def payment_id(self) -> str:
        """The id of the payment."""
        return str(self.quote.body["payment_id"])

    @property
    def quote_id(self) -> str:
        """Of a quote that was granted."""
        assert self.quote.first is not None
        return str(self.quote.first.body["quote_id"])

    @property
    def amount(self) -> int:
        """Of the payment, before any discount; minor units."""
        return int(self.quote.body["amount"])

    @property
    def benefits(self) -> dict[str, int]:
        """The discount of each campaign."""
        if not self.quote.done or self.quote.first is None:
            return {}
        return {one["campaign"]: one["discount_minor"] for one in self.quote.first.body["benefits"]}

    @property
    def captured(self) -> int:
        """Of the amount, what was acknowledged as captured; 0 where nothing was."""
        if self.capture is None or self.capture.first is None or not self.capture.done:
            return 0
        return int(self.capture.first.body["captured_amount_minor"])

    @property
    def refunded(self) -> int:
        """What is no longer paid of the amount: the part not captured, and every refund acknowledged."""
        captured = self.captured
        left_out = self.amount - captured if captured else 0
        return left_out + sum(int(deed.body["refund_amount"]) for deed in self.refunds if deed.done)

    def deeds(self) -> Iterator[Deed]:
        """Every call about it, in the order in which they began."""
        yield self.quote
        for deed in (self.capture, self.release):
            if deed is not None:
                yield deed
        yield from self.refunds

    def story(self) -> str:
        """What happened to it, for a person."""
        told = [_told(deed) for deed in self.deeds()]
        return f"payment {self.payment_id} of {self.amount} by {self.payer}: " + "; ".join(told)


def returned(discount: int, refunded: int, amount: int) -> int:
    """What of a discount is back in the budget once that much of the amount was refunded."""
    return discount if refunded == amount else discount * refunded // amount


def _told(deed: Deed) -> str:
    if deed.first is None:
        return f"{deed.kind} was never answered"
    if not deed.done:
        return f"{deed.kind} was refused, `{deed.first.code}`"
    body = deed.first.body
    numbers = {name: body[name] for name in ("discount_minor", "captured_amount_minor", "refund_id") if name in body}
    return f"{deed.kind} was acknowledged, {numbers}"

"""Sentences about one payment, in English and Chinese: what it is, what it would get, and what forbids that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from makegood.clock import Instant
from makegood.documents.words import CHINESE, ENGLISH, both, field_words, money_words, scene_words
from makegood.domain.brief import Share
from makegood.money import format_rate

Words = Mapping[str, str]

_ONE = {
    "in_store_qr": "in-store QR payment",
    "in_store": "in-store payment",
    "online": "online payment",
    "transfer": "transfer",
    "card_repayment": "card repayment",
    "bill": "bill payment",
    "rent": "rent payment",
    "transit": "transit payment",
    "purchase": "purchase",
}
_SHOWN_CHARS_MAX = 40  # A value longer than this is shown whole in the payment, not in the sentence.


def words(english: str, chinese: str) -> Words:
    """One text in both languages."""
    return {CHINESE: chinese, ENGLISH: english}


@dataclass(frozen=True, slots=True)
class Sight:
    """What a sentence is about: a payment, and what it is granted, minor units. `reads` are fields worth naming."""

    payment: Mapping[str, Any]
    discount: int
    others: Mapping[str, int]
    currency: str
    zone: str
    reads: Sequence[str] = ()
    is_bound: bool = False  # No basket was found that gets just so much: it is the most that one can get.

    @property
    def amount(self) -> int:
        """The payment's amount, minor units."""
        amount: int = self.payment["amount"]
        return amount

    @property
    def total(self) -> int:
        """All that is taken off, minor units."""
        return self.discount + sum(self.others.values())

    def money(self, minor: int) -> Words:
        """An amount in both languages."""
        return words(money_words(minor, self.currency, ENGLISH), money_words(minor, self.currency, CHINESE))


def sentence(sight: Sight, clause: Words) -> Words:
    """`a 0.05 CNY transfer would get 0.01 CNY off; the brief allows no transfers`."""
    amount, off = sight.money(sight.amount), sight.money(sight.discount)
    scene = str(sight.payment.get("scene", ""))
    english = f"a {amount[ENGLISH]} {_one(scene)}{_detail(sight, ENGLISH)}"
    chinese = f"一笔{amount[CHINESE]}的{scene_words(scene, CHINESE)}{_detail(sight, CHINESE)}"
    if sight.discount == 0:
        return words(f"{english} gets nothing off; {clause[ENGLISH]}", f"{chinese}没有优惠；{clause[CHINESE]}")
    most, most_zh = (" up to", "最多") if sight.is_bound else ("", "")
    english += f" would get{most} {off[ENGLISH]} off{_together(sight, ENGLISH)}; {clause[ENGLISH]}"
    chinese += f"会{most_zh}立减{off[CHINESE]}{_together(sight, CHINESE)}；{clause[CHINESE]}"
    return words(english, chinese)


def _one(scene: str) -> str:
    """A payment in a scene; without one where no payment can exist at all."""
    return _ONE.get(scene, f"`{scene}` payment") if scene else "payment"


def _detail(sight: Sight, language: str) -> str:
    """The fields that the condition reads, beside those the sentence names anyway."""
    shown = [f"{field_words(name, language)} {_value(sight, name)}" for name in sight.reads if name in sight.payment]
    if not shown:
        return ""
    return f" ({', '.join(shown)})" if language == ENGLISH else f"（{'、'.join(shown)}）"


def _value(sight: Sight, name: str) -> str:
    value = sight.payment[name]
    if name == "occurred_at":
        return moment_words(Instant.parse(value), sight.zone)
    if isinstance(value, bool):
        return "true" if value else "false"
    text = ", ".join(value) if isinstance(value, list) else str(value)
    return text if len(text) <= _SHOWN_CHARS_MAX else text[:_SHOWN_CHARS_MAX] + "…"


def _together(sight: Sight, language: str) -> str:
    if not sight.others:
        return ""
    names, total = [f"`{name}`" for name in sight.others], sight.money(sight.total)[language]
    if language == ENGLISH:
        return f", and {total} together with {both(names, ENGLISH)}"
    return f"，连同{both(names, CHINESE)}共{total}"


def moment_words(moment: Instant, zone: str) -> str:
    """`2027-02-15 00:00` in the policy's zone; seconds where there are any."""
    local: datetime = moment.local(zone)
    shown = local.strftime("%Y-%m-%d %H:%M")
    return shown + (local.strftime(":%S") if local.second or local.microsecond else "")


def shares_words(shares: Sequence[Share], language: str) -> str:
    """`70% by platform and 30% by merchant-lin`."""
    if language == CHINESE:
        return both([f"{share.funder}承担{format_rate(share.basis_points)}" for share in shares], CHINESE)
    return both([f"{format_rate(share.basis_points)} by {share.funder}" for share in shares], ENGLISH)

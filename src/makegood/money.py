"""Money is an integer of minor units beside an ISO 4217 currency. Every rounding is towards the smaller discount."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from babel.numbers import get_currency_precision, list_currencies

from makegood.limits import MONEY_MINOR_MAX

BASIS_POINTS = 10_000

_MONEY = re.compile(r"(-?)(0|[1-9]\d{0,17})(?:\.(\d{1,4}))? ([A-Z]{3})", re.ASCII)
_RATE = re.compile(r"(0|[1-9]\d{0,3})(?:\.(\d{1,2}))?%", re.ASCII)


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """`minor` units of `currency`, e.g. Money(5000, "CNY") is fifty yuan."""

    minor: int
    currency: str

    def __str__(self) -> str:
        return format_money(self.minor, self.currency)


def parse_money(text: str) -> Money:
    """The money a text such as "50.00 CNY" names. Raises ValueError with a reason in words."""
    match = _MONEY.fullmatch(text)
    if match is None:
        raise ValueError('is not an amount with its currency, such as "50.00 CNY"')
    sign, whole, fraction, currency = match.groups()
    digits = currency_digits(currency)
    if sign:
        raise ValueError("is negative")
    if len(fraction or "") not in (0, digits):
        raise ValueError(f"must have {digits} digits after the point, or none, for {currency}")
    minor = int(whole) * 10**digits + int(fraction or 0)
    if minor > MONEY_MINOR_MAX:
        raise ValueError(f"is above the largest amount, {format_money(MONEY_MINOR_MAX, currency)}")
    return Money(minor, currency)


def format_money(minor: int, currency: str) -> str:
    """The text that `parse_money` reads back."""
    digits = currency_digits(currency)
    whole, fraction = divmod(abs(minor), 10**digits)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole}.{fraction:0{digits}d} {currency}" if digits else f"{sign}{whole} {currency}"


@lru_cache(maxsize=256)
def currency_digits(currency: str) -> int:
    """Digits after the point of an ISO 4217 currency (CNY 2, JPY 0, KWD 3). Raises ValueError if unknown."""
    if currency not in list_currencies():
        raise ValueError(f"`{currency}` is not an ISO 4217 currency")
    return get_currency_precision(currency)


def parse_rate(text: str) -> int:
    """The basis points (1/10,000) that a text such as "20%" names. Raises ValueError with a reason in words."""
    match = _RATE.fullmatch(text)
    if match is None:
        raise ValueError('is not a rate such as "20%" or "0.25%"')
    whole, fraction = match.groups()
    basis_points = int(whole) * 100 + int((fraction or "").ljust(2, "0"))
    if basis_points > BASIS_POINTS:
        raise ValueError("is above 100%")
    return basis_points


def format_rate(basis_points: int) -> str:
    """The text that `parse_rate` reads back."""
    whole, fraction = divmod(basis_points, 100)
    return f"{whole}.{fraction:02d}".rstrip("0") + "%" if fraction else f"{whole}%"


def share(minor: int, basis_points: int) -> int:
    """`minor` × `basis_points` ÷ 10,000, rounded down: towards the smaller discount."""
    return minor * basis_points // BASIS_POINTS


def split(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """`total` in parts proportional to `weights`, summing exactly to it: the largest remainder method.

    Ties go to the earlier part. No part differs from its exact share by one unit or more. `total` ≥ 0, weights ≥ 0,
    and at least one of them above 0 unless `total` is 0.
    """
    assert total >= 0 and all(weight >= 0 for weight in weights)
    whole = sum(weights)
    if whole == 0:
        assert total == 0, "nothing to split by"
        return tuple(0 for _ in weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(parts)), key=lambda i: (-(total * weights[i] % whole), i))
    for index in by_remainder[: total - sum(parts)]:
        parts[index] += 1
    return tuple(parts)


def returned_after(granted: int, refunded: int, amount: int) -> int:
    """Discount returned once `refunded` of `amount` was refunded: floor, and everything on the last refund."""
    assert 0 <= refunded <= amount and 0 <= granted <= amount
    return granted if refunded == amount else granted * refunded // amount

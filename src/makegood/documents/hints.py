"""Hints: the nearest right word, the readings of a bare number."""

import difflib
import re
from collections.abc import Collection

from makegood.documents.scalar import Kind
from makegood.documents.source import Node
from makegood.limits import ID_CHARS_MAX, LIST_ENTRIES_MAX
from makegood.money import BASIS_POINTS, currency_digits, format_money, format_rate

SHOWN_CHARS = 64  # Characters of somebody's text that a message repeats.


def shown(node: Node) -> str:
    """A scalar as a finding quotes it."""
    text = str(node.value).lower() if node.kind is Kind.BOOLEAN else str(node.value)
    return text if len(text) <= SHOWN_CHARS else text[:SHOWN_CHARS] + "…"


def nearest(word: str, known: Collection[str]) -> str | None:
    """`did you mean …?` where something near is known, else what there is to choose from when that is short."""
    near = difflib.get_close_matches(word[:ID_CHARS_MAX], list(known)[:LIST_ENTRIES_MAX], 1)
    if near:
        return f"did you mean `{near[0]}`?"
    return f"known: {listed(known)}" if 0 < len(known) <= 12 else None


def listed(names: Collection[str]) -> str:
    """Names in back quotes."""
    return ", ".join(f"`{name}`" for name in names)


def money_hint(number: str, currency: str | None) -> str | None:
    """The two readings of a bare number: as the larger unit and, where it is whole, as minor units."""
    currency = currency or "CNY"
    plain = number.strip().lstrip("+").replace(",", "")
    whole, _, fraction = plain.partition(".")
    digits = currency_digits(currency)
    if not re.fullmatch(r"\d{1,15}", whole) or not re.fullmatch(r"\d{0,4}", fraction):
        return f'write it with its currency, such as "50.00 {currency}"'
    major = int(whole) * 10**digits + int((fraction[:digits]).ljust(digits, "0") or 0)
    readings = [format_money(major, currency)]
    if not fraction and digits:
        readings.insert(0, format_money(int(whole), currency))
    return "write " + " or ".join(f'"{reading}"' for reading in readings)


def rate_hint(number: str) -> str | None:
    """The readings of a bare rate: `20` is "20%" or basis points, `0.2` is "20%" or "0.2%"."""
    plain = number.strip().lstrip("+")
    if not re.fullmatch(r"\d{1,4}(?:\.\d{1,2})?", plain):
        return 'write it with its unit, such as "20%"'
    hundredths = round(float(plain) * 100)
    readings = [hundredths, hundredths * 100 if "." in plain else int(plain)]
    fitting = [f'"{format_rate(reading)}"' for reading in sorted(readings, reverse=True) if reading <= BASIS_POINTS]
    return "write " + " or ".join(fitting) if fitting else 'write it with its unit, such as "20%"'

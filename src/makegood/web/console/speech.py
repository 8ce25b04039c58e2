"""One language's words and numbers: money exact from minor units, dates in a named zone, counts grouped."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from babel.dates import format_skeleton
from babel.numbers import format_decimal

from makegood.clock import Instant
from makegood.money import currency_digits
from makegood.web.console.language import BABEL_LOCALES, translate, translate_count


@dataclass(frozen=True, slots=True)
class Speech:
    """Everything a template says, it says through this."""

    language: str

    @property
    def other(self) -> str:
        """The language that this one is not."""
        return "en" if self.language == "zh-CN" else "zh-CN"

    def gettext(self, text: str, **values: Any) -> str:
        """`text` in this language."""
        return translate(self.language, text, values)

    def ngettext(self, one: str, many: str, count: int, **values: Any) -> str:
        """The form for `count`, which the text names as `%(count)s` and sees grouped: 1,204."""
        return translate_count(self.language, one, many, count, {"count": self.number(count), **values})

    def pick(self, texts: Mapping[str, str]) -> str:
        """The text of this language, or of any other where this one is missing."""
        return texts.get(self.language) or next(iter(texts.values()), "")

    def number(self, value: int) -> str:
        """A whole number with its groups: 1,204."""
        return str(format_decimal(value, format="#,##0", locale=self._locale))

    def amount(self, minor: int, currency: str) -> str:
        """Minor units as a number without its currency, every digit kept: 1,000.00. Say the currency beside it."""
        digits = currency_digits(currency)
        pattern = "#,##0." + "0" * digits if digits else "#,##0"
        return str(format_decimal(Decimal(minor).scaleb(-digits), format=pattern, locale=self._locale))

    def money(self, minor: int, currency: str) -> str:
        """An amount with its currency, never apart: 1,000.00 CNY."""
        return f"{self.amount(minor, currency)}\u00a0{currency}"

    def percent(self, part: int, whole: int) -> str:
        """`part` of `whole` in per cent, two digits, cut down; a share that is not nothing never reads 0."""
        if whole <= 0:
            return "–"
        hundredths = part * 10_000 // whole
        if part > 0 and hundredths == 0:
            return "< 0.01%"
        return str(format_decimal(Decimal(hundredths).scaleb(-2), format="#,##0.##", locale=self._locale)) + "%"

    def date(self, instant: Instant, zone: str) -> str:
        """The day in a zone: 1 Feb 2027 in the order of the language."""
        return str(format_skeleton("yMMMd", instant.local(zone), locale=self._locale))

    def time(self, instant: Instant, zone: str) -> str:
        """The time of day in a zone, to the second: 14:40:03."""
        return instant.local(zone).strftime("%H:%M:%S")

    def moment(self, instant: Instant, zone: str) -> str:
        """Day and minute in a zone; the zone itself is to be said beside it."""
        return f"{self.date(instant, zone)} {instant.local(zone):%H:%M}"

    @property
    def _locale(self) -> str:
        return BABEL_LOCALES[self.language]

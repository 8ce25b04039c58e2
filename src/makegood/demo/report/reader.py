"""How one reader is spoken to: the language, the names of campaigns, numbers and money."""

from collections.abc import Mapping
from dataclasses import dataclass

from makegood.demo.report.words import words
from makegood.demo.run import Result
from makegood.money import currency_digits


@dataclass(frozen=True, slots=True)
class Reader:
    """Texts and numbers in `language`; money without a currency named is in `currency`."""

    language: str
    currency: str
    replay_currency: str
    titles: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key, with its values filled in."""
        text = words(self.language)["texts"][key]
        return text.format(**values) if values else text

    def campaign(self, campaign: str) -> str:
        """A campaign's title."""
        return self.titles.get(campaign, campaign)

    def money(self, minor: int, currency: str | None = None) -> str:
        """`12,345.67 USD`."""
        currency = currency or self.currency
        digits = currency_digits(currency)
        return f"{minor / 10**digits:,.{digits}f} {currency}"

    def whole(self, value: float) -> str:
        """A tick of an axis: `1,500`, or `0.5` below one."""
        return f"{value:,.0f}" if value == int(value) else f"{value:g}"

    def decimal(self, value: float) -> str:
        """Major units with two digits."""
        return f"{value:,.2f}"

    def count(self, value: int) -> str:
        """`12,464`."""
        return f"{value:,}"


def reader_of(result: Result, language: str) -> Reader:
    """The reader of a result in one language."""
    titles = {line.campaign: line.view["title"].get(language, line.campaign) for line in result.lines}
    return Reader(language, result.currency, result.replayed.scenario.currency, titles)

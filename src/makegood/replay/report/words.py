"""How a reader of replays is spoken to: texts in both languages, money, numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from makegood.money import currency_digits
from makegood.replay.guards import LADDER
from makegood.replay.outcome import Outcome

FILES = {"en": "index.html", "zh-CN": "index.zh-CN.html"}


@cache
def words(language: str) -> Mapping[str, str]:
    """Every text of a language, by key."""
    file = files("makegood.replay.report").joinpath("locale", f"{language}.yaml")
    read: Mapping[str, str] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return read


@dataclass(frozen=True, slots=True)
class Reader:
    """Texts and numbers in one language."""

    language: str

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key, with its values filled in."""
        text = words(self.language)[key]
        return text.format(**values) if values else text

    def money(self, minor: int, currency: str) -> str:
        """`12,345.67 CNY`; nothing is `0`, so that it stands out."""
        digits = currency_digits(currency)
        return f"{minor / 10**digits:,.{digits}f} {currency}" if minor else "0"

    def guard(self, guard: str) -> str:
        """A guard as people say it."""
        return words(self.language).get(f"guard_{guard}", guard)

    def guards(self, names: "tuple[str, ...]") -> str:
        """Several guards, in their order."""
        return ("、" if self.language == "zh-CN" else ", ").join(map(self.guard, names))

    def run(self, outcome: Outcome) -> str:
        """What a run is called: by what is gone from it."""
        gone = tuple(guard for guard in LADDER if guard not in outcome.run.guards)
        if not outcome.run.guards:
            return self("none")
        return self("without", guards=self.guards(gone)) if gone else self("every")

"""The campaigns of the shape as texts of another rule language: for each payment the best offer as one number."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from makegood.bench.shape import Shaped
from makegood.domain.benefit import AmountOff, PercentOff

FIELDS = ("amount", "channel", "city", "payer_is_new")  # All that the texts read, under these names.


@dataclass(frozen=True, slots=True)
class Language:
    """How a rule language writes what differs. `best_of` joins several numbers, `nothing` is that of none."""

    all_of: str
    negated: str
    nothing: str
    best_of: Callable[[Sequence[str]], str]
    percent: Callable[[int, int], str]  # Basis points and cap, minor units.
    is_shallow: bool = False  # Whether it refuses expressions nested in more than a few dozen levels.


@dataclass(frozen=True, slots=True)
class Offers:
    """Offers as numbers: a better one is larger, no two are equal, and 0 is none."""

    places: Mapping[int, int]  # By campaign: its place from behind, by priority and then by id.

    def number(self, campaign: int, discount: int) -> int:
        """The number of an offer of so many minor units."""
        return discount * len(self.places) + self.places[campaign]

    def text(self, one: Shaped, language: Language) -> str:
        """The same as an expression on the payment."""
        return f"{_off(one.benefit, language)} * {len(self.places)} + {self.places[one.number]}"


def offers_of(campaigns: Sequence[Shaped]) -> Offers:
    """How offers of these campaigns are numbered."""
    ordered = sorted(campaigns, key=lambda one: (one.priority, -one.number))
    return Offers({one.number: place for place, one in enumerate(ordered)})


def each(campaigns: Sequence[Shaped], offers: Offers, language: Language) -> list[str]:
    """One expression a campaign."""
    return [f"({_condition(one, language)} ? {offers.text(one, language)} : 0)" for one in campaigns]


def flat(campaigns: Sequence[Shaped], offers: Offers, language: Language) -> str:
    """One expression that asks every campaign."""
    return language.best_of(each(campaigns, offers, language))


def nested(campaigns: Sequence[Shaped], offers: Offers, language: Language) -> str:
    """One expression that asks for the payer first, then the channel, then the city: an index made by hand."""
    leaves: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for one in campaigns:
        for city in one.cities:
            leaf = f"(amount >= {one.spend} ? {offers.text(one, language)} : 0)"
            leaves[one.channel][city].append(leaf)
    channels = {
        channel: _one_of("city", {city: language.best_of(found) for city, found in cities.items()}, language)
        for channel, cities in leaves.items()
    }
    return f"(payer_is_new ? {language.nothing} : {_one_of('channel', channels, language)})"


def _off(benefit: PercentOff | AmountOff, language: Language) -> str:
    return language.percent(benefit.rate, benefit.up_to) if isinstance(benefit, PercentOff) else str(benefit.amount)


def _condition(one: Shaped, language: Language) -> str:
    links = (
        f"amount >= {one.spend}",
        f"channel == '{one.channel}'",
        f"city in [{quoted(one.cities)}]",
        f"{language.negated}payer_is_new",
    )
    return language.all_of.join(links)


def quoted(names: Sequence[str]) -> str:
    """Names in quotes, with commas."""
    return ", ".join(f"'{name}'" for name in names)


def _one_of(field: str, branches: Mapping[str, str], language: Language) -> str:
    if language.is_shallow:
        return _halved(field, list(branches.items()), language)
    return _chain(field, branches, language)


def _chain(field: str, branches: Mapping[str, str], language: Language) -> str:
    text = language.nothing
    for value, then in branches.items():
        text = f"({field} == '{value}' ? {then} : {text})"
    return text


def _halved(field: str, branches: Sequence[tuple[str, str]], language: Language) -> str:
    if len(branches) == 1:
        value, then = branches[0]
        return f"({field} == '{value}' ? {then} : {language.nothing})"
    middle = len(branches) // 2
    first, second = branches[:middle], branches[middle:]
    names = quoted([value for value, _ in first])
    return f"({field} in [{names}] ? {_halved(field, first, language)} : {_halved(field, second, language)})"

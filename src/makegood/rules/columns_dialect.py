"""What SQL dialects say differently, as data. The compiler asks for these pieces and writes everything else itself.

Every piece gives NULL where a value that it gets is NULL, and none makes a query fail. Lists are counted from zero
here, however the dialect counts. The wide type holds any product of two int64; instants and durations have it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from makegood.rules.types import CelType, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One SQL dialect: mostly templates, filled in with SQL texts. `prelude` is run once by every connection."""

    name: str
    prelude: tuple[str, ...]
    types: Mapping[Kind, str]
    wide: str
    list_type: str
    quote: str
    literal: Callable[[str], str]
    tests: Mapping[str, str]
    quotient_form: str
    date_form: str
    text_size_form: str
    list_form: str
    empty_form: str
    size_form: str
    first: int
    item_form: str
    at_form: str
    contains_form: str
    whole_form: str
    transform_form: str
    filter_form: str
    two_names_form: str
    position_form: str
    join_form: str

    def identifier(self, name: str) -> str:
        """A name as it stands in SQL, whatever characters it holds."""
        return self.quote + name.replace(self.quote, 2 * self.quote) + self.quote

    def text(self, value: str) -> str:
        """A text literal. No character of it ends the literal or is read as an escape."""
        return self.literal(value)

    def type_name(self, kind: CelType) -> str:
        """The column type of values of this type."""
        return self.list_type.format(self.type_name(kind.element)) if kind.element else self.types[kind.kind]

    def quotient(self, left: str, right: str) -> str:
        """The quotient of two whole numbers, cut towards zero. `right` is never 0, and nothing overflows."""
        return self.quotient_form.format(left, right)

    def date(self, days: str) -> str:
        """The date so many days after 1970-01-01, for the years 0 to 10000."""
        return self.date_form.format(days)

    def size_of_text(self, text: str) -> str:
        """The code points of a text, as int64."""
        return self.text_size_form.format(text)

    def match(self, text: str, pattern: str) -> str:
        """The first group of a pattern in a text; empty where the pattern does not match."""
        return f"regexp_extract({text}, {self.text(pattern)}, 1)"

    def cut(self, text: str, pattern: str) -> str:
        """The text without the one match of a pattern."""
        return f"regexp_replace({text}, {self.text(pattern)}, '')"

    def list(self, entries: Sequence[str], element: CelType | None) -> str:
        """A list; `element` may be None where it has entries."""
        if not entries and element is not None:
            return self.empty_form.format(self.list_type.format(self.type_name(element)))
        return self.list_form.format(", ".join(entries))

    def size(self, entries: str) -> str:
        """How many entries a list has, as int64."""
        return self.size_form.format(entries)

    def item(self, entries: str, number: int) -> str:
        """The entry at a place that the list has."""
        return self.item_form.format(entries, number + self.first)

    def at(self, entries: str, index: str) -> str:
        """The entry at any int64; NULL outside the list."""
        return self.at_form.format(entries, index)

    def contains(self, entries: str, value: str) -> str:
        """Whether the value is among the entries. What it gives where one of them is NULL is not said."""
        return self.contains_form.format(entries, value)

    def is_whole(self, entries: str) -> str:
        """Whether no entry is NULL. It may mention the list twice."""
        return self.whole_form.format(entries)

    def transform(self, entries: str, variable: str, index: str | None, body: str) -> str:
        """The body for each entry."""
        return self.transform_form.format(entries, self._names(variable, index), body)

    def filter(self, entries: str, variable: str, index: str | None, body: str) -> str:
        """The entries for which the body is true."""
        return self.filter_form.format(entries, self._names(variable, index), body)

    def position(self, index: str) -> str:
        """The index variable of a lambda, as int64 from zero."""
        return self.position_form.format(index)

    def flatten(self, entries: str) -> str:
        """The entries of the entries, none of which is NULL."""
        return f"flatten({entries})"

    def join(self, entries: str) -> str:
        """All texts of a list, one after the other."""
        return self.join_form.format(entries)

    def _names(self, variable: str, index: str | None) -> str:
        return variable if index is None else self.two_names_form.format(variable, index)

"""What every part of the compiler to SQL shares: the dialect, the column names, and names for values used twice.

SQL has no `let`. A short text is repeated; a long one becomes the one entry of a list that a lambda runs over. So no
text doubles from level to level, however deep expressions nest.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from makegood.rules.columns_dialect import Dialect
from makegood.rules.types import INT, CelType

_SHORT: Final = 64  # Characters of a text that may be repeated: a column, a literal, a lambda's variable.
_PREFIX: Final = "w"


@dataclass(frozen=True, slots=True)
class Sql:
    """An SQL expression in parentheses or atomic, and whether it may be NULL, which is a CEL error."""

    text: str
    raises: bool = False


@dataclass(slots=True)
class Scope:
    """One compilation. `locals` are the texts of loop variables by slot, `named` counts the names that were made."""

    dialect: Dialect
    column: Callable[[str], str]
    locals: dict[int, str] = field(default_factory=dict)
    named: int = 0

    def bind(self, value: str, body: Callable[[str], str], *, always: bool = False) -> str:
        """The body over a value that it may mention many times; `always` makes it a name however short it is."""
        if len(value) <= _SHORT and not always:
            return body(value)
        name = self.name()
        return self.dialect.item(self.dialect.transform(self.dialect.list([value], None), name, None, body(name)), 0)

    def bind_two(self, left: str, right: str, body: Callable[[str, str], str]) -> str:
        """The same over two values of one type."""
        if len(left) <= _SHORT and len(right) <= _SHORT:
            return body(left, right)
        item = self.dialect.item
        pair = self.dialect.list([left, right], None)
        return self.bind(pair, lambda bound: body(item(bound, 0), item(bound, 1)), always=True)

    def name(self) -> str:
        """A new name."""
        self.named += 1
        return f"{_PREFIX}{self.named}"

    def is_bound(self, text: str) -> bool:
        """Whether the text is a name that was made here."""
        return text.startswith(_PREFIX)

    def choose(self, condition: Sql, then: str, otherwise: str) -> str:
        """`then` or `otherwise`; NULL where the condition is."""
        if not condition.raises:
            return f"CASE WHEN {condition.text} THEN {then} ELSE {otherwise} END".join("()")
        if len(condition.text) <= _SHORT:
            return f"(CASE WHEN {condition.text} THEN {then} WHEN NOT {condition.text} THEN {otherwise} END)"
        # To evaluate both is safe, because no text raises; so nothing has to be named.
        both = self.dialect.list([otherwise, then], None)
        return self.dialect.at(both, self.int64(condition.text))

    def whole(self, entries: str) -> str:
        """The list; NULL where one of its entries is."""
        return self.bind(entries, lambda bound: f"(CASE WHEN {self.dialect.is_whole(bound)} THEN {bound} END)")

    def within(self, value: str, low: int, high: int) -> str:
        """The wide value; NULL outside the bounds."""
        return self.bind(value, lambda bound: f"(CASE WHEN {bound} BETWEEN {low} AND {high} THEN {bound} END)")

    def cast(self, value: str, kind: CelType) -> str:
        """The value as a type that can hold it."""
        return f"CAST({value} AS {self.dialect.type_name(kind)})"

    def int64(self, value: str) -> str:
        """A whole number, known to be small enough, as int64."""
        return self.cast(value, INT)

    def widened(self, value: str) -> str:
        """A whole number in the wide type."""
        return f"CAST({value} AS {self.dialect.wide})"

    def fit(self, value: str) -> str:
        """A whole number as int64; NULL where it is none, and where the value is no number's text."""
        return f"TRY_CAST({value} AS {self.dialect.type_name(INT)})"

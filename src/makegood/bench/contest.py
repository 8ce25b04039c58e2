"""Whoever answers the same payments: Makegood, and the libraries that it is compared with, each in several forms."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from makegood.bench.shape import Shaped
from makegood.bench.texts import Offers

Fields = dict[str, Any]
Answer = Callable[[Sequence[Fields]], list[int]]
"""The best offer of each payment as a number; payments have only the fields that the shape reads."""


@dataclass(frozen=True, slots=True)
class Form:
    """One way to put the campaigns to a library."""

    words: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class Library:
    """A library to compare with. `module` is what it is imported as; `forms` may then import it."""

    name: str
    module: str
    forms: Callable[[Sequence[Shaped], Offers], Iterator[Form]]

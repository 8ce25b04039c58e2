"""An obligation: a question of what must not be, and the words for whoever finds that it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import z3

from makegood.proof.words import Sight, Words

Clause = Callable[[Sight], Words]
"""The part of a sentence that says what forbids what a payment would get."""


@dataclass(frozen=True, slots=True)
class Obligation:
    """One row of a proof, as a question.

    `fact` is what must not be true of the documents by themselves, `grant` what must not be true of any payment that
    is granted the campaign; either may be missing. `clause` says what forbids it, `path` where in the campaign the
    fault is, `hint` what would mend it.
    """

    name: str
    path: str
    clause: Clause
    hint: Words
    fact: Any = None
    grant: Any = None


class Facts:
    """Comparisons of constants as formulas, so that a fact of the documents is a question that anyone can check."""

    def __init__(self, context: Any) -> None:
        self._context = context

    def number(self, value: int) -> Any:
        """A whole number."""
        return z3.IntVal(value, self._context)

    def above(self, value: int, most: int) -> Any:
        """`value` is larger than `most`."""
        return self.number(value) > self.number(most)

    def differ(self, left: str, right: str) -> Any:
        """Two texts are not the same."""
        return z3.StringVal(left, self._context) != z3.StringVal(right, self._context)

    def any(self, *facts: Any) -> Any:
        """At least one of them."""
        return z3.Or([*facts, z3.BoolVal(False, self._context)])

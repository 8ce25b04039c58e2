"""An obligation: a question of what must not be, and the words for whoever finds that it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import z3

from makegood.proof.verdict import Row, Verdict, Witness
from makegood.proof.words import Sight, Words, words

UNDECIDED = words(
    "the solver did not decide in its time; simplify the condition", "求解器未在规定时间内得出结论；请简化条件"
)

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


def answered(obligation: Obligation, verdict: Verdict, ms: float, question: str, witness: Witness | None) -> Row:
    """The row of an obligation once the solver has answered."""
    if verdict is Verdict.PROVED:
        return Row(obligation.name, verdict, ms, question)
    hint = obligation.hint if verdict is Verdict.REFUTED else UNDECIDED
    return Row(obligation.name, verdict, ms, question, witness, obligation.path, hint)


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

"""One solver with one deadline: it answers questions, and finds the smallest model of a bad one."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import z3

from makegood.limits import PROOF_MEMORY_MB_MAX
from makegood.proof.effort import Deadline
from makegood.proof.verdict import Verdict

NAME = f"z3 {z3.get_version_string()}"

_VERDICTS = {"unsat": Verdict.PROVED, "sat": Verdict.REFUTED, "unknown": Verdict.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the solver says to one question. `model` is there exactly where it is refuted."""

    verdict: Verdict
    model: Any = None


class Solver:
    """Questions over one set of facts: `assumed` holds in each of them.

    A question is a formula of what must not be; that nothing satisfies it is the proof. Nothing is asked after
    the deadline.
    """

    def __init__(self, context: Any, assumed: Iterable[Any], deadline: Deadline) -> None:
        self._deadline, self._assumed = deadline, tuple(assumed)
        self._solver = self._plain = self._fresh(context)
        self._context = context

    def _fresh(self, context: Any) -> Any:
        solver = z3.Solver(ctx=context)
        solver.add(*self._assumed)
        solver.set("max_memory", PROOF_MEMORY_MB_MAX)
        return solver

    def hint(self, hints: Iterable[Any]) -> None:
        """Assume what the solver has shown to follow. It finds answers sooner; the questions stay as they are."""
        self._plain = self._fresh(self._context)
        self._solver.add(*hints)

    def ask(self, *bad: Any) -> Answer:
        """Whether anything satisfies all of `bad`. Past the deadline nothing is known."""
        left = self._deadline.left_ms()
        if left == 0:
            return Answer(Verdict.UNKNOWN)
        self._solver.push()
        try:
            self._solver.set("timeout", left)
            self._solver.add(*bad)
            result = self._solver.check()
            return Answer(_VERDICTS[str(result)], self._solver.model() if result == z3.sat else None)
        except z3.Z3Exception:  # It gave up, for want of memory for instance: that is not knowing.
            return Answer(Verdict.UNKNOWN)
        finally:
            self._solver.pop()

    def question(self, *bad: Any) -> str:
        """The question as SMT-LIB 2, whole: any other solver can answer it."""
        self._plain.push()
        self._plain.add(*bad)
        text = self._plain.to_smt2()
        self._plain.pop()
        return f"(set-logic ALL)\n{text}"

    def smallest(self, found: Any, number: Any, floor: int, *bad: Any) -> Any:
        """A model of `bad` in which `number`, never below `floor`, is as small as it can be; `found` is any model."""
        low, high = floor, value_of(found, number)
        while low < high:
            middle = (low + high) // 2
            answer = self.ask(*bad, number <= middle)
            if answer.verdict is Verdict.UNKNOWN:
                return found
            if answer.verdict is Verdict.REFUTED:
                found, high = answer.model, value_of(answer.model, number)
            else:
                low = middle + 1
        return found

    def largest(self, number: Any, most: int, *bad: Any) -> int | None:
        """The largest that `number` can be where `bad` is true, at most `most`; 0 where it never is above that.

        None where the solver does not know. `most` itself is asked for first: it is often reached.
        """
        low, high, middle = 0, most, most
        while low < high:
            answer = self.ask(*bad, number >= middle)
            if answer.verdict is Verdict.UNKNOWN:
                return None
            if answer.verdict is Verdict.REFUTED:
                low = value_of(answer.model, number)
            else:
                high = middle - 1
            middle = (low + high + 1) // 2
        return low

    def prefer(self, found: Any, wishes: Iterable[Any], *bad: Any) -> Any:
        """A model of `bad` that also fulfils each wish, in their order, that can still be fulfilled."""
        kept: list[Any] = []
        for wish in wishes:
            if z3.is_true(found.eval(wish, model_completion=True)):
                kept.append(wish)
                continue
            answer = self.ask(*bad, *kept, wish)
            if answer.verdict is Verdict.REFUTED:
                found = answer.model
                kept.append(wish)
        return found


def value_of(model: Any, number: Any) -> int:
    """The value of an integer term in a model."""
    value: int = model.eval(number, model_completion=True).as_long()
    return value


def fact_as_question(context: Any, bad: Any) -> str:
    """A fact of the documents alone as SMT-LIB 2: a formula without variables."""
    solver = z3.Solver(ctx=context)
    solver.add(bad)
    return f"(set-logic ALL)\n{solver.to_smt2()}"

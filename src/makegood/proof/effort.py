"""How much a proof may cost."""

from collections.abc import Callable
from dataclasses import dataclass

from makegood.clock import stopwatch
from makegood.limits import PROOF_MS_MAX, PROOF_QUESTION_MS_MAX


@dataclass(frozen=True, slots=True)
class Effort:
    """How long the solver may think, milliseconds: about one question, and about everything together."""

    question_ms: int = PROOF_QUESTION_MS_MAX
    total_ms: int = PROOF_MS_MAX
    clock: Callable[[], int] = stopwatch

    def deadline(self) -> "Deadline":
        """The moment from now on until which everything together may take."""
        return Deadline(self, self.clock() + self.total_ms * 1_000_000)


USUAL = Effort()


class OutOfTime(Exception):  # noqa: N818 - an answer, not a fault
    """The time was over before the question was asked: nothing is known."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """When everything ends, by the effort's clock, nanoseconds. Making questions counts as much as answering them."""

    effort: Effort
    ends: int

    def left_ms(self) -> int:
        """How long one question may still take, milliseconds; 0 when the time is over."""
        return max(0, min(self.effort.question_ms, (self.ends - self.effort.clock()) // 1_000_000))

    def check(self) -> None:
        """Raises OutOfTime when the time is over."""
        if self.effort.clock() >= self.ends:
            raise OutOfTime

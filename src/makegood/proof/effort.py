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


USUAL = Effort()

"""CPU and wall time of several contestants, taken in turns, so that a slow moment of the machine meets all of them."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter, process_time
from typing import Any

from makegood.bench.row import AnswersDiffer

Contestant = Callable[[], Sequence[Any]]  # One answer for each payment.


def cpu_seconds(contestants: Sequence[Contestant], repeats: int) -> list[float]:
    """CPU seconds that one run of each takes: all threads of this process, the least of `repeats` runs in turns.

    Before each run is one that is not measured, so that nobody finds the cache as another left it. The garbage
    collector rests.
    """
    least = [float("inf")] * len(contestants)
    for _ in range(repeats):
        with no_collection():
            for number, run in enumerate(contestants):
                run()
                begun = process_time()
                run()
                least[number] = min(least[number], process_time() - begun)
    return least


def wall_ms(question: Callable[[], Any]) -> float:
    """Milliseconds of wall time that one call takes."""
    with no_collection():
        begun = perf_counter()
        question()
        return (perf_counter() - begun) * 1_000


def same_answers(expected: Sequence[Any], given: Sequence[Any], who: str) -> None:
    """Nothing, if all answers are equal. Raises AnswersDiffer with the first that is not."""
    if len(expected) != len(given):
        raise AnswersDiffer(f"{who} gave {len(given):,} answers to {len(expected):,} payments")
    for number, (wanted, got) in enumerate(zip(expected, given, strict=True)):
        if wanted != got:
            raise AnswersDiffer(f"{who} answers {got!r} to payment {number}, makegood answers {wanted!r}")


@contextmanager
def no_collection() -> Iterator[None]:
    """The garbage collector rests."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()

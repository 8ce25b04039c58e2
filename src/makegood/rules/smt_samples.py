"""One text for every combination of answers that a text can give to tests against constants.

Rules that ask nothing else of a text say the same of all texts with the same answers. So a few texts stand for all of
them, exactly, and no solver has to look for strings. They are found by walking through all texts from the shortest on:
each test follows the text, and a text after which all followers stand where they stood after an earlier one has nothing
new to say. The field's own bound on lengths ends the walk, if nothing else does.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, pairwise
from typing import Final

from makegood.rules.smt_followers import Follower, Test, followers
from makegood.rules.smt_text import is_plain

SAMPLES_MAX: Final = 256  # Combinations of answers; a table of so many texts is still a short one.
_STEPS_MAX: Final = 100_000  # A fifth of a second.
_LAST: Final = 0x10FFFF

State = tuple[int, ...]
Answers = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """All that is asked of a text: tests, how its length compares with these numbers, or its length as a number."""

    tests: tuple[Test, ...] = ()
    sizes: tuple[int, ...] = ()
    length: bool = False

    @property
    def named(self) -> frozenset[str]:
        """The constants that a text is compared with: whether it is one of them is known, of no other."""
        return frozenset(test.constant for test in self.tests if test.kind == "equal")

    def about_size(self, size: int) -> Answers:
        """What a length answers."""
        return (*((size > each) - (size < each) for each in self.sizes), size if self.length else 0)

    def same_from(self, longest: int) -> int:
        """The length from which on, up to `longest`, all lengths answer the same."""
        if self.length:
            return longest
        return max((each + 1 for each in self.sizes if 0 <= each <= longest), default=0)


@dataclass(frozen=True, slots=True)
class Sampled:
    """The texts that stand for all, for what is asked."""

    asked: Asked
    texts: tuple[str, ...]


class _TooMuch(Exception):  # noqa: N818 - an answer, not a fault
    """The walk is too long."""


@lru_cache(maxsize=512)
def samples(asked: Asked, shortest: int, longest: int, usual: str) -> tuple[str, ...] | None:
    """Texts of `shortest` (0 or 1) to `longest` code points, one for every combination of answers that one can give.

    The first is `usual`. None where there are too many combinations, or where it is too much work to find them.
    """
    walk = _Walk(followers(asked.tests), _alphabet(asked.tests))
    found = {walk.answers(walk.after(usual)) + asked.about_size(len(usual)): usual}
    try:
        for state, text in walk.texts(asked.same_from(longest), shortest, longest):
            found.setdefault(walk.answers(state) + asked.about_size(len(text)), text)
            if len(found) > SAMPLES_MAX:
                return None
    except _TooMuch:
        return None
    return tuple(found.values())


class _Walk:
    """Through the states of all followers together. The first of the alphabet is in no constant."""

    def __init__(self, own: Sequence[Follower], alphabet: Sequence[str]) -> None:
        self._followers = own
        self._alphabet = alphabet
        self._start: State = tuple(each.start for each in own)
        self._next: dict[State, dict[State, str]] = {}
        self._steps = 0

    def answers(self, state: State) -> Answers:
        """What all tests say of a text that ends here."""
        return tuple(each.answer(at) for each, at in zip(self._followers, state, strict=True))

    def after(self, text: str) -> State:
        """The state after a text."""
        state = self._start
        for char in text:
            state = self._step(state, char)
        return state

    def _step(self, state: State, char: str) -> State:
        return tuple(each.step(at, char) for each, at in zip(self._followers, state, strict=True))

    def texts(self, same_from: int, shortest: int, longest: int) -> Iterator[tuple[State, str]]:
        """Every state with a shortest text that leads there, for each length below `same_from` and for all above.

        Raises _TooMuch when it has become too much work.
        """
        level = {self._start: ""}
        seen: set[tuple[State, int]] = set()
        for length in range(longest + 1):
            if length >= shortest:
                seen.update((state, min(length, same_from)) for state in level)
                yield from level.items()
            longer: dict[State, str] = {}
            for state, text in level.items():
                for after, char in self._following(state).items():
                    if after not in longer and (after, min(length + 1, same_from)) not in seen:
                        longer[after] = text + char
            level = longer

    def _following(self, state: State) -> dict[State, str]:
        """The states one character later, each with the first character that leads there."""
        found = self._next.get(state)
        if found is None:
            cared = [each.cares(at, self._alphabet) for each, at in zip(self._followers, state, strict=True)]
            chars = self._chosen({char for each in cared for char in each})
            self._work(len(chars) * len(self._followers))
            found = self._next[state] = {}
            for char in chars:
                found.setdefault(self._step(state, char), char)
        self._work(len(found))
        return found

    def _chosen(self, cared: Collection[str]) -> Sequence[str]:
        first, *others = self._alphabet
        return [first, *(char for char in others if char in cared)]

    def _work(self, steps: int) -> None:
        self._steps += steps
        if self._steps > _STEPS_MAX:
            raise _TooMuch


def _alphabet(tests: Collection[Test]) -> Sequence[str]:
    """One character for all that no constant holds, and every character of a constant that a payment may hold.

    Where texts are ordered, there is also one in every gap between the constants' own: else all others are alike.
    """
    own = {char for test in tests for char in test.constant}
    plain = chain(range(ord("a"), ord("z") + 1), range(0x4E00, 0xA000), range(0xE000, _LAST + 1))
    other = next(char for char in map(chr, plain) if char not in own)
    named = sorted(own)
    between: list[str] = []
    if any(test.kind == "order" for test in tests):
        points = [0, *map(ord, named), _LAST + 1]
        gaps = (_between(low + 1, high - 1) for low, high in pairwise(points))
        between = [char for char in gaps if char and char != other]
    return [other, *between, *filter(is_plain, named)]


def _between(low: int, high: int) -> str:
    """A character that a payment may hold, from `low` to `high`; empty where there is none."""
    if 0xD800 <= low <= 0xDFFF:
        low = 0xE000
    return chr(low) if low <= high else ""

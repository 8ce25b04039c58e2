"""What one test against a constant knows of a text, character by character: small machines that follow a text.

A state is an int. A character that a follower does not care for in a state leads where any character does that is in
no constant at all.
"""

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple, Protocol

_BELOW: Final = -1  # The text has left the constant: it stands before it whatever follows.
_ABOVE: Final = -2  # The same, behind it.


class Test(NamedTuple):
    """`text.KIND(constant)`, or `constant.KIND(text)` where it is turned; `equal`; `order`, which of both is first."""

    kind: str
    constant: str
    turned: bool = False


class Follower(Protocol):
    """Follows a text from `start` on."""

    start: int

    def step(self, state: int, char: str) -> int:
        """The state after one more character."""

    def cares(self, state: int, alphabet: Collection[str]) -> Collection[str]:
        """The characters on which the next state depends."""

    def answer(self, state: int) -> object:
        """What the tests say of a text that ends here."""


def followers(tests: Iterable[Test]) -> list[Follower]:
    """Followers whose answers together are those of all tests: whether they are equal, that is."""
    whole: list[Test] = []
    found: list[Follower] = []
    for test in tests:
        if test.kind == "order":
            found.append(_Order(test.constant))
        elif test.kind in ("equal", "startsWith") and not test.turned:
            whole.append(test)
        else:
            found.append(_Positions(test))
    return [_Beginnings(whole), *found] if whole else found


class _Beginnings:
    """All tests that compare with a constant from the first character on, as one tree of their constants."""

    def __init__(self, tests: Iterable[Test]) -> None:
        self.start = 0
        self._next: list[dict[str, int]] = [{}]
        self._answers: list[tuple[Test, ...]] = [()]  # Tests that are true of the text that ends at a node.
        self._exits: dict[int, int] = {}  # Where a text goes on that is at a node and then leaves the tree.
        for test in tests:
            self._answers[self._node(test.constant)] += (test,)
        self._carry()

    def _node(self, word: str) -> int:
        node = 0
        for char in word:
            if char not in self._next[node]:
                self._next[node][char] = self._new(())
            node = self._next[node][char]
        return node

    def _new(self, answers: tuple[Test, ...]) -> int:
        self._next.append({})
        self._answers.append(answers)
        return len(self._next) - 1

    def _carry(self) -> None:
        """A beginning stays one: carry it on to all nodes below, and to one node for all texts that go on elsewhere."""
        outside: dict[tuple[Test, ...], int] = {}
        waiting: list[tuple[int, tuple[Test, ...]]] = [(0, ())]
        while waiting:
            node, begun = waiting.pop()
            own = self._answers[node]
            self._answers[node] = own + begun
            begun += tuple(test for test in own if test.kind == "startsWith")
            waiting += [(each, begun) for each in self._next[node].values()]
            if begun not in outside:
                outside[begun] = end = self._new(begun)
                self._exits[end] = end
            self._exits[node] = outside[begun]

    def step(self, state: int, char: str) -> int:
        return self._next[state].get(char, self._exits[state])

    def cares(self, state: int, _: Collection[str]) -> Collection[str]:
        return self._next[state]

    def answer(self, state: int) -> object:
        return frozenset(self._answers[state])


class _Positions:
    """The positions of the constant up to which it may have been read, as bits."""

    def __init__(self, test: Test) -> None:
        word, kind, turned = test.constant, test.kind, test.turned
        end, everywhere = 1 << len(word), (2 << len(word)) - 1
        inside = kind in ("endsWith", "contains")
        self._bits = {char: sum(1 << at for at, own in enumerate(word) if own == char) for char in word}
        self._stay = end if kind in ("startsWith", "contains") and not turned else 0
        self._again = int(inside and not turned)
        self._accepted = everywhere if turned and kind != "endsWith" else end
        self.start = everywhere if turned and inside else 1

    def step(self, state: int, char: str) -> int:
        if state & self._stay:
            return self._stay
        return (state & self._bits.get(char, 0)) << 1 | self._again

    def cares(self, state: int, _: Collection[str]) -> Collection[str]:
        return () if not state or state & self._stay else self._bits

    def answer(self, state: int) -> object:
        return bool(state & self._accepted)


class _Order:
    """How far the text follows the constant, and on which side of it it has left it."""

    def __init__(self, word: str) -> None:
        self.start = 0
        self._word = word

    def step(self, state: int, char: str) -> int:
        if state < 0:
            return state
        if state == len(self._word) or char > self._word[state]:
            return _ABOVE
        return state + 1 if char == self._word[state] else _BELOW

    def cares(self, state: int, alphabet: Collection[str]) -> Collection[str]:
        return alphabet if 0 <= state < len(self._word) else ()

    def answer(self, state: int) -> object:
        return state if state in (_ABOVE, len(self._word)) else _BELOW

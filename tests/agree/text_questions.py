"""A strategy that writes conditions which hold texts of payments against constants, and ask nothing else of them."""

import random
from collections.abc import Callable

from hypothesis import strategies as st
from tests.agree.written_expressions import quoted

_WORDS = (
    "",
    "a",
    "Hang",
    "Hangzhou",
    "zhou",
    "北",
    "北京",
    "é",
    "\U0001f431",
    "\uffff",
    "in_",
    "qr",
    "tru",
    "e",
    "none",
)
_TESTS = ("startsWith", "endsWith", "contains")
_COMPARED = ("==", "!=", "<", "<=", ">", ">=")


class _Asker:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def _word(self) -> str:
        return quoted(self._chance.choice(_WORDS))

    def _compared(self) -> str:
        return self._chance.choice(_COMPARED)

    def _of_text(self, text: str) -> str:
        """One question about a text."""
        match self._chance.randint(0, 7):
            case 0:
                return f"{text} {self._compared()} {self._word()}"
            case 1:
                return f"{text} in [{self._word()}, {self._word()}]"
            case 2:
                return f"size({text}) {self._compared()} {self._chance.randint(0, 4)}"
            case 3:
                return f"size({text}) > payment.points" if self._chance.random() < 0.2 else f"size({text}) in [2, 8]"
            case 4:
                return f"{self._word()}.{self._chance.choice(_TESTS)}({text})"
            case 5:
                return f"[{self._word()}, {self._word()}].exists(w, {text}.{self._chance.choice(_TESTS)}(w))"
        return f"{text}.{self._chance.choice(_TESTS)}({self._word()})"

    def _of_list(self, entries: str) -> str:
        condition = self._several(lambda: self._of_text("s"), 2)
        match self._chance.randint(0, 6):
            case 0:
                return f"{entries}.exists_one(s, {condition})"
            case 1:
                return f"size({entries}.filter(s, {condition})) {self._compared()} {self._chance.randint(0, 3)}"
            case 2:
                return f"size({entries}) > 1 && {entries}[1].startsWith({self._word()})"
            case 3:
                return f"{self._word()} in {entries}"
        return f"{entries}.{self._chance.choice(('exists', 'all'))}(s, {condition})"

    def _one(self) -> str:
        match self._chance.randint(0, 5):
            case 0:
                return f"has(payment.store_type) && {self._of_text('payment.store_type')}"
            case 1:
                return self._of_text('(payment.amount > 5 ? payment.city : "none")')
            case 2 | 3:
                return self._of_list("payment.segments")
        return self._of_text("payment.city")

    def _several(self, one: Callable[[], str], most: int) -> str:
        parts = [f"{self._chance.choice(('', '', '!'))}({one()})" for _ in range(self._chance.randint(1, most))]
        return self._chance.choice((" && ", " || ")).join(parts)

    def condition(self) -> str:
        return self._several(self._one, 3)


def text_questions() -> st.SearchStrategy[str]:
    """Conditions on the texts of a payment."""
    return st.builds(lambda seed: _Asker(random.Random(seed)).condition(), st.integers(0, 2**48))

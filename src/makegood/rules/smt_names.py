"""Texts for codes that no constant has: different from every constant and from each other, and short to read."""

from collections.abc import Collection, Iterator, Mapping
from itertools import count, product
from typing import Final

from makegood.domain.policy import Field
from makegood.limits import ID_CHARS_MAX
from makegood.rules.smt_text import BLOCK

_USUAL: Final[Mapping[str, str]] = {
    "payment_id": "payment-1",
    "payer_id": "p-1",
    "payee_id": "payee-1",
    "device_id": "d-1",
    "referrer_id": "r-1",
    "merchant_category": "5999",
}
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_MORE: Final = range(0x4E00, 0x9FFF)  # Ideographs, where the letters do not suffice.


def usual_text(name: str) -> str:
    """What a field holds where it does not matter."""
    return _USUAL.get(name, f"other-{name}")


class Names:
    """The texts of one model. `exact`: a text is as long as its code says, because a rule asks for lengths."""

    def __init__(self, constants: Collection[str], codes: Mapping[str, int] | None = None, *, exact: bool) -> None:
        self._known = {code: text for text, code in (codes or {}).items()}
        self._taken = {*constants, *(codes or {}), ""}
        self._exact = exact
        self._limits: dict[int, int] = {}

    def limit(self, code: int, declared: Field) -> None:
        """A field holds this code: its text must fit there."""
        most = declared.max_length or ID_CHARS_MAX
        self._limits[code] = min(most, self._limits.get(code, most))

    def text(self, code: int, declared: Field) -> str:
        """The text of a code; a field that holds it gives the word."""
        found = self._known.get(code)
        if found is None:
            self.limit(code, declared)
            length = code // BLOCK
            wanted = _of_length(length) if self._exact else self._short(code, declared, length)
            found = self._known[code] = next(text for text in wanted if text not in self._taken)
            self._taken.add(found)
        return found

    def _short(self, code: int, declared: Field, length: int) -> Iterator[str]:
        usual = usual_text(declared.name)
        stem = usual.removesuffix("-1")
        for number in range(1, 1000):
            text = usual if number == 1 else f"{stem}-{number}"
            if len(text) <= self._limits[code]:
                yield text
        yield from _of_length(max(1, min(length, self._limits[code])))


def _of_length(length: int) -> Iterator[str]:
    if not length:
        return
    stem = _LETTERS[:1] * max(0, length - 3)
    for letters in product(_LETTERS, repeat=min(3, length)):
        yield stem + "".join(letters)
    for number in count():
        yield chr(_MORE[number]) + _LETTERS[:1] * (length - 1)

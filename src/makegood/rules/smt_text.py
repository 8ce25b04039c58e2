"""Texts as solver terms, in the cheapest of four forms that says all that is asked of them.

- a Python str: a constant;
- `Choice`: one of few constants, as a closed list is, or one of the few that stand for all (`smt_samples`); every
  question about it is a table;
- `Code`: any text, of which only equality and length are asked, as an int. A code is the length times 2^20 plus a
  number below it, so that a bound on the length is a bound on the code;
- `Seq`: a string of the solver, where characters are asked for.

Codes lose nothing: no rule compares a million texts of one length. A string of the solver holds characters up to
U+2FFFF only; `Texts.constant` refuses higher ones, and `smt_fields` sees to it that payments need none of them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import z3
from z3 import z3core

from makegood.domain.text import checked_text
from makegood.rules.runtime import EvaluationError, text_to_int
from makegood.rules.smt_terms import Flag, Num, Terms, Unsupported, Whole, high_of, low_of

CHAR_MAX: Final = 0x2FFFF
BLOCK: Final = 2**20  # Codes of one length; there are more characters than that.
EMPTY_CODE: Final = BLOCK - 1  # The last of its block, so that the codes of all texts have no gap.
_PAIRS_MAX: Final = 10_000  # Answers of one table.
_TESTS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": str.__contains__,
}
_YES: Final = ("1", "t", "true", "TRUE", "True")
_NO: Final = ("0", "f", "false", "FALSE", "False")
NAMES_OF_BOOLS: Final = _YES + _NO  # Every text that `bool` takes.

Text = Any  # str, Choice, Code or Seq


@dataclass(frozen=True, slots=True)
class Choice:
    """One of these constants: exactly one of the flags is true."""

    options: Mapping[str, Flag]


@dataclass(frozen=True, slots=True)
class Code:
    """A text by its code. `tests` remembers comparisons with constants."""

    number: Num
    tests: dict[int, Flag] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seq:
    """A text as a string of the solver."""

    term: Any


def is_plain(text: str) -> bool:
    """Whether a payment may hold such a text."""
    try:
        checked_text(text, len(text))
    except ValueError:
        return False
    return True


class Texts:
    """Questions about texts. Constants get their codes when they are first compared with one."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.codes: dict[str, int] = {"": EMPTY_CODE}
        self._counts: dict[tuple[bool, int], int] = {}

    def code(self, text: str) -> int:
        """The code of a constant; negative where no payment may hold it."""
        found = self.codes.get(text)
        if found is None:
            plain, length = is_plain(text), len(text)
            number = self._counts.get((plain, length), 0)
            self._counts[plain, length] = number + 1
            found = length * BLOCK + number
            self.codes[text] = found = found if plain else -found - 1
        return found

    def constant(self, text: str) -> Any:
        """A constant as a string of the solver."""
        if any(ord(char) > CHAR_MAX for char in text):
            raise Unsupported("characters above U+2FFFF are compared for equality only")
        points = (z3core.ctypes.c_uint * max(1, len(text)))(*map(ord, text))
        context = self.terms.context
        return z3.SeqRef(z3core.Z3_mk_u32string(context.ref(), len(text), points), context)

    def code_of(self, text: Text) -> Whole:
        """The code of a text that is no string of the solver."""
        if isinstance(text, str):
            return self.code(text)
        if isinstance(text, Code):
            return text.number
        assert isinstance(text, Choice), "a string of the solver where only equality was expected"
        options = [(flag, self.code(each)) for each, flag in text.options.items()]
        return self._ladder(options)

    def seq_of(self, text: Text) -> Any:
        """The text as a string of the solver."""
        if isinstance(text, str):
            return self.constant(text)
        if isinstance(text, Seq):
            return text.term
        assert isinstance(text, Choice), "a code where characters are asked for"
        *options, (last, _) = text.options.items()
        found = self.constant(last)
        for each, flag in options:
            found = z3.If(self.terms.flag(flag), self.constant(each), found)
        return found

    def _ladder(self, options: Iterable[tuple[Flag, Whole]]) -> Whole:
        *first, (_, found) = options
        for flag, value in first:
            found = self.terms.pick(flag, value, found)
        return found

    # -- questions -------------------------------------------------------------------------------------
    def equal(self, left: Text, right: Text) -> Flag:
        """Whether two texts are equal."""
        if isinstance(left, str) and not isinstance(right, str):
            left, right = right, left
        one, other = _options(left), _options(right)
        if isinstance(right, str):
            if one is not None:
                return one.get(right, False)
            if isinstance(left, Code):
                code = self.code(right)
                if code not in left.tests:
                    left.tests[code] = self.terms.equal(left.number, code)
                return left.tests[code]
        if one is not None and other is not None:
            return self.terms.some(self.terms.both(flag, other[each]) for each, flag in one.items() if each in other)
        if isinstance(left, Seq) or isinstance(right, Seq):
            return z3.BoolRef(self._binary(z3core.Z3_mk_eq, left, right), self.terms.context)
        return self.terms.equal(self.code_of(left), self.code_of(right))

    def less(self, left: Text, right: Text) -> Flag:
        """Whether left stands before right, by code points."""
        table = self._table(left, right, lambda one, other: one < other)
        if table is not None:
            return table
        return z3.BoolRef(self._binary(z3core.Z3_mk_str_lt, left, right), self.terms.context)

    def test(self, name: str, text: Text, part: Text) -> Flag:
        """startsWith, endsWith or contains."""
        table = self._table(text, part, _TESTS[name])
        if table is not None:
            return table
        if name == "contains":
            return z3.BoolRef(self._binary(z3core.Z3_mk_seq_contains, text, part), self.terms.context)
        make = z3core.Z3_mk_seq_prefix if name == "startsWith" else z3core.Z3_mk_seq_suffix
        return z3.BoolRef(self._binary(make, part, text), self.terms.context)

    def join(self, left: Text, right: Text) -> Text:
        """The one text and then the other."""
        one, other = _options(left), _options(right)
        if one is None or other is None:
            return Seq(z3.Concat(self.seq_of(left), self.seq_of(right)))
        _bound(one, other)
        found: dict[str, Flag] = {}
        for first, flag in one.items():
            for second, condition in other.items():
                both = self.terms.both(flag, condition)
                found[first + second] = self.terms.either(found.get(first + second, False), both)
        return _choice(found)

    def size(self, text: Text) -> Whole:
        """Its code points."""
        terms, options = self.terms, _options(text)
        if options is not None:
            return self._ladder((flag, len(each)) for each, flag in options.items())
        if isinstance(text, Seq):
            return Num(z3.Length(text.term), 0, 2**40)
        code = text.number
        below = terms.floor(terms.add(terms.multiply(code, -1), -1), BLOCK)
        return terms.pick(terms.less(code, 0), below, terms.floor(code, BLOCK))

    def pick(self, flag: Flag, then: Text, otherwise: Text) -> Text:
        """The one text or the other."""
        if isinstance(flag, bool):
            return then if flag else otherwise
        one, other = _options(then), _options(otherwise)
        if one is not None and other is not None:
            return _choice({
                each: self.terms.pick_flag(flag, one.get(each, False), other.get(each, False))
                for each in dict.fromkeys((*one, *other))
            })  # fmt: skip
        if isinstance(then, Seq) or isinstance(otherwise, Seq):
            return Seq(z3.If(flag, self.seq_of(then), self.seq_of(otherwise)))
        number = self.terms.pick(flag, self.code_of(then), self.code_of(otherwise))
        return Code(number if isinstance(number, Num) else Num(self.terms.whole(number), number, number))

    def to_bool(self, text: Text) -> tuple[Flag, Flag]:
        """The bool that it names, and the error where it names none."""
        terms = self.terms
        yes = terms.some(self.equal(text, each) for each in _YES)
        no = terms.some(self.equal(text, each) for each in _NO)
        return yes, terms.negate(terms.either(yes, no))

    def to_int(self, text: Text) -> tuple[Whole, Flag]:
        """The int that it names, and the error where it names none."""
        options = _options(text)
        if options is None:
            raise Unsupported("`int` of a text that may be any", hint="declare the attribute as an `int`")
        read = [(flag, _number(each)) for each, flag in options.items()]
        value = self._ladder((flag, 0 if number is None else number) for flag, number in read)
        return value, self.terms.some(flag for flag, number in read if number is None)

    def from_bool(self, flag: Flag) -> Text:
        """`true` or `false`."""
        return _choice({"true": flag, "false": self.terms.negate(flag)})

    def digits(self, value: Whole, width: int = 1) -> Text:
        """Decimal digits, with a minus where it is negative, or with zeros to a width where it never is."""
        if isinstance(value, int):
            return f"{value:0{width}}"
        if width > 1:
            assert low_of(value) >= 0 and high_of(value) < 10**width, "more digits than the width"
            shown = z3.IntToStr(self.terms.whole(self.terms.add(value, 10**width)))
            return Seq(z3.SubString(shown, 1, width))
        minus = z3.IntToStr(self.terms.whole(self.terms.multiply(value, -1)))
        below = z3.Concat(self.constant("-"), minus)
        return Seq(z3.If(self.terms.flag(self.terms.less(value, 0)), below, z3.IntToStr(value.term)))

    def _table(self, left: Text, right: Text, answer: Callable[[str, str], bool]) -> Flag | None:
        one, other = _options(left), _options(right)
        if one is None or other is None:
            return None
        _bound(one, other)
        return self.terms.some(
            self.terms.both(flag, condition)
            for first, flag in one.items()
            for second, condition in other.items()
            if answer(first, second)
        )

    def _binary(self, make: Any, left: Text, right: Text) -> Any:
        return make(self.terms.context.ref(), self.seq_of(left).ast, self.seq_of(right).ast)


def _options(text: Text) -> Mapping[str, Flag] | None:
    if isinstance(text, str):
        return {text: True}
    return text.options if isinstance(text, Choice) else None


def _choice(options: Mapping[str, Flag]) -> Text:
    kept = {each: flag for each, flag in options.items() if flag is not False}
    for each, flag in kept.items():
        if flag is True:
            return each
    return Choice(kept)


def _bound(one: Mapping[str, Flag], other: Mapping[str, Flag]) -> None:
    if len(one) * len(other) > _PAIRS_MAX:
        raise Unsupported(f"texts with more than {_PAIRS_MAX} combinations")


def _number(text: str) -> int | None:
    try:
        return text_to_int(text)
    except EvaluationError:
        return None

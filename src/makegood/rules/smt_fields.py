"""The fields of a payment as solver terms: for each its value, its presence, its domain, what is usual, how it reads.

A domain is exactly what `parse_payment` accepts. Of characters above U+2FFFF a payment needs none: rules compare and
order characters and never look at one alone, so a payment that holds such means what one with lower ones means, as
long as there are enough of them above the last character that a rule names. `character_room` checks that there are.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import z3
from z3 import z3core

from makegood.clock import MICROSECOND, Instant
from makegood.domain.policy import Field, FieldType
from makegood.limits import CODES_MAX, ID_CHARS_MAX, PAYMENT_YEAR_MAX, PAYMENT_YEAR_MIN
from makegood.rules.literals import INT64_MAX, INT64_MIN
from makegood.rules.smt_flow import Flow
from makegood.rules.smt_lists import Entries
from makegood.rules.smt_names import Names, usual_text
from makegood.rules.smt_terms import Flag, Num, Terms, Unsupported
from makegood.rules.smt_text import BLOCK, CHAR_MAX, EMPTY_CODE, Choice, Code, Seq, Texts, is_plain

YEARS: Final = (
    int(Instant.parse(f"{PAYMENT_YEAR_MIN}-01-01T00:00:00Z")),
    int(Instant.parse(f"{PAYMENT_YEAR_MAX + 1}-01-01T00:00:00Z")),
)
_SURROGATES: Final = (0xD800, 0xDFFF)
_ASCII_MAX: Final = 0x7F

Read = Callable[[Any, Names], Any]


@dataclass(slots=True)
class FieldTerms:
    """One field. `missing` is the error of reading it; `read` gives the JSON value in a model."""

    value: Any
    read: Read
    domain: list[Flag] = field(default_factory=list)
    usual: Flag = True
    missing: Flag = False
    known: Collection[str] = ()  # Texts that may be looked for in a list of which only its texts are known.


@dataclass(frozen=True, slots=True)
class Fields:
    """Makes the terms of fields."""

    terms: Terms
    texts: Texts
    flow: Flow
    subject: str = "payment"

    def make(self, declared: Field, moments: tuple[int, int], listed: Collection[str]) -> FieldTerms:
        """The terms of one field. `moments` are its bounds where it is an instant, the second excluded."""
        name = f"{self.subject}.{declared.name}"
        match declared.type:
            case FieldType.INT:
                made = self._int(name, declared)
            case FieldType.BOOL:
                flag = z3.Bool(name, self.terms.context)
                made = FieldTerms(flag, lambda model, _: truth_in(model, flag), usual=self.terms.negate(flag))
            case FieldType.STRING:
                made = self._text(name, declared)
            case FieldType.TIMESTAMP:
                made = self._instant(name, moments)
            case FieldType.STRINGS:
                made = self._list(name, declared, listed)
        if declared.optional:
            self._optional(name, declared, made)
        return made

    def _optional(self, name: str, declared: Field, made: FieldTerms) -> None:
        present = z3.Bool(f"has({name})", self.terms.context)
        made.missing = self.terms.negate(present)
        made.domain = [self.terms.either(made.missing, rule) for rule in made.domain]
        made.usual = self.terms.both(present, made.usual) if declared.name == "payer_id" else made.missing
        inner = made.read
        made.read = lambda model, names: inner(model, names) if truth_in(model, present) else None

    def _int(self, name: str, declared: Field) -> FieldTerms:
        low = INT64_MIN if declared.min is None else max(declared.min, INT64_MIN)
        high = INT64_MAX if declared.max is None else min(declared.max, INT64_MAX)
        if low > high:
            return _impossible(0)
        free = self.terms.variable(name)
        number = Num(free.term, low, high)
        usual = self.terms.equal(number, min(max(0, low), high))
        return FieldTerms(number, lambda model, _: number_in(model, free), [self.terms.within(free, low, high)], usual)

    def _instant(self, name: str, moments: tuple[int, int]) -> FieldTerms:
        first, last = -(-moments[0] // MICROSECOND), (moments[1] - 1) // MICROSECOND
        if first > last:
            return _impossible(0)
        free = self.terms.variable(name)
        instant = self.terms.scaled(free.term, MICROSECOND, first * MICROSECOND, last * MICROSECOND)
        domain = [self.terms.within(free, first, last)]
        read: Read = lambda model, _: Instant(number_in(model, free) * MICROSECOND).text()  # noqa: E731
        return FieldTerms(instant, read, domain, self.terms.equal(free, first))

    # -- texts -----------------------------------------------------------------------------------------
    def _text(self, name: str, declared: Field) -> FieldTerms:
        if declared.values is not None:
            return self._choice(name, [text for text in declared.values if fits(declared, text)])
        if self.flow.has_characters(declared.name):
            return self._seq(name, declared)
        return self._code(name, declared)

    def _choice(self, name: str, options: Sequence[str]) -> FieldTerms:
        if len(options) < 2:
            text = options[0] if options else ""
            return FieldTerms(text, lambda _, __: text) if options else _impossible("")
        free = self.terms.variable(name)
        known = Num(free.term, 0, len(options) - 1)
        flags = {text: self.terms.equal(known, number) for number, text in enumerate(options)}
        domain = [self.terms.within(free, 0, len(options) - 1)]
        return FieldTerms(Choice(flags), lambda model, _: options[number_in(model, free)], domain, flags[options[0]])

    def _code(self, name: str, declared: Field) -> FieldTerms:
        free = self.terms.variable(name)
        longest = most_characters(declared)
        low, high = (BLOCK if declared.name.endswith("_id") else EMPTY_CODE), (longest + 1) * BLOCK - 1
        number = Num(free.term, low, high)
        # A code that no constant has: the last ones of a length are never given to constants.
        length = min(len(usual_text(declared.name)), longest)
        own = (length + 1) * BLOCK - 2 - sum(map(ord, declared.name)) % (BLOCK // 2)
        read: Read = lambda model, names: names.text(number_in(model, free), declared)  # noqa: E731
        domain = [self.terms.within(free, low, high)]
        return FieldTerms(Code(number), read, domain, self.terms.equal(number, own))

    def _seq(self, name: str, declared: Field) -> FieldTerms:
        term = z3.String(name, self.terms.context)
        domain: list[Flag] = [z3.Length(term) <= most_characters(declared), self._plain(term)]
        if declared.name.endswith("_id"):
            domain.append(z3.Length(term) > 0)
        usual = usual_text(declared.name)[: most_characters(declared)]
        return FieldTerms(
            Seq(term), lambda model, _: string_in(model, term), domain, term == self.texts.constant(usual)
        )

    def _plain(self, term: Any) -> Any:
        """No character that no text may hold."""
        parts = [(1, _SURROGATES[0] - 1), (_SURROGATES[1] + 1, CHAR_MAX)]
        ranges = [z3.Range(self.texts.constant(chr(low)), self.texts.constant(chr(high))) for low, high in parts]
        return z3.InRe(term, z3.Star(z3.Union(*ranges)))

    # -- lists -----------------------------------------------------------------------------------------
    def _list(self, name: str, declared: Field, listed: Collection[str]) -> FieldTerms:
        most = CODES_MAX if declared.max_items is None else declared.max_items
        if declared.name in self.flow.ordered:
            return self._slots(name, declared, most)
        texts = listed if declared.values is None else declared.values
        options = {text: z3.Bool(f"{name}[{text!r}]", self.terms.context) for text in texts if fits(declared, text)}
        if declared.values is None:
            options[_other(declared, options)] = z3.Bool(f"{name}[other]", self.terms.context)
        flags = list(options.values())
        domain: list[Flag] = [z3.AtMost(*flags, most)] if len(flags) > most else []
        slots = tuple((flag, text) for text, flag in options.items())
        read: Read = lambda model, _: [text for flag, text in slots if truth_in(model, flag)]  # noqa: E731
        usual = self.terms.negate(self.terms.some(flags))
        return FieldTerms(Entries(slots, unordered=True), read, domain, usual, known=frozenset(texts))

    def _slots(self, name: str, declared: Field, most: int) -> FieldTerms:
        free = self.terms.variable(f"size({name})")
        size = Num(free.term, 0, most)
        entries = [self._text(f"{name}[{number}]", declared) for number in range(most)]
        slots = tuple((self.terms.less(number, size), each.value) for number, each in enumerate(entries))
        domain = [self.terms.within(free, 0, most)]
        for (flag, _), each in zip(slots, entries, strict=True):
            domain += [self.terms.either(self.terms.negate(flag), rule) for rule in each.domain]

        def read(model: Any, names: Names) -> list[Any]:
            return [each.read(model, names) for each in entries[: number_in(model, free)]]

        return FieldTerms(Entries(slots, True, size), read, domain, self.terms.equal(size, 0))


def fits(declared: Field, text: str) -> bool:
    """Whether a payment's field, or an entry of its list, may hold this text, but for a closed list."""
    empty_id = not text and declared.name.endswith("_id")
    return is_plain(text) and len(text) <= most_characters(declared) and not empty_id


def most_characters(declared: Field) -> int:
    """The longest that a text of this field may be, code points."""
    return declared.max_length or ID_CHARS_MAX


def character_room(flow: Flow, declared: Collection[Field]) -> None:
    """Raise Unsupported where payments could hold more different characters than there are above the rules' own."""
    spelt = [each for each in declared if each.values is None and flow.has_characters(each.name)]
    if not spelt:
        return
    entries = [(each.max_items or CODES_MAX) if each.type is FieldType.STRINGS else 1 for each in spelt]
    needed = sum(most_characters(each) * count for each, count in zip(spelt, entries, strict=True))
    highest = max((ord(char) for text in flow.constants for char in text if ord(char) <= CHAR_MAX), default=0)
    room = CHAR_MAX - max(highest, _ASCII_MAX) - (_SURROGATES[1] - _SURROGATES[0] + 1)
    if needed > room:
        names = ", ".join(f"`{each.name}`" for each in spelt)
        raise Unsupported(f"the texts of {names} are too long to be looked into", hint="declare a smaller `max_length`")


def value_in(model: Any, term: Any) -> Any:
    """The value in a model. What a model gives alone may be half computed, such as `not ("" = "a")`."""
    return z3.simplify(model.eval(term, model_completion=True))


def truth_in(model: Any, flag: Flag) -> bool:
    """The flag in a model."""
    return flag if isinstance(flag, bool) else z3.is_true(value_in(model, flag))


def number_in(model: Any, number: Num) -> int:
    """The int in a model."""
    found: int = value_in(model, number.term).as_long()
    return found


def string_in(model: Any, term: Any) -> str:
    """The string in a model."""
    value = value_in(model, term)
    length = z3core.Z3_get_string_length(value.ctx.ref(), value.ast)
    points = (z3core.ctypes.c_uint * max(1, length))()
    z3core.Z3_get_string_contents(value.ctx.ref(), value.ast, length, points)
    return "".join(map(chr, points[:length]))


def _impossible(value: Any) -> FieldTerms:
    """A field that no payment can hold."""
    return FieldTerms(value, lambda _, __: value, [False])


def _other(declared: Field, options: Collection[str]) -> str:
    """A text that is none of these."""
    names = Names(options, exact=False)
    return names.text(BLOCK * most_characters(declared), declared)

"""One expression with given values, computed by the solver: variables stay unknowns that are asserted to be equal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import z3

from makegood.limits import SOLVER_EFFORT_MAX
from makegood.rules.civil import TIMESTAMP_MAX, TIMESTAMP_MIN
from makegood.rules.expression import Expression, Variable, walk
from makegood.rules.literals import INT64_MAX, INT64_MIN
from makegood.rules.runtime import EvaluationError
from makegood.rules.smt_encode import Encoder, Part
from makegood.rules.smt_fields import number_in, string_in, truth_in
from makegood.rules.smt_flow import Flow
from makegood.rules.smt_lists import Entries, fixed
from makegood.rules.smt_terms import Num, Terms, Unsupported
from makegood.rules.smt_text import Choice, Code, Seq, Texts
from makegood.rules.smt_values import Mixed, Values
from makegood.rules.types import CelType, Kind

_ENTRIES_MAX: Final = 300  # Entries of all lists; a term for each and for each pair that is compared.
_YEAR: Final = 366 * 86_400 * 1_000_000_000


def evaluate_smt(expression: Expression, bindings: Mapping[str, Any]) -> Any:
    """The value that `compile_expression` gives, as the solver finds it.

    Raises EvaluationError on a CEL error, Unsupported where the solver cannot express it or gives up.
    """
    terms = Terms(z3.Context())
    texts = Texts(terms)
    flow = Flow(())
    flow.read((expression,))
    given = _Given(terms, texts, flow, bindings)
    given.bind({each.name: each.type for each in walk(expression) if isinstance(each, Variable)})
    value, error = Encoder(terms, texts, Values(terms, texts), given, {}).encode(expression)
    solver = z3.Solver(ctx=terms.context)
    solver.set("rlimit", SOLVER_EFFORT_MAX)
    solver.add(*given.facts)
    if solver.check() != z3.sat:
        raise Unsupported("the solver gave up")
    model = solver.model()
    if truth_in(model, error):
        raise EvaluationError("the expression has no value")
    return _Reader(model, texts).read(expression.type, value)


@dataclass(slots=True)
class _Given:
    """Variables as unknowns, and the facts that say what they are."""

    terms: Terms
    texts: Texts
    flow: Flow
    bindings: Mapping[str, Any]
    facts: list[Any] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    entries: int = 0

    def bind(self, kinds: Mapping[str, CelType]) -> None:
        """Make the terms of all variables that have a value."""
        for name, kind in kinds.items():
            if name in self.bindings:
                self.values[name] = self._unknown(name, name, kind, self.bindings[name])

    def field(self, name: str) -> Part:
        """There is no payment."""
        raise Unsupported(f"`payment.{name}` has no value here")

    def variable(self, name: str) -> Part:
        """The value of a variable, an error where it has none."""
        return (self.values[name], False) if name in self.values else (0, True)

    def _unknown(self, root: str, name: str, kind: CelType, value: Any) -> Any:
        match kind.kind:
            case Kind.NULL:
                return None
            case Kind.BOOL:
                flag = z3.Bool(name, self.terms.context)
                self.facts.append(flag == value)
                return flag
            case Kind.STRING:
                return self._text(root, name, value)
            case Kind.LIST:
                assert kind.element is not None
                self.entries += len(value)
                if self.entries > _ENTRIES_MAX:
                    raise Unsupported(f"lists with more than {_ENTRIES_MAX} entries")
                each = kind.element
                return fixed(self._unknown(root, f"{name}[{n}]", each, entry) for n, entry in enumerate(value))
            case Kind.DYN:
                own, inner = value
                element = CelType(Kind.DYN) if own is Kind.LIST else None
                return Mixed(((True, own, self._unknown(root, name, CelType(own, element), inner)),))
        return self._number(name, kind, value)

    def _number(self, name: str, kind: CelType, value: int) -> Num:
        low, high = INT64_MIN, INT64_MAX
        if kind.kind is Kind.TIMESTAMP:
            # The bounds say which changes of a time zone matter.
            low, high = max(value - _YEAR, TIMESTAMP_MIN), min(value + _YEAR, TIMESTAMP_MAX)
        number = self.terms.variable(name, low, high)
        self.facts.append(number.term == value)
        return number

    def _text(self, root: str, name: str, value: str) -> Any:
        if self.flow.has_characters(root):
            term = z3.String(name, self.terms.context)
            self.facts.append(term == self.texts.constant(value))
            return Seq(term)
        number = self.terms.variable(name)
        self.facts.append(number.term == self.texts.code(value))
        return Code(number)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Values of a model as Python has them."""

    model: Any
    texts: Texts

    def read(self, kind: CelType, value: Any) -> Any:
        """The value of this type."""
        match kind.kind:
            case Kind.NULL:
                return None
            case Kind.BOOL:
                return truth_in(self.model, value)
            case Kind.STRING:
                return self._text(value)
            case Kind.LIST:
                assert kind.element is not None
                return self._list(kind.element, value)
            case Kind.DYN:
                return self._mixed(value)
        return number_in(self.model, value) if isinstance(value, Num) else value

    def _list(self, kind: CelType, value: Entries) -> tuple[Any, ...]:
        return tuple(self.read(kind, each) for flag, each in value.slots if truth_in(self.model, flag))

    def _mixed(self, value: Mixed) -> tuple[Kind, Any]:
        for flag, own, inner in value.alternatives:
            if truth_in(self.model, flag):
                return own, self.read(CelType(own, CelType(Kind.DYN) if own is Kind.LIST else None), inner)
        raise AssertionError("a value of no type")

    def _text(self, value: Any) -> str:
        match value:
            case Seq(term=term):
                return string_in(self.model, term)
            case Code(number=number):
                code = number_in(self.model, number)
                return next(text for text, known in self.texts.codes.items() if known == code)
            case Choice(options=options):
                return next(text for text, flag in options.items() if truth_in(self.model, flag))
        assert isinstance(value, str), value
        return value

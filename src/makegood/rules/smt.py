"""The third machine: a checked expression as terms of a solver, for every payment of a schema at once.

A payment that no rule looks at is not lost: the domain of the terms is exactly what `parse_payment` accepts, and every
model of it reads back as a payment on which the first machine says the same.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

import z3

from makegood.clock import Instant
from makegood.domain.payment import ItemSchema
from makegood.domain.policy import Field, PaymentSchema
from makegood.findings import FindingCode, Severity
from makegood.rules.expression import Expression, Variable, walk
from makegood.rules.finding import RuleFinding
from makegood.rules.smt_encode import Encoder, Part
from makegood.rules.smt_eval import evaluate_smt
from makegood.rules.smt_fields import YEARS, Fields, FieldTerms, character_room, most_characters
from makegood.rules.smt_forms import forms_of
from makegood.rules.smt_lists import has_entry
from makegood.rules.smt_names import Names
from makegood.rules.smt_samples import Sampled
from makegood.rules.smt_terms import Flag, Num, Terms, Unsupported
from makegood.rules.smt_text import Texts
from makegood.rules.smt_values import Values
from makegood.rules.types import BOOL, STRING

__all__ = ["SymbolicPayment", "Term", "Unsupported", "evaluate_smt", "inexpressible", "symbolic_payment"]

_ALWAYS: Final = (Instant(YEARS[0]), Instant(YEARS[1]))


@dataclass(frozen=True, slots=True)
class Term:
    """A value, and where it is an error: there the value means nothing.

    A bool, an int, an instant or a duration is a term of the solver; a text or a list is in this machine's own form.
    """

    value: Any
    error: Any


@dataclass(slots=True)
class SymbolicPayment:
    """One payment of a schema, any of them."""

    context: z3.Context
    schema: PaymentSchema | ItemSchema
    terms: Terms
    texts: Texts
    fields: Mapping[str, FieldTerms]
    exact_lengths: bool
    sampled: Mapping[str, Sampled]  # Fields for whose texts a few stand.
    domain: tuple[Any, ...] = field(init=False)
    preferences: tuple[Any, ...] = field(init=False)

    def __post_init__(self) -> None:
        rules = chain.from_iterable(each.domain for each in self.fields.values())
        self.domain = tuple(self.terms.flag(rule) for rule in rules if rule is not True)
        self.preferences = tuple(self.terms.flag(each.usual) for each in self.fields.values() if each.usual is not True)

    @property
    def amount(self) -> Any:
        """The amount, minor units."""
        return self.terms.whole(self.fields["amount"].value)

    @property
    def occurred_at(self) -> Any:
        """The instant of the payment, nanoseconds since the epoch."""
        return self.terms.whole(self.fields["occurred_at"].value)

    def present(self, name: str) -> Any:
        """Whether a field is supplied."""
        return self.terms.flag(self.terms.negate(self.fields[name].missing))

    def is_text(self, name: str, text: str) -> Any:
        """Whether a field of text is supplied and is this text.

        Where the characters of its texts are asked for, this text must have been looked for, as in `lists_text`.
        """
        found = self.fields[name]
        assert name not in self.sampled or text in self.sampled[name].asked.named, (
            f"`{name}` was not compared with `{text}`"
        )
        return self._there(found, self.texts.equal(found.value, text))

    def lists_text(self, name: str, text: str) -> Any:
        """Whether a list of texts is supplied and this text is among them.

        A text that no expression and none of `texts` looked for, is an AssertionError where it could not be known.
        """
        found = self.fields[name]
        assert self._knows(name, found, text), f"`{text}` is not among the texts of `{name}`"
        return self._there(found, has_entry(self.terms, STRING, found.value, text, self._equal))

    def _knows(self, name: str, found: FieldTerms, text: str) -> bool:
        if name in self.sampled:
            return text in self.sampled[name].asked.named
        return self.schema.fields[name].values is not None or not found.value.unordered or text in found.known

    def _there(self, found: FieldTerms, flag: Flag) -> Any:
        return self.terms.flag(self.terms.both(self.terms.negate(found.missing), flag))

    def _equal(self, _: Any, left: Any, right: Any) -> Flag:
        return self.texts.equal(left, right)

    def encode(self, expression: Expression, variables: Mapping[str, Any] | None = None) -> Term:
        """The value and the error of an expression. Variables are solver terms of ints, or Python ints and texts.

        Raises Unsupported where this machine cannot say exactly what the expression means.
        """
        value, error = self._part(expression, variables or {})
        if isinstance(value, bool):
            value = self.terms.flag(value)
        elif isinstance(value, int | Num):
            value = self.terms.whole(value)
        return Term(value, self.terms.flag(error))

    def holds(self, expression: Expression, variables: Mapping[str, Any] | None = None) -> Any:
        """Where a condition is true, which it is not where it is an error."""
        assert expression.type == BOOL, expression.type
        value, error = self._part(expression, variables or {})
        return self.terms.flag(self.terms.both(value, self.terms.negate(error)))

    def _part(self, expression: Expression, variables: Mapping[str, Any]) -> Part:
        values = Values(self.terms, self.texts)
        return Encoder(self.terms, self.texts, values, _Payment(self.fields, variables, self.terms), {}).encode(
            expression
        )

    def read(self, model: Any) -> dict[str, Any]:
        """The payment of a model, as JSON: `parse_payment` accepts it, and rules say of it what the model says."""
        names = Names((), self.texts.codes, exact=self.exact_lengths)
        # The shortest fields first: a text that two fields share must fit both.
        order = sorted(self.fields, key=lambda name: most_characters(self.schema.fields[name]))
        found = {name: self.fields[name].read(model, names) for name in order}
        return {name: found[name] for name in self.fields if found[name] is not None}


@dataclass(frozen=True, slots=True)
class _Payment:
    """Where an encoder finds the fields of a payment and its variables."""

    fields: Mapping[str, FieldTerms]
    variables: Mapping[str, Any]
    terms: Terms

    def field(self, name: str) -> Part:
        """The value of a field, and the error where it is missing."""
        found = self.fields[name]
        return found.value, found.missing

    def variable(self, name: str) -> Part:
        """The value of a variable; to read one that has none is an error."""
        value = self.variables.get(name)
        if value is None:
            raise Unsupported(f"`{name}` has no value here")
        if isinstance(value, bool | int | str):
            return value, False
        if z3.is_int(value):
            # It is a CEL int, so whoever makes it keeps it in 64 bits.
            return self.terms.known(value), False
        return value, False


def symbolic_payment(
    schema: PaymentSchema | ItemSchema,
    expressions: Iterable[Expression],
    *,
    context: z3.Context,
    moments: tuple[Instant, Instant] = _ALWAYS,
    texts: Mapping[str, Collection[str]] | None = None,
    subject: str = "payment",
) -> SymbolicPayment:
    """Any payment of a schema that occurs within `moments`, the second excluded.

    `expressions` are all that will be encoded, `texts` further constants that will be asked for, by field; `subject`
    begins the names of the solver's unknowns, for the lines of one basket in one context. Raises
    Unsupported where the expressions look into texts that are longer than the solver's alphabet allows.
    """
    declared = {name: _closed(each, schema) for name, each in schema.fields.items()}
    forms = forms_of(declared, tuple(expressions), texts or {})
    character_room(forms.flow, forms.fields.values())
    terms = Terms(context)
    made = Fields(terms, constants := Texts(terms), forms.flow, subject)
    within = (max(moments[0], YEARS[0]), min(moments[1], YEARS[1]))
    fields = {}
    for name, each in forms.fields.items():
        listed = forms.flow.listed.get(name, set()).union((texts or {}).get(name, ()))
        fields[name] = made.make(each, within if name == "occurred_at" else YEARS, sorted(listed))
    return SymbolicPayment(context, schema, terms, constants, fields, bool(forms.flow.sized), forms.sampled)


def _closed(declared: Field, schema: PaymentSchema | ItemSchema) -> Field:
    """A payment has its house's currency and no other."""
    if declared.name != "currency" or not isinstance(schema, PaymentSchema):
        return declared
    return Field(declared.name, declared.type, declared.optional, values=(schema.currency,))


def inexpressible(expression: Expression, schema: PaymentSchema | ItemSchema) -> tuple[RuleFinding, ...]:
    """What of an expression on payments of a schema this machine cannot express, with its place and a hint."""
    try:
        payment = symbolic_payment(schema, (expression,), context=z3.Context())
        payment.encode(
            expression, {each.name: _any(payment, each) for each in walk(expression) if isinstance(each, Variable)}
        )
    except Unsupported as refused:
        place = (refused.node or expression).position
        message = f"cannot be proved: {refused}"
        code = FindingCode.EXPRESSION_IS_UNSUPPORTED
        return (RuleFinding(Severity.ERROR, code, message, refused.hint, place.line, place.column),)
    return ()


def _any(payment: SymbolicPayment, variable: Variable) -> Any:
    """A value for a variable of a policy's rule: an amount may be any, a label is always one that is known."""
    return "" if variable.type == STRING else z3.Int(variable.name, payment.context)

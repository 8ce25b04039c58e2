"""From the typed tree to solver terms: every node gives a value and the error where that value means nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from makegood.clock import SECOND
from makegood.limits import SOLVER_STEPS_MAX
from makegood.rules import smt_lists, smt_time
from makegood.rules.expression import (
    Accessor,
    And,
    Arithmetic,
    Compare,
    Conditional,
    Constant,
    Convert,
    Failing,
    Field,
    Has,
    In,
    Index,
    ListLiteral,
    Local,
    Narrow,
    Negate,
    Node,
    Not,
    Or,
    Quantifier,
    Size,
    TextTest,
    Transform,
    Variable,
    Widen,
)
from makegood.rules.guards import NOTHING, Present, present_when_false, present_when_true
from makegood.rules.literals import INT64_MIN
from makegood.rules.smt_lists import Entries
from makegood.rules.smt_terms import Flag, Terms, Unsupported
from makegood.rules.smt_text import Texts
from makegood.rules.smt_values import Values
from makegood.rules.types import BOOL, DURATION, INT, STRING, TIMESTAMP

Part = tuple[Any, Flag]  # A value, and where it is an error.


class Source(Protocol):
    """Where fields and variables get their terms."""

    def field(self, name: str) -> Part:
        """The value of a field, and the error where it is missing."""

    def variable(self, name: str) -> Part:
        """The value of a variable."""


@dataclass(slots=True)
class Encoder:
    """Encodes one expression. `locals` are the values of the loop variables, `steps` counts the nodes."""

    terms: Terms
    texts: Texts
    values: Values
    source: Source
    locals: dict[int, Any]
    steps: int = 0

    def encode(self, node: Node, present: Present = NOTHING) -> Part:
        """The value and the error where these optional fields are known to be present."""
        self.steps += 1
        if self.steps > SOLVER_STEPS_MAX:
            raise Unsupported("is too much work for a proof", node, "use fewer macros, or shorter lists")
        try:
            return self._encode(node, present)
        except Unsupported as refused:
            if refused.node is None:
                refused.node = node
            raise

    def _encode(self, node: Node, present: Present) -> Part:
        match node:
            case Constant(value=value):
                return self.values.constant(value), False
            case Failing():
                return self.values.any(node.type), True
            case Variable(name=name):
                return self.source.variable(name)
            case Local(slot=slot):
                return self.locals[slot], False
            case Field(name=name):
                value, missing = self.source.field(name)
                return value, False if name in present else missing
            case Has(field=field):
                return self.terms.negate(self.source.field(field.name)[1]), False
            case And() | Or():
                return self._chain(node, present)
            case Conditional():
                return self._conditional(node, present)
            case Quantifier():
                return self._quantifier(node, present)
            case Transform():
                return self._transform(node, present)
        parts = [self.encode(child, present) for child in _operands(node)]
        value, error = self._calculate(node, [part[0] for part in parts])
        return value, self.terms.either(*(part[1] for part in parts), error)

    # -- logic -----------------------------------------------------------------------------------------
    def _chain(self, node: And | Or, present: Present) -> Part:
        learn = present_when_true if isinstance(node, And) else present_when_false
        parts: list[Part] = []
        for term in node.terms:
            part = self.encode(term, present)
            if part[0] is isinstance(node, Or) and part[1] is False:
                return part
            parts.append(part)
            present |= learn(term)
        return self._all(parts) if isinstance(node, And) else self._any(parts)

    def _all(self, parts: Sequence[Part]) -> Part:
        """False where one part is false, else an error where one is, else true."""
        terms = self.terms
        value = terms.every(terms.either(error, value) for value, error in parts)
        return value, terms.both(value, terms.some(error for _, error in parts))

    def _any(self, parts: Sequence[Part]) -> Part:
        """True where one part is true, else an error where one is, else false."""
        terms = self.terms
        value = terms.some(
            value if error is False else terms.both(value, terms.negate(error)) for value, error in parts
        )
        errors = terms.some(error for _, error in parts)
        return value, errors if errors is False else terms.both(terms.negate(value), errors)

    def _conditional(self, node: Conditional, present: Present) -> Part:
        condition, wrong = self.encode(node.condition, present)
        if condition is not False:
            then = self.encode(node.then, present | present_when_true(node.condition))
        if condition is not True:
            otherwise = self.encode(node.otherwise, present | present_when_false(node.condition))
        if isinstance(condition, bool):
            value, error = then if condition else otherwise
            return value, self.terms.either(wrong, error)
        value = self.values.pick(node.type, condition, then[0], otherwise[0])
        return value, self.terms.either(wrong, self.terms.pick_flag(condition, then[1], otherwise[1]))

    # -- loops -----------------------------------------------------------------------------------------
    def _runs(self, node: Quantifier | Transform, entries: Entries, body: Node, present: Present) -> Iterable[Part]:
        """The body for every slot, in order. An error counts only where the slot is an entry: the caller sees to it."""
        places = smt_lists.positions(self.terms, entries) if node.index is not None else [0] * len(entries.slots)
        for (_, value), place in zip(entries.slots, places, strict=True):
            self.locals[node.variable.slot] = value
            if node.index is not None:
                self.locals[node.index.slot] = place
            yield self.encode(body, present)

    def _quantifier(self, node: Quantifier, present: Present) -> Part:
        terms = self.terms
        entries, wrong = self.encode(node.list, present)
        runs = list(zip(entries.slots, self._runs(node, entries, node.condition, present), strict=True))
        flags = [flag for (flag, _), _ in runs]
        errors = [terms.both(flag, error) for flag, (_, (_, error)) in zip(flags, runs, strict=True)]
        if node.kind == "all":
            found = [terms.either(terms.negate(flag), value) for flag, (_, (value, _)) in zip(flags, runs, strict=True)]
            value, error = self._all(list(zip(found, errors, strict=True)))
        else:
            found = [terms.both(flag, value) for flag, (_, (value, _)) in zip(flags, runs, strict=True)]
            if node.kind == "exists":
                value, error = self._any(list(zip(found, errors, strict=True)))
            else:
                value, error = terms.equal(terms.count(found), 1), terms.some(errors)
        return value, terms.either(wrong, error)

    def _transform(self, node: Transform, present: Present) -> Part:
        terms = self.terms
        entries, wrong = self.encode(node.list, present)
        errors: list[Flag] = [wrong]
        conditions: list[Flag] = [True] * len(entries.slots)
        if node.condition is not None:
            tested = list(self._runs(node, entries, node.condition, present))
            conditions = [value for value, _ in tested]
            errors += [terms.both(flag, error) for (flag, _), (_, error) in zip(entries.slots, tested, strict=True)]
        made = list(self._runs(node, entries, node.element, present))
        slots = tuple((flag, value) for (flag, _), (value, _) in zip(entries.slots, made, strict=True))
        for (flag, _), condition, (_, error) in zip(slots, conditions, made, strict=True):
            errors.append(terms.both(flag, condition, error))
        result = Entries(slots, entries.packed, entries.size)
        if node.condition is not None:
            result = smt_lists.narrowed(terms, result, conditions)
        return result, terms.some(errors)

    # -- everything else: operands first -----------------------------------------------------------------
    def _calculate(self, node: Node, operands: Sequence[Any]) -> Part:
        terms, values = self.terms, self.values
        match node:
            case Not():
                return terms.negate(operands[0]), False
            case Compare(operator=operator, left=left):
                return values.compare(operator, left.type, operands[0], operands[1]), False
            case In(element=element):
                return smt_lists.has_entry(terms, element.type, operands[1], operands[0], values.equal), False
            case Negate():
                return terms.fit(terms.multiply(operands[0], -1))
            case ListLiteral():
                return smt_lists.fixed(operands), False
            case Index():
                value, error = smt_lists.at(terms, node.type, operands[0], operands[1], values.pick)
                return (values.any(node.type) if value is None else value), error
            case Size(operand=operand):
                if operand.type == STRING:
                    return self.texts.size(operands[0]), False
                return smt_lists.size_of(terms, operands[0]), False
        return self._calculate_more(node, operands)

    def _calculate_more(self, node: Node, operands: Sequence[Any]) -> Part:
        match node:
            case TextTest(test=test):
                return self.texts.test(test, operands[0], operands[1]), False
            case Accessor(name=name, operand=operand, zone=zone):
                if operand.type == TIMESTAMP:
                    return smt_time.part_of_instant(self.terms, name, operands[0], zone), False
                return smt_time.part_of_duration(self.terms, name, operands[0]), False
            case Convert(operand=operand):
                return self._convert(node, operand, operands[0])
            case Widen(operand=operand):
                return self.values.widen(operand.type, node.type, operands[0]), False
            case Narrow():
                return self.values.narrow(node.type, operands[0])
            case Arithmetic():
                return self._sum(node, operands[0], operands[1])
        raise AssertionError(node)

    def _convert(self, node: Node, operand: Node, value: Any) -> Part:
        match node.type, operand.type:
            case (kind, own) if kind == STRING and own == BOOL:
                return self.texts.from_bool(value), False
            case (kind, own) if kind == STRING and own == INT:
                return self.texts.digits(value), False
            case (kind, own) if kind == STRING and own == TIMESTAMP:
                return smt_time.instant_text(self.texts, value), False
            case (kind, own) if kind == STRING and own == DURATION:
                return smt_time.duration_text(self.texts, value), False
            case (kind, own) if kind == INT and own == STRING:
                return self.texts.to_int(value)
            case (kind, own) if kind == INT and own == TIMESTAMP:
                return self.terms.floor(value, SECOND), False
            case (kind, _) if kind == BOOL:
                return self.texts.to_bool(value)
        assert node.type == TIMESTAMP and operand.type == INT, node
        return smt_time.fit_instant(self.terms, self.terms.multiply(value, SECOND))

    def _sum(self, node: Arithmetic, left: Any, right: Any) -> Part:
        terms, operator = self.terms, node.operator
        if node.type == STRING:
            return self.texts.join(left, right), False
        if node.type.element:
            return smt_lists.joined(left, right), False
        if (node.left.type, node.right.type) == (TIMESTAMP, TIMESTAMP):
            return smt_time.instant_difference(terms, left, right)
        if operator in _MADE:
            value = _MADE[operator](terms, left, right)
            return smt_time.fit_instant(terms, value) if node.type == TIMESTAMP else terms.fit(value)
        zero = terms.equal(right, 0)
        if zero is True:
            return 0, True
        error = terms.either(zero, terms.both(terms.equal(left, INT64_MIN), terms.equal(right, -1)))
        if isinstance(left, int) and isinstance(right, int) and error is True:
            return 0, True
        value = terms.quotient(left, right) if operator == "/" else terms.remainder(left, right)
        return (terms.fit(value)[0] if error is False else value), error


_MADE: Final[Mapping[str, Any]] = {"+": Terms.add, "-": Terms.subtract, "*": Terms.multiply}


def _operands(node: Node) -> Sequence[Node]:
    match node:
        case Compare(left=left, right=right) | Arithmetic(left=left, right=right):
            return (left, right)
        case In(element=element, list=entries):
            return (element, entries)
        case Index(list=entries, index=index):
            return (entries, index)
        case TextTest(text=text, part=part):
            return (text, part)
        case ListLiteral(elements=elements):
            return elements
    operand: Node = node.operand  # type: ignore[attr-defined]
    return (operand,)

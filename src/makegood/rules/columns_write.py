"""The one walk from the typed tree to SQL. Each piece says whether it may be NULL, so that most need no care."""

from typing import Any, Final

from makegood.rules import columns_loops as loops
from makegood.rules import columns_time as time
from makegood.rules.columns_dynamic import NULL_TEXT, narrowed, widened
from makegood.rules.columns_numbers import arithmetic, negation
from makegood.rules.columns_scope import Scope, Sql
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
from makegood.rules.types import STRING, TIMESTAMP, CelType, Kind

_COMPARED: Final = {"==": "=", "!=": "<>"}
# The words that `bool` of a text takes.
_TRUE: Final = "('1', 't', 'true', 'TRUE', 'True')"
_FALSE: Final = "('0', 'f', 'false', 'FALSE', 'False')"
_INTEGER: Final = r"\A[\x09-\x0D ]*([+-]?[0-9]+)[\x09-\x0D ]*\z"
_WIDE: Final = (Kind.TIMESTAMP, Kind.DURATION)


def write(node: Node, scope: Scope, present: Present = NOTHING) -> Sql:
    """The SQL of a node where these optional fields are known to be present."""
    match node:
        case Constant(value=value):
            return Sql(_constant(scope, value, node.type))
        case Failing():
            return Sql(scope.cast("NULL", node.type), True)
        case Local(slot=slot):
            return Sql(scope.locals[slot])
        case Field(name=name, optional=optional):
            return Sql(_column(scope, f"payment.{name}", node.type), optional and name not in present)
        case Variable(name=name):
            return Sql(_column(scope, name, node.type), True)
        case Has(field=field):
            return Sql(f"({scope.column(f'payment.{field.name}')} IS NOT NULL)")
        case And() | Or():
            return _chain(node, scope, present)
        case Conditional():
            return _conditional(node, scope, present)
        case ListLiteral():
            return _list(node, scope, present)
        case Quantifier() | Transform():
            return _loop(node, scope, present)
    return _plain(node, scope, present)


def _plain(node: Node, scope: Scope, present: Present) -> Sql:
    """Nodes of one or two operands that are all evaluated."""
    match node:
        case Compare(left=one, right=other) | Arithmetic(left=one, right=other) | In(element=one, list=other):
            return _two(node, scope, write(one, scope, present), write(other, scope, present))
        case Index(list=one, index=other) | TextTest(text=one, part=other):
            return _two(node, scope, write(one, scope, present), write(other, scope, present))
        case Negate(operand=operand):
            return negation(scope, node, write(operand, scope, present))
        case Narrow(operand=operand):
            return narrowed(scope, write(operand, scope, present).text, node.type)
        case Convert(operand=operand):
            return _convert(scope, node, write(operand, scope, present))
        case Not(operand=operand) | Size(operand=operand) | Accessor(operand=operand) | Widen(operand=operand):
            value = write(operand, scope, present)
            return Sql(_one(node, scope, value.text, operand.type), value.raises)
    raise AssertionError(node)


def _one(node: Node, scope: Scope, value: str, kind: CelType) -> str:
    """What has a value wherever its operand has one."""
    match node:
        case Not():
            return f"(NOT {value})"
        case Size():
            return scope.dialect.size(value) if kind.element else scope.dialect.size_of_text(value)
        case Accessor(name=name, zone=zone) if kind == TIMESTAMP:
            return time.instant_part(scope, name, value, zone)
        case Accessor(name=name):
            return time.duration_part(scope, name, value)
    return widened(scope, value, kind, node.type)


def _two(node: Node, scope: Scope, left: Sql, right: Sql) -> Sql:
    raises = left.raises or right.raises
    match node:
        case Arithmetic():
            return arithmetic(scope, node, left, right)
        case Compare(operator=operator):
            return Sql(f"({left.text} {_COMPARED.get(operator, operator)} {right.text})", raises)
        case Index():
            return Sql(scope.dialect.at(left.text, right.text), True)
        case TextTest(test=test):
            return Sql(f"{scope.dialect.tests[test]}({left.text}, {right.text})", raises)
        case In(list=ListLiteral(elements=elements)) if elements and all(
            isinstance(each, Constant) for each in elements
        ):
            texts = (_constant(scope, each.value, each.type) for each in elements if isinstance(each, Constant))
            return Sql(f"({left.text} IN ({', '.join(texts)}))", raises)
    return Sql(scope.dialect.contains(right.text, left.text), raises)


def _column(scope: Scope, name: str, kind: CelType) -> str:
    column = scope.column(name)
    return scope.widened(column) if kind.kind in _WIDE else column


def _constant(scope: Scope, value: Any, kind: CelType) -> str:
    match kind.kind:
        case Kind.NULL:
            return scope.dialect.text(NULL_TEXT)
        case Kind.BOOL:
            return "TRUE" if value else "FALSE"
        case Kind.STRING:
            return scope.dialect.text(value)
    return scope.cast(str(int(value)), kind)


def _chain(node: And | Or, scope: Scope, present: Present) -> Sql:
    """A term relies on guards only among terms before it that have a value."""
    learn = present_when_true if isinstance(node, And) else present_when_false
    texts, raises = [], False
    for term in node.terms:
        part = write(term, scope, present)
        texts.append(part.text)
        raises = raises or part.raises
        if not part.raises:
            present |= learn(term)
    word = " AND " if isinstance(node, And) else " OR "
    return Sql(f"({word.join(texts)})", raises)


def _conditional(node: Conditional, scope: Scope, present: Present) -> Sql:
    condition = write(node.condition, scope, present)
    then = write(node.then, scope, present | present_when_true(node.condition))
    otherwise = write(node.otherwise, scope, present | present_when_false(node.condition))
    raises = condition.raises or then.raises or otherwise.raises
    return Sql(scope.choose(condition, then.text, otherwise.text), raises)


def _list(node: ListLiteral, scope: Scope, present: Present) -> Sql:
    parts = [write(each, scope, present) for each in node.elements]
    entries = scope.dialect.list([part.text for part in parts], node.type.element)
    raises = any(part.raises for part in parts)
    return Sql(scope.whole(entries) if raises else entries, raises)


def _loop(node: Quantifier | Transform, scope: Scope, present: Present) -> Sql:
    entries = write(node.list, scope, present)
    names = loops.enter(scope, node)
    condition = None if node.condition is None else write(node.condition, scope, present)
    if isinstance(node, Transform):
        return loops.transform(scope, node, names, entries, condition, write(node.element, scope, present))
    assert condition is not None
    return loops.quantifier(scope, node, names, entries, condition)


def _convert(scope: Scope, node: Convert, value: Sql) -> Sql:
    text = value.text
    match (node.type.kind, node.operand.type.kind):
        case (Kind.STRING, Kind.TIMESTAMP):
            return Sql(time.instant_text(scope, text), value.raises)
        case (Kind.STRING, Kind.DURATION):
            return Sql(time.duration_text(scope, text), value.raises)
        case (Kind.STRING, _):
            return Sql(scope.cast(text, STRING), value.raises)
        case (Kind.INT, Kind.TIMESTAMP):
            return Sql(time.whole_seconds(scope, text), value.raises)
        case (Kind.INT, _):
            return Sql(scope.fit(scope.dialect.match(text, _INTEGER)), True)
        case (Kind.TIMESTAMP, _):
            return Sql(time.instant_of_seconds(scope, text), True)
    return Sql(scope.bind(text, _truth), True)


def _truth(text: str) -> str:
    return f"(CASE WHEN {text} IN {_TRUE} THEN TRUE WHEN {text} IN {_FALSE} THEN FALSE END)"

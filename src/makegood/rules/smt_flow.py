"""What expressions ask of each text and list, found before anything is encoded: it decides the cheapest exact form.

Texts that are compared with each other must have one form, so the sources of texts are put into classes.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

from makegood.rules.expression import (
    And,
    Arithmetic,
    Compare,
    Conditional,
    Constant,
    Convert,
    Expression,
    Field,
    Has,
    In,
    Index,
    ListLiteral,
    Local,
    Narrow,
    Node,
    Not,
    Or,
    Quantifier,
    Size,
    TextTest,
    Transform,
    Variable,
    Widen,
    children,
    walk,
)
from makegood.rules.types import BOOL, INT, STRING, CelType, Kind

_CHARACTERS: Final = "<characters>"  # The class of texts whose characters are asked for.

Sources = frozenset[str]
_NONE: Final[Sources] = frozenset()


@dataclass(slots=True)
class Flow:
    """One analysis. Fields with a closed list, `closed`, need no class: every question on them is a table."""

    closed: Collection[str]
    ordered: set[str] = field(default_factory=set)  # Lists of which more is asked than which texts are in them.
    sized: set[str] = field(default_factory=set)
    constants: dict[str, None] = field(default_factory=dict)
    listed: dict[str, set[str]] = field(default_factory=dict)  # Constants that are looked for in a list.
    _parents: dict[str, str] = field(default_factory=dict)
    _locals: dict[int, Sources] = field(default_factory=dict)

    def read(self, expressions: Iterable[Expression]) -> None:
        """Take in what these expressions ask."""
        for expression in expressions:
            self._visit(expression)
            self._lists(expression)

    def has_characters(self, name: str) -> bool:
        """Whether characters of this field's texts are asked for."""
        return self._root(name) == self._root(_CHARACTERS)

    def _root(self, name: str) -> str:
        while (parent := self._parents.get(name, name)) != name:
            name = parent
        return name

    def _meet(self, sources: Sources) -> Sources:
        """These texts are compared with each other."""
        first, *others = [*sources] or [""]
        for other in others:
            self._parents[self._root(other)] = self._root(first)
        return sources

    def _spell(self, sources: Sources) -> None:
        """Characters of these texts are asked for."""
        if sources:
            self._meet(sources | {_CHARACTERS})

    def _visit(self, node: Node) -> Sources:
        """Where the texts in the value of a node come from."""
        match node:
            case Constant(value=value):
                if isinstance(value, str):
                    self.constants[value] = None
                return _NONE
            case Field(name=name) | Variable(name=name):
                return _NONE if name in self.closed or not _textual(node.type) else frozenset({name})
            case Local(slot=slot):
                return self._locals[slot]
            case Has():
                return _NONE
            case Quantifier() | Transform():
                return self._loop(node)
            case Conditional(condition=condition, then=then, otherwise=otherwise):
                self._visit(condition)
                return self._meet(self._visit(then) | self._visit(otherwise))
        parts = [self._visit(child) for child in children(node)]
        found = _NONE.union(*parts)
        match node:
            case Compare(operator=operator, left=left):
                if operator in ("==", "!="):
                    self._meet(found)
                elif left.type == STRING:
                    self._spell(found)
                return _NONE
            case In():
                self._meet(found)
                return _NONE
            case ListLiteral() | Widen() | Narrow() | Index():
                return self._meet(found)
        return self._calculated(node, found)

    def _calculated(self, node: Node, found: Sources) -> Sources:
        match node:
            case TextTest():
                self._spell(found)
            case Size():
                self.sized |= found
            case Arithmetic() if node.type == STRING:
                self._spell(found)
                return found
            case Arithmetic() if node.type.element:
                return self._meet(found)
            case Convert(operand=operand) if node.type == STRING:
                return _NONE if operand.type == BOOL else frozenset({_CHARACTERS})
            case Convert(operand=operand) if node.type == INT and operand.type == STRING:
                self._spell(found)
        return _NONE

    def _loop(self, node: Quantifier | Transform) -> Sources:
        entries = self._visit(node.list)
        self._locals[node.variable.slot] = entries
        if node.index is not None:
            self._locals[node.index.slot] = _NONE
        if node.condition is not None:
            self._visit(node.condition)
        return self._visit(node.element) if isinstance(node, Transform) else _NONE

    def _lists(self, expression: Expression) -> None:
        """Every list field of which more than its set of texts is asked."""
        as_sets = {id(node) for asking in walk(expression) for node in self._asked_as_set(asking)}
        for node in walk(expression):
            if isinstance(node, Field) and node.type.element and id(node) not in as_sets:
                self.ordered.add(node.name)

    def _asked_as_set(self, node: Node) -> Iterable[Node]:
        match node:
            case In(element=element, list=Field(name=name) as read):
                if name in self.closed or isinstance(element, Constant):
                    self._look_for(name, element)
                    yield read
            case Quantifier(kind="exists" | "all", index=None, list=Field(name=name) as read, condition=condition):
                if name in self.closed or _is_membership(condition, node.variable.slot):
                    self._look_for(name, condition)
                    yield read

    def _look_for(self, name: str, asking: Node) -> None:
        texts = {each.value for each in walk(asking) if isinstance(each, Constant) and isinstance(each.value, str)}
        self.listed.setdefault(name, set()).update(texts)


def _is_membership(node: Node, slot: int) -> bool:
    """Whether a condition on a loop variable only compares it with constants."""
    match node:
        case Not(operand=operand):
            return _is_membership(operand, slot)
        case And(terms=terms) | Or(terms=terms):
            return all(_is_membership(term, slot) for term in terms)
        case Compare(operator="==" | "!=", left=left, right=right):
            kinds = {_is_local(left, slot), _is_local(right, slot)}
            return kinds == {True, False} and any(isinstance(each, Constant) for each in (left, right))
        case In(element=element, list=ListLiteral(elements=elements)):
            return _is_local(element, slot) and all(isinstance(each, Constant) for each in elements)
    return False


def _is_local(node: Node, slot: int) -> bool:
    return isinstance(node, Local) and node.slot == slot


def _textual(kind: CelType) -> bool:
    if kind.element:
        return _textual(kind.element)
    return kind.kind in (Kind.STRING, Kind.DYN)

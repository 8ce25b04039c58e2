"""Which texts of a payment are only ever held against constants, and what exactly they are asked."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from makegood.rules.expression import (
    Arithmetic,
    Compare,
    Conditional,
    Constant,
    Convert,
    Expression,
    Field,
    In,
    Index,
    ListLiteral,
    Local,
    Narrow,
    Node,
    Quantifier,
    Size,
    TextTest,
    Transform,
    Variable,
    Widen,
    children,
)
from makegood.rules.smt_followers import Test
from makegood.rules.smt_samples import Asked
from makegood.rules.smt_text import NAMES_OF_BOOLS
from makegood.rules.types import BOOL, STRING, CelType, Kind

Sources = frozenset[str]
_NONE: Final[Sources] = frozenset()


def asked_of_constants(
    names: Collection[str], expressions: Iterable[Expression], texts: Mapping[str, Iterable[str]]
) -> Mapping[str, Asked]:
    """What expressions ask of the texts of these fields, and whether they are one of `texts`.

    Without the fields of which more is asked: whose texts are held against those of another field, or made into others.
    """
    questions = _Questions()
    for name in names:
        questions.look_for(name, texts.get(name, ()))
    for expression in expressions:
        questions.visit(expression)
    found = {name: questions.asked(name) for name in names}
    return {name: asked for name, asked in found.items() if asked is not None}


@dataclass(slots=True)
class _Questions:
    """What expressions ask of the texts of each field, alone or as entries of a list."""

    _mixed: set[str] = field(default_factory=set)  # Held against texts that are no constants, or made into others.
    _tests: dict[str, set[Test]] = field(default_factory=dict)
    _sizes: dict[str, set[int]] = field(default_factory=dict)
    _lengths: set[str] = field(default_factory=set)
    _locals: dict[int, Sources] = field(default_factory=dict)
    _given: dict[int, Sequence[Any] | None] = field(default_factory=dict)  # Loop variables over constants.

    def look_for(self, name: str, texts: Iterable[str]) -> None:
        """A field is also compared with these texts."""
        self._test(frozenset({name}), "equal", texts)

    def asked(self, name: str) -> Asked | None:
        """All that is asked of a field's texts; None where it is not all about constants."""
        if name in self._mixed:
            return None
        tests, sizes = sorted(self._tests.get(name, ())), sorted(self._sizes.get(name, ()))
        return Asked(tuple(tests), tuple(sizes), name in self._lengths)

    # -- what is asked ---------------------------------------------------------------------------------

    def _test(self, sources: Sources, kind: str, constants: Iterable[str], *, turned: bool = False) -> None:
        for name in sources:
            self._tests.setdefault(name, set()).update(Test(kind, text, turned) for text in constants)

    def _hold(self, kind: str, left: Node, right: Node) -> None:
        """The texts of the one are held against those of the other."""
        one, other = self.visit(left), self.visit(right)
        if not one and not other:
            return
        constants = self._constants(right) if not other else self._constants(left) if not one else None
        if constants is None:
            self._mixed |= one | other
        else:
            self._test(one | other, kind, constants, turned=not one and kind in ("startsWith", "endsWith", "contains"))

    def _measured(self, left: Node, right: Node) -> bool:
        """Whether the length of a text is held against numbers. It is taken in then."""
        if isinstance(right, Size):
            left, right = right, left
        numbers = self._constants(right)
        if not isinstance(left, Size) or left.operand.type != STRING or numbers is None:
            return False
        for name in self.visit(left.operand):
            self._sizes.setdefault(name, set()).update(numbers)
        return True

    # -- where texts come from -------------------------------------------------------------------------

    def visit(self, node: Node) -> Sources:
        """The fields from which the texts in the value of a node come."""
        match node:
            case Field(name=name) | Variable(name=name):
                return frozenset({name}) if _textual(node.type) else _NONE
            case Local(slot=slot):
                return self._locals[slot]
            case Compare(left=left, right=right) | In(element=left, list=right):
                if not self._measured(left, right):
                    compared = isinstance(node, In) or node.operator in ("==", "!=")
                    self._hold("equal" if compared else "order", left, right)
                return _NONE
            case TextTest(test=test, text=text, part=part):
                self._hold(test, text, part)
                return _NONE
            case Quantifier() | Transform():
                return self._loop(node)
            case Conditional(condition=condition, then=then, otherwise=otherwise):
                self.visit(condition)
                return self.visit(then) | self.visit(otherwise)
        return self._calculated(node, _NONE.union(*map(self.visit, children(node))))

    def _calculated(self, node: Node, found: Sources) -> Sources:
        match node:
            case ListLiteral() | Index():
                return found
            case Arithmetic() if node.type.element:
                return found
            case Size(operand=operand) if operand.type == STRING:
                self._lengths |= found
            case Convert() if node.type == BOOL:
                self._test(found, "equal", NAMES_OF_BOOLS)
            case Arithmetic() | Convert() | Widen() | Narrow():
                self._mixed |= found
        return _NONE

    def _loop(self, node: Quantifier | Transform) -> Sources:
        self._locals[node.variable.slot] = self.visit(node.list)
        self._given[node.variable.slot] = self._constants(node.list)
        if node.index is not None:
            self._locals[node.index.slot] = _NONE
        if node.condition is not None:
            self.visit(node.condition)
        return self.visit(node.element) if isinstance(node, Transform) else _NONE

    def _constants(self, node: Node) -> Sequence[Any] | None:
        """Every constant that may be in the value of a node; None where others may be."""
        match node:
            case Constant(value=value):
                return (value,)
            case Local(slot=slot):
                return self._given.get(slot)
            case ListLiteral(elements=parts):
                pass
            case Index(list=entries):
                parts = (entries,)
            case Conditional(then=then, otherwise=otherwise):
                parts = (then, otherwise)
            case _:
                return None
        found: list[Any] = []
        for part in parts:
            inner = self._constants(part)
            if inner is None:
                return None
            found += inner
        return found


def _textual(kind: CelType) -> bool:
    if kind.element:
        return _textual(kind.element)
    return kind.kind in (Kind.STRING, Kind.DYN)

"""Values of any type as solver terms: equality, order, choice, and values that carry their type with them."""

from dataclasses import dataclass
from typing import Any

from makegood.rules import smt_lists
from makegood.rules.smt_lists import Entries, fixed
from makegood.rules.smt_terms import Flag, Terms
from makegood.rules.smt_text import Texts
from makegood.rules.types import DYN, CelType, Kind


@dataclass(frozen=True, slots=True)
class Mixed:
    """A value that carries its type: exactly one of the alternatives (flag, kind, value) is true."""

    alternatives: tuple[tuple[Flag, Kind, Any], ...]


@dataclass(frozen=True, slots=True)
class Values:
    """Questions about values of every type. A list in a `Mixed` holds `Mixed` entries."""

    terms: Terms
    texts: Texts

    def constant(self, value: Any) -> Any:
        """A constant of the tree is its own term."""
        return value

    def any(self, kind: CelType) -> Any:
        """Some value of a type, to stand where there is an error."""
        match kind.kind:
            case Kind.BOOL:
                return False
            case Kind.STRING:
                return ""
            case Kind.NULL:
                return None
            case Kind.LIST:
                return fixed(())
            case Kind.DYN:
                return Mixed(((True, Kind.NULL, None),))
        return 0

    def compare(self, operator: str, kind: CelType, left: Any, right: Any) -> Flag:
        """The comparison of two values of one type."""
        match operator:
            case "==":
                return self.equal(kind, left, right)
            case "!=":
                return self.terms.negate(self.equal(kind, left, right))
            case "<":
                return self._less(kind, left, right)
            case ">":
                return self._less(kind, right, left)
            case "<=":
                return self._at_most(kind, left, right)
        return self._at_most(kind, right, left)

    def _less(self, kind: CelType, left: Any, right: Any) -> Flag:
        if kind.kind is Kind.STRING:
            return self.texts.less(left, right)
        if kind.kind is Kind.BOOL:
            return self.terms.both(self.terms.negate(left), right)
        return self.terms.less(left, right)

    def _at_most(self, kind: CelType, left: Any, right: Any) -> Flag:
        if kind.kind in (Kind.STRING, Kind.BOOL):
            return self.terms.negate(self._less(kind, right, left))
        return self.terms.at_most(left, right)

    def equal(self, kind: CelType, left: Any, right: Any) -> Flag:
        """Whether two values of one type are equal."""
        match kind.kind:
            case Kind.BOOL:
                return self.terms.same(left, right)
            case Kind.STRING:
                return self.texts.equal(left, right)
            case Kind.NULL:
                return True
            case Kind.LIST:
                assert kind.element is not None
                return smt_lists.equal_lists(self.terms, kind.element, left, right, self.equal)
            case Kind.DYN:
                return self._equal_mixed(left, right)
        return self.terms.equal(left, right)

    def _equal_mixed(self, left: Mixed, right: Mixed) -> Flag:
        return self.terms.some(
            self.terms.both(flag, condition, self.equal(_inner(kind), value, other))
            for flag, kind, value in left.alternatives
            for condition, own, other in right.alternatives
            if kind is own
        )

    def pick(self, kind: CelType, flag: Flag, then: Any, otherwise: Any) -> Any:
        """The one value or the other."""
        match kind.kind:
            case Kind.BOOL:
                return self.terms.pick_flag(flag, then, otherwise)
            case Kind.STRING:
                return self.texts.pick(flag, then, otherwise)
            case Kind.NULL:
                return None
            case Kind.LIST:
                return smt_lists.picked(self.terms, flag, then, otherwise)
            case Kind.DYN:
                no = self.terms.negate(flag)
                ours = [(self.terms.both(flag, own), *rest) for own, *rest in then.alternatives]
                theirs = [(self.terms.both(no, own), *rest) for own, *rest in otherwise.alternatives]
                return Mixed(tuple(each for each in (*ours, *theirs) if each[0] is not False))
        return self.terms.pick(flag, then, otherwise)

    def widen(self, kind: CelType, wanted: CelType, value: Any) -> Any:
        """The value of a wider type, entry by entry in a list; as `runtime.widener`."""
        if kind == wanted or kind.kind is Kind.DYN:
            return value
        if kind.element is None:
            return Mixed(((True, kind.kind, value),))
        each = wanted.element or DYN
        slots = tuple((flag, self.widen(kind.element, each, entry)) for flag, entry in value.slots)
        entries = Entries(slots, value.packed, value.size, value.unordered)
        return entries if wanted.element else Mixed(((True, Kind.LIST, entries),))

    def narrow(self, kind: CelType, value: Mixed) -> tuple[Any, Flag]:
        """The value without its type, and the error where it is of another."""
        fits = [(flag, inner) for flag, own, inner in value.alternatives if own is kind.kind]
        error = self.terms.negate(self.terms.some(flag for flag, _ in fits))
        if not fits:
            return self.any(kind), error
        found = fits[-1][1]
        for flag, inner in fits[:-1]:
            found = self.pick(kind, flag, inner, found)
        return found, error


def _inner(kind: Kind) -> CelType:
    return CelType(kind, DYN) if kind is Kind.LIST else CelType(kind)

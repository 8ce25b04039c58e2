"""Solver terms that stay Python values as long as they can be: a flag that is always true is `True`, not a term.

A solver term costs ten microseconds to make and Python's own answer a tenth of one. Ints carry their bounds, so that
an overflow that cannot happen and a comparison that is always true never become terms. The bounds hold wherever the
value means something: within the domain of payments, and where there is no error.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import z3
from z3 import z3core

from makegood.rules.expression import Node
from makegood.rules.literals import INT64_MAX, INT64_MIN

Flag = Any  # bool, or a z3.BoolRef where it depends on the payment
Whole = Any  # int, or a Num where it depends on the payment

_WIDE: Final = 2**200  # Bounds of an int of which nothing is known.


class Unsupported(Exception):  # noqa: N818 - an answer, not a fault
    """This machine cannot express a construct exactly. `node` is where, `hint` what to write instead."""

    def __init__(self, message: str, node: Node | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.node = node
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Num:
    """An int that depends on the payment, within bounds. Where `base` is set it is `base * factor`."""

    term: Any
    low: int
    high: int
    base: Any = None
    factor: int = 1


def low_of(value: Whole) -> int:
    """The smallest that an int can be."""
    return value.low if isinstance(value, Num) else int(value)


def high_of(value: Whole) -> int:
    """The largest that an int can be."""
    return value.high if isinstance(value, Num) else int(value)


class Terms:
    """Makes terms in one context. All is straight to the C interface: the operators of `z3` cost twice as much."""

    def __init__(self, context: z3.Context) -> None:
        self.context = context
        self._ref = context.ref()
        self._wholes: dict[int, Any] = {}
        self._true = z3.BoolVal(True, context)
        self._false = z3.BoolVal(False, context)

    # -- flags -----------------------------------------------------------------------------------------
    def flag(self, value: Flag) -> Any:
        """The flag as a term."""
        return self._true if value is True else self._false if value is False else value

    def both(self, *flags: Flag) -> Flag:
        """Whether all are true."""
        return self.every(flags)

    def every(self, flags: Iterable[Flag]) -> Flag:
        """Whether all are true."""
        kept = []
        for flag in flags:
            if flag is False:
                return False
            if flag is not True:
                kept.append(flag)
        return self._join(z3core.Z3_mk_and, kept) if kept else True

    def either(self, *flags: Flag) -> Flag:
        """Whether one is true."""
        return self.some(flags)

    def some(self, flags: Iterable[Flag]) -> Flag:
        """Whether one is true."""
        kept = []
        for flag in flags:
            if flag is True:
                return True
            if flag is not False:
                kept.append(flag)
        return self._join(z3core.Z3_mk_or, kept) if kept else False

    def negate(self, flag: Flag) -> Flag:
        """Whether it is false."""
        if isinstance(flag, bool):
            return not flag
        return z3.BoolRef(z3core.Z3_mk_not(self._ref, flag.ast), self.context)

    def same(self, left: Flag, right: Flag) -> Flag:
        """Whether both are true or both false."""
        for one, other in ((left, right), (right, left)):
            if isinstance(one, bool):
                return other if one else self.negate(other)
        return z3.BoolRef(z3core.Z3_mk_eq(self._ref, left.ast, right.ast), self.context)

    def pick_flag(self, flag: Flag, then: Flag, otherwise: Flag) -> Flag:
        """The one flag or the other."""
        if isinstance(flag, bool):
            return then if flag else otherwise
        if isinstance(then, bool):
            return self.either(flag, otherwise) if then else self.both(self.negate(flag), otherwise)
        if isinstance(otherwise, bool):
            return self.either(self.negate(flag), then) if otherwise else self.both(flag, then)
        return z3.BoolRef(z3core.Z3_mk_ite(self._ref, flag.ast, then.ast, otherwise.ast), self.context)

    def _join(self, make: Any, flags: Sequence[Any]) -> Any:
        if len(flags) == 1:
            return flags[0]
        return z3.BoolRef(make(self._ref, len(flags), _array(flags)), self.context)

    # -- ints ------------------------------------------------------------------------------------------
    def whole(self, value: Whole) -> Any:
        """The int as a term."""
        if isinstance(value, Num):
            return value.term
        found = self._wholes.get(value)
        if found is None:
            found = self._wholes[value] = z3.IntVal(value, self.context)
        return found

    def variable(self, name: str, low: int = -_WIDE, high: int = _WIDE) -> Num:
        """A new int. Its bounds are a promise of the caller."""
        return Num(z3.Int(name, self.context), low, high)

    def known(self, term: Any) -> Num:
        """An int of the caller's own, which is an int64."""
        return Num(term, INT64_MIN, INT64_MAX)

    def scaled(self, base: Any, factor: int, low: int, high: int) -> Num:
        """`base * factor`, within bounds."""
        return Num(self._arith(z3core.Z3_mk_mul, base, self.whole(factor)), low, high, base, factor)

    def add(self, left: Whole, right: Whole) -> Whole:
        """The sum, however large."""
        if isinstance(left, int) and isinstance(right, int):
            return left + right
        for one, other in ((left, right), (right, left)):
            if isinstance(one, int):
                if one == 0:
                    return other
                if other.base is not None and one % other.factor == 0:
                    base = self._arith(z3core.Z3_mk_add, other.base, self.whole(one // other.factor))
                    return self.scaled(base, other.factor, other.low + one, other.high + one)
        term = self._arith(z3core.Z3_mk_add, self.whole(left), self.whole(right))
        return Num(term, low_of(left) + low_of(right), high_of(left) + high_of(right))

    def subtract(self, left: Whole, right: Whole) -> Whole:
        """The difference, however large."""
        if isinstance(right, int):
            return self.add(left, -right)
        term = self._arith(z3core.Z3_mk_sub, self.whole(left), self.whole(right))
        return Num(term, low_of(left) - high_of(right), high_of(left) - low_of(right))

    def multiply(self, left: Whole, right: Whole) -> Whole:
        """The product, however large."""
        if isinstance(left, int) and isinstance(right, int):
            return left * right
        corners = [one * other for one in (low_of(left), high_of(left)) for other in (low_of(right), high_of(right))]
        term = self._arith(z3core.Z3_mk_mul, self.whole(left), self.whole(right))
        return Num(term, min(corners), max(corners))

    def floor(self, value: Whole, unit: int) -> Whole:
        """Whole units, which are positive, cut towards minus infinity."""
        low, high = low_of(value) // unit, high_of(value) // unit
        if low == high:
            return low
        base, unit = (value.base, unit // value.factor) if self._scales(value, unit) else (value.term, unit)
        if unit == 1:
            return Num(base, low, high)
        return Num(self._arith2(z3core.Z3_mk_div, base, self.whole(unit)), low, high)

    def rest(self, value: Whole, unit: int) -> Whole:
        """What `floor` leaves, from 0 to below the unit."""
        if isinstance(value, int):
            return value % unit
        if value.low // unit == value.high // unit:
            return self.add(value, -(value.low // unit * unit))
        if self._scales(value, unit):
            rest = self._arith2(z3core.Z3_mk_mod, value.base, self.whole(unit // value.factor))
            return self.scaled(rest, value.factor, 0, unit - value.factor)
        return Num(self._arith2(z3core.Z3_mk_mod, value.term, self.whole(unit)), 0, unit - 1)

    def _scales(self, value: Num, unit: int) -> bool:
        return value.base is not None and unit % value.factor == 0

    def quotient(self, left: Whole, right: Whole) -> Whole:
        """The quotient cut towards zero; the divisor is not zero. The solver's own division leaves a rest above it."""
        if isinstance(right, int) and right > 0 and low_of(left) >= 0:
            return self.floor(left, right)
        size = max(abs(low_of(left)), abs(high_of(left)))
        if low_of(left) >= 0:
            return Num(self._arith2(z3core.Z3_mk_div, self.whole(left), self.whole(right)), -size, size)
        minus = self.multiply(left, -1)
        down = Num(self._arith2(z3core.Z3_mk_div, self.whole(left), self.whole(right)), -size, size)
        up = self.multiply(Num(self._arith2(z3core.Z3_mk_div, self.whole(minus), self.whole(right)), -size, size), -1)
        return self.pick(self.less(left, 0), up, down)

    def remainder(self, left: Whole, right: Whole) -> Whole:
        """What `quotient` leaves: it has the sign of `left`."""
        if isinstance(right, int) and right > 0 and low_of(left) >= 0:
            return self.rest(left, right)
        size = max(abs(low_of(left)), abs(high_of(left)))
        down = Num(self._arith2(z3core.Z3_mk_mod, self.whole(left), self.whole(right)), 0, size)
        minus = self.multiply(left, -1)
        up = self.multiply(Num(self._arith2(z3core.Z3_mk_mod, self.whole(minus), self.whole(right)), 0, size), -1)
        return self.pick(self.less(left, 0), up, down)

    def pick(self, flag: Flag, then: Whole, otherwise: Whole) -> Whole:
        """The one int or the other."""
        if isinstance(flag, bool):
            return then if flag else otherwise
        if isinstance(then, int) and isinstance(otherwise, int) and then == otherwise:
            return then
        term = z3core.Z3_mk_ite(self._ref, flag.ast, self.whole(then).ast, self.whole(otherwise).ast)
        low, high = min(low_of(then), low_of(otherwise)), max(high_of(then), high_of(otherwise))
        return Num(z3.ArithRef(term, self.context), low, high)

    def count(self, flags: Iterable[Flag]) -> Whole:
        """How many are true."""
        total: Whole = 0
        for flag in flags:
            total = self.add(total, self.pick(flag, 1, 0))
        return total

    # -- comparisons -----------------------------------------------------------------------------------
    def equal(self, left: Whole, right: Whole) -> Flag:
        """Whether two ints are equal."""
        if low_of(left) > high_of(right) or high_of(left) < low_of(right):
            return False
        if isinstance(left, int) and isinstance(right, int):
            return left == right
        return self._test(z3core.Z3_mk_eq, left, right)

    def less(self, left: Whole, right: Whole) -> Flag:
        """Whether left is below right."""
        if high_of(left) < low_of(right):
            return True
        if low_of(left) >= high_of(right):
            return False
        return self._test(z3core.Z3_mk_lt, left, right)

    def at_most(self, left: Whole, right: Whole) -> Flag:
        """Whether left is not above right."""
        if high_of(left) <= low_of(right):
            return True
        if low_of(left) > high_of(right):
            return False
        return self._test(z3core.Z3_mk_le, left, right)

    def within(self, value: Whole, low: int, high: int) -> Flag:
        """Whether low <= value <= high."""
        return self.both(self.at_most(low, value), self.at_most(value, high))

    def fit(self, value: Whole, low: int = INT64_MIN, high: int = INT64_MAX) -> tuple[Whole, Flag]:
        """The same int, and the error where it lies outside the bounds."""
        error = self.negate(self.within(value, low, high))
        if isinstance(value, int) or error is False:
            return value, error
        low, high = max(low, value.low), min(high, value.high)
        return (Num(value.term, low, high, value.base, value.factor) if low <= high else 0), error

    def _test(self, make: Any, left: Whole, right: Whole) -> Any:
        return z3.BoolRef(make(self._ref, self.whole(left).ast, self.whole(right).ast), self.context)

    def _arith(self, make: Any, left: Any, right: Any) -> Any:
        return z3.ArithRef(make(self._ref, 2, _array((left, right))), self.context)

    def _arith2(self, make: Any, left: Any, right: Any) -> Any:
        return z3.ArithRef(make(self._ref, left.ast, right.ast), self.context)


def _array(parts: Sequence[Any]) -> Any:
    return (z3.Ast * len(parts))(*[part.ast for part in parts])

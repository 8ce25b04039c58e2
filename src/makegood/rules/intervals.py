"""Bounds of int expressions, from the schema's own bounds: what shows that an operation cannot overflow."""

from typing import Final

from makegood.rules.expression import Arithmetic, Conditional, Constant, Field, Negate, Node, Size
from makegood.rules.literals import INT64_MAX, INT64_MIN
from makegood.rules.types import INT

Interval = tuple[int, int]
ANY: Final = (INT64_MIN, INT64_MAX)
_SIZE_MAX: Final = 2**40  # No list or text in memory is longer.


def interval(node: Node) -> Interval:
    """The smallest and the largest value of an int expression that has one; int64 where nothing is known."""
    low, high = exact_interval(node)
    return max(low, INT64_MIN), min(high, INT64_MAX)


def exact_interval(node: Node) -> Interval:
    """The same before it is cut to int64: beyond int64 on either side, the operation may overflow."""
    if node.type != INT:
        return ANY
    match node:
        case Constant(value=value):
            return value, value
        case Field(low=low, high=high):
            return INT64_MIN if low is None else low, INT64_MAX if high is None else high
        case Size():
            return 0, _SIZE_MAX
        case Negate(operand=operand):
            low, high = interval(operand)
            return -high, -low
        case Conditional(then=then, otherwise=otherwise):
            (low, high), (below, above) = interval(then), interval(otherwise)
            return min(low, below), max(high, above)
        case Arithmetic(operator=operator, left=left, right=right):
            return _arithmetic(operator, interval(left), interval(right))
    return ANY


def _arithmetic(operator: str, left: Interval, right: Interval) -> Interval:
    match operator:
        case "+":
            return left[0] + right[0], left[1] + right[1]
        case "-":
            return left[0] - right[1], left[1] - right[0]
        case "*":
            corners = [one * other for one in left for other in right]
            return min(corners), max(corners)
        case "/" if left[0] >= 0 and right[0] > 0:
            return left[0] // right[1], left[1] // right[0]
        case "%" if left[0] >= 0 and right[0] > 0:
            return 0, min(left[1], right[1] - 1)
    return ANY


def fits(bounds: Interval) -> bool:
    """Whether every value between the bounds is an int64."""
    return bounds[0] >= INT64_MIN and bounds[1] <= INT64_MAX

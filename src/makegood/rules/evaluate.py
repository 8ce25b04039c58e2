"""The first machine: a checked expression as one Python function, generated once, never interpreted per payment."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from makegood.rules.emit import Emitter
from makegood.rules.expression import Expression
from makegood.rules.runtime import EvaluationError
from makegood.rules.types import BOOL

__all__ = ["EvaluationError", "compile_condition", "compile_expression"]


def compile_condition(expression: Expression) -> Callable[[Mapping[str, Any]], bool]:
    """A function from `Payment.fields`, or `Item.fields`, to whether the condition holds.

    It raises EvaluationError on a CEL error.
    """
    assert expression.type == BOOL, expression.type
    return compile_expression(expression, ("payment",))


def compile_expression(expression: Expression, names: Sequence[str]) -> Callable[..., Any]:
    """A function of the variables of these names, in this order, to the value; `payment` is `Payment.fields`.

    Timestamps and durations are ints of nanoseconds, lists are tuples. A variable that is not among the names has no
    value: to read it is a CEL error. Raises EvaluationError on a CEL error.
    """
    parameters = {name: f"p{number}" for number, name in enumerate(names)}
    emitter = Emitter(parameters)
    code = emitter.emit(expression)
    source = f"def evaluate({', '.join(parameters.values())}):\n    return {code.text}\n"
    exec(compile(source, "<rule>", "exec"), emitter.globals)  # noqa: S102 - generated names only
    function: Callable[..., Any] = emitter.globals["evaluate"]
    return function

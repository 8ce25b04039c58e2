"""One expression by all three machines: evaluate (Python), columns (SQL in DuckDB), smt (terms of Z3)."""

from collections.abc import Mapping
from typing import Any

from makegood.rules.evaluate import EvaluationError, compile_expression
from makegood.rules.expression import Expression
from makegood.rules.values import to_json


class _Silent(Exception):  # noqa: N818 - an answer, not a fault
    """The machine gives no value; the text says why."""


def by_all_machines(expression: Expression, values: Mapping[str, Any]) -> dict[str, Any]:
    """`{"result": {evaluate, columns, smt}}`, with `notes` on machines that give no value.

    Raises EvaluationError where the expression ends in an error.
    """
    value = compile_expression(expression, tuple(values))(*values.values())
    result, notes = {"evaluate": to_json(value, expression.type)}, {}
    for name, machine in (("columns", _columns), ("smt", _smt)):
        try:
            result[name] = to_json(machine(expression, values), expression.type)
        except _Silent as silent:
            result[name], notes[name] = None, str(silent)
        except EvaluationError as error:
            result[name], notes[name] = None, f"differs: it ends in an error, {error}"
    return {"result": result} | ({"notes": notes} if notes else {})


def _columns(expression: Expression, values: Mapping[str, Any]) -> Any:
    try:
        from makegood.files.columns import evaluate_columns

        return evaluate_columns(expression, values)
    except ModuleNotFoundError as error:
        if error.name != "duckdb":
            raise
        raise _Silent("DuckDB is not installed: pip install 'makegood[files]'") from None


def _smt(expression: Expression, values: Mapping[str, Any]) -> Any:
    try:
        from makegood.rules.smt import Unsupported, evaluate_smt
    except ModuleNotFoundError as error:
        if error.name != "z3":
            raise
        raise _Silent("the solver is not installed: pip install 'makegood[proof]'") from None
    try:
        return evaluate_smt(expression, values)
    except Unsupported as beyond:
        raise _Silent(str(beyond)) from None

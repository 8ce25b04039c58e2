"""Expressions evaluated by DuckDB, many rows in one query. Needs the extra `files`."""

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from makegood.rules.columns import DUCKDB, render
from makegood.rules.columns_dynamic import NULL_TEXT, from_text, to_text
from makegood.rules.evaluate import EvaluationError
from makegood.rules.expression import Expression, Field, Has, Variable, walk
from makegood.rules.types import STRING, CelType, Kind

if TYPE_CHECKING:
    import duckdb

_FAILED: Final = "the expression has no value here"
_THREAD: Final = threading.local()

Row = Mapping[str, Any]  # Variables by name; `payment` is `Payment.fields`.


def evaluate_columns(expression: Expression, bindings: Row) -> Any:
    """The value as DuckDB finds it, in the form that `compile_expression` gives. Raises EvaluationError on an error."""
    value = evaluate_rows(expression, [bindings])[0]
    if isinstance(value, EvaluationError):
        raise value
    return value


def evaluate_rows(expression: Expression, rows: Sequence[Row]) -> list[Any]:
    """The value for each row, in their order; an EvaluationError, not raised, where a row has none."""
    names = _names(expression)
    columns = {name: DUCKDB.identifier(name) for name in names}
    # Every value leaves as text, because whole numbers of the wide type would leave as doubles.
    sql = f"CAST({render(expression, column=columns.__getitem__)} AS {_text_type(expression.type)})"
    source = [f"unnest(CAST(? AS {DUCKDB.type_name(kind)}[])) AS {columns[name]}" for name, kind in names.items()]
    table = f"SELECT {', '.join(['unnest(range(?)) AS place', *source])}"
    values = [[_parameter(row, name, kind) for row in rows] for name, kind in names.items()]
    question = f"SELECT {sql} FROM ({table}) ORDER BY place"  # noqa: S608 - texts and names are quoted by the dialect
    answers = _connection().execute(question, [len(rows), *values]).fetchall()
    return [EvaluationError(_FAILED) if answer is None else _value(answer, expression.type) for (answer,) in answers]


def _connection() -> "duckdb.DuckDBPyConnection":
    """This thread's own database in memory."""
    import duckdb

    connection: duckdb.DuckDBPyConnection | None = getattr(_THREAD, "connection", None)
    if connection is None:
        connection = _THREAD.connection = duckdb.connect()
        for statement in DUCKDB.prelude:
            connection.execute(statement)
    return connection


def _names(expression: Expression) -> dict[str, CelType]:
    """Every column that the expression reads, with its type."""
    found = {}
    for node in walk(expression):
        read = node.field if isinstance(node, Has) else node
        if isinstance(read, Field):
            found[f"payment.{read.name}"] = read.type
        elif isinstance(read, Variable):
            found[read.name] = read.type
    return found


def _parameter(row: Row, name: str, kind: CelType) -> Any:
    """The value of a column in a row, None where it has none."""
    variable, _, field = name.partition(".")
    fields, key = (row.get(variable, {}), field) if field and name not in row else (row, name)
    return _text(fields[key], kind) if key in fields else None


def _text(value: Any, kind: CelType) -> Any:
    """The value as texts, which the cast to the column's type reads exactly."""
    match kind.kind:
        case Kind.NULL:
            return NULL_TEXT
        case Kind.DYN:
            return to_text(value)
        case Kind.LIST:
            assert kind.element is not None
            return [_text(each, kind.element) for each in value]
        case Kind.STRING:
            return value
        case Kind.BOOL:
            return "true" if value else "false"
    return str(int(value))


def _text_type(kind: CelType) -> str:
    return f"{_text_type(kind.element)}[]" if kind.element else DUCKDB.type_name(STRING)


def _value(answer: Any, kind: CelType) -> Any:
    """The value that DuckDB's texts stand for."""
    match kind.kind:
        case Kind.LIST:
            assert kind.element is not None
            return tuple(_value(each, kind.element) for each in answer)
        case Kind.NULL:
            return None
        case Kind.DYN:
            return from_text(answer)
        case Kind.STRING:
            return answer
        case Kind.BOOL:
            return answer == "true"
    return int(answer)

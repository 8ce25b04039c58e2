"""The second machine: a checked expression as the text of one SQL value, for many payments at once.

SQL's NULL stands for a CEL error and for nothing else: an optional field that is missing is NULL, to read it is an
error, and NULL runs through every operation as an error does. SQL's AND and OR absorb NULL as CEL's absorb errors.
No text ever makes a query fail, whatever the row. What differs from dialect to dialect stands in `Dialect`.

Every expression that the checker lets through has its text; there is nothing to refuse here.
"""

from collections.abc import Callable

from makegood.rules.columns_dialect import Dialect
from makegood.rules.columns_duckdb import DUCKDB
from makegood.rules.columns_scope import Scope
from makegood.rules.columns_spark import SPARK
from makegood.rules.columns_write import write
from makegood.rules.expression import Expression

__all__ = ["DUCKDB", "SPARK", "Dialect", "render"]


def render(expression: Expression, dialect: Dialect = DUCKDB, *, column: Callable[[str], str] | None = None) -> str:
    """The SQL of the value. `column` gives the SQL of a name: `payment.amount` for a field, `total` for a variable.

    Without it, fields (of an item too) are columns of a table or alias `payment`, and variables are columns of their
    own name. Columns have the dialect's types, where instants and durations are whole numbers of nanoseconds of any
    width, and hold what the schema allows: sums that its bounds keep within int64 are not checked again.
    """

    def named(name: str) -> str:
        return ".".join(dialect.identifier(part) for part in name.split(".", 1))

    return write(expression, Scope(dialect, column or named)).text

"""Spark's SQL, version 4. Nothing in the test suite runs it: the text follows Spark's reference, no more is claimed.

Its texts, with the collation UTF8_BINARY, order by bytes, and `char_length` counts code points.
"""

from typing import Final

from makegood.rules.columns_dialect import Dialect
from makegood.rules.types import Kind

_INDEX_MAX: Final = 2**31 - 1


def _literal(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("\0", "\\u0000") + "'"


SPARK: Final = Dialect(
    name="Spark",
    prelude=(),
    types={
        Kind.BOOL: "BOOLEAN",
        Kind.INT: "BIGINT",
        Kind.STRING: "STRING",
        Kind.TIMESTAMP: "DECIMAL(38, 0)",
        Kind.DURATION: "DECIMAL(38, 0)",
        Kind.NULL: "STRING",
        Kind.DYN: "STRING",
    },
    wide="DECIMAL(38, 0)",
    list_type="ARRAY<{0}>",
    quote="`",
    literal=_literal,
    tests={"startsWith": "startswith", "endsWith": "endswith", "contains": "contains"},
    quotient_form="({0} div {1})",
    date_form="date_add(DATE'1970-01-01', CAST({0} AS INT))",
    text_size_form="CAST(char_length({0}) AS BIGINT)",
    list_form="array({0})",
    empty_form="CAST(array() AS {0})",
    size_form="CAST(array_size({0}) AS BIGINT)",
    first=0,
    item_form="get({0}, {1})",
    # `least` passes over NULL, which ends beyond every list.
    at_form=f"get({{0}}, CAST(greatest(least({{1}}, {_INDEX_MAX}), -1) AS INT))",
    contains_form="array_contains({0}, {1})",
    whole_form="forall({0}, e -> e IS NOT NULL)",
    transform_form="transform({0}, {1} -> {2})",
    filter_form="filter({0}, {1} -> {2})",
    two_names_form="({0}, {1})",
    position_form="CAST({0} AS BIGINT)",
    join_form="array_join({0}, '')",
)

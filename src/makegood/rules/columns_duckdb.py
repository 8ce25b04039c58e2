"""DuckDB's SQL, from version 1.3 on, which writes `lambda x: …`.

Its texts order by the bytes of UTF-8, which is the order of code points, and `length` counts code points.
"""

from typing import Final

from makegood.rules.columns_dialect import Dialect
from makegood.rules.types import Kind

_INDEX_MAX: Final = 2**31 - 2  # Longer than any list, and its successor is still an index.


def _literal(value: str) -> str:
    parts = ["'" + part.replace("'", "''") + "'" for part in value.split("\0")]
    return parts[0] if len(parts) == 1 else f"({' || chr(0) || '.join(parts)})"


DUCKDB: Final = Dialect(
    name="DuckDB",
    # 32 levels of parentheses are some hundreds of SQL; zones add a few, long chains of terms many.
    prelude=("SET max_expression_depth TO 20000",),
    types={
        Kind.BOOL: "BOOLEAN",
        Kind.INT: "BIGINT",
        Kind.STRING: "VARCHAR",
        Kind.TIMESTAMP: "HUGEINT",
        Kind.DURATION: "HUGEINT",
        Kind.NULL: "VARCHAR",
        Kind.DYN: "VARCHAR",
    },
    wide="HUGEINT",
    list_type="{0}[]",
    quote='"',
    literal=_literal,
    tests={"startsWith": "starts_with", "endsWith": "ends_with", "contains": "contains"},
    quotient_form="({0} // {1})",
    date_form="(DATE '1970-01-01' + CAST({0} AS INTEGER))",
    text_size_form="length({0})",
    list_form="[{0}]",
    empty_form="CAST([] AS {0})",
    size_form="len({0})",
    first=1,
    item_form="{0}[{1}]",
    # NULL, which `least` passes over, ends beyond every list; what is below 0 ends at 0, where nothing is.
    at_form=f"list_extract({{0}}, greatest(least({{1}}, {_INDEX_MAX}), -1) + 1)",
    contains_form="list_contains({0}, {1})",
    whole_form="list_count({0}) = len({0})",
    transform_form="list_transform({0}, lambda {1}: {2})",
    filter_form="list_filter({0}, lambda {1}: {2})",
    two_names_form="{0}, {1}",
    position_form="({0} - 1)",
    # `array_to_string` is a macro that writes its list twice. The first entry is there because no list may be empty.
    join_form="list_aggregate([''] || {0}, 'string_agg', '')",
)

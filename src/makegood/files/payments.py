"""Payment files: Parquet, CSV and JSON lines, read row by row in bounded memory."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import msgspec

from makegood.clock import MICROSECOND, Instant
from makegood.domain.policy import PaymentSchema
from makegood.files.rows import AMOUNT_COLUMN, Layout, Row, file_problem, layout_of, typed_from_text
from makegood.limits import FILE_LINE_BYTES_MAX

_BATCH_ROWS = 2_000
_FORMATS = "known are .parquet, .csv and .jsonl"
_NO_MAP: Mapping[str, str] = {}
_DECODER = msgspec.json.Decoder()


def read_payments(
    path: Path, schema: PaymentSchema, *, mapping: Mapping[str, str] = _NO_MAP, ordered: bool = False
) -> Iterator[Row]:
    """The rows of a payment file in the shape that `parse_payment` takes.

    `mapping` renames columns: field to column. `ordered` gives them by `occurred_at`, then `payment_id`, rows
    that cannot be read first; Parquet is sorted by DuckDB, other formats in memory. Otherwise the order is
    the file's. A Parquet timestamp without a zone is taken as UTC. Raises Problem(PAYMENT_FILE_IS_WRONG) when
    the file cannot be read or lacks what the policy requires; a single bad line is a Row with an error.
    """
    suffix = path.suffix.lower()
    if suffix not in (".parquet", ".csv", ".jsonl", ".ndjson"):
        raise file_problem(f"`{path.name}` is in no format that can be read", hint=_FORMATS)
    if not path.is_file():
        raise file_problem(f"`{path}` is not a file")
    if suffix == ".parquet":
        return _parquet(path, schema, mapping, ordered)
    rows = _csv(path, schema, mapping) if suffix == ".csv" else _json_lines(path, schema, mapping)
    return iter(sorted(rows, key=_moment)) if ordered else rows


def count_rows(path: Path) -> int | None:
    """How many rows a Parquet file says it has; None for other formats, where only reading tells."""
    if path.suffix.lower() != ".parquet":
        return None
    found = _query("SELECT sum(num_rows) FROM parquet_file_metadata(?)", path).fetchone()
    return int(found[0]) if found else None


def _moment(row: Row) -> tuple[int, str]:
    raw = row.raw or {}
    moment = raw.get("occurred_at")
    if not isinstance(moment, Instant):
        try:
            moment = Instant.parse(moment) if isinstance(moment, str) else Instant(0)
        except ValueError:
            moment = Instant(0)
    return moment, str(raw.get("payment_id", ""))


# -- Parquet -------------------------------------------------------------------------------------------


def _parquet(path: Path, schema: PaymentSchema, mapping: Mapping[str, str], ordered: bool) -> Iterator[Row]:
    described = _query("DESCRIBE SELECT * FROM read_parquet(?)", path).fetchall()
    types = {name: kind for name, kind, *_ in described}
    layout = layout_of(schema, mapping, set(types))
    columns = [name for name in sorted({*layout.sources.values(), *layout.conditions}) if name in types]
    moment, identity = layout.sources["occurred_at"], layout.sources["payment_id"]
    by_database = ordered and types[moment].startswith("TIMESTAMP")
    order = f"ORDER BY {_quoted(moment)}, {_quoted(identity)}" if by_database else ""
    select = ", ".join(_selected(name, types[name]) for name in columns)
    sql = f"SELECT file_row_number + 1, {select} FROM read_parquet(?, file_row_number = true) {order}"  # noqa: S608
    instants = [name for name in columns if types[name].startswith("TIMESTAMP")]
    rows = _parquet_rows(_query(sql, path), columns, instants, layout)
    return iter(sorted(rows, key=_moment)) if ordered and not by_database else rows


def _parquet_rows(result: Any, columns: list[str], instants: list[str], layout: Layout) -> Iterator[Row]:
    while batch := result.fetchmany(_BATCH_ROWS):
        for number, *values in batch:
            named = dict(zip(columns, values, strict=True))
            for name in instants:
                if named[name] is not None:
                    named[name] = Instant(named[name] * MICROSECOND)
            yield layout.row(number, named)


def _selected(column: str, kind: str) -> str:
    # As a number, so that no time zone database of another library is asked.
    return f"epoch_us({_quoted(column)})" if kind.startswith("TIMESTAMP") else _quoted(column)


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _query(sql: str, path: Path) -> Any:
    try:
        import duckdb
    except ImportError:
        raise file_problem("Parquet files need DuckDB", hint="install it with: pip install 'makegood[files]'") from None
    try:
        return duckdb.connect().execute(sql, [str(path)])
    except duckdb.Error as error:
        raise file_problem(f"`{path.name}` cannot be read: {str(error).splitlines()[0]}") from None


# -- CSV -----------------------------------------------------------------------------------------------


def _csv(path: Path, schema: PaymentSchema, mapping: Mapping[str, str]) -> Iterator[Row]:
    header = _csv_header(path)
    return _csv_rows(path, header, layout_of(schema, mapping, set(header)))


def _csv_header(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            header = next(csv.reader(_text_lines(file, path), strict=True), None)
        except (csv.Error, UnicodeDecodeError) as error:
            raise file_problem(f"`{path.name}` has no header that can be read: {error}") from None
    if not header:
        raise file_problem(f"`{path.name}` is empty; its first line must name the columns")
    if len(set(header)) != len(header):
        raise file_problem(f"`{path.name}` names a column twice")
    return header


def _csv_rows(path: Path, header: list[str], layout: Layout) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(_text_lines(file, path), strict=True)
        number = -1  # The header is row 0.
        while True:
            number += 1
            try:
                values = next(reader, None)
            except (csv.Error, UnicodeDecodeError) as error:
                yield Row(number, None, f"cannot be read, nor can what follows: {error}")
                return
            if values is None:
                return
            if number == 0:
                continue
            if len(values) == len(header):
                columns = {column: text or None for column, text in zip(header, values, strict=True)}
                yield _typed(layout.row(number, columns), layout)
            else:
                yield Row(number, None, f"has {len(values)} columns, the header has {len(header)}")


def _typed(row: Row, layout: Layout) -> Row:
    if row.raw is None:
        return row
    typed = {field: typed_from_text(layout.schema, field, text) for field, text in row.raw.items()}
    return Row(row.number, typed)


def _text_lines(file: TextIO, path: Path) -> Iterator[str]:
    while line := file.readline(FILE_LINE_BYTES_MAX):
        if len(line) >= FILE_LINE_BYTES_MAX:
            raise file_problem(f"`{path.name}` has a line of more than {FILE_LINE_BYTES_MAX} characters")
        yield line


# -- JSON lines ----------------------------------------------------------------------------------------


def _json_lines(path: Path, schema: PaymentSchema, mapping: Mapping[str, str]) -> Iterator[Row]:
    return _json_rows(path, layout_of(schema, mapping, None), renames_amount="amount" not in mapping)


def _json_rows(path: Path, layout: Layout, *, renames_amount: bool) -> Iterator[Row]:
    with path.open("rb") as file:
        number = 0
        while line := file.readline(FILE_LINE_BYTES_MAX + 1):
            number += 1
            if len(line) > FILE_LINE_BYTES_MAX:
                _skip_rest(file, line)
                yield Row(number, None, f"is longer than {FILE_LINE_BYTES_MAX} bytes")
            elif line.strip():
                columns = _json_object(line)
                if isinstance(columns, str):
                    yield Row(number, None, columns)
                    continue
                if renames_amount and "amount" not in columns and AMOUNT_COLUMN in columns:
                    columns["amount"] = columns[AMOUNT_COLUMN]
                yield layout.row(number, columns)


def _json_object(line: bytes) -> dict[str, Any] | str:
    """The object on a line, or why there is none."""
    try:
        decoded = _DECODER.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return f"is not JSON: {error}"
    return decoded if isinstance(decoded, dict) else "is not a JSON object"


def _skip_rest(file: BinaryIO, line: bytes) -> None:
    while line and not line.endswith(b"\n"):
        line = file.readline(FILE_LINE_BYTES_MAX)

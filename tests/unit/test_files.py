"""Payment files: three formats, one shape of row."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.pricing_world import SCHEMA, raw_payment

from makegood.clock import Instant
from makegood.domain.payment import parse_payment
from makegood.domain.policy import PaymentSchema
from makegood.errors import Problem, ProblemCode
from makegood.files.payments import count_rows, read_payments
from makegood.files.rows import Row
from makegood.limits import FILE_LINE_BYTES_MAX

duckdb = pytest.importorskip("duckdb")

Writer = Callable[[Path, list[dict[str, Any]]], Path]


def write_jsonl(folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / "payments.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def write_csv(folder: Path, rows: list[dict[str, Any]]) -> Path:
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [",".join(names)] + [",".join(_cell(row.get(name)) for name in names) for row in rows]
    path = folder / "payments.csv"
    path.write_text("\r\n".join(lines) + "\r\n", encoding="utf-8")
    return path


def _cell(value: Any) -> str:
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
    return '"' + text.replace('"', '""') + '"'


def write_parquet(folder: Path, rows: list[dict[str, Any]]) -> Path:
    source = write_jsonl(folder, rows)
    path = folder / "payments.parquet"
    cast = "* REPLACE (occurred_at::TIMESTAMPTZ AS occurred_at)"
    duckdb.connect().execute(
        f"COPY (SELECT {cast} FROM read_json(?, timestampformat='none', dateformat='none')) TO '{path}'",
        [str(source)],
    )
    return path


WRITERS = pytest.mark.parametrize("write", [write_jsonl, write_csv, write_parquet])


def rows_of(path: Path, schema: PaymentSchema = SCHEMA, **options: Any) -> list[Row]:
    return list(read_payments(path, schema, **options))


def raws(rows: list[Row]) -> list[dict[str, Any]]:
    return [row.raw for row in rows if row.raw is not None]


@WRITERS
def test_every_format_gives_the_same_payments(write: Writer, tmp_path: Path) -> None:
    full = raw_payment(payer_segments=["gold", "new"], store_type="chain", codes=["A;B"], payer_is_new=True)
    bare = raw_payment(payment_id="p-2", payer_id=None, occurred_at="2027-02-03T04:00:01.000001Z")
    read = raws(rows_of(write(tmp_path, [full, bare])))
    expected = [parse_payment(one, SCHEMA) for one in (full, bare)]
    assert [parse_payment(one, SCHEMA) for one in read] == expected


@WRITERS
def test_rows_are_numbered_as_in_the_file_also_when_sorted(write: Writer, tmp_path: Path) -> None:
    moments = ["2027-02-03T04:00:02Z", "2027-02-03T04:00:01Z", "2027-02-03T04:00:02Z"]
    rows = [raw_payment(payment_id=f"p-{3 - n}", occurred_at=at) for n, at in enumerate(moments)]
    path = write(tmp_path, rows)
    assert [row.number for row in rows_of(path)] == [1, 2, 3]
    assert [row.number for row in rows_of(path, ordered=True)] == [2, 3, 1]


@WRITERS
def test_columns_that_the_policy_does_not_declare_are_ignored(write: Writer, tmp_path: Path) -> None:
    path = write(tmp_path, [raw_payment() | {"weather": "rain", "paid": 9}])
    assert set(raws(rows_of(path))[0]) == set(raw_payment())


@WRITERS
def test_an_amount_may_be_called_amount_minor(write: Writer, tmp_path: Path) -> None:
    row = raw_payment()
    row["amount_minor"] = row.pop("amount")
    assert raws(rows_of(write(tmp_path, [row])))[0]["amount"] == 12_000


@WRITERS
def test_an_amount_comes_before_amount_minor(write: Writer, tmp_path: Path) -> None:
    assert raws(rows_of(write(tmp_path, [raw_payment() | {"amount_minor": 1}])))[0]["amount"] == 12_000


@WRITERS
def test_a_column_can_be_mapped_to_a_field(write: Writer, tmp_path: Path) -> None:
    row = raw_payment() | {"total": 700, "payment_type": "online", "status": "completed"}
    read = rows_of(write(tmp_path, [row]), mapping={"amount": "total", "scene": "payment_type"})
    assert (raws(read)[0]["amount"], raws(read)[0]["scene"]) == (700, "online")


@WRITERS
def test_only_completed_purchases_are_priced(write: Writer, tmp_path: Path) -> None:
    kinds = [("purchase", "completed"), ("reversal", "completed"), ("purchase", "disputed")]
    rows = [raw_payment(payment_id=f"p-{n}") | {"payment_type": k, "status": s} for n, (k, s) in enumerate(kinds)]
    read = rows_of(write(tmp_path, rows))
    assert [row.raw is not None for row in read] == [True, False, False]
    assert [row.error for row in read] == [None, None, None]


@WRITERS
def test_the_only_scene_of_a_policy_is_the_default(write: Writer, tmp_path: Path) -> None:
    schema = PaymentSchema(SCHEMA.currency, SCHEMA.fields, single_scene="in_store_qr")
    path = write(tmp_path, [raw_payment(scene=None)])
    assert raws(rows_of(path, schema))[0]["scene"] == "in_store_qr"


@pytest.mark.parametrize("write", [write_csv, write_parquet])
def test_a_required_field_without_a_column_is_told_once(write: Writer, tmp_path: Path) -> None:
    path = write(tmp_path, [raw_payment(instrument=None, city=None)] * 3)
    with pytest.raises(Problem, match="lacks fields that the policy requires") as caught:
        rows_of(path)
    assert caught.value.code is ProblemCode.PAYMENT_FILE_IS_WRONG
    assert sorted(error.path for error in caught.value.errors) == ["/city", "/instrument"]
    assert "--map city=COLUMN" in str(caught.value.errors)


@pytest.mark.parametrize(
    ("mapping", "message"), [({"colour": "city"}, "`colour` is not a field"), ({"city": "town"}, "no column `town`")]
)
def test_a_mapping_that_names_nothing_is_refused(mapping: dict[str, str], message: str, tmp_path: Path) -> None:
    with pytest.raises(Problem, match=message):
        rows_of(write_csv(tmp_path, [raw_payment()]), mapping=mapping)


def test_a_parquet_timestamp_without_a_zone_is_utc(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path, [raw_payment(occurred_at="2027-02-03 04:00:00.25")])
    path = tmp_path / "naive.parquet"
    duckdb.connect().execute(
        f"COPY (SELECT * REPLACE (occurred_at::TIMESTAMP AS occurred_at) FROM read_json(?)) TO '{path}'", [str(source)]
    )
    assert raws(rows_of(path))[0]["occurred_at"] == Instant.parse("2027-02-03T04:00:00.25Z")


def test_a_parquet_file_says_how_many_rows_it_has(tmp_path: Path) -> None:
    assert count_rows(write_parquet(tmp_path, [raw_payment()] * 3)) == 3
    assert count_rows(write_csv(tmp_path, [raw_payment()])) is None


def test_text_that_does_not_convert_stays_text_for_the_parser_to_refuse(tmp_path: Path) -> None:
    row = raw_payment(amount="12.50", payer_is_new="maybe", items_count="0x1", payer_segments="[oops")
    read = raws(rows_of(write_csv(tmp_path, [row])))[0]
    assert {name: read[name] for name in ("amount", "payer_is_new", "items_count", "payer_segments")} == {
        "amount": "12.50",
        "payer_is_new": "maybe",
        "items_count": "0x1",
        "payer_segments": "[oops",
    }


def test_a_csv_list_is_joined_by_semicolons_or_json(tmp_path: Path) -> None:
    rows = [raw_payment(payer_segments="gold;new"), raw_payment(payer_segments='["gold","new"]')]
    assert [raw["payer_segments"] for raw in raws(rows_of(write_csv(tmp_path, rows)))] == [["gold", "new"]] * 2


def test_a_csv_row_of_another_width_is_an_error_and_the_rest_is_read(tmp_path: Path) -> None:
    path = write_csv(tmp_path, [raw_payment(), raw_payment(payment_id="p-2")])
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0], "a,b", *lines[1:]]) + "\n", encoding="utf-8")
    read = rows_of(path)
    assert [row.error for row in read] == ["has 2 columns, the header has 12", None, None]
    assert [row.number for row in read] == [1, 2, 3]


def test_a_csv_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = write_csv(tmp_path, [raw_payment()])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(raws(rows_of(path))) == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("payments.csv", b"", "is empty"),
        ("payments.csv", b"a,a\n1,2\n", "names a column twice"),
        ("payments.csv", b"\xff\xfe\n", "has no header that can be read"),
        ("payments.parquet", b"not parquet at all", "cannot be read"),
        ("payments.xlsx", b"", "is in no format that can be read"),
        ("payments.csv", b"x" * (FILE_LINE_BYTES_MAX + 1), "has a line of more than"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_problem(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Problem, match=message):
        rows_of(tmp_path / name)


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="is not a file"):
        rows_of(tmp_path / "absent.csv")


def test_bad_json_lines_are_errors_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "payments.jsonl"
    good = json.dumps(raw_payment()).encode()
    long = b'{"city": "' + b"x" * FILE_LINE_BYTES_MAX + b'"}'
    deep = b"[" * 100_000
    path.write_bytes(b"\n".join([b"{", good, b"", b"[1]", long, deep, b"\xff", good]))
    read = rows_of(path)
    errors = [(row.number, row.error) for row in read if row.error is not None]
    assert [number for number, _ in errors] == [1, 4, 5, 6, 7]
    assert [row.number for row in read if row.raw is not None] == [2, 8]
    assert dict(errors)[4] == "is not a JSON object"
    assert dict(errors)[5] == f"is longer than {FILE_LINE_BYTES_MAX} bytes"


def test_sorting_puts_rows_without_a_moment_first(tmp_path: Path) -> None:
    rows = [raw_payment(), raw_payment(occurred_at="yesterday")]
    assert [row.number for row in rows_of(write_jsonl(tmp_path, rows), ordered=True)] == [2, 1]

"""SQL text of expressions: what DuckDB makes of it, how long it gets, and that no text of a user leaves its quotes."""

import itertools
import random
from collections.abc import Mapping
from typing import Any
from zoneinfo._zoneinfo import ZoneInfo as Tables  # type: ignore[import-not-found,unused-ignore]  # Python's own reader shows its table.

import duckdb
import pytest

from makegood.clock import SECOND
from makegood.domain.policy import CORE_FIELDS, Field, FieldType, PaymentSchema
from makegood.files.columns import evaluate_columns, evaluate_rows
from makegood.rules.check import check_expression
from makegood.rules.civil import TIMESTAMP_MAX, TIMESTAMP_MIN, days_of
from makegood.rules.columns import DUCKDB, SPARK, render
from makegood.rules.columns_zone import zone_changes
from makegood.rules.environment import payment_environment, variable_environment
from makegood.rules.evaluate import EvaluationError, compile_expression
from makegood.rules.expression import Expression
from makegood.rules.literals import INT64_MAX, INT64_MIN
from makegood.rules.types import Kind, parse_type

FIELDS = (*(field for field in CORE_FIELDS if field.name != "amount"), Field("amount", FieldType.INT, min=1, max=10**9))
PAYMENTS = payment_environment(PaymentSchema("CNY", {field.name: field for field in FIELDS}))
TYPES = {
    "x": "int", "y": "int", "b": "bool", "s": "string", "t": "timestamp", "u": "timestamp", "d": "duration",
    "l": "list(int)", "texts": "list(string)", "z": "dyn", "nothing": "null", "nested": "list(list(timestamp))",
}  # fmt: skip
VARIABLES = variable_environment({name: parse_type(kind) for name, kind in TYPES.items()})
YEARS = (1, 1700, 1883, 1901, 1950, 1970, 1987, 2007, 2026, 2038, 2086, 2101, 2200, 2201, 2438, 2500, 4000, 9999)
ZONES = (
    "Asia/Shanghai",
    "America/New_York",
    "Europe/Amsterdam",
    "Africa/Casablanca",
    "Asia/Gaza",
    "Australia/Lord_Howe",
)


def tree(text: str, environment: Any = VARIABLES) -> Expression:
    checked = check_expression(text, environment, want=None)
    assert checked.expression is not None, checked.findings
    return checked.expression


def both(text: str, values: Mapping[str, Any]) -> tuple[Any, Any]:
    """The value in DuckDB and the function's own; None for an error."""
    expression = tree(text)
    answers = []
    for machine in (evaluate_columns, lambda each, row: compile_expression(each, tuple(row))(*row.values())):
        try:
            answers.append(machine(expression, values))
        except EvaluationError:
            answers.append(None)
    return answers[0], answers[1]


@pytest.mark.parametrize("operator", ["+", "-", "*", "/", "%", "<", "=="])
def test_the_edges_of_int64_are_the_same_in_every_operation(operator: str) -> None:
    edges = (INT64_MIN, INT64_MIN + 1, -3_037_000_500, -7, -1, 0, 1, 2, 7, 3_037_000_500, INT64_MAX - 1, INT64_MAX)
    expression = tree(f"x {operator} y")
    function = compile_expression(expression, ("x", "y"))
    rows = [{"x": one, "y": other} for one in edges for other in edges]
    for row, answer in zip(rows, evaluate_rows(expression, rows), strict=True):
        try:
            expected = function(row["x"], row["y"])
        except EvaluationError:
            assert isinstance(answer, EvaluationError), row
        else:
            assert answer == expected, row


@pytest.mark.parametrize("index", [INT64_MIN, -2, -1, 0, 1, 2, 2**31 - 2, 2**31, INT64_MAX])
def test_an_index_outside_a_list_is_an_error_and_never_counts_from_its_end(index: int) -> None:
    ours, expected = both("l[x]", {"l": (10, 20), "x": index})
    assert ours == expected


@pytest.mark.parametrize(
    "text",
    [
        "'; DROP TABLE payments; --",
        "it''s",
        'a"b`c',
        "\\'",
        "\\",
        "?",
        "$1",
        "%s",
        "e\u0301",
        "\u00e9",
        "a\0b",
        "\u2028",
        "{0}",
    ],
)
def test_a_text_stays_a_text(text: str) -> None:
    written = '"' + "".join(f"\\U{ord(char):08x}" for char in text) + '"'
    assert evaluate_columns(tree(written), {}) == text
    assert evaluate_columns(tree(f"s == {written} && size(s) == {len(text)}"), {"s": text}) is True
    assert evaluate_columns(tree(f"[s, s].map(each, each + {written})"), {"s": text}) == (text + text,) * 2


def test_a_column_name_stays_a_name() -> None:
    schema = PaymentSchema("CNY", {'a" OR "b': Field('a" OR "b', FieldType.INT)})
    assert DUCKDB.identifier(next(iter(schema.fields))) == '"a"" OR ""b"'
    assert SPARK.identifier("a`b") == "`a``b`"
    assert SPARK.text("it's \\ \0") == "'it\\'s \\\\ \\u0000'"


def test_texts_are_ordered_by_code_point_and_counted_in_code_points() -> None:
    texts = (
        "",
        "A",
        "Z",
        "a",
        "e\u0301",
        "\u00e9",
        "\u4eac",
        "\uffff",
        "\U0001f431",
        "\U0001f468\u200d\U0001f469",
        "a\0",
    )
    for one in texts:
        assert both("size(s)", {"s": one}) == (len(one), len(one))
        for other in texts:
            found = evaluate_columns(tree("s < texts[0] && !(texts[0] <= s)"), {"s": one, "texts": (other,)})
            assert found is (one < other), (one, other)


def test_equal_to_the_eye_is_not_equal() -> None:
    assert evaluate_columns(tree("s == texts[0] || s in texts"), {"s": "e\u0301", "texts": ("\u00e9",)}) is False


@pytest.mark.parametrize("zone", ["UTC", "+05:30", "-00:30", *ZONES])
def test_calendar_fields_are_exact_in_every_year_and_around_every_change(zone: str) -> None:
    chance = random.Random(zone)
    moments = [days_of(year, 1, 1) * 86_400 + chance.randint(0, 365 * 86_400) for year in YEARS for _ in range(6)]
    changes = chance.sample(zone_changes(zone)[1:], min(40, len(zone_changes(zone)) - 1))
    moments += [moment + near for moment, _ in changes for near in (-1, 0, 1)]
    instants = [TIMESTAMP_MIN, TIMESTAMP_MAX, -1, *(moment * SECOND + 1 for moment in moments)]
    parts: tuple[str, ...] = ("getFullYear", "getDayOfYear", "getHours", "getMinutes")
    if ":" in zone or zone == "UTC":
        parts += ("getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getSeconds")
    expression = tree("[" + ", ".join(f't.{part}("{zone}")' for part in parts) + ", t.getMilliseconds()]")
    function = compile_expression(expression, ("t",))
    answers = evaluate_rows(expression, [{"t": instant} for instant in instants])
    assert answers == [function(instant) for instant in instants]


def test_a_zone_is_read_the_same_from_a_column_and_from_a_sum() -> None:
    instants = [days_of(year, month, 9) * 86_400 * SECOND for year in YEARS[:-1] for month in (1, 4, 7, 11)]
    expression = tree('t.getHours("America/New_York") == (t + duration("1ns")).getHours("America/New_York")')
    assert evaluate_rows(expression, [{"t": instant} for instant in instants]) == [True] * len(instants)


@pytest.mark.parametrize("zone", [*ZONES, "Africa/Freetown", "America/Boa_Vista", "Africa/El_Aaiun", "Asia/Manila"])
def test_every_change_in_a_zone_s_table_is_found(zone: str) -> None:
    table: Any = Tables(zone)
    offsets = [int(each.utcoff.total_seconds()) for each in table._ttinfos]
    written = zip(table._trans_utc[1:], offsets[1:], offsets, strict=False)
    changes = zone_changes(zone)
    assert {(moment, new) for moment, new, old in written if new != old} <= set(changes)
    assert all(one[1] != other[1] for one, other in itertools.pairwise(changes))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("t - u", {"t": TIMESTAMP_MAX, "u": TIMESTAMP_MIN}),
        ("t - u", {"t": 9_223_372_036 * SECOND + 854_775_807, "u": 0}),
        ("t - u", {"t": -9_223_372_036 * SECOND - 854_775_808, "u": 0}),
        ("t + d", {"t": TIMESTAMP_MAX, "d": 1}),
        ("t - d", {"t": TIMESTAMP_MIN, "d": 1}),
        ("d + d", {"d": 2**62}),
        ("string(t) + string(d)", {"t": -1, "d": INT64_MIN}),
        ("string(t)", {"t": TIMESTAMP_MIN + 120_000_000}),
        ("int(s)", {"s": "+0009223372036854775807"}),
        ("int(s)", {"s": "\x0b12\x0c"}),
        ("int(s)", {"s": "12\x85"}),
        ("int(s)", {"s": "1_000"}),
        ("int(s)", {"s": "1e3"}),
        ("int(s)", {"s": "0x10"}),
        ("bool(s)", {"s": "TRUE "}),
        ("timestamp(x)", {"x": INT64_MAX}),
        ("-x", {"x": INT64_MIN}),
    ],
)
def test_an_edge_of_a_conversion_is_the_same(text: str, values: Mapping[str, Any]) -> None:
    ours, expected = both(text, values)
    assert ours == expected


@pytest.mark.parametrize(
    "value",
    [
        (Kind.NULL, None), (Kind.BOOL, True), (Kind.INT, -7), (Kind.STRING, "1:n"), (Kind.TIMESTAMP, TIMESTAMP_MIN),
        (Kind.LIST, ((Kind.STRING, "\U0001f431:"), (Kind.LIST, ()), (Kind.NULL, None))),
    ],
)  # fmt: skip
def test_a_value_that_carries_its_type_comes_back_with_it(value: Any) -> None:
    for text in ("z", "[z, 1][0]", "[[z], 's', null].map(each, each)[0]", "z == 1", "z in [1, 's', z]"):
        ours, expected = both(text, {"z": value})
        assert ours == expected, text


def test_a_null_is_a_value_and_no_error() -> None:
    assert evaluate_rows(tree("nothing == null"), [{"nothing": None}]) == [True]
    assert evaluate_rows(tree("nothing"), [{"nothing": None}]) == [None]


def test_a_variable_without_a_value_is_an_error_that_logic_absorbs() -> None:
    assert both("x > 1 || true", {}) == (True, True)
    with pytest.raises(EvaluationError):
        evaluate_columns(tree("x > 1 || false"), {})


def test_nested_lists_come_back_whole() -> None:
    nested = ((TIMESTAMP_MAX,), (), (0, -1))
    assert both("nested.filter(each, size(each) != 1) + nested", {"nested": nested}) == (nested[1:] + nested,) * 2


@pytest.mark.parametrize(
    ("seed", "form"),
    [
        ("x", "({0} / y)"), ("x", "(y % {0})"), ("b", "({0} ? b : !b)"), ("x", "(x / y > 0 ? 1 : {0})"),
        ("t", "({0} + d)"), ("d", "(({0} + t) - t)"), ("x", "int(string({0}))"), ("x", "l[{0}]"),
        ("l", "[x / y, {0}[0]]"),
        ("b", "bool(string({0}))"), ("z", 'dyn([{0}, 1, "a"])'), ("b", "({0} in [b, x / y > 0])"),
        ("l", "{0}.filter(i, i / y < 9)"),
    ],
)  # fmt: skip
def test_text_grows_no_faster_than_nesting(seed: str, form: str) -> None:
    few, many = (_nested(seed, form, depth) for depth in (4, 8))
    assert len(render(many)) < 2.5 * len(render(few))
    values = {"x": 5, "y": -3, "b": True, "t": 10**18, "d": SECOND, "l": (1, 2, 3), "z": (Kind.INT, 1)}
    wanted = None
    try:
        wanted = compile_expression(many, tuple(values))(*values.values())
    except EvaluationError:
        wanted = EvaluationError
    found = evaluate_rows(many, [values])[0]
    assert found == wanted or (wanted is EvaluationError and isinstance(found, EvaluationError))


def _nested(seed: str, form: str, depth: int) -> Expression:
    text = seed
    for _ in range(depth):
        text = form.replace("{0}", text)
    return tree(text)


def test_a_condition_selects_the_payments_of_a_table() -> None:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE payments (amount BIGINT, scene VARCHAR, codes VARCHAR[], occurred_at BIGINT)")
    connection.execute(
        "INSERT INTO payments VALUES (100, 'qr', ['MAY'], 0), (200, 'qr', NULL, 0), (300, 'transfer', ['MAY'], 0),"
        " (400, 'qr', [], 1800000000000000000)"
    )
    chosen = {
        'payment.scene == "qr" && payment.amount >= 200': [200, 400],
        'has(payment.codes) && "MAY" in payment.codes': [100, 300],
        '!has(payment.codes) || payment.codes.all(code, code != "MAY")': [200, 400],
        'payment.occurred_at.getFullYear("Asia/Shanghai") > 2026': [400],
    }
    for text, amounts in chosen.items():
        condition = render(tree(text, PAYMENTS))
        rows = connection.execute(f"SELECT amount FROM payments AS payment WHERE {condition} ORDER BY 1").fetchall()
        assert [amount for (amount,) in rows] == amounts, text


def test_a_list_of_nine_thousand_entries_and_a_chain_of_a_thousand_terms_are_one_query() -> None:
    entries = ", ".join(str(7 * number) for number in range(9_000))
    assert evaluate_columns(tree(f"x in [{entries}]"), {"x": 7 * 8_999}) is True
    terms = " || ".join(f"x / y == {number}" for number in range(1_000))
    assert evaluate_columns(tree(terms), {"x": 1998, "y": 2}) is True


def test_spark_is_the_same_walk_in_other_words() -> None:
    text = 'payment.codes.exists(code, code.startsWith("M")) && payment.amount / 3 > 2'
    sql = render(tree(f"has(payment.codes) && {text}", PAYMENTS), SPARK)
    assert sql == (
        "((`payment`.`codes` IS NOT NULL) AND array_contains(transform(`payment`.`codes`, v1 -> "
        "startswith(v1, 'M')), TRUE) AND ((`payment`.`amount` div CAST(3 AS BIGINT)) > CAST(2 AS BIGINT)))"
    )

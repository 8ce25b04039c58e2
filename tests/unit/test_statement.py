"""A statement as a file: it adds up, in the digits of its currency, and no cell of it is a formula."""

import csv
import datetime as dt
import io
from dataclasses import replace

import pytest

from makegood.domain.statement import COLUMNS, NO_STATEMENT, Line, Statement, hash_of, plain, rows_of, safe

LINE = Line("spring", 1, 3_333, total_before=100, total=350, billed_before=33, billed=117, batch=7)
CREDIT = Line("coffee", 1, 10_000, total_before=50, total=20, billed_before=50, billed=20, batch=8)
STATEMENT = Statement(
    "acme", "ann", "CNY", "Asia/Shanghai", dt.date(2027, 2, 3), 2, 83, 137, 9, NO_STATEMENT, bytes(32), (CREDIT, LINE)
)


def rows(*statements: Statement) -> list[dict[str, str]]:
    stream = io.StringIO()
    lines = csv.writer(stream)
    lines.writerow(COLUMNS)
    lines.writerows(rows_of(statements))
    return list(csv.DictReader(io.StringIO(stream.getvalue())))


def test_opening_and_lines_are_the_closing_balance() -> None:
    assert STATEMENT.adds_up
    opening, *lines, closing = rows(STATEMENT)
    amounts = [int(line["amount_minor"]) for line in lines]
    assert (amounts, sum(amounts)) == ([-30, 84], int(closing["amount_minor"]))
    assert int(opening["balance_minor"]) + sum(amounts) == int(closing["balance_minor"]) == 137
    assert [line["balance"] for line in lines] == ["0.53", "1.37"]


def test_a_statement_that_does_not_add_up_is_known() -> None:
    assert not replace(STATEMENT, closing=138).adds_up


def test_every_row_names_house_currency_zone_day_batch_and_hash() -> None:
    for row in rows(STATEMENT):
        assert (row["house"], row["funder"], row["currency"], row["zone"]) == ("acme", "ann", "CNY", "Asia/Shanghai")
        assert (row["day"], row["number"], row["hash"]) == ("2027-02-03", "2", "00" * 32)
    assert [row["batch"] for row in rows(STATEMENT)] == ["9", "8", "7", "9"]
    assert [row["share"] for row in rows(STATEMENT)] == ["", "100%", "33.33%", ""]


@pytest.mark.parametrize(
    ("currency", "minor", "text"),
    [("CNY", 12_345, "123.45"), ("CNY", -5, "-0.05"), ("JPY", 12_345, "12345"), ("KWD", 12_345, "12.345")],
)
def test_amounts_have_the_digits_of_their_currency(currency: str, minor: int, text: str) -> None:
    assert plain(minor, currency) == text
    line = replace(LINE, billed_before=0, billed=minor)
    one = replace(STATEMENT, currency=currency, opening=0, closing=minor, lines=(line,))
    assert [row["amount"] for row in rows(one)] == ["", text, text]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "|calc", "%x"])
def test_no_text_is_a_formula(text: str) -> None:
    assert safe(text) == f"'{text}"
    row = rows(replace(STATEMENT, funder=text, lines=(replace(LINE, campaign=text),)))[1]
    assert (row["funder"], row["campaign"]) == (f"'{text}", f"'{text}")


def test_a_plain_name_stays_as_it_is() -> None:
    assert safe("merchant-lin") == "merchant-lin"


def test_a_hash_depends_on_every_word_of_a_statement() -> None:
    changed = [
        replace(STATEMENT, house="acme2"),
        replace(STATEMENT, funder="ben"),
        replace(STATEMENT, currency="USD"),
        replace(STATEMENT, zone="UTC"),
        replace(STATEMENT, day=dt.date(2027, 2, 4)),
        replace(STATEMENT, number=3),
        replace(STATEMENT, opening=84),
        replace(STATEMENT, closing=138),
        replace(STATEMENT, batch=10),
        replace(STATEMENT, previous=bytes(31) + b"\1"),
        replace(STATEMENT, lines=(CREDIT,)),
        *(
            replace(STATEMENT, lines=(replace(CREDIT, **{name: getattr(CREDIT, name) + 1}), LINE))
            for name in ("funding", "weight", "total_before", "total", "billed_before", "billed")
        ),
        replace(STATEMENT, lines=(replace(CREDIT, campaign="coffee2"), LINE)),
    ]
    assert len({hash_of(one) for one in (STATEMENT, *changed)}) == len(changed) + 1
    assert hash_of(replace(STATEMENT, lines=(LINE, CREDIT))) == hash_of(STATEMENT)  # Their order says nothing.

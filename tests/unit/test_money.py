"""Money: texts, rounding, splits and what a refund returns."""

import pytest

from makegood.limits import MONEY_MINOR_MAX
from makegood.money import (
    Money,
    currency_digits,
    format_money,
    format_rate,
    parse_money,
    parse_rate,
    returned_after,
    share,
    split,
)


@pytest.mark.parametrize(
    ("text", "money"),
    [
        ("50.00 CNY", Money(5000, "CNY")),
        ("50 CNY", Money(5000, "CNY")),
        ("0.01 USD", Money(1, "USD")),
        ("0 USD", Money(0, "USD")),
        ("500 JPY", Money(500, "JPY")),
        ("1.250 KWD", Money(1250, "KWD")),
    ],
)
def test_an_amount_is_read_in_the_minor_unit_of_its_currency(text: str, money: Money) -> None:
    assert parse_money(text) == money


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("50.00", "is not an amount with its currency"),
        ("50.00CNY", "is not an amount with its currency"),
        ("050 CNY", "is not an amount with its currency"),
        ("5,000.00 CNY", "is not an amount with its currency"),
        ("1e3 CNY", "is not an amount with its currency"),
        ("٥ CNY", "is not an amount with its currency"),
        ("50.0 CNY", "must have 2 digits after the point"),
        ("50.00 JPY", "must have 0 digits after the point"),
        ("1.25 KWD", "must have 3 digits after the point"),
        ("-1.00 CNY", "is negative"),
        ("1.00 ZZZ", "is not an ISO 4217 currency"),
        ("999999999999999 CNY", "is above the largest amount"),
    ],
)
def test_what_is_no_amount_is_refused_in_words(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_money(text)


def test_the_largest_amount_is_accepted_and_one_unit_more_is_not() -> None:
    assert parse_money(format_money(MONEY_MINOR_MAX, "CNY")).minor == MONEY_MINOR_MAX
    with pytest.raises(ValueError, match="above the largest"):
        parse_money(format_money(MONEY_MINOR_MAX + 1, "CNY"))


def test_money_is_written_with_all_its_digits() -> None:
    assert str(Money(5, "CNY")) == "0.05 CNY"
    assert str(Money(-1250, "KWD")) == "-1.250 KWD"
    assert str(Money(500, "JPY")) == "500 JPY"


def test_currencies_have_their_own_number_of_digits() -> None:
    assert [currency_digits(code) for code in ("CNY", "JPY", "KWD")] == [2, 0, 3]


@pytest.mark.parametrize(("text", "basis_points"), [("20%", 2000), ("0.25%", 25), ("0.5%", 50), ("100%", 10_000)])
def test_a_rate_is_read_in_basis_points(text: str, basis_points: int) -> None:
    assert parse_rate(text) == basis_points


@pytest.mark.parametrize("text", ["20", "0.2", "20 %", "100.01%", "-5%", "5.125%", "%", "1e1%"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is "):
        parse_rate(text)


def test_rates_are_written_without_trailing_zeros() -> None:
    assert [format_rate(points) for points in (2000, 25, 50, 0, 10_000)] == ["20%", "0.25%", "0.5%", "0%", "100%"]


@pytest.mark.parametrize(
    ("amount", "rate", "discount"), [(10_000, 2000, 2000), (4, 2000, 0), (5, 2000, 1), (9, 2000, 1), (10_001, 1, 1)]
)
def test_a_share_is_rounded_towards_the_smaller_discount(amount: int, rate: int, discount: int) -> None:
    assert share(amount, rate) == discount


def test_a_split_gives_the_odd_units_to_the_largest_remainders() -> None:
    assert split(100, [1, 1, 1]) == (34, 33, 33)
    assert split(10, [7000, 3000]) == (7, 3)
    assert split(5, [7000, 3000]) == (4, 1)  # 3.5 and 1.5: the earlier of equal remainders
    assert split(1665, [333, 333, 334]) == (555, 554, 556)  # 554.445 twice, 556.11: the earlier again


def test_nothing_is_split_into_nothings() -> None:
    assert split(0, [0, 0]) == (0, 0)
    assert split(7, [0, 1]) == (0, 7)


def test_a_split_by_nothing_is_a_bug() -> None:
    with pytest.raises(AssertionError):
        split(1, [0, 0])


def test_the_last_refund_returns_the_remainder() -> None:
    assert [returned_after(2, refunded, 3) for refunded in (0, 1, 2, 3)] == [0, 0, 1, 2]
    assert [returned_after(100, refunded, 999) for refunded in (333, 666, 999)] == [33, 66, 100]


def test_more_cannot_be_refunded_than_was_paid() -> None:
    with pytest.raises(AssertionError):
        returned_after(1, 11, 10)

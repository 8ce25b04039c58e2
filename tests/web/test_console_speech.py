"""Money is exact, dates name their zone's day, shares never lie."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makegood.clock import Instant
from makegood.limits import MONEY_MINOR_MAX
from makegood.web.console.speech import Speech

EN, ZH = Speech("en"), Speech("zh-CN")


@given(st.integers(-MONEY_MINOR_MAX, MONEY_MINOR_MAX), st.sampled_from([("CNY", 2), ("JPY", 0), ("KWD", 3)]))
def test_an_amount_reads_back_to_the_minor_units_it_came_from(minor: int, currency: tuple[str, int]) -> None:
    code, digits = currency
    said = EN.amount(minor, code)
    assert int(said.replace(",", "").replace(".", "")) == minor
    assert len(said.partition(".")[2]) == digits


def test_money_is_never_without_its_currency() -> None:
    assert EN.money(123_456_789, "CNY") == "1,234,567.89\u00a0CNY"
    assert ZH.money(5, "JPY") == "5\u00a0JPY"


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(0, 100, "0%"), (1, 3, "33.33%"), (1, 10**9, "< 0.01%"), (99_999, 100_000, "99.99%"), (7, 7, "100%"), (1, 0, "–")],
)
def test_a_share_is_cut_down_and_what_is_there_is_never_nothing(part: int, whole: int, said: str) -> None:
    assert EN.percent(part, whole) == said


def test_a_moment_is_told_in_its_zone_and_in_the_order_of_the_language() -> None:
    moment = Instant.parse("2027-01-31T16:00:00Z")
    assert EN.moment(moment, "Asia/Shanghai") == "Feb 1, 2027 00:00"
    assert ZH.moment(moment, "Asia/Shanghai") == "2027年2月1日 00:00"
    assert EN.time(moment, "UTC") == "16:00:00"


def test_a_text_that_lacks_one_language_is_said_in_the_other() -> None:
    assert EN.pick({"zh-CN": "春节"}) == "春节"
    assert ZH.pick({"en": "Spring", "zh-CN": "春节"}) == "春节"
    assert EN.pick({}) == ""

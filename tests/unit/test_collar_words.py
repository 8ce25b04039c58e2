"""The words of a trip: both languages, with the numbers that were compared."""

import re

import pytest
from tests.unit.pricing_world import NOON

from makegood.clock import SECOND
from makegood.guard.checks import CollarCheck, Number, PaymentSeen, Trip, listed, moment_text, shown
from makegood.guard.collar_words import words
from makegood.limits import COLLAR_COUNTER_MAX


def trip(check: CollarCheck, seen: Number, allowed: Number, currency: str = "CNY") -> Trip:
    """A trip of one payment of 320.00."""
    about = PaymentSeen("p-1", NOON, 32_000, currency, "in_store_qr", 123_400)
    return Trip("spring", "rev_1", check, seen, allowed, about)


def test_a_trip_is_told_with_its_numbers() -> None:
    told = words(trip(CollarCheck.DISCOUNT_IS_ABOVE_MAX, 123_400, 5_000))
    assert told == {
        "en": "`spring`, payment `p-1`: 1,234.00 CNY off; the brief allows at most 50.00 CNY; the breaker opens.",
        "zh-CN": "活动`spring`，支付`p-1`：立减1,234.00元，立项单规定每笔最多50.00元；熔断器打开。",
    }


def test_a_grant_that_is_only_withheld_is_told_so() -> None:
    told = words(trip(CollarCheck.LEASE_IS_NOT_FRESH, -SECOND // 2, 60 * SECOND))
    assert told["en"].endswith(
        "the node's lease has -0.5 s left; between 0 and 60.0 s is right; this grant is withheld."
    )
    assert told["zh-CN"].endswith("本笔优惠不予发放。")


@pytest.mark.parametrize("check", CollarCheck)
def test_every_check_has_words_of_its_own_in_both_languages(check: CollarCheck) -> None:
    told = words(trip(check, 1_234_567, 7_654_321))
    assert set(told) == {"en", "zh-CN"}
    assert re.search("[一-鿿]", told["zh-CN"])
    assert not re.search("[一-鿿]", told["en"])
    others = [words(trip(other, 1_234_567, 7_654_321)) for other in CollarCheck if other is not check]
    assert all(told["en"] != other["en"] and told["zh-CN"] != other["zh-CN"] for other in others)


@pytest.mark.parametrize("currency", ["JPY", "KWD", "nonsense", ""])
def test_money_of_any_currency_has_words(currency: str) -> None:
    said = words(trip(CollarCheck.DISCOUNT_IS_ABOVE_MAX, -1_234_567, 5_000, currency))["en"]
    assert {"JPY": "-1,234,567 JPY", "KWD": "-1,234.567 KWD"}.get(currency, "-1,234,567") in said


def test_evidence_of_anything_is_short() -> None:
    assert [shown(value) for value in (5, "text", 2**80, -(2**80))] == [
        5,
        "text",
        COLLAR_COUNTER_MAX,
        -COLLAR_COUNTER_MAX,
    ]
    assert [shown(value) for value in (True, float("nan"), None)] == ["bool True", "float nan", "NoneType None"]
    assert len(str(shown("x" * 10_000))) < 1_000
    assert listed(["g", "f", "e", "d", "c", "b", "a"]) == "a, b, c, d, e, …"
    assert listed(["b", "a"]) == "a, b"
    assert moment_text(NOON) == "2027-02-03T04:00:00Z"
    assert moment_text(2**80) == f"{COLLAR_COUNTER_MAX} ns"

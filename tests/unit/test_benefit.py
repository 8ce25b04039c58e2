"""Benefits: the gross discount of each kind, and the draw of a random one."""

from collections import Counter
from datetime import date

import pytest

from makegood.domain.benefit import (
    AmountOff,
    Draw,
    PaymentBenefit,
    PercentOff,
    RandomOff,
    Tier,
    Tiers,
    draw_uniform,
    gross_discount,
    largest_discount,
)

DAY = date(2027, 2, 1)
TIERS = Tiers((Tier(10_000, 1000), Tier(20_000, 3000)))
PINNED = [744, 736, 38, 462, 154, 365]


def draw(who: str, *, campaign: str = "spring", day: date = DAY, secret: bytes = b"secret") -> Draw:
    return Draw(secret, campaign, who, day)


@pytest.mark.parametrize(
    ("benefit", "amount", "discount"),
    [
        (PercentOff(2000, 5000), 10_000, 2000),
        (PercentOff(2000, 5000), 10_004, 2000),
        (PercentOff(2000, 5000), 25_000, 5000),
        (PercentOff(2000, 5000), 400_000, 5000),
        (PercentOff(2000, 5000), 4, 0),
        (PercentOff(10_000, 5000), 99, 99),
        (PercentOff(2000, 0), 10_000, 0),
        (AmountOff(500), 10_000, 500),
        (AmountOff(500), 100, 500),
        (TIERS, 9_999, 0),
        (TIERS, 10_000, 1000),
        (TIERS, 19_999, 1000),
        (TIERS, 20_000, 3000),
        (TIERS, 500_000, 3000),
    ],
)
def test_a_discount_is_what_the_benefit_says(benefit: PaymentBenefit, amount: int, discount: int) -> None:
    assert gross_discount(benefit, amount) == discount


def test_a_draw_stays_the_same_for_the_payer_and_the_day() -> None:
    benefit = RandomOff(10, 880)
    first = gross_discount(benefit, 5000, draw("payer-1"))
    assert first == gross_discount(benefit, 9000, draw("payer-1"))
    assert 10 <= first <= 880


def test_a_draw_never_changes_between_releases() -> None:
    drawn = [draw_uniform(10, 880, draw(f"payer-{n}")) for n in range(6)]
    assert drawn == [draw_uniform(10, 880, draw(f"payer-{n}")) for n in range(6)]
    assert drawn == PINNED


def test_another_day_campaign_payer_or_secret_draws_anew() -> None:
    base = [draw(f"payer-{n}") for n in range(40)]
    others = [
        [draw(f"payer-{n}", day=date(2027, 2, 2)) for n in range(40)],
        [draw(f"payer-{n}", campaign="autumn") for n in range(40)],
        [draw(f"payer-{n + 40}") for n in range(40)],
        [draw(f"payer-{n}", secret=b"other") for n in range(40)],
    ]
    values = [draw_uniform(1, 10**9, one) for one in base]
    for other in others:
        assert all(value != draw_uniform(1, 10**9, one) for value, one in zip(values, other, strict=True))


def test_parts_of_a_draw_cannot_be_shifted_into_each_other() -> None:
    assert draw_uniform(0, 10**9, Draw(b"s", "ab", "c", DAY)) != draw_uniform(0, 10**9, Draw(b"s", "a", "bc", DAY))


def test_every_value_of_a_small_range_is_drawn_about_equally_often() -> None:
    counts = Counter(draw_uniform(5, 14, draw(f"payer-{n}")) for n in range(20_000))
    assert set(counts) == set(range(5, 15))
    chi_square = sum((count - 2000) ** 2 / 2000 for count in counts.values())
    assert chi_square < 27.9  # 9 degrees of freedom: one honest run in a thousand exceeds it; the input is fixed


def test_a_range_of_one_value_is_that_value() -> None:
    assert draw_uniform(7, 7, draw("payer-1")) == 7


def test_a_range_that_does_not_divide_the_words_evenly_is_drawn_within_bounds() -> None:
    high = 3 * 2**62  # A quarter of all 64-bit words must be drawn again.
    assert all(0 <= draw_uniform(0, high - 1, draw(f"payer-{n}")) < high for n in range(100))


def test_a_random_benefit_without_a_draw_is_a_bug() -> None:
    with pytest.raises(AssertionError):
        gross_discount(RandomOff(1, 2), 100)


def test_the_largest_discount_is_the_cap_the_last_tier_or_the_upper_bound() -> None:
    assert largest_discount(PercentOff(2000, 5000), 50_000_000) == 5000
    assert largest_discount(PercentOff(2000, 5000), 10_000) == 2000
    assert largest_discount(AmountOff(500), 50_000_000) == 500
    assert largest_discount(TIERS, 50_000_000) == 3000
    assert largest_discount(TIERS, 15_000) == 1000
    assert largest_discount(RandomOff(10, 880), 50_000_000) == 880

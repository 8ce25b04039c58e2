"""Calendar fields and texts of instants, in integer arithmetic."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makegood.clock import SECOND, Instant
from makegood.rules.civil import accessor, civil, days_of, duration_text, instant_text, offset_of

EPOCH = date(1970, 1, 1).toordinal()


@given(st.dates())
def test_a_count_of_days_and_its_date_belong_together(day: date) -> None:
    days = day.toordinal() - EPOCH
    assert civil(days) == (day.year, day.month, day.day)
    assert days_of(day.year, day.month, day.day) == days
    assert accessor("getDayOfYear", None)(days * 86_400 * SECOND) == day.timetuple().tm_yday - 1


def test_the_calendar_goes_on_beyond_the_years_of_python() -> None:
    assert civil(days_of(10_000, 1, 1)) == (10_000, 1, 1)
    assert civil(days_of(0, 12, 31)) == (0, 12, 31)
    last = int(Instant.parse("9999-12-31T23:59:59Z"))
    assert accessor("getFullYear", "Asia/Shanghai")(last) == 10_000


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001
def test_hours_in_a_zone_are_those_of_python(moment: datetime) -> None:
    instant = Instant.of(moment.replace(tzinfo=UTC))
    for zone in ("Asia/Shanghai", "America/New_York", "Europe/London"):
        local = instant.local(zone)
        assert accessor("getHours", zone)(instant) == local.hour
        assert accessor("getMinutes", zone)(instant) == local.minute
        assert accessor("getDayOfWeek", zone)(instant) == local.isoweekday() % 7


@pytest.mark.parametrize("zone", ["", "Mars", "24:00", "+08:60", "8:00", "../etc/passwd", "Asia/Shanghai:x", "a" * 500])
def test_what_is_no_zone_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match=r"is not a"):
        offset_of(zone)


def test_fixed_offsets_have_a_sign() -> None:
    assert [offset_of(zone)(0) for zone in ("+08:00", "-00:30", "02:00")] == [28_800, -1_800, 7_200]


@pytest.mark.parametrize(
    ("nanos", "text"),
    [(0, "0s"), (1, "0.000000001s"), (-500_000_000, "-0.500s"), (3601 * SECOND + 1_500_000, "3601.001500s")],
)
def test_durations_have_as_many_groups_of_digits_as_they_need(nanos: int, text: str) -> None:
    assert duration_text(nanos) == text


@given(st.timedeltas(min_value=timedelta(-700_000), max_value=timedelta(2_900_000)))
def test_the_text_of_an_instant_names_that_instant(since: timedelta) -> None:
    instant = Instant((since.days * 86_400 + since.seconds) * SECOND + since.microseconds * 1_000)
    assert Instant.parse(instant_text(instant)) == instant

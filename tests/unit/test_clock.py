"""Instants: RFC 3339 texts, local days and the years of the calendar."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from makegood.clock import SECOND, Instant, system_clock, time_zone


def test_the_epoch_is_zero() -> None:
    assert Instant.parse("1970-01-01T00:00:00Z") == 0


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2027-02-01T00:00:00+08:00", "2027-01-31T16:00:00Z"),
        ("2027-02-01t00:00:00z", "2027-02-01T00:00:00Z"),
        ("2027-02-01T00:00:00-00:00", "2027-02-01T00:00:00Z"),
        ("2027-02-01T00:00:00.5Z", "2027-02-01T00:00:00.500Z"),
        ("1969-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59.999999999Z"),
    ],
)
def test_texts_that_name_one_instant_are_equal(text: str, same: str) -> None:
    assert Instant.parse(text) == Instant.parse(same)


@pytest.mark.parametrize(
    "text",
    [
        "2027-02-01",
        "2027-02-01T00:00:00",
        "2027-02-01 00:00:00Z",
        "2027-02-30T00:00:00Z",
        "2027-02-01T24:00:00Z",
        "2027-02-01T00:00:60Z",
        "2027-02-01T00:00:00+24:00",
        "2027-02-01T00:00:00.1234567890Z",
        "２027-02-01T00:00:00Z",
        "",
    ],
)
def test_what_names_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not|has an offset"):
        Instant.parse(text)


@pytest.mark.parametrize(
    "text",
    ["2027-02-01T00:00:00Z", "1969-12-31T23:59:59.25Z", "2027-02-01T00:00:00.000000001Z", "0001-01-01T00:00:00Z"],
)
def test_an_instant_is_written_with_as_many_digits_as_it_needs(text: str) -> None:
    assert Instant.parse(text).text() == text


def test_a_datetime_with_any_offset_is_one_instant() -> None:
    east = datetime(2027, 2, 1, 8, tzinfo=timezone(timedelta(hours=8)))
    assert Instant.of(east) == Instant.of(datetime(2027, 2, 1, tzinfo=UTC)) == Instant.parse("2027-02-01T00:00:00Z")


def test_a_naive_datetime_names_no_instant() -> None:
    with pytest.raises(AssertionError):
        Instant.of(datetime(2027, 2, 1))  # noqa: DTZ001 - that is the point


def test_a_day_begins_at_midnight_of_the_zone() -> None:
    last = Instant.parse("2027-01-31T15:59:59.999999Z")
    assert last.day("Asia/Shanghai") == date(2027, 1, 31)
    assert Instant.parse("2027-01-31T16:00:00Z").day("Asia/Shanghai") == date(2027, 2, 1)


def test_the_hour_that_comes_twice_has_two_offsets() -> None:
    first, second = Instant.parse("2017-11-05T05:30:00Z"), Instant.parse("2017-11-05T06:30:00Z")
    zone = "America/New_York"
    assert first.local(zone).hour == second.local(zone).hour == 1
    assert first.local(zone).utcoffset() != second.local(zone).utcoffset()


def test_moving_by_seconds_is_exact() -> None:
    moment = Instant.parse("2027-02-01T00:00:00.000000001Z")
    assert moment.plus(900) - moment == 900 * SECOND
    assert moment.plus(-900).plus(900) == moment


def test_an_unknown_zone_is_named() -> None:
    with pytest.raises(ValueError, match="`Mars/Olympus` is not an IANA time zone"):
        time_zone("Mars/Olympus")


def test_a_zone_cannot_name_a_file_elsewhere() -> None:
    with pytest.raises(ValueError, match="is not an IANA time zone"):
        time_zone("../../etc/passwd")


def test_the_wall_clock_moves_on() -> None:
    assert Instant.parse("2020-01-01T00:00:00Z") < system_clock() <= system_clock()

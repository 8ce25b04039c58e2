"""When a campaign was stopped, from what the audit trail says of it."""

import json

from makegood.clock import Instant
from makegood.services.chart_marks import Interval, marks_of, stopped_times

SINCE = Instant.parse("2027-02-03T02:00:00Z")


def at(minute: int) -> Instant:
    return SINCE.plus(60 * minute)


def row(minute: int, action: str, subject: str = "spring", **detail: object) -> dict[str, object]:
    return {
        "at": at(minute).text(),
        "action": action,
        "subject": subject,
        "principal": "oncall",
        "detail": json.dumps(detail),
    }


def times(*rows: dict[str, object], in_force: tuple[str, ...] = ()) -> list[Interval]:
    return stopped_times(marks_of(rows), in_force, SINCE)


def test_a_stop_lasts_until_its_resume() -> None:
    assert times(row(20, "campaign.resume"), row(5, "campaign.stop")) == [Interval(at(5), at(20))]


def test_a_stop_that_nobody_resumed_lasts() -> None:
    assert times(row(5, "campaign.stop"), in_force=("spring",)) == [Interval(at(5), None)]
    assert times(in_force=("everything",)) == [Interval(SINCE, None)]


def test_a_resume_without_its_stop_ends_one_that_was_there_before() -> None:
    assert times(row(7, "resume", "label:gov")) == [Interval(SINCE, at(7))]


def test_stops_that_overlap_are_one_time() -> None:
    rows = (
        row(3, "stop", "everything"),
        row(5, "campaign.stop"),
        row(9, "resume", "everything"),
        row(12, "campaign.resume"),
    )
    assert times(*rows) == [Interval(at(3), at(12))]


def test_only_a_trip_that_opened_the_breaker_stops() -> None:
    assert times(row(4, "breaker.trip", opened=False)) == []
    assert times(row(4, "breaker.trip", opened=True), in_force=("spring",)) == [Interval(at(4), None)]


def test_a_new_revision_ends_the_stop_of_the_one_before_and_begins_none() -> None:
    assert times(row(4, "breaker.trip", opened=True), row(9, "campaign.live")) == [Interval(at(4), at(9))]
    assert times(row(9, "campaign.live")) == []


def test_a_stop_of_a_scene_is_a_mark_and_no_stop_of_the_campaign() -> None:
    assert times(row(4, "stop", "scene:transfer"), in_force=("scene:transfer",)) == []


def test_what_was_over_before_is_not_shown() -> None:
    assert times(row(-9, "campaign.stop"), row(-3, "campaign.resume")) == []
    assert times(row(-9, "campaign.stop"), row(3, "campaign.resume")) == [Interval(SINCE, at(3))]

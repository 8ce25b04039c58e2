"""The line in which payments wait to be watched."""

from hypothesis import given
from hypothesis import strategies as st

from makegood.guard.line import LINE_SECONDS_MAX, Line, Place


def test_who_is_answered_sooner_is_not_watched_sooner() -> None:
    line: Line[str] = Line()
    first, second, third = (line.take(0.0) for _ in range(3))
    second.seen, third.seen = "nothing", "nothing"
    assert line.done([second], 0.1) == line.done([third], 0.2) == []
    first.seen = "granted"
    assert line.done([first], 0.3) == ["granted", "nothing", "nothing"]
    assert len(line) == 0


def test_who_is_not_to_be_watched_makes_room() -> None:
    line: Line[str] = Line()
    first, second = line.take(0.0), line.take(0.0)
    second.seen = "nothing"
    assert line.done([second], 0.0) == []
    assert line.done([first], 0.0) == ["nothing"]


def test_a_call_that_hangs_leaves_the_line_and_is_watched_as_a_whole_later() -> None:
    line: Line[str] = Line()
    hanging = [line.take(0.0) for _ in range(3)]
    other = line.take(0.5)
    other.seen = "nothing"
    assert line.done([other], 0.9) == []
    late = line.take(LINE_SECONDS_MAX + 0.1)
    late.seen = "late"
    assert line.done([late], LINE_SECONDS_MAX + 0.1) == ["nothing", "late"]
    for place, seen in zip(hanging, "abc", strict=True):
        place.seen = seen
    assert line.done(hanging, 9.0) == ["a", "b", "c"]
    assert len(line) == 0


def test_what_becomes_of_a_payment_after_its_call_was_answered_is_not_watched() -> None:
    line: Line[str] = Line()
    first, second = line.take(0.0), line.take(0.0)
    assert line.done([second], 0.0) == []
    second.seen = "reserved too late, and ended again"
    assert line.done([first], 0.0) == []


@given(st.permutations(range(12)), st.lists(st.booleans(), min_size=12, max_size=12))
def test_the_order_of_answers_never_shows(order: list[int], watched: list[bool]) -> None:
    line: Line[int] = Line()
    places: list[Place[int]] = [line.take(0.0) for _ in range(12)]
    seen: list[int] = []
    for number in order:
        places[number].seen = number if watched[number] else None
        seen += line.done([places[number]], 0.0)
    assert seen == [number for number in range(12) if watched[number]]

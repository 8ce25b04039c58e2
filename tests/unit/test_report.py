"""The parts of the report that need no run: scales, ticks, words, and the second book's arithmetic."""

import string
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makegood.clock import Instant
from makegood.demo.books import reconcile
from makegood.demo.plan import Fate, Plan, course_of, part_of
from makegood.demo.record import Record, furthest
from makegood.demo.report.figures import quantile
from makegood.demo.report.latency_plot import histogram
from makegood.demo.report.words import LANGUAGES, words
from makegood.replay.report.svg import Drawing, Scale, thinned, ticks


def record(**known: object) -> Record:
    made = Record("p1", Instant(0), 1_000)
    for name, value in known.items():
        setattr(made, name, value)
    return made


@given(st.floats(min_value=0.01, max_value=1e9))
def test_ticks_start_at_zero_and_hold_the_largest_value(high: float) -> None:
    found = ticks(high)
    assert found[0] == 0
    assert found[-1] >= high * (1 - 1e-9)
    assert len(found) <= 7


@given(st.floats(min_value=1, max_value=1e6), st.booleans())
def test_a_scale_keeps_what_is_inside_inside(value: float, log: bool) -> None:
    scale = Scale(1, 1e6, 50, 700, log=log)
    assert 50 - 1e-6 <= scale(value) <= 700 + 1e-6


def test_a_drawing_is_well_formed_and_words_are_escaped() -> None:
    drawing = Drawing(100, 50, 'a "title" & more', "<says>", "d")
    drawing.text(1, 2, "<b>5 & 6</b>")
    drawing.marks([(1, 1)], 3, "dot")
    tree = ElementTree.fromstring(drawing.render())
    texts = [node.text for node in tree.iter() if node.text]
    assert texts == ['a "title" & more', "<says>", "<b>5 & 6</b>"]
    assert tree.get("role") == "img"


def test_thinning_keeps_the_first_and_the_last_point() -> None:
    points = [(n / 100, 0.0) for n in range(1_000)]
    kept = thinned(points)
    assert kept[0] == points[0]
    assert kept[-1] == points[-1]
    assert len(kept) < 30


def test_a_histogram_holds_every_value_also_those_above_its_end() -> None:
    assert sum(count for _, count in histogram([0.0, 5.0, 9.99, 10.0, 500.0], 10.0)) == 5
    assert quantile([1.0, 2.0, 3.0, 4.0], 0.5) == 3.0
    assert quantile([], 0.5) == 0.0


def test_both_languages_have_every_text_with_the_same_places() -> None:
    english, chinese = (words(language)["texts"] for language in LANGUAGES)
    assert english.keys() == chinese.keys()
    for key in english:
        assert places(english[key]) == places(chinese[key]), key


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_refusal_and_mistake_has_chinese_words() -> None:
    from makegood.domain.quote import Refusal

    assert {refusal.value for refusal in Refusal} <= words("zh-CN")["refusals"].keys()
    assert len(words("zh-CN")["mistakes"]) >= 18


@pytest.mark.parametrize(
    ("state", "refunded", "kept"),
    [("captured", 0, 200), ("captured", 333, 134), ("captured", 1_000, 0), ("released", 0, 0), ("expired", 0, 0)],
)
def test_the_client_book_rounds_what_is_returned_down(state: str, refunded: int, kept: int) -> None:
    assert record(benefits={"c": 200}, state=state, refunded=refunded).kept("c") == kept


def test_books_that_differ_by_one_minor_unit_are_not_equal() -> None:
    view = {"id": "c", "granted_minor": 200, "reserved_minor": 0, "budget_minor": 500, "left_minor": 300}
    held = [record(benefits={"c": 200}, state="captured")]
    assert reconcile(held, [view])[0].equal
    assert not reconcile(held, [view | {"granted_minor": 201}])[0].equal
    assert not reconcile(held, [view | {"left_minor": 299}])[0].equal


def test_of_several_refusals_the_one_that_came_furthest_is_told() -> None:
    told: list[dict[str, object]] = [
        {"refusal": "condition_is_not_met"},
        {"refusal": "day_limit_is_reached"},
        {"refusal": None},
    ]
    assert furthest(told) == "day_limit_is_reached"
    assert furthest([{"refusal": None}]) is None


def test_the_course_of_a_payment_depends_on_its_id_and_the_seed_only() -> None:
    courses = [course_of(Plan(seed=1), f"p{n}") for n in range(2_000)]
    assert courses == [course_of(Plan(seed=1, payments=5), f"p{n}") for n in range(2_000)]
    assert {course.fate for course in courses} == set(Fate)


@given(st.integers(1, 10**9), st.integers(1, 999))
def test_a_part_of_an_amount_is_something_and_not_all_of_it(amount: int, permille: int) -> None:
    part = part_of(amount, permille)
    assert 1 <= part <= amount
    assert part < amount or amount == 1

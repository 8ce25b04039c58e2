"""Of a text that is only held against constants: few texts stand for all, none is left out, and none is too many."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.laws.text_answers import answers

from makegood.rules.smt_followers import Test as Asking
from makegood.rules.smt_samples import SAMPLES_MAX, Asked, samples

LETTERS = "ab\u00e9\U0001f431\ue000"
WORDS = st.text(st.sampled_from(LETTERS), max_size=4)
KINDS = st.sampled_from(("equal", "order", "startsWith", "endsWith", "contains"))
TESTS = st.builds(lambda kind, word, turned: Asking(kind, word, turned and kind not in ("equal", "order")),
                  KINDS, WORDS, st.booleans())  # fmt: skip
ASKED = st.builds(Asked, st.lists(TESTS, max_size=4).map(tuple), st.lists(st.integers(-1, 7), max_size=2).map(tuple),
                  st.booleans())  # fmt: skip


@given(ASKED, st.integers(0, 1), st.integers(1, 7), st.randoms(use_true_random=False))
def test_every_text_answers_like_exactly_one_sample(
    asked: Asked, shortest: int, longest: int, chance: random.Random
) -> None:
    found = samples(asked, shortest, longest, "other-text"[:longest])
    assert found is not None
    assert found[0] == "other-text"[:longest]
    assert all(shortest <= len(text) <= longest for text in found)
    known = [answers(asked, text) for text in found]
    assert len(set(known)) == len(known)
    pieces = [test.constant for test in asked.tests] + [*LETTERS, "\x01", "z", "\U0010ffff", ""]
    for _ in range(200):
        text = "".join(chance.choices(pieces, k=chance.randint(0, 4)))[: chance.randint(shortest, longest)]
        assert len(text) < shortest or answers(asked, text) in known, text


def test_more_combinations_than_a_table_holds_are_not_sampled() -> None:
    def looked_for(count: int) -> Asked:
        return Asked(tuple(Asking("equal", str(number)) for number in range(count)))

    fits = samples(looked_for(SAMPLES_MAX - 1), 0, 9, "other")
    assert fits is not None and len(fits) == SAMPLES_MAX
    assert samples(looked_for(SAMPLES_MAX), 0, 9, "other") is None


def test_work_without_end_is_given_up() -> None:
    words = [chr(0x4E00 + number) * 40 for number in range(400)]
    assert samples(Asked(tuple(Asking("contains", word) for word in words)), 0, 120, "other") is None


@pytest.mark.parametrize(
    ("asked", "longest", "expected"),
    [
        (Asked(), 9, {"other"}),
        (Asked((Asking("startsWith", "vip-"), Asking("equal", "gold"))), 9, {"other", "gold", "vip-"}),
        (Asked((Asking("startsWith", "vip-"),)), 3, {"oth"}),
        (Asked((Asking("contains", "a"),), (2,)), 9, {"other", "", "bb", "a", "ba", "bba"}),
        (Asked((Asking("equal", "\0"), Asking("contains", "\ud800"))), 9, {"other"}),
    ],
)
def test_samples_are_the_shortest_texts(asked: Asked, longest: int, expected: set[str]) -> None:
    found = samples(asked, 0, longest, "other"[:longest])
    assert found is not None
    assert set(found) == expected

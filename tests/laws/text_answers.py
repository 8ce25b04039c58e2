"""What a text answers to tests against constants, by what the tests mean."""

from typing import Any

from makegood.rules.smt_followers import Test
from makegood.rules.smt_samples import Asked


def answer(test: Test, text: str) -> Any:
    """The answer to one test."""
    if test.kind == "equal":
        return text == test.constant
    if test.kind == "order":
        return (text > test.constant) - (text < test.constant)
    one, other = (test.constant, text) if test.turned else (text, test.constant)
    return {"startsWith": one.startswith(other), "endsWith": one.endswith(other), "contains": other in one}[test.kind]


def answers(asked: Asked, text: str) -> tuple[Any, ...]:
    """The answers to all that is asked."""
    sizes = ((len(text) > size) - (len(text) < size) for size in asked.sizes)
    return (*(answer(test, text) for test in asked.tests), *sizes, len(text) if asked.length else None)

"""Texts from outside: bounded, and of characters that every store and screen can hold."""

import re

_NOT_TEXT = re.compile("[\0\ud800-\udfff]")


def has_no_text(value: str) -> bool:
    """Whether it holds a character that no text may hold."""
    return _NOT_TEXT.search(value) is not None


def checked_text(value: str, longest: int) -> str:
    """`value`, of at most `longest` code points. Raises ValueError with a reason in words."""
    if len(value) > longest:
        raise ValueError(f"must have at most {longest} characters, not {len(value)}")
    if has_no_text(value):
        raise ValueError("holds a character that no text may hold (NUL or half a surrogate pair)")
    return value

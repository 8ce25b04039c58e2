"""What an unquoted word of YAML is, where every version of YAML agrees about it."""

import re
from enum import StrEnum
from typing import Any

_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,18})", re.ASCII)
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_AMBIGUOUS = re.compile(
    r"y|n|yes|no|on|off|true|false|null|[-+]?0[bxo][\d_a-f]+|[-+]?[\d_]*\d_[\d_]*(?:\.[\d_]*)?"
    r"|[-+]?\d+(?::[0-5]?\d)+(?:\.\d*)?|[-+]?\.inf|\.nan",
    re.ASCII | re.IGNORECASE,
)


class Kind(StrEnum):
    """What a value in a file is. `NUMBER` is one that is not a 64-bit integer; `BROKEN` already has its finding."""

    MAPPING = "a mapping"
    LIST = "a list"
    STRING = "a text"
    INTEGER = "a whole number"
    NUMBER = "a number"
    BOOLEAN = "a boolean"
    NULL = "empty"
    BROKEN = "broken"


def plain_scalar(text: str) -> tuple[Kind, Any]:
    """What an unquoted word is. `Kind.BROKEN` means that YAML versions disagree about it."""
    if text in ("", "~", "null"):
        return Kind.NULL, None
    if text in ("true", "false"):
        return Kind.BOOLEAN, text == "true"
    if _INTEGER.fullmatch(text) and text != "-0" and -(2**63) <= int(text) < 2**63:
        return Kind.INTEGER, int(text)
    if _AMBIGUOUS.fullmatch(text) or re.fullmatch(r"[-+]?0\d+", text, re.ASCII):
        return Kind.BROKEN, text
    if _NUMBER.fullmatch(text):
        return Kind.NUMBER, text
    return Kind.STRING, text


def how_to_write(text: str) -> str:
    """The hint for a word that YAML versions read differently."""
    word = text.lower()
    if word in ("yes", "y", "on", "true", "no", "n", "off", "false"):
        meant = "true" if word in ("yes", "y", "on", "true") else "false"
        return f'write `{meant}`, or `"{text}"` for the text'
    return f'write `"{text[:64]}"` for the text' if word != "null" else 'write `null`, or `"null"` for the text'

"""Answers as JSON: instants as RFC 3339, money as integer minor units."""

import dataclasses
import hashlib
from collections.abc import Mapping
from datetime import date
from enum import Enum
from typing import Any

import msgspec
from starlette.responses import Response

from makegood.clock import Instant

JSON = "application/json"
PLAIN = (b"content-type", b"application/json")


def as_json(value: Any) -> Any:
    """`value` in JSON's own types; a dataclass by its fields."""
    match value:
        case Instant():
            return value.text()
        case Enum():
            return value.value
        case None | bool() | int() | str() | float():
            return value
        case date():
            return value.isoformat()
        case Mapping():
            return {str(key): as_json(inner) for key, inner in value.items()}
        case tuple() | list() | set() | frozenset():
            return [as_json(inner) for inner in (sorted(value) if isinstance(value, set | frozenset) else value)]
    assert dataclasses.is_dataclass(value), f"{type(value).__name__} has no form in JSON"
    return {field.name: as_json(getattr(value, field.name)) for field in dataclasses.fields(value)}


class Answer(Response):
    """An answer with a JSON body, whose headers are made without looking at what they might be."""

    media_type = JSON

    def __init__(self, body: bytes) -> None:
        self.status_code = 200
        self.background = None
        self.body = body
        self.raw_headers = [(b"content-length", b"%d" % len(body)), PLAIN]


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with `value` as its JSON body."""
    return Response(msgspec.json.encode(as_json(value)), status, headers, JSON)


def plain_answer(value: dict[str, Any]) -> Response:
    """The same for what is made of JSON's own types and of enums, sooner."""
    return Answer(msgspec.json.encode(value))


def etag(value: Any) -> str:
    """A weak tag of what `value` says; the moment it was said is left out."""
    said = {name: inner for name, inner in as_json(value).items() if name != "as_of"}
    return f'W/"{hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()[:32]}"'


def matches(tag: str, if_none_match: str) -> bool:
    """Whether `If-None-Match` names `tag`, by weak comparison (RFC 9110, 13.1.2)."""
    plain = tag.removeprefix("W/")
    given = [entry.strip().removeprefix("W/") for entry in if_none_match.split(",")]
    return "*" in given or plain in given

"""Reading a request body: bounded while it arrives, bounded in depth before it is decoded, then strict.

What a decoder would silently forgive is refused: a key that is named twice (two readers of one payment would
see two amounts), NaN and Infinity, half a surrogate pair, bytes that are not UTF-8.
"""

import asyncio
import json
import re
from typing import Any

import msgspec
from starlette.requests import Request

from makegood.errors import FieldError, Problem, ProblemCode
from makegood.limits import (
    BODY_BYTES_MAX,
    BODY_SECONDS_MAX,
    ERRORS_REPORTED_MAX,
    ID_CHARS_MAX,
    JSON_DEPTH_MAX,
)
from makegood.web.extensions import WHOLE

# A string, whole or cut off at the end. Possessive, so that hostile input costs linear time.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")
_SPACED = re.compile(rb'"\s++:')  # A key that its colon does not follow at once.
_NESTED = (dict, list)
_decode = msgspec.json.Decoder().decode


async def read_json(request: Request, *, bytes_max: int = BODY_BYTES_MAX, empty: Any = None) -> Any:
    """The JSON value of the body; `empty`, where given, is what a body of no bytes means.

    Raises Problem for a body that is too large, slow or deep, of another media type, or not strict JSON.
    Never more than `bytes_max` bytes, and one chunk, are held.
    """
    if empty is not None and _has_no_body(request):
        return empty
    _check_media_type(request)
    data = await read_bytes(request, bytes_max)
    if not data and empty is not None:
        return empty
    return decode(data)


async def read_bytes(request: Request, bytes_max: int) -> bytes:
    """The body, once it is known to have at most `bytes_max` bytes. Reading stops at the bound."""
    if WHOLE in request.scope:
        return await _read(request, bytes_max)
    declared = _header(request, b"content-length")
    if declared is not None and (not declared.isdigit() or int(declared) > bytes_max):
        raise _too_large(bytes_max)
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            return await _read(request, bytes_max)
    except TimeoutError:
        raise Problem(ProblemCode.BODY_IS_TOO_SLOW, f"the body did not arrive within {BODY_SECONDS_MAX} s") from None


async def _read(request: Request, bytes_max: int) -> bytes:
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise Problem(ProblemCode.BODY_IS_NOT_JSON, "the body ended before its end")
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        more = message.get("more_body", False)
        if size > bytes_max:
            raise _too_large(bytes_max)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def decode(data: bytes) -> Any:
    """The value that strict JSON text names. Raises Problem; never RecursionError."""
    bare = data
    if data.count(b"[") + data.count(b"{") > JSON_DEPTH_MAX:
        bare = _STRING.sub(b"", data)
        _check_depth(bare)
    try:
        value = _decode(data)
    except (msgspec.DecodeError, ValueError) as error:
        raise Problem(ProblemCode.BODY_IS_NOT_JSON, f"the body is not JSON: {_reason(error)}") from None
    # Outside strings a colon stands for one member. Fewer members than colons: some key was named twice.
    if b"\\" not in data and data.count(b'":') == _members(value) and not _SPACED.search(data):
        return value  # Without an escape a quote ends a string, and only that of a key is followed by a colon.
    bare = _STRING.sub(b"", data) if bare is data else bare
    if bare.count(b":") != _members(value):
        raise Problem(
            ProblemCode.REQUEST_IS_INVALID, "the body names a key twice", errors=_duplicates(data),
            hint="remove one of them; nobody can say which was meant",
        )  # fmt: skip
    return value


def want_keys(value: Any, keys: frozenset[str], *, path: str = "") -> dict[str, Any]:
    """`value`, an object with these keys and no others. Raises Problem with every place that is wrong."""
    if not isinstance(value, dict):
        raise invalid(FieldError(path, "must be an object"))
    known = ", ".join(f"`{name}`" for name in sorted(keys)) or "no keys"
    errors = [FieldError(f"{path}/{name}", "is missing") for name in sorted(keys - value.keys())]
    errors += [
        FieldError(path + pointer(name), "is unknown", f"this object takes {known}")
        for name in value
        if name not in keys
    ]
    if errors:
        raise invalid(*errors)
    return value


def want_text(body: dict[str, Any], name: str, chars_max: int, path: str = "") -> str:
    """The string at `name`: not blank, at most `chars_max` characters, fit to be stored. Raises Problem."""
    text = body[name]
    reason = None
    if not isinstance(text, str):
        reason = "must be a string"
    elif not text.strip():
        reason = "is empty"
    elif len(text) > chars_max:
        reason = f"must have at most {chars_max} characters, not {len(text)}"
    elif "\0" in text:
        reason = "holds a NUL, which no text may hold"
    if reason is not None:
        raise invalid(FieldError(f"{path}/{name}", reason))
    assert isinstance(text, str)
    return text


def invalid(*errors: FieldError) -> Problem:
    """A request whose body has these places wrong."""
    return Problem(
        ProblemCode.REQUEST_IS_INVALID, "the request is not as described", errors=errors[:ERRORS_REPORTED_MAX]
    )


def pointer(name: str) -> str:
    """The JSON Pointer of a member, cut to a length that an answer may repeat."""
    return "/" + name[:ID_CHARS_MAX].replace("~", "~0").replace("/", "~1")


def _check_media_type(request: Request) -> None:
    given = (_header(request, b"content-type") or b"").decode("latin-1")
    if given == "application/json" and _header(request, b"content-encoding") is None:
        return  # Nearly always.
    kind, _, parameters = given.partition(";")
    charset = parameters.strip().lower().replace(" ", "").replace('"', "")
    if kind.strip().lower() != "application/json" or charset not in ("", "charset=utf-8"):
        raise Problem(
            ProblemCode.MEDIA_TYPE_IS_WRONG,
            "the body must be JSON in UTF-8",
            hint="send `Content-Type: application/json`",
        )
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem(
            ProblemCode.MEDIA_TYPE_IS_WRONG,
            "the body must not be compressed",
            hint="leave out `Content-Encoding`",
        )


def _header(request: Request, name: bytes) -> bytes | None:
    """The first header of a name in lower case, as it was sent."""
    for key, value in request.scope["headers"]:
        if key == name:
            found: bytes = value
            return found
    return None


def _has_no_body(request: Request) -> bool:
    return request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers


def _too_large(bytes_max: int) -> Problem:
    return Problem(ProblemCode.BODY_IS_TOO_LARGE, f"the body has more than {bytes_max} bytes, the most for this call")


def _check_depth(bare: bytes) -> None:
    if bare.count(b"[") + bare.count(b"{") <= JSON_DEPTH_MAX:
        return
    depth = 0
    for bracket in _BRACKET.findall(bare):
        depth += 1 if bracket in b"[{" else -1
        if depth > JSON_DEPTH_MAX:
            raise Problem(
                ProblemCode.BODY_IS_TOO_DEEP,
                f"the body is nested more than {JSON_DEPTH_MAX} deep, the most that is read",
            )


def _members(value: Any) -> int:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    members = len(value) if isinstance(value, dict) else 0
    for inner in inside:
        if type(inner) in _NESTED:
            members += _members(inner)
    return members


class _Pairs(list[tuple[str, Any]]):
    """An object as its members were written, doubles and all."""


def _duplicates(data: bytes) -> tuple[FieldError, ...]:
    errors: list[FieldError] = []
    _walk(json.loads(data, object_pairs_hook=_Pairs), "", errors)
    return tuple(errors[:ERRORS_REPORTED_MAX])


def _walk(value: Any, path: str, errors: list[FieldError]) -> None:
    if isinstance(value, _Pairs):
        seen: set[str] = set()
        for name, inner in value:
            if name in seen:
                errors.append(FieldError(path + pointer(name), "is named twice"))
            seen.add(name)
            _walk(inner, path + pointer(name), errors)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _walk(inner, f"{path}/{index}", errors)


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not UTF-8"
    return str(error).removeprefix("JSON is malformed: ")

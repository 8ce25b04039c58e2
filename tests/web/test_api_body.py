"""Bodies: bounded while they arrive, strict when they are decoded."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message
from tests.web.running import Running, payment

from makegood.errors import Problem, ProblemCode
from makegood.limits import BODY_BYTES_MAX, JSON_DEPTH_MAX
from makegood.web.body import decode, read_bytes

HANGS = 30.0  # Seconds: what grows with the square of its input takes longer, a busy machine does not.


def refused(data: bytes) -> Problem:
    with pytest.raises(Problem) as caught:
        decode(data)
    return caught.value


@pytest.mark.parametrize(
    "text",
    ["", "{", "NaN", '{"a": Infinity}', '{"a": -Infinity}', "1e400", '"\\ud800"', '"\\udc00 half"', "{'a': 1}", "[1,]",
     "\ufeff{}", '"\x00"', "nul", '{"a": 01}', "1" * 5000, '{"a":1} {"a":1}'],
)  # fmt: skip
def test_what_is_not_strict_json_is_refused(text: str) -> None:
    assert refused(text.encode()).code is ProblemCode.BODY_IS_NOT_JSON


def test_bytes_that_are_not_utf8_are_refused_with_their_place() -> None:
    assert "byte 2" in refused(b'"ab\xff"').detail


def test_a_key_named_twice_is_refused_with_its_path() -> None:
    problem = refused(b'{"items": [{"sku": "a"}, {"sku": "b", "s\\u006bu": "c"}], "a/b": 1, "a/b": 2}')
    assert problem.code is ProblemCode.REQUEST_IS_INVALID
    assert [error.path for error in problem.errors] == ["/items/1/sku", "/a~1b"]


def test_colons_and_brackets_inside_strings_count_for_nothing() -> None:
    value = {"a": "::{{[[", "b\\": ['"]]]]]]]]]]]]]]]]]]]]', "\\"], "c": {"d": "}:"}}
    assert decode(json.dumps(value).encode()) == value


_TEXTS = st.text(alphabet='a:"\\\\{[é\U0001f600', max_size=6)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(_TEXTS, _VALUES, min_size=1, max_size=3), st.booleans(), st.data())
def test_every_value_is_read_as_it_was_written_and_no_key_may_come_twice(
    value: dict[str, Any], ascii_only: bool, data: st.DataObject
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert decode(text.encode()) == value
    again = json.dumps({data.draw(st.sampled_from(sorted(value))): data.draw(_VALUES)}, ensure_ascii=ascii_only)
    assert refused(f"{text[:-1]},{again[1:]}".encode()).code is ProblemCode.REQUEST_IS_INVALID


def test_the_deepest_body_is_read_and_one_deeper_is_refused() -> None:
    assert decode(b"[" * JSON_DEPTH_MAX + b"]" * JSON_DEPTH_MAX) is not None
    deeper = b"[" * (JSON_DEPTH_MAX + 1) + b"]" * (JSON_DEPTH_MAX + 1)
    assert refused(deeper).code is ProblemCode.BODY_IS_TOO_DEEP


@pytest.mark.parametrize(
    "data",
    [b"[" * 2_000_000, b'"' + b'\\"' * 1_000_000, b'\\"' * 1_000_000, b'"a":' * 400_000, b'{"a":1,' * 280_000],
)
def test_hostile_bodies_cost_linear_time(data: bytes) -> None:
    started = time.perf_counter()
    refused(data)
    assert time.perf_counter() - started < HANGS


def test_ten_thousand_doubled_keys_are_told_fifty_at_most() -> None:
    started = time.perf_counter()
    problem = refused(b"{" + b",".join(b'"k":1' for _ in range(10_000)) + b"}")
    assert len(problem.errors) == 50
    assert time.perf_counter() - started < HANGS


# -- over the wire ------------------------------------------------------------------------------------


def test_a_body_at_the_bound_is_read_and_one_above_is_refused_unread(api: httpx.Client) -> None:
    text = json.dumps(payment()).encode()
    fits = text + b" " * (BODY_BYTES_MAX - len(text))
    headers = {"Content-Type": "application/json"}
    assert api.post("/v1/quotes", content=fits, headers=headers).status_code == 200
    refusal = api.post("/v1/quotes", content=fits + b" ", headers=headers)
    assert (refusal.status_code, refusal.json()["code"]) == (413, "body_is_too_large")


def test_a_chunked_body_without_a_length_is_cut_off_at_the_bound(api: httpx.Client) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 64 * BODY_BYTES_MAX:
            sent += 16_384
            yield b" " * 16_384

    try:
        response = api.post("/v1/quotes", content=endless(), headers={"Content-Type": "application/json"})
    except httpx.WriteError:
        return  # Cut off while we were still sending.
    assert (response.status_code, response.json()["code"]) == (413, "body_is_too_large")
    assert response.headers["connection"] == "close"


async def test_a_body_that_never_ends_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("makegood.web.body.BODY_SECONDS_MAX", 0.01)

    async def silence() -> Message:
        await asyncio.Event().wait()
        raise AssertionError("nothing comes")

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", b"application/json")]}
    with pytest.raises(Problem) as caught:
        await read_bytes(Request(scope, silence), BODY_BYTES_MAX)
    assert caught.value.code is ProblemCode.BODY_IS_TOO_SLOW


def test_a_body_that_ends_early_changes_nothing(server: Running, api: httpx.Client) -> None:
    raw = payment()
    head = (
        f"POST /v1/quotes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.keys['checkout']}\r\n"
        "Content-Type: application/json\r\nContent-Length: 5000\r\n\r\n"
    )
    address = httpx.URL(server.address)
    with socket.create_connection((address.host, address.port or 80)) as connection:
        connection.sendall(head.encode() + json.dumps(raw).encode())
    assert api.get(f"/v1/payments/{raw['payment_id']}").status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": ""},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
def test_another_media_type_is_refused(api: httpx.Client, headers: dict[str, str]) -> None:
    refusal = api.post("/v1/quotes", content=json.dumps(payment()), headers=headers)
    assert (refusal.status_code, refusal.json()["code"]) == (415, "media_type_is_wrong")


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"']
)
def test_json_in_utf8_is_taken_however_it_is_spelt(api: httpx.Client, kind: str) -> None:
    assert api.post("/v1/quotes", content=json.dumps(payment()), headers={"Content-Type": kind}).status_code == 200

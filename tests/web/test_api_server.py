"""The server process: bounds on heads, graceful ends, and `makegood serve`."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tests.web.running import Running, data_folder, payment

from makegood.limits import HEADER_BYTES_MAX


def exchange(server: Running, sent: bytes) -> bytes:
    """What comes back for these bytes until the server closes the connection."""
    address = httpx.URL(server.address)
    got = b""
    with socket.create_connection((address.host, address.port or 80), timeout=20) as connection:
        try:
            connection.sendall(sent)
            while piece := connection.recv(65_536):
                got += piece
        except ConnectionError:
            pass  # Cut off while we were still sending.
    return got


def test_a_head_without_an_end_is_cut_off(server: Running) -> None:
    endless = b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Filler: " + b"a" * (64 * HEADER_BYTES_MAX)
    assert exchange(server, endless)[:12] in (b"HTTP/1.1 400", b"")


def test_a_head_of_many_small_headers_is_cut_off(server: Running) -> None:
    many = b"GET /livez HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * (16 * HEADER_BYTES_MAX)
    assert exchange(server, many)[:12] in (b"HTTP/1.1 400", b"")


def test_a_large_head_below_the_bound_is_read(server: Running) -> None:
    with server.client(None) as client:
        assert client.get("/livez", headers={"X-Filler": "a" * (HEADER_BYTES_MAX // 2)}).status_code == 200


def test_requests_one_after_another_on_a_connection_are_each_counted_alone(server: Running) -> None:
    one = b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Filler: " + b"a" * (HEADER_BYTES_MAX // 2) + b"\r\n\r\n"
    last = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert exchange(server, one * 3 + last).count(b"HTTP/1.1 200") == 4


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\0" * 100,
        b"GET\r\n\r\n",
        b"CONNECT pay.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_what_is_not_http_is_answered_and_dropped(server: Running, sent: bytes) -> None:
    assert exchange(server, sent)[:12] in (b"HTTP/1.1 400", b"")
    with server.client(None) as client:
        assert client.get("/livez").status_code == 200


def test_a_request_for_no_path_is_not_found(server: Running) -> None:
    sent = b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert exchange(server, sent)[:12] == b"HTTP/1.1 404"


def test_two_lengths_or_a_length_beside_chunks_are_refused(server: Running) -> None:
    for headers in (
        b"Content-Length: 2\r\nContent-Length: 3\r\n",
        b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
    ):
        sent = b"POST /v1/quotes HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + headers + b"\r\n{}"
        assert exchange(server, sent)[:12] == b"HTTP/1.1 400"


def serve(*options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [str(Path(sys.executable).with_name("makegood")), "serve", *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "MAKEGOOD_LOG_LEVEL": "warning"},
    )  # fmt: skip


def test_serve_says_where_it_listens_and_stops_on_ctrl_c() -> None:
    with data_folder() as data:
        process = serve("--data", str(data), "--port", "0", "--json")
        assert process.stdout is not None
        address = json.loads(process.stdout.readline())["address"]
        assert httpx.get(address + "/readyz", trust_env=False, verify=False).json() == {"ready": True}
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 0, said
        assert not (data / "postgres" / "postmaster.pid").exists(), "the embedded store is stopped too"


def test_serve_on_a_port_that_is_taken_says_so(server: Running) -> None:
    port = str(httpx.URL(server.address).port)
    with data_folder() as data:
        process = serve("--data", str(data), "--port", port)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 1
        assert f"cannot listen on 127.0.0.1 port {port}" in said
        assert not Path(data).exists(), "nothing was started"


def test_an_answer_in_one_packet_is_the_answer_of_the_long_way(server: Running) -> None:
    body = json.dumps(payment(payer_id="nobody-special", city="Chengdu", channel="app")).encode()

    def ask(version: bytes, more: bytes = b"") -> tuple[list[bytes], object]:
        head = (
            b"POST /v1/quotes HTTP/"
            + version
            + b"\r\nHost: x\r\nAuthorization: Bearer "
            + server.keys["checkout"].encode()
        )
        head += b"\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" % len(body) + more
        told, _, answer = exchange(server, head + b"\r\n" + body).partition(b"\r\n\r\n")
        lines = [line for line in told.lower().split(b"\r\n")[1:] if not line.startswith((b"date", b"connection"))]
        return sorted(lines), {k: v for k, v in json.loads(answer).items() if k != "decided_at"}

    # Who is to close the connection goes the long way; so does what was said before it, by the short one.
    assert ask(b"1.0") == ask(b"1.1", b"Connection: close\r\n")
    twice = b"".join(
        b"POST /v1/quotes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\nContent-Type: application/json\r\n%b"
        b"Content-Length: %d\r\n\r\n%b" % (server.keys["checkout"].encode(), more, len(body), body)
        for more in (b"", b"Connection: close\r\n")
    )
    short, _, rest = exchange(server, twice).partition(b"\r\n\r\n")
    assert rest.count(b"HTTP/1.1 200 OK") == 1, "both were answered, in their order"
    lines = [line for line in short.lower().split(b"\r\n")[1:] if not line.startswith(b"date")]
    assert sorted(lines) == ask(b"1.0")[0]

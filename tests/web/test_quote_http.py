"""The line `quote_http`: a load that counts what it should, on a server that is the real one. No time is looked at."""

import subprocess
import sys

import httpx
import msgspec
from tests.web.running import Running

from makegood.bench.quote_http import Effort, bench_quote_http
from makegood.bench.quote_http_load import MODULE
from makegood.bench.quote_http_scripts import Heard, Plan


def run(server: Running, **changes: object) -> "subprocess.CompletedProcess[bytes]":
    """A short load of quotes on the server of the tests."""
    address = httpx.URL(server.address)
    plan = Plan(address.host, address.port or 80, server.keys["checkout"], "quotes", "load", 4, 0.3, 0.1)
    told = msgspec.json.encode(msgspec.structs.replace(plan, **changes)).decode()
    return subprocess.run([sys.executable, "-P", "-m", MODULE, told], capture_output=True, timeout=30, check=False)


def test_a_closed_load_counts_answers_and_what_it_took_itself(server: Running) -> None:
    done = run(server)
    heard = msgspec.json.decode(done.stdout, type=Heard)
    assert (done.returncode, heard.undecided) == (0, 0), done.stderr
    assert heard.calls == len(heard.times) > 0
    assert 0 < heard.cpu < heard.seconds * 2
    assert heard.percentile(0.5) <= heard.percentile(0.99) <= max(heard.times) * 1_000


def test_an_open_load_counts_the_time_that_a_call_waits_to_be_sent(server: Running) -> None:
    # Far more are due than one server takes: what is answered last was due long before it was sent.
    heard = msgspec.json.decode(run(server, rate=100_000.0, prefix="flood").stdout, type=Heard)
    assert 0 < heard.calls < 100_000 * 0.3
    assert max(heard.times) > 0.1


def test_a_call_that_fails_ends_the_load_with_what_came_back(server: Running) -> None:
    done = run(server, key="mk_shop_00000000_" + "x" * 40)
    assert done.returncode == 1
    assert b"401" in done.stderr and b"key_is_wrong" in done.stderr


def test_the_line_has_rows_for_quotes_money_and_times() -> None:
    lines = bench_quote_http(7, Effort(seconds=0.2, warm_seconds=0.1, turns=1, shares=(0.2,)))
    cases = [row.case for row in lines.rows]
    assert cases[:3] == ["quotes, 2 in 100 granted", "reserve + capture", "reserve + capture, 100 a batch"]
    assert [case.rpartition(", ")[2] for case in cases[3:]] == ["p50", "p99"]
    assert all(row.name == "quote_http" and row.value > 0 and row.versus.value > 0 for row in lines.rows)
    assert "of a core at most" in lines.summary

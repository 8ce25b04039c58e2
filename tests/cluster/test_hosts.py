"""A URL with several hosts. Which of two is the primary after a promotion is shown in test_failover."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from makegood.errors import StoreUnavailable
from makegood.services.platform import Platform
from makegood.store.hosts import LOOK_SECONDS, PORT, Host, Hosts, hosts_of


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("postgresql://u:p@db1,db2:5433/m?target_session_attrs=read-write", (("db1", PORT), ("db2", 5433))),
        ("postgresql://db1/m", (("db1", PORT),)),
        ("postgresql://u@[::1]:5433,[fe80::1]/m", (("::1", 5433), ("fe80::1", PORT))),
        ("postgresql://u@/m?host=db1,db2&port=1,2", (("db1", 1), ("db2", 2))),
        ("postgresql://u@/m?host=db1,db2&port=7", (("db1", 7), ("db2", 7))),
        ("postgresql://u@/m?host=/run/postgresql", ()),
        ("postgresql:///m", ()),
    ],
)
def test_hosts_are_read_as_libpq_reads_them(url: str, hosts: tuple[Host, ...]) -> None:
    assert hosts_of(url) == hosts


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://till:pa/word@db1/m",  # A slash that is not written %2F: the password stands where a port should.
        "postgresql://till:word@db1:65536/m",
        "postgresql://till:word@[::1/m",
        "postgresql://till:word@/m?host=db1&port=word",
    ],
)
def test_a_url_that_cannot_be_read_is_told_without_what_stands_in_it(url: str) -> None:
    with pytest.raises(StoreUnavailable, match="URL cannot be read") as caught:
        Hosts(url)
    assert "word@" not in str(caught.value) and "pa" not in str(caught.value).split() and caught.value.__cause__ is None


async def test_what_the_client_refuses_of_a_url_with_two_hosts_is_told() -> None:
    with pytest.raises(asyncpg.InterfaceError, match="sslmode"):
        await Hosts("postgresql://u@127.0.0.1:1,127.0.0.1:2/m?sslmode=bogus").connect(timeout=5)


async def test_a_silent_host_does_not_use_up_the_time_of_the_others(platform: Platform) -> None:
    async with _silent() as silent, _door(platform) as door:
        hosts = Hosts(_url(platform, silent, door))
        connection = await hosts.connect(timeout=5)
        assert await connection.fetchval("select 1") == 1
        await connection.close()


async def test_a_connection_is_cut_when_its_host_falls_silent_and_another_is_the_primary(platform: Platform) -> None:
    async with _silent() as silent, _door(platform) as first, _door(platform) as second:
        hosts = Hosts(_url(platform, silent, first))
        connection = await hosts.connect(timeout=5)
        # As if the other had been promoted meanwhile: what was opened counts as opened at the silent host.
        hosts._open[hosts.all[0]].add(connection)
        watching = asyncio.create_task(hosts.watch())
        with pytest.raises((asyncpg.InterfaceError, asyncpg.PostgresConnectionError, OSError)):
            async with asyncio.timeout(30):
                await connection.execute("select pg_sleep(60)")
        both = Hosts(_url(platform, first, second))
        kept = await both.connect(timeout=5)
        watching_both = asyncio.create_task(both.watch())
        # Two names of one primary: nobody is cut, however often it is looked.
        assert await kept.fetchval("select 1 from pg_sleep($1)", 2.5 * LOOK_SECONDS) == 1
        await kept.close()
        for task in (watching, watching_both):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def test_where_every_host_is_silent_the_error_says_so(platform: Platform) -> None:
    async with _silent() as one, _silent() as two:
        with pytest.raises(TimeoutError, match=f"`127.0.0.1:({one}|{two})` said nothing for 2 seconds"):
            await Hosts(_url(platform, one, two)).connect(timeout=10)


def _url(platform: Platform, *ports: int) -> str:
    parts = urlsplit(platform.store.url)
    return f"postgresql://{parts.username}@{','.join(f'127.0.0.1:{port}' for port in ports)}{parts.path}"


@asynccontextmanager
async def _silent() -> AsyncIterator[int]:
    """A port where connections are taken and nothing is ever said."""

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()


@asynccontextmanager
async def _door(platform: Platform) -> AsyncIterator[int]:
    """A port that leads to the socket of the embedded server."""
    folder = parse_qs(urlsplit(platform.store.url).query)["host"][0]

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.5432")
        await asyncio.gather(_pass_on(reader, inner_writer), _pass_on(inner_reader, writer))

    server = await asyncio.start_server(lead, "127.0.0.1", 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()

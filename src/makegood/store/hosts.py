"""A URL with several hosts: the primary among them is found, and connections to one that no longer is are cut.

asyncpg tries one host after the other within a single time limit, so a machine that is silent uses up the time of the
others. Here all are asked at once, and of two that both take writes the one with the higher timeline is the primary: the
other was cut off from its cluster and does not know yet.
"""

import asyncio
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from weakref import WeakSet

import asyncpg

from makegood.errors import StoreUnavailable

PORT = 5432
HOST_SECONDS_MAX = 2  # A host that is well answers in milliseconds; one that is silent is not waited for longer.
OTHERS_SECONDS_MAX = 0.2  # After one host said that it is the primary, so long another one may say so, too.
LOOK_SECONDS = 0.5  # One small query each; whoever waits for a dead primary waits so much longer.

Host = tuple[str, int]

# 0 on a standby. Timelines are numbered: each promotion begins the next.
_TIMELINE = """
select case when pg_is_in_recovery() then 0
       else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint end"""

_AWAY = (OSError, asyncio.TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class Hosts:
    """The hosts of one URL. `connect` finds the primary; while `watch` runs, connections to any other host are cut."""

    def __init__(self, url: str) -> None:
        """Read the hosts from the URL; nothing is connected yet."""
        self.url = url
        self.all = hosts_of(url)
        self._open: dict[Host, WeakSet[asyncpg.Connection]] = {host: WeakSet() for host in self.all}
        self._looking: dict[Host, asyncpg.Connection] = {}
        self._seen: dict[Host, int] = {}  # The timeline of each that takes writes, as last looked at; 0 of others.

    async def connect(self, dsn: str | None = None, **options: Any) -> asyncpg.Connection:
        """A connection to the primary, with the options of `asyncpg.connect`. Raises what that raises.

        A pool passes its own URL; it must be this one.
        """
        assert dsn in (None, self.url)
        if len(self.all) < 2:
            return await asyncpg.connect(self.url, **options)
        timeout = options.pop("timeout", None)
        async with asyncio.timeout(timeout):
            host, connection = await self._first(options)
        self._open[host].add(connection)
        return connection

    async def watch(self) -> None:
        """Look for the primary for ever; a URL with one host needs no watching and ends at once.

        A query that waits for a host that is no longer the primary ends with a connection error within two LOOK_SECONDS
        of the promotion, and is then unanswered for good: that host has nobody left to confirm its commits.
        """
        if len(self.all) > 1:
            # Each by itself, so that a silent host keeps nobody from seeing what the others say.
            await asyncio.gather(*(self._watch(host) for host in self.all))

    async def _watch(self, host: Host) -> None:
        try:
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                self._seen[host] = await self._look(host)
                self._cut()
        finally:
            self._forget(host)

    def _cut(self) -> None:
        """Cut connections to hosts below the highest timeline. Two names of one primary are both right."""
        best = max(self._seen.values())
        for host, timeline in self._seen.items():
            for connection in list(self._open[host]) if timeline < best else ():
                connection.terminate()

    def _forget(self, host: Host) -> None:
        if host in self._looking:
            self._looking.pop(host).terminate()

    async def _look(self, host: Host) -> int:
        """The timeline of a host that takes writes; 0 of any other."""
        try:
            async with asyncio.timeout(HOST_SECONDS_MAX):
                if host not in self._looking or self._looking[host].is_closed():
                    self._looking[host] = await self._open_one(host, {})
                return int(await self._looking[host].fetchval(_TIMELINE))
        except _AWAY:
            self._forget(host)
            return 0

    async def _first(self, options: dict[str, Any]) -> tuple[Host, asyncpg.Connection]:
        tried = {asyncio.create_task(self._try(host, options)) for host in self.all}
        try:
            waiting = set(tried)
            while waiting and not any(_timeline(task) for task in tried):
                _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if waiting:
                await asyncio.wait(waiting, timeout=OTHERS_SECONDS_MAX)
            best = max(tried, key=_timeline)
            if _timeline(best) == 0:
                raise _most_telling([error for task in tried if (error := task.exception())])
            tried.discard(best)
            timeline, host, connection = best.result()
            self._seen[host] = timeline
            return host, connection
        finally:
            _give_up(tried)

    async def _try(self, host: Host, options: dict[str, Any]) -> tuple[int, Host, asyncpg.Connection]:
        try:
            async with asyncio.timeout(HOST_SECONDS_MAX):
                connection = await self._open_one(host, options)
                try:
                    return int(await connection.fetchval(_TIMELINE)), host, connection
                except BaseException:
                    connection.terminate()
                    raise
        except TimeoutError:
            raise TimeoutError(f"`{host[0]}:{host[1]}` said nothing for {HOST_SECONDS_MAX} seconds") from None

    async def _open_one(self, host: Host, options: dict[str, Any]) -> asyncpg.Connection:
        name, port = host
        options = options | {"host": name, "port": port, "target_session_attrs": "any"}
        connection: asyncpg.Connection = await asyncpg.connect(self.url, **options)
        return connection


_Tried = asyncio.Task[tuple[int, Host, asyncpg.Connection]]


def hosts_of(url: str) -> tuple[Host, ...]:
    """The hosts and ports of a URL, in order, as libpq reads them; none where it names a folder of sockets.

    Raises StoreUnavailable for what is no URL. Nothing of it is repeated: what stands in the wrong place of it may be
    the password.
    """
    try:
        return _hosts_in(url)
    except ValueError:
        raise StoreUnavailable(
            "the database's URL cannot be read: its form is postgresql://USER:PASSWORD@HOST:PORT/DATABASE, a port is a "
            "number up to 65535, and `/`, `#`, `?` and `@` in a password are written %2F, %23, %3F and %40"
        ) from None


def _hosts_in(url: str) -> tuple[Host, ...]:
    parts = urlsplit(url)
    asked = parse_qs(parts.query)
    names, ports = asked.get("host", [""])[-1].split(","), asked.get("port", [""])[-1].split(",")
    listed = parts.netloc.rsplit("@", 1)[-1]
    if listed:
        split = [_split(one) for one in listed.split(",")]
    else:
        ports = ports * len(names) if len(ports) == 1 else ports
        split = list(zip(names, ports, strict=False))
    return tuple((unquote(name), _number(port)) for name, port in split if name and not name.startswith("/"))


def _number(port: str) -> int:
    number = int(port or PORT)
    if not 0 < number < 65536:
        raise ValueError
    return number


def _split(one: str) -> tuple[str, str]:
    name, colon, port = one.rpartition(":")
    if not colon or port.endswith("]"):
        name, port = one, ""
    return name.strip("[]"), port


def _timeline(task: _Tried) -> int:
    if not task.done() or task.cancelled() or task.exception() is not None:
        return 0
    return task.result()[0]


def _give_up(tried: set[_Tried]) -> None:
    """Close what was opened in vain, and what is still to open."""
    for task in tried:
        if not task.done():
            task.cancel()
        task.add_done_callback(_close)


def _close(task: _Tried) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result()[2].terminate()


def _most_telling(errors: list[BaseException]) -> BaseException:
    """A server's own words, if any host had some; else that only standbys answered, or nobody."""
    # What the client itself refuses of the URL is the same for every host, and no host was asked.
    for kind in (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        for error in errors:
            if isinstance(error, kind):
                return error
    return asyncpg.TargetServerAttributeNotMatched("of the hosts of this URL none takes writes")

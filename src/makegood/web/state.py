"""What the server process shares: the platform, once there is one, and the keys it has seen."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import HTTPConnection

from makegood.errors import MakegoodError, StoreUnavailable
from makegood.services.access import Caller
from makegood.services.keeper import keep, warm
from makegood.services.platform import Platform, close_platform, open_platform
from makegood.settings import Settings
from makegood.telemetry import log
from makegood.web.keys import KeyCache

STORE_OPEN_SECONDS = 20.0  # How long a start waits for the store before it answers without one.
WARM_SECONDS_MAX = 3.0  # Houses beyond that are read when their first payment comes.
GC_OBJECTS = 20_000  # New objects before the collector looks: what a payment makes goes by itself, without cycles.
STORE_RETRY_SECONDS = 1.0  # Pause between two attempts to open the store.


@dataclass(slots=True)
class Shared:
    """One process. `platform` is None until the store was opened, and `opened` is set from then on."""

    settings: Settings
    platform: Platform | None = None
    reason: str = "the store has not been opened yet"
    keys: KeyCache[Caller] = field(default_factory=KeyCache)
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    attempted: asyncio.Event = field(default_factory=asyncio.Event)

    def opened_platform(self) -> Platform:
        """The platform. Raises StoreUnavailable while there is none."""
        if self.platform is None:
            raise StoreUnavailable(self.reason)
        return self.platform


def shared_of(request: HTTPConnection) -> Shared:
    """What this process shares."""
    shared = request.scope["app"].state.shared
    assert isinstance(shared, Shared)
    return shared


def platform_of(request: HTTPConnection) -> Platform:
    """The platform. Raises StoreUnavailable while there is none."""
    return shared_of(request).opened_platform()


@asynccontextmanager
async def opened_store(app: Starlette) -> AsyncIterator[None]:
    """While it lasts the store is opened, again and again if need be, and kept; then it is closed.

    The server answers from the start: health says what is wrong, money calls say that the payment may go on.
    """
    shared = app.state.shared
    assert isinstance(shared, Shared)
    given = shared.platform
    running = asyncio.create_task(_run(shared))
    with suppress(TimeoutError):
        async with asyncio.timeout(STORE_OPEN_SECONDS):
            await shared.attempted.wait()
    try:
        yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        if given is None and shared.platform is not None:
            await close_platform(shared.platform)


async def _run(shared: Shared) -> None:
    """Open the store, then do what a server does between calls, until cancelled."""
    platform = shared.platform or await _open(shared)
    with suppress(MakegoodError, TimeoutError):  # Known before the first payment asks, if it can be.
        async with asyncio.timeout(WARM_SECONDS_MAX):
            await warm(platform)
    gc.set_threshold(GC_OBJECTS)
    gc.freeze()  # Modules and the live set stay: the collector need not walk them again for every thousand payments.
    shared.platform = platform
    shared.opened.set()
    shared.attempted.set()
    while True:
        try:
            await keep(platform)
        except Exception as error:
            log.error("keeper_failed", exc_info=error)
            await asyncio.sleep(STORE_RETRY_SECONDS)


async def _open(shared: Shared) -> Platform:
    while True:
        try:
            return await open_platform(shared.settings)
        except Exception as error:
            _tell(shared, error)
        shared.attempted.set()
        await asyncio.sleep(STORE_RETRY_SECONDS)


def _tell(shared: Shared, error: Exception) -> None:
    """Log a reason once, not once a second."""
    reason = str(error) or type(error).__name__
    if reason != shared.reason:
        expected = isinstance(error, StoreUnavailable | OSError)
        log.warning("store_is_not_there", reason=reason, exc_info=None if expected else error)
    shared.reason = reason

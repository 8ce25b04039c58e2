"""Keys that were found right a moment ago, so that a payment call does not ask the store twice.

1. Fresh (seconds): taken as it is.
2. Older: checked again, for a few milliseconds at most. If the store does not answer, the caller is taken as
   known: without the store nothing can be done in its name, and a payment hears "full price".
3. Found wrong: forgotten at once.

Only the hash of a key is kept.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from makegood.errors import Problem, StoreUnavailable
from makegood.limits import (
    KEY_CHECK_SECONDS_MAX,
    KEY_FRESH_SECONDS,
    KEY_RECHECK_MS,
    KEY_STALE_SECONDS_MAX,
    KEYS_CACHED_MAX,
)

T = TypeVar("T")
Check = Callable[[str], Awaitable[T]]


@dataclass(frozen=True, slots=True)
class _Seen(Generic[T]):
    caller: T
    at: float


class KeyCache(Generic[T]):
    """Callers by key. `monotonic` is the clock, in seconds."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._now = monotonic
        self._seen: OrderedDict[bytes, _Seen[T]] = OrderedDict()
        self._rechecks: dict[bytes, asyncio.Task[T]] = {}

    async def caller(self, key: str, check: Check[T]) -> T:
        """Who calls with this key. Raises what `check` raises; StoreUnavailable for a new key in vain."""
        digest = hashlib.sha256(key.encode()).digest()
        seen = self._seen.get(digest)
        age = self._now() - seen.at if seen is not None else 0.0
        if seen is not None and age < KEY_FRESH_SECONDS:
            return seen.caller
        if seen is None or age > KEY_STALE_SECONDS_MAX:
            return await _within(self._check(digest, key, check), KEY_CHECK_SECONDS_MAX)
        try:
            return await _within(asyncio.shield(self._rechecked(digest, key, check)), KEY_RECHECK_MS / 1000)
        except StoreUnavailable:
            return seen.caller

    def _rechecked(self, digest: bytes, key: str, check: Check[T]) -> "asyncio.Task[T]":
        """The one running check of a known key: who waits no longer leaves it running for the next caller."""
        task = self._rechecks.get(digest)
        if task is None:
            task = self._rechecks[digest] = asyncio.create_task(self._check(digest, key, check))
            task.add_done_callback(lambda done: self._forget(digest, done))
        return task

    def _forget(self, digest: bytes, task: "asyncio.Task[T]") -> None:
        del self._rechecks[digest]
        if not task.cancelled():
            task.exception()  # Looked at, so that nobody complains that it never was.

    async def _check(self, digest: bytes, key: str, check: Check[T]) -> T:
        try:
            caller = await check(key)
        except Problem:
            self._seen.pop(digest, None)
            raise
        self._remember(digest, caller)
        return caller

    def _remember(self, digest: bytes, caller: T) -> None:
        self._seen[digest] = _Seen(caller, self._now())
        self._seen.move_to_end(digest)
        if len(self._seen) > KEYS_CACHED_MAX:
            self._seen.popitem(last=False)


async def _within(outcome: Awaitable[T], seconds: float) -> T:
    try:
        return await asyncio.wait_for(outcome, seconds)
    except TimeoutError:
        raise StoreUnavailable("the store did not check the key in time") from None

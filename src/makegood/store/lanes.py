"""Group commit: calls of one kind wait while a batch of them commits, then go together as the next batch.

Nobody waits for a batch to fill: whoever comes to an idle lane is sent at once. One transaction, one fsync and one round
trip serve all who came meanwhile, so the busier a budget is, the cheaper each call gets (DeWitt et al. 1984).
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from makegood.errors import Problem

Send = Callable[[str, Sequence[Any]], Awaitable[Sequence[Any]]]
"""Sends calls of one principal as one batch; one outcome each, in order. An exception as an outcome is raised to its caller."""


@dataclass(slots=True)
class Call:
    """One call. `keys`: calls that have one in common are never on their way together, and go in the order they came.
    `claim` says, when it is about to be sent, whether anybody still wants it; `unwanted` is its outcome if not."""

    principal: str
    keys: tuple[Hashable, ...]
    content: Any
    claim: Callable[[], bool] | None
    done: "asyncio.Future[Any]"


@dataclass(slots=True)
class Lane:
    """Batches of at most `most` calls, at most `flights` of them on their way."""

    send: Send
    most: int
    flights: int
    unwanted: Any = None
    _waiting: deque[Call] = field(default_factory=deque)
    _flying: "dict[asyncio.Task[None], set[Hashable]]" = field(default_factory=dict)  # with the keys of their calls
    _called: bool = False

    def ask(
        self, principal: str, keys: tuple[Hashable, ...], content: Any, claim: Callable[[], bool] | None = None
    ) -> "asyncio.Future[Any]":
        """The outcome of a call, once its batch has committed. Raises what its batch raised."""
        loop = asyncio.get_running_loop()
        call = Call(principal, keys, content, claim, loop.create_future())
        self._waiting.append(call)
        self._wake()
        return call.done

    def _wake(self) -> None:
        # At the end of this turn of the loop: whoever was answered by the batch before asks again within it.
        if not self._called and len(self._flying) < self.flights:
            self._called = True
            asyncio.get_running_loop().call_soon(self._take_off)

    def _take_off(self) -> None:
        self._called = False
        batch = self._next()
        if not batch:
            return  # Whoever still waits does so for a call that is on its way: see `_landed`.
        flight = asyncio.get_running_loop().create_task(self._fly(batch))
        self._flying[flight] = {key for call in batch for key in call.keys}
        flight.add_done_callback(self._landed)
        if self._waiting:
            self._wake()

    def _landed(self, flight: "asyncio.Task[None]") -> None:
        del self._flying[flight]
        if self._waiting:
            self._wake()

    def _next(self) -> list[Call]:
        """The calls of the next batch: the longest waiting one that may go, and those behind it that may go with it."""
        batch: list[Call] = []
        taken: set[Hashable] = set().union(*self._flying.values())
        left: list[Call] = []
        while self._waiting and len(batch) < self.most:
            call = self._waiting.popleft()
            if call.done.done():
                continue
            if (batch and call.principal != batch[0].principal) or not taken.isdisjoint(call.keys):
                left.append(call)
                taken.update(call.keys)  # Nobody overtakes whoever shares a key with them.
            elif call.claim is not None and not call.claim():
                call.done.set_result(self.unwanted)
            else:
                batch.append(call)
                taken.update(call.keys)
        self._waiting.extendleft(reversed(left))
        return batch

    async def _fly(self, batch: list[Call]) -> None:
        try:
            outcomes = await self.send(batch[0].principal, [call.content for call in batch])
            assert len(outcomes) == len(batch), "one outcome each"
        except (asyncpg.PostgresError, Problem) as error:
            await self._land_apart(batch, error)
        except BaseException as error:
            _fail(batch, error)
            if not isinstance(error, Exception):
                raise
        else:
            for call, outcome in zip(batch, outcomes, strict=True):
                if isinstance(outcome, Exception):
                    _fail([call], outcome)
                elif not call.done.done():
                    call.done.set_result(outcome)

    async def _land_apart(self, batch: list[Call], error: Exception) -> None:
        """Nothing of the batch was done. One call may be what the store refuses: it must not fail the others."""
        if len(batch) == 1:
            _fail(batch, error)
            return
        middle = len(batch) // 2
        try:
            await self._fly(batch[:middle])
            await self._fly(batch[middle:])
        except BaseException as cut:  # Whoever ends the flight ends it for all of its calls.
            _fail(batch, cut)
            raise


def _fail(batch: Sequence[Call], error: BaseException) -> None:
    for call in batch:
        if not call.done.done():
            call.done.set_exception(error if isinstance(error, Exception) else asyncio.CancelledError())

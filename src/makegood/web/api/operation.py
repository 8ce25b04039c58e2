"""One operation of the API: what it takes and answers, its problems, and the function that does it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from makegood.domain.review import Scope
from makegood.errors import ProblemCode
from makegood.limits import BODY_BYTES_MAX
from makegood.services.access import Caller
from makegood.services.once import Kept, once
from makegood.services.platform import Platform
from makegood.web.api.answers import JSON, answer, as_json
from makegood.web.body import read_json
from makegood.web.paths import path_id
from makegood.web.problems import full_price
from makegood.web.security import api_caller
from makegood.web.state import platform_of

Schema = Mapping[str, Any]


class Once(Enum):
    """Whether `Idempotency-Key` makes a call happen once: needed, taken if sent, or not of this operation."""

    NEEDED = "needed"
    TAKEN = "taken"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request. `body` is its decoded JSON; None where the operation takes none."""

    request: Request
    platform: Platform
    caller: Caller
    body: Any

    def id(self, name: str) -> str:
        """The id of that name in the path."""
        return path_id(self.request, name)


_ANY_AMOUNT = full_price(None)
Handler = Callable[[Call], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Operation:
    """`scopes`: any one of them is enough. `problems`: beyond those that every operation of its shape has.

    `prices`: it tells what a payment pays, so each of its problems says that the payment may go on.
    """

    method: str
    path: str
    handler: Handler
    tag: str
    summary: str
    says: str
    scopes: tuple[Scope, ...]
    answer: Schema
    example: Any = None
    body: Schema | None = None
    body_example: Any = None
    body_optional: bool = False
    body_bytes_max: int = BODY_BYTES_MAX
    problems: tuple[ProblemCode, ...] = ()
    once: Once = Once.NO
    prices: bool = False
    tagged: bool = False

    @property
    def name(self) -> str:
        """The operation's id: the handler's name."""
        return self.handler.__name__

    def route(self) -> Route:
        """The route that runs it."""
        return Route(self.path, self.respond, methods=[self.method], name=self.name)

    async def respond(self, request: Request) -> Response:
        """The answer to one request. Raises Problem and StoreUnavailable."""
        # 1. Who calls? Nothing of the body is read for a stranger.
        # 2. What do they want? From here on a problem can say how much the payment pays.
        # 3. Do it; once, where it is to be done once.
        if self.prices:
            told = request.scope.setdefault("state", {})  # What `request.state` reads.
            told["fallback"] = _ANY_AMOUNT
        caller = await api_caller(request)
        body = await self._read(request)
        if self.prices and isinstance(body, dict):
            told["fallback"] = full_price(body.get("amount"))
        call = Call(request, platform_of(request), caller, body)
        if self.once is not Once.NO:
            key = request.headers.get("idempotency-key")
            if self.once is Once.NEEDED or key is not None:
                return await self._respond_once(call, key)
        result = await self.handler(call)
        return result if isinstance(result, Response) else answer(result)

    async def _read(self, request: Request) -> Any:
        if self.body is None:
            return None
        return await read_json(request, bytes_max=self.body_bytes_max, empty={} if self.body_optional else None)

    async def _respond_once(self, call: Call, key: str | None) -> Response:
        async def work() -> Kept:
            return Kept(200, msgspec.json.encode(as_json(await self.handler(call))).decode())

        told = [self.name, dict(call.request.path_params), call.body]
        kept = await once(call.platform, call.caller, key, msgspec.json.encode(told, order="sorted"), work)
        return Response(kept.body, kept.status, media_type=JSON)

"""One operation of the API: what it takes and answers, its problems, and the function that does it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from makegood.domain.review import Scope
from makegood.errors import ProblemCode
from makegood.services.access import Caller
from makegood.services.platform import Platform
from makegood.web.api.answers import answer
from makegood.web.paths import path_id
from makegood.web.problems import full_price
from makegood.web.security import api_caller
from makegood.web.state import platform_of

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request."""

    request: Request
    platform: Platform
    caller: Caller

    def id(self, name: str) -> str:
        """The id of that name in the path."""
        return path_id(self.request, name)

    def may_pay(self, amount: Any) -> None:
        """From here on a problem tells that the payment goes on, and for how much."""
        self.request.state.fallback = full_price(amount)


Handler = Callable[[Call], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Operation:
    """`scopes`: any one of them is enough. `problems`: beyond those that every operation of its shape has."""

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
    problems: tuple[ProblemCode, ...] = ()
    prices: bool = False
    tagged: bool = False

    @property
    def name(self) -> str:
        """The operation's id: the handler's name."""
        return self.handler.__name__

    def route(self) -> Route:
        """The route that runs it."""

        async def endpoint(request: Request) -> Response:
            if self.prices:
                request.state.fallback = full_price(None)
            caller = await api_caller(request)
            result = await self.handler(Call(request, platform_of(request), caller))
            return result if isinstance(result, Response) else answer(result)

        return Route(self.path, endpoint, methods=[self.method], name=self.name)

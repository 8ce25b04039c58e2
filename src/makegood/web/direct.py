"""The shortest way to an operation whose path has no ids in it: one look into a table, before any middleware.

A quote costs a fraction of what a general router costs, with its patterns tried one by one. What is not in the table,
a wrong method or an unknown host among it, goes the general way. Problems are answered as `Faults` and the
application answer them, and every answer has the headers of `SecurityHeaders`.
"""

from collections.abc import Iterable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from makegood.web.api.answers import PLAIN, Answer
from makegood.web.api.operation import Operation
from makegood.web.extensions import AT_ONCE
from makegood.web.problems import problem_response
from makegood.web.security import hardened_headers, is_for_us, known_hosts


def _head(scheme: str) -> bytes:
    lines = [b"%b: %b\r\n" % header for header in hardened_headers([PLAIN], {"scheme": scheme})]
    return b"HTTP/1.1 200 OK\r\n" + b"".join(lines)


HEADS = (_head("http"), _head("https"))
"""The head of an `Answer`, made once."""


class Direct(Starlette):
    """An application that runs an operation by its method and the path as it was sent."""

    def open_directly(self, operations: Iterable[Operation], hosts: Iterable[str]) -> None:
        """From now on, for requests that name one of `hosts`, or any host where there is none."""
        self._hosts = known_hosts(hosts)
        self._found = {(one.method, one.path.encode()): one for one in operations if "{" not in one.path}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or run the lifespan."""
        at_once = scope.pop(AT_ONCE, None)  # It refers to the scope.
        operation = self._found.get((scope["method"], scope.get("raw_path", b""))) if scope["type"] == "http" else None
        if operation is None or not is_for_us(scope, self._hosts):
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        scope["path_params"] = {}
        try:
            response = await operation.respond(Request(scope, receive))
        except Exception as error:
            response = problem_response(error, fallback=scope.get("state", {}).get("fallback"))
        if (
            type(response) is Answer
            and at_once is not None
            and at_once(HEADS[scope["scheme"] == "https"], response.body)
        ):
            return
        response.raw_headers = hardened_headers(response.raw_headers, scope)
        await response(scope, receive, send)

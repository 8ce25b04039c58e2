"""The server that the line `quote_http` measures: the real one, and beside it a POST endpoint that does nothing.

The endpoint exists only here. It is a Starlette application of one route, without the middleware of the real one: it
reads the body and answers an empty object, so whatever the server itself costs is in both.
"""

import sys

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from makegood.bench.quote_http_scripts import EMPTY
from makegood.demo.server import serve
from makegood.settings import Settings
from makegood.web.app import create_app

MODULE = "makegood.bench.quote_http_server"


class Beside:
    """`app`, and an empty endpoint beside it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.empty = Starlette(routes=[Route(EMPTY, _empty, methods=["POST"])])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.empty if scope["type"] == "http" and scope["path"] == EMPTY else self.app
        await app(scope, receive, send)


async def _empty(request: Request) -> Response:
    await request.body()
    return Response(b"{}", media_type="application/json")


if __name__ == "__main__":
    asked = Settings(**msgspec.json.decode(sys.argv[1]))
    serve(asked, Beside(create_app(asked)))

"""Ids in paths keep every character they have: a payment `a/b` is `/v1/payments/a%2Fb`, not two steps."""

from urllib.parse import unquote

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from makegood.errors import Problem, ProblemCode
from makegood.limits import ID_CHARS_MAX


class EncodedPaths:
    """Routes below /v1 by the path as it was sent; `path_id` decodes the ids in it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw: bytes | None = scope.get("raw_path")
        if scope["type"] == "http" and raw is not None and raw.startswith(b"/v1/"):
            scope = {**scope, "path": raw.partition(b"?")[0].decode("latin-1")}
        await self.app(scope, receive, send)


def path_id(request: Request, name: str) -> str:
    """The id in the path. Raises Problem(NOT_FOUND) for what no id can be; the store is not asked for it."""
    try:
        value = unquote(request.path_params[name], errors="strict")
    except UnicodeDecodeError:
        value = ""
    if not 0 < len(value) <= ID_CHARS_MAX or "\0" in value:
        raise Problem(ProblemCode.NOT_FOUND, "there is nothing with that id")
    return value

"""The last net: whatever nobody expected becomes a problem with a reference, and leaks nothing."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from makegood.web.problems import problem_response


class Faults:
    """Answers `internal` for an exception that no handler took; the log has it under the same reference."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:
            response = problem_response(error, fallback=scope.get("state", {}).get("fallback"))
            if started:
                raise  # Half an answer is out; only the connection can be dropped.
            await response(scope, receive, send)

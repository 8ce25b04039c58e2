"""All wiring: routes, middleware, and the platform that the process shares."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from makegood.services.platform import Platform
from makegood.settings import Settings
from makegood.web.api import health
from makegood.web.api.operations import OPERATIONS
from makegood.web.console.routes import routes as console_routes
from makegood.web.direct import Direct
from makegood.web.faults import Faults
from makegood.web.paths import EncodedPaths
from makegood.web.problems import EXPECTED, answer_error
from makegood.web.security import SecurityHeaders
from makegood.web.state import Shared, opened_store


def create_app(settings: Settings, *, platform: Platform | None = None) -> Starlette:
    """The server. In its lifespan it opens the platform, unless it is given one, which stays the caller's."""
    hosts = (settings.hosts or "").split(",")
    app = Direct(
        routes=[*api_routes(), *_page_routes()],
        middleware=[
            Middleware(SecurityHeaders, hosts=hosts),  # outermost, so that every answer has the headers
            Middleware(Faults),
            Middleware(EncodedPaths),
        ],
        exception_handlers=dict.fromkeys(EXPECTED, answer_error),
        lifespan=opened_store,
    )
    app.open_directly(OPERATIONS, hosts)
    app.router.redirect_slashes = False  # A redirect would drop the body of a payment; a wrong path is a wrong path.
    app.state.shared = Shared(settings, platform)
    return app


def api_routes() -> list[BaseRoute]:
    """Health, and the operations of the table."""
    return [
        Route("/livez", health.livez),
        Route("/readyz", health.readyz),
        Route("/metrics", health.metrics),
        Route("/openapi.json", health.openapi),
        *(operation.route() for operation in OPERATIONS),
    ]


class Static(StaticFiles):
    """Style sheets, scripts and fonts. An address changes with its content, so browsers may keep it."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file; kept for a year where the address names its content."""
        response = await super().get_response(path, scope)
        if response.status_code == 200 and b"v=" in scope["query_string"]:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


async def _home(_: Request) -> Response:
    return RedirectResponse("/console", 303)


def _page_routes() -> list[BaseRoute]:
    static = Static(directory=Path(__file__).with_name("static"))
    return [Route("/", _home), Mount("/static", static), *console_routes]

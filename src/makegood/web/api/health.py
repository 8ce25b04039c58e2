"""Health, metrics and the OpenAPI document. Only health answers without a key, and says nothing else."""

import asyncio
from importlib.resources import files

from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from makegood.domain.review import Scope
from makegood.errors import Problem, ProblemCode, StoreUnavailable
from makegood.services.access import require
from makegood.settings import metrics_folder
from makegood.store.connection import ping
from makegood.telemetry import exposed
from makegood.web.api.answers import answer
from makegood.web.problems import problem_response
from makegood.web.security import api_caller
from makegood.web.state import platform_of

READY_SECONDS_MAX = 2.0  # A probe usually gives up after one to ten seconds; ours answers before that.


async def livez(_: Request) -> Response:
    """This process runs. It is alive also while the store is away: a restart would not help."""
    return answer({"alive": True})


async def readyz(request: Request) -> Response:
    """Whether payments are decided now; 503 with the reason while they are answered with full price."""
    try:
        async with asyncio.timeout(READY_SECONDS_MAX):
            await ping(platform_of(request).store)
    except (StoreUnavailable, TimeoutError):
        away = Problem(
            ProblemCode.STORE_IS_UNAVAILABLE,
            "the store does not answer; payments are answered with full price",
            hint="see the log of this server for the reason",
        )
        return problem_response(away)
    return answer({"ready": True})


async def metrics(request: Request) -> Response:
    """Counters and timings of this server, all its workers together, in OpenMetrics text."""
    require(await api_caller(request), Scope.READ)
    text = generate_latest(exposed(metrics_folder()))  # type: ignore[no-untyped-call]
    return Response(text, media_type=CONTENT_TYPE_LATEST)


async def openapi(request: Request) -> Response:
    """The OpenAPI 3.1 document of this server."""
    await api_caller(request)
    return Response(files("makegood.web").joinpath("openapi.json").read_bytes(), media_type="application/json")

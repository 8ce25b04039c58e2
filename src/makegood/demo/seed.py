"""`makegood serve --demo`: a test house with campaigns that have spent something, so that the console has bars."""

import asyncio
from dataclasses import replace

import httpx

from makegood.demo.checkout import Checkout
from makegood.demo.payments import journey_sources, stretch
from makegood.demo.plan import CAPTURE_GRACE_SECONDS, CLIENTS, DEADLINE_MS, Plan
from makegood.domain.review import Scope
from makegood.errors import Problem, ProblemCode
from makegood.replay.house import Opened, open_house, put_in_force
from makegood.replay.wire import Connections
from makegood.services.access import create_key
from makegood.services.platform import Platform
from makegood.web.app import create_app

PAYMENTS = 400
CONSOLE = "console"
_HOUSE = "demo"
_HOUSES_MAX = 1_000  # Names that are tried: demo, demo-2, demo-3 and so on.
_CONSOLE_SCOPES = (Scope.READ, Scope.OPERATE, Scope.RESUME, Scope.APPROVE)


async def seed_demo(platform: Platform) -> list[tuple[str, str]]:
    """Make a test house `demo` (or `demo-2` …) with the journey campaigns live and some hundreds of real payments.

    Gives (principal, key) for each of its people, the console's first. Every call goes through the HTTP application in
    this process; its deadline is the demo's. Raises Problem or CallFailed.
    """
    # As in the demo: a week passes in seconds, and many tills share this process with the server.
    patient = replace(platform.settings, deadline_ms=DEADLINE_MS, capture_grace_seconds=CAPTURE_GRACE_SECONDS)
    app = create_app(patient, platform=replace(platform, settings=patient))
    plan = Plan(payments=PAYMENTS)
    payments = await asyncio.to_thread(stretch, plan)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=None) as client:  # noqa: S113
        opened = await _open(platform, Connections([client] * CLIENTS))
        await put_in_force(opened.wire, journey_sources())
        await Checkout(plan, payments, opened.wire, lambda _: None).run()
    console = await create_key(platform, opened.house.name, CONSOLE, _CONSOLE_SCOPES)
    return [(CONSOLE, console.key), *opened.keys.items()]


async def _open(platform: Platform, connections: Connections) -> Opened:
    for number in range(1, _HOUSES_MAX + 1):
        try:
            return await open_house(platform, connections, _HOUSE if number == 1 else f"{_HOUSE}-{number}")
        except Problem as problem:
            if problem.code is not ProblemCode.HOUSE_EXISTS:
                raise
    raise Problem(ProblemCode.HOUSE_EXISTS, f"there are {_HOUSES_MAX} demo houses in this store")

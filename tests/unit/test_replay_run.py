"""Counting what a replay granted, from answers as the HTTP API gives them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, cast

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from makegood.demo import run as demo
from makegood.replay.generator import Arrival
from makegood.replay.house import NotProved, Opened
from makegood.replay.run import run_scenario
from makegood.replay.scenario import load_scenario
from makegood.replay.wire import CallFailed, Connections, Wire

SCENARIO = load_scenario("alipay-2025-01-16")
FREE, CAPPED, PROVED = SCENARIO.runs


def arrival(number: int, *, eligible: bool = True) -> Arrival:
    moment = SCENARIO.opens.plus(number)
    return Arrival(f"p{number}", moment, "payer", "payee", 1_000, "online", eligible)


async def answers(request: Request) -> JSONResponse:
    """A till's server that grants a fifth while its 500 minor units last."""
    left: list[int] = request.app.state.left
    quotes = []
    for payment in (await request.json())["payments"]:
        granted = 200 if payment["payer_segments"] and left[0] >= 200 else 0
        left[0] -= granted
        refusal = None if granted else "budget_is_exhausted"
        quotes.append({"decided": True, "discount_minor": granted, "explanation": [{"refusal": refusal}]})
    return JSONResponse({"quotes": quotes})


async def undecided(request: Request) -> JSONResponse:
    payments = (await request.json())["payments"]
    return JSONResponse({"quotes": [{"decided": False, "discount_minor": 0} for _ in payments]})


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=[Route("/v1/quotes/batch", answers, methods=["POST"])])
    app.state.left = [500]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost") as made:
        yield made


def ignored(_: int) -> None:
    """Nobody watches."""


async def test_the_stop_is_the_first_refusal_for_want_of_money(client: httpx.AsyncClient) -> None:
    arrivals = [arrival(1), arrival(2, eligible=False), arrival(3), arrival(4), arrival(5)]
    outcome = await run_scenario(SCENARIO, CAPPED, arrivals, Wire(Connections([client]), {"till": "k"}), step=ignored)
    assert outcome.row() == {
        "name": "budget_capped",
        "guards": ["budget"],
        "wrong_granted": 2,
        "wrong_minor": 400,
        "stopped_by": "budget",
        "payments_to_stop": 4,
        "seconds_to_stop": 4.0,
        "stopped_before_publish": False,
        "refused": [],
    }


async def test_a_run_without_a_refusal_was_stopped_by_nothing(client: httpx.AsyncClient) -> None:
    outcome = await run_scenario(
        SCENARIO, FREE, [arrival(1), arrival(2)], Wire(Connections([client]), {"till": "k"}), step=ignored
    )
    row: dict[str, Any] = outcome.row()
    assert (row["stopped_by"], row["payments_to_stop"], row["wrong_minor"]) == (None, None, 400)


async def test_a_campaign_that_a_proof_refused_stopped_before_the_first_payment(client: httpx.AsyncClient) -> None:
    refused = {"obligation": "inside_brief.label", "verdict": "refuted", "ms": 0.1, "witness": None}
    wire = Wire(Connections([client]), {"till": "k"})
    arrivals = [arrival(1, eligible=False)]
    row = (await run_scenario(SCENARIO, PROVED, arrivals, wire, step=ignored, refused=[refused])).row()
    assert (row["stopped_by"], row["stopped_before_publish"], row["wrong_granted"]) == ("proof", True, 0)
    assert (row["payments_to_stop"], row["seconds_to_stop"]) == (0, 0.0)
    assert row["refused"] == [{"obligation": "inside_brief.label", "verdict": "refuted", "witness": None}]


async def test_a_payment_that_nobody_decided_ends_the_replay() -> None:
    app = Starlette(routes=[Route("/v1/quotes/batch", undecided, methods=["POST"])])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost") as client:
        with pytest.raises(CallFailed, match="not decided"):
            await run_scenario(SCENARIO, FREE, [arrival(1)], Wire(Connections([client]), {"till": "k"}), step=ignored)


@pytest.mark.parametrize("rows", [(), ({"obligation": "budget_bound", "verdict": "refuted", "witness": None},)])
async def test_only_a_proof_that_says_no_counts_as_a_stop_before_publishing(
    monkeypatch: pytest.MonkeyPatch, rows: Sequence[Mapping[str, Any]]
) -> None:
    async def refuse(*_: Any) -> None:
        raise NotProved("spring", rows)

    monkeypatch.setattr(demo, "put_in_force", refuse)
    opened = Opened(cast(Any, None), cast(Any, None), {})
    if rows:
        assert await demo._published(opened, ()) == rows
    else:
        with pytest.raises(NotProved, match="no proof could be made"):
            await demo._published(opened, ())

"""Counting what a replay granted wrongly, from answers as the HTTP API gives them; and judging it by its bounds."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from makegood.replay import replayed
from makegood.replay.generator import Arrival
from makegood.replay.guards import LADDER, Run
from makegood.replay.house import NotProved, Opened
from makegood.replay.load import load_scenario
from makegood.replay.outcome import Granted, Outcome, beyond_bounds, smallest_witness
from makegood.replay.run import Site, run_scenario
from makegood.replay.wire import CallFailed, Connections, Wire

SCENARIO = load_scenario("alipay-2025-01-16")
FREE, STAGED, PROVED = Run("unguarded", ()), Run("staged", ("stage",)), Run("proved", ("proof",))
REFUSED: Mapping[str, Any] = {"obligation": "inside_brief.label", "verdict": "refuted", "ms": 0.1, "witness": None}


def arrival(number: int, *, eligible: bool = True, stale: bool = True) -> Arrival:
    moment = SCENARIO.opens.plus(number)
    return Arrival(f"p{number}", moment, f"payer-{number}", "payee", 1_000, "online", eligible, stale=stale)


async def answers(request: Request) -> JSONResponse:
    """A till's server that grants a fifth while its 500 minor units last."""
    left: list[int] = request.app.state.left
    quotes = []
    payments = (await request.json())["payments"]
    request.app.state.sizes.append(len(payments))
    for payment in payments:
        granted = 200 if payment["payer_segments"] and left[0] >= 200 else 0
        left[0] -= granted
        refusal = None if granted else "stage_is_exhausted" if payment["payer_segments"] else "condition_is_not_met"
        benefits = [{"discount_minor": granted, "label": "government_subsidy"}] if granted else []
        quotes.append({"decided": True, "benefits": benefits, "explanation": [{"refusal": refusal}]})
    return JSONResponse({"quotes": quotes})


async def undecided(request: Request) -> JSONResponse:
    payments = (await request.json())["payments"]
    return JSONResponse({"quotes": [{"decided": False, "discount_minor": 0} for _ in payments]})


async def view(_: Request) -> JSONResponse:
    return JSONResponse({"stopped_by": None, "stage_minor": 500, "stages_minor": [500, 5_000]})


async def forbidden(_: Request) -> JSONResponse:
    return JSONResponse({"code": "scope_is_missing"}, status_code=403)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    campaign = f"/v1/campaigns/{SCENARIO.wrong.id}"
    routes = [
        Route("/v1/quotes/batch", answers, methods=["POST"]),
        Route(f"{campaign}/stop", forbidden, methods=["POST"]),
        Route(campaign, view),
    ]
    app = Starlette(routes=routes)
    app.state.left, app.state.sizes = [500], []
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost") as made:
        made.headers["x-app"] = "replay"
        cast(Any, made).sizes = app.state.sizes
        yield made


def site(client: httpx.AsyncClient, *, refused: Sequence[Mapping[str, Any]] = (), right: bool = False) -> Site:
    wire = Wire(Connections([client]), {"till": "k", "auditor": "k"})
    return Site(wire, wire if right else None, refused)


def ignored(_: int) -> None:
    """Nobody watches."""


async def test_the_stop_is_the_first_refusal_by_a_guard(client: httpx.AsyncClient) -> None:
    arrivals = [arrival(1), arrival(2, eligible=False), arrival(3), arrival(4), arrival(5)]
    outcome = await run_scenario(SCENARIO, STAGED, arrivals, site(client), step=ignored)
    assert outcome.row() == {
        "name": "staged",
        "guards": ["stage"],
        "payments": 5,
        "wrong_granted": 2,
        "wrong_minor": 400,
        "granted_minor": 400,
        "stopped_by": "stage",
        "payments_to_stop": 4,
        "seconds_to_stop": 4.0,
        "stopped_before_publish": False,
        "refused": [],
        "stop_answer": None,
        "stages_opened": 1,
    }


async def test_a_run_without_a_refusal_was_stopped_by_nothing(client: httpx.AsyncClient) -> None:
    row = (await run_scenario(SCENARIO, FREE, [arrival(1), arrival(2)], site(client), step=ignored)).row()
    assert (row["stopped_by"], row["payments_to_stop"], row["wrong_minor"]) == (None, None, 400)


async def test_a_campaign_that_a_proof_refused_stopped_before_the_first_payment(client: httpx.AsyncClient) -> None:
    steps: list[int] = []
    arrivals = [arrival(n, eligible=False) for n in range(1, 251)]
    refused = site(client, refused=[REFUSED])
    row = (await run_scenario(SCENARIO, PROVED, arrivals, refused, step=steps.append)).row()
    assert (row["stopped_by"], row["stopped_before_publish"], row["wrong_granted"]) == ("proof", True, 0)
    assert (row["payments_to_stop"], row["seconds_to_stop"], row["payments"]) == (0, 0.0, 100)
    assert row["refused"] == [{"obligation": "inside_brief.label", "verdict": "refuted", "witness": None}]
    assert sum(steps) == 250  # Who watches is told of all of them.


async def test_payments_go_one_by_one_until_a_guard_that_watches_has_stopped_them_all() -> None:
    """A discount too large for the stage is refused, a smaller one after it fits, and then the detector ends it."""
    refusals = iter([None, "stage_is_exhausted", None, *["campaign_is_stopped"] * 5])
    sizes: list[int] = []

    async def answered(request: Request) -> JSONResponse:
        payments = (await request.json())["payments"]
        sizes.append(len(payments))
        return JSONResponse({"quotes": [_answer(next(refusals)) for _ in payments]})

    async def tripped(_: Request) -> JSONResponse:
        return JSONResponse({"stopped_by": "makegood:detector", "stage_minor": 500, "stages_minor": [500]})

    path = f"/v1/campaigns/{SCENARIO.wrong.id}"
    app = Starlette(routes=[Route("/v1/quotes/batch", answered, methods=["POST"]), Route(path, tripped)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost") as made:
        arrivals = [arrival(n) for n in range(1, 9)]
        watched = Run("watched", ("detector", "stage"))
        row = (await run_scenario(SCENARIO, watched, arrivals, site(made), step=ignored)).row()
    assert (row["stopped_by"], row["payments_to_stop"], row["wrong_granted"]) == ("detector", 4, 2)
    assert sizes == [1, 1, 1, 1, 4]


def _answer(refusal: str | None) -> dict[str, Any]:
    benefits = [] if refusal else [{"discount_minor": 200, "label": "government_subsidy"}]
    return {"decided": True, "benefits": benefits, "explanation": [{"refusal": refusal}]}


async def test_a_quote_that_cannot_be_captured_ends_the_replay() -> None:
    async def granted(request: Request) -> JSONResponse:
        payments = (await request.json())["payments"]
        told = {"quote_id": "qte_1", "decided_at": SCENARIO.opens.text()}
        return JSONResponse({"quotes": [_answer(None) | told for _ in payments]})

    async def refused(_: Request) -> JSONResponse:
        return JSONResponse({"quotes": [{"problem": {"code": "quote_has_expired"}}]})

    routes = [Route("/v1/quotes/batch", granted, methods=["POST"]), Route("/v1/captures", refused, methods=["POST"])]
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=Starlette(routes=routes)), base_url="http://localhost"
    ) as made:
        with pytest.raises(CallFailed, match="not captured"):
            await run_scenario(SCENARIO, FREE, [arrival(1)], site(made), step=ignored)


async def test_each_payment_goes_to_the_house_of_its_node(client: httpx.AsyncClient) -> None:
    arrivals = [arrival(1, stale=False), arrival(2, stale=False), arrival(3), arrival(4, stale=False)]
    await run_scenario(SCENARIO, FREE, arrivals, site(client, right=True), step=ignored)
    assert cast(Any, client).sizes == [2, 1, 1]


async def test_a_stop_whose_own_path_fails_is_told_and_stops_nothing(client: httpx.AsyncClient) -> None:
    stop = load_scenario("cloudflare-2025-12-05").stop
    assert stop is not None
    scenario = replace(SCENARIO, stop=replace(stop, after_seconds=2))
    outcome = await run_scenario(scenario, FREE, [arrival(1), arrival(2)], site(client), step=ignored)
    assert outcome.stop_answer is None  # Both went at once, before its time.
    watched = Run("watched", ("detector",))
    outcome = await run_scenario(scenario, watched, [arrival(3), arrival(4)], site(client), step=ignored)
    assert outcome.stop_answer == "scope_is_missing"
    assert outcome.payments == 2


@pytest.mark.parametrize(
    ("told", "guard"), [("makegood:detector", "detector"), ("makegood:collar", "collar"), ("stage-manager", "stop")]
)
async def test_a_campaign_that_is_stopped_names_the_guard_that_did_it_or_a_person(told: str, guard: str) -> None:
    async def stopped(request: Request) -> JSONResponse:
        payments = (await request.json())["payments"]
        answer = {"decided": True, "benefits": [], "explanation": [{"refusal": "campaign_is_stopped"}]}
        return JSONResponse({"quotes": [answer for _ in payments]})

    async def view(_: Request) -> JSONResponse:
        return JSONResponse({"stopped_by": told, "stage_minor": 500, "stages_minor": [500]})

    path = f"/v1/campaigns/{SCENARIO.wrong.id}"
    app = Starlette(routes=[Route("/v1/quotes/batch", stopped, methods=["POST"]), Route(path, view)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost") as client:
        row = (await run_scenario(SCENARIO, FREE, [arrival(1)], site(client), step=ignored)).row()
    assert (row["stopped_by"], row["payments_to_stop"]) == (guard, 1)


async def test_a_payment_that_nobody_decided_ends_the_replay() -> None:
    app = Starlette(routes=[Route("/v1/quotes/batch", undecided, methods=["POST"])])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost") as client:
        with pytest.raises(CallFailed, match="not decided"):
            await run_scenario(SCENARIO, FREE, [arrival(1)], site(client), step=ignored)


@pytest.mark.parametrize("rows", [(), ({"obligation": "budget_bound", "verdict": "refuted", "witness": None},)])
async def test_only_a_proof_that_says_no_counts_as_a_stop_before_publishing(
    monkeypatch: pytest.MonkeyPatch, rows: Sequence[Mapping[str, Any]]
) -> None:
    async def refuse(*_: Any) -> None:
        raise NotProved("spring", rows)

    monkeypatch.setattr(replayed, "put_in_force", refuse)
    opened = Opened(cast(Any, None), cast(Any, None), {})
    if rows:
        assert await replayed.published(opened, ()) == rows
    else:
        with pytest.raises(NotProved, match="no proof could be made"):
            await replayed.published(opened, ())


# -- judged by what the scenario expects -----------------------------------------------------------------


def outcome_of(*guards: str, grants: int, minor: int = 100, refused: Sequence[Mapping[str, Any]] = ()) -> Outcome:
    granted = tuple(Granted(float(n), n, minor) for n in range(1, grants + 1))
    return Outcome(Run("made", guards), 1_000, granted, refused=tuple(refused))


@pytest.mark.parametrize(
    ("guards", "grants", "faults"),
    [
        (LADDER, 0, 0),
        (LADDER, 1, 1),
        (LADDER[1:], 0, 0),
        (LADDER[1:], 1, 1),
        (LADDER[2:], 12, 0),
        (LADDER[2:], 13, 1),
        (("stage",), 1_000, 0),
        (("stage",), 1_001, 1),
        (("detector",), 12, 0),
        ((), 500, 0),
        ((), 499, 1),
    ],
)
def test_a_run_is_judged_by_the_strongest_guards_that_are_left(
    guards: tuple[str, ...], grants: int, faults: int
) -> None:
    assert len(beyond_bounds(SCENARIO, outcome_of(*guards, grants=grants))) == faults


def test_with_nothing_left_something_must_happen_unless_rate_or_share_were_changed() -> None:
    assert beyond_bounds(SCENARIO, outcome_of(grants=3), as_published=False) == ()


def test_a_proof_that_refuses_for_another_reason_than_the_scenario_says_is_not_as_expected() -> None:
    other = {**REFUSED, "obligation": "budget_bound"}
    assert beyond_bounds(SCENARIO, outcome_of(*LADDER, grants=0, refused=[REFUSED])) == ()
    assert "inside_brief.label" in beyond_bounds(SCENARIO, outcome_of(*LADDER, grants=0, refused=[other]))[0]


def test_the_witness_that_is_shown_is_that_of_the_obligation_that_the_scenario_names() -> None:
    rows = [{"obligation": name, "verdict": "refuted", "witness": {"words": name}} for name in ("a", "b")]
    outcomes = [outcome_of(grants=0), outcome_of("proof", grants=0, refused=rows)]
    assert smallest_witness(outcomes, "b") == {"words": "b"}
    assert smallest_witness(outcomes, "c") == {"words": "a"}
    assert smallest_witness(outcomes[:1], "a") is None

"""Running a scenario: the generated payments go through HTTP, engine and store, and what was granted is counted."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from makegood.clock import SECOND
from makegood.domain.review import Guard
from makegood.replay.generator import Arrival
from makegood.replay.scenario import Run, Scenario
from makegood.replay.wire import CallFailed, Wire

BATCH_PAYMENTS = 100  # Payments in one call: five seconds of the event at 1:1000.


@dataclass(frozen=True, slots=True)
class Granted:
    """One wrong discount: seconds after the start, the payment's number from 1, minor units."""

    seconds: float
    number: int
    minor: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run of a scenario, until the first refusal by the guard: payments and seconds until then.

    `refused` are the rows of the proof that kept the campaign from running, if one did: before any payment then.
    """

    run: Run
    payments: int
    eligible: int
    grants: tuple[Granted, ...]
    stopped_by: str | None
    payments_to_stop: int | None
    seconds_to_stop: float | None
    refused: tuple[Mapping[str, Any], ...] = ()

    @property
    def wrong_minor(self) -> int:
        """What was granted, minor units; every grant is wrong, as the brief names another label."""
        return sum(grant.minor for grant in self.grants)

    def row(self) -> dict[str, Any]:
        """The row that scripts read."""
        return {
            "name": self.run.name,
            "guards": list(self.run.guards),
            "wrong_granted": len(self.grants),
            "wrong_minor": self.wrong_minor,
            "stopped_by": self.stopped_by,
            "payments_to_stop": self.payments_to_stop,
            "seconds_to_stop": self.seconds_to_stop,
            "stopped_before_publish": bool(self.refused),
            "refused": [_said(row) for row in self.refused],
        }


async def run_scenario(
    scenario: Scenario,
    run: Run,
    arrivals: Sequence[Arrival],
    wire: Wire,
    *,
    step: Callable[[int], None],
    refused: Sequence[Mapping[str, Any]] = (),
) -> Outcome:
    """Quote every arrival, in order. The house must hold the documents of the run. Raises CallFailed.

    `refused` are the rows of a proof that kept the campaign from running: the payments come all the same.
    """
    grants: list[Granted] = []
    stop: tuple[int, Arrival] | None = None
    number = 0
    for batch in _batches(arrivals):
        body = {"payments": [request_of(scenario, arrival) for arrival in batch]}
        answers = (await wire.call("till", "POST", "/v1/quotes/batch", body))["quotes"]
        for arrival, answer in zip(batch, answers, strict=True):
            number += 1
            _check(arrival, answer)
            if answer["discount_minor"]:
                grants.append(Granted(_seconds(scenario, arrival), number, answer["discount_minor"]))
            elif arrival.eligible and stop is None and _refused(answer):
                stop = (number, arrival)
        step(len(batch))
    if refused:
        return Outcome(run, len(arrivals), _eligible(arrivals), tuple(grants), Guard.PROOF, 0, 0.0, tuple(refused))
    return Outcome(
        run=run,
        payments=len(arrivals),
        eligible=_eligible(arrivals),
        grants=tuple(grants),
        stopped_by=run.guards[0] if stop is not None and run.guards else None,
        payments_to_stop=stop[0] if stop is not None else None,
        seconds_to_stop=round(_seconds(scenario, stop[1]), 3) if stop is not None else None,
    )


def _eligible(arrivals: Sequence[Arrival]) -> int:
    return sum(arrival.eligible for arrival in arrivals)


def _said(row: Mapping[str, Any]) -> dict[str, Any]:
    """What scripts read of a row of a proof."""
    return {name: row[name] for name in ("obligation", "verdict", "witness")}


def request_of(scenario: Scenario, arrival: Arrival) -> dict[str, Any]:
    """An arrival as the HTTP API takes it."""
    return {
        "payment_id": arrival.payment_id,
        "occurred_at": arrival.occurred_at.text(),
        "payer_id": arrival.payer_id,
        "payee_id": arrival.payee_id,
        "amount": arrival.amount,
        "currency": scenario.currency,
        "scene": arrival.scene,
        "channel": "app",
        "instrument": "balance",
        "payer_segments": ["january"] if arrival.eligible else [],
        "explain": arrival.eligible,
    }


def _batches(arrivals: Sequence[Arrival]) -> Iterator[Sequence[Arrival]]:
    for start in range(0, len(arrivals), BATCH_PAYMENTS):
        yield arrivals[start : start + BATCH_PAYMENTS]


def _check(arrival: Arrival, answer: dict[str, Any]) -> None:
    """A replay is only worth something if every payment was decided."""
    if not answer.get("decided"):
        raise CallFailed(f"the replay's payment `{arrival.payment_id}` was not decided: {str(answer)[:200]}")


def _refused(answer: dict[str, Any]) -> bool:
    """Whether money ran out; an amount too small for any discount is no stop."""
    limits = ("budget_is_exhausted", "stage_is_exhausted")
    return any(one["refusal"] in limits for one in answer.get("explanation", ()))


def _seconds(scenario: Scenario, arrival: Arrival) -> float:
    return (arrival.occurred_at - scenario.opens) / SECOND

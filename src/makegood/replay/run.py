"""Running a scenario: the payments go through HTTP, engine and store, and what was granted wrongly is counted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from makegood.clock import SECOND
from makegood.replay.generator import Arrival
from makegood.replay.guards import LADDER, STOPPED_BY, Run
from makegood.replay.outcome import Granted, Outcome
from makegood.replay.scenario import Scenario
from makegood.replay.wire import CallFailed, Wire
from makegood.replay.wrong import Answered, Tally

BATCH_PAYMENTS = 100  # Payments in one call where no guard can act between two of them.
_WATCHING = ("collar", "detector")  # Guards that can act between two payments.
_PARTIAL = ("stage", "budget")  # What refuses one discount still has room for a smaller one.
_BREAKER = "makegood:"  # A campaign that a guard has stopped says so: `makegood:collar`.

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Site:
    """The houses of one run: `mistaken` holds the wrong campaign. `right` is what the other nodes have, if there are.

    `refused` are the rows of a proof that kept the wrong campaign from running.
    """

    mistaken: Wire
    right: Wire | None = None
    refused: Rows = ()


async def run_scenario(
    scenario: Scenario, run: Run, arrivals: Sequence[Arrival], site: Site, *, step: Callable[[int], None]
) -> Outcome:
    """Quote the arrivals in order; every one of them is decided. Raises CallFailed.

    Payments go one by one while a guard that watches may act between two of them, else in batches. Where a proof has
    refused the campaign, only the first batch is sent: no house of the run holds a campaign that could grant anything
    wrongly, and no payment changes that.
    """
    running = Running(scenario, run, site)
    sent = 0
    while sent < len(arrivals) and not (site.refused and sent):
        await running.ask_to_stop(arrivals[sent])
        batch = arrivals[sent : sent + running.batch_size()]
        await running.quote(batch, sent)
        sent += len(batch)
        step(len(batch))
    await running.look_at_the_campaign()
    step(len(arrivals) - sent)
    return running.outcome(sent)


class Running:
    """One run while it lasts: what was granted wrongly so far, and who refused the wrong campaign."""

    def __init__(self, scenario: Scenario, run: Run, site: Site) -> None:
        self._scenario, self._run, self._site = scenario, run, site
        self._tally = Tally(scenario.brief)
        self._grants: list[Granted] = []
        self._granted = 0
        self._stop: tuple[str, int, float] | None = None
        self._stop_answer: str | None = None
        self._stages_opened: int | None = None

    def batch_size(self) -> int:
        """How many payments go at once now."""
        return 1 if self._is_watched() else BATCH_PAYMENTS

    def _is_watched(self) -> bool:
        """Whether a guard that watches may still stop the campaign."""
        over = self._site.refused or (self._stop is not None and self._stop[0] not in _PARTIAL)
        return not over and any(one in self._run.guards for one in _WATCHING)

    async def ask_to_stop(self, arrival: Arrival) -> None:
        """Send the request of whoever wants to stop the campaign, once it is time. It may be refused: that is kept."""
        stop = self._scenario.stop
        if stop is None or self._stop_answer is not None or self._seconds(arrival) < stop.after_seconds:
            return
        path = f"/v1/campaigns/{self._scenario.wrong.id}/stop"
        reply = await self._site.mistaken.send(stop.by, "POST", path, {"reason": self._scenario.mistake["en"]})
        self._stop_answer = "stopped" if reply.status == 200 else str(reply.code)

    async def quote(self, batch: Sequence[Arrival], sent: int) -> None:
        """Quote a batch, each payment at its node, and count. Raises CallFailed where one was not decided."""
        numbered = enumerate(batch, sent + 1)
        for stale, group in groupby(numbered, key=lambda one: one[1].stale or self._site.right is None):
            some = list(group)
            wire = self._site.mistaken if stale or self._site.right is None else self._site.right
            asked = self._stop is None or self._is_watched()  # Why is asked for until it is known who stopped it.
            body = {"payments": [request_of(self._scenario, arrival, explain=asked) for _, arrival in some]}
            answers = (await wire.call("till", "POST", "/v1/quotes/batch", body))["quotes"]
            await _pay(wire, [answer for answer in answers if answer.get("quote_id")])
            for (number, arrival), answer in zip(some, answers, strict=True):
                self._count(number, arrival, answer, stale=stale)

    def _count(self, number: int, arrival: Arrival, answer: Mapping[str, Any], *, stale: bool) -> None:
        if not answer.get("decided"):
            raise CallFailed(f"the replay's payment `{arrival.payment_id}` was not decided: {str(answer)[:200]}")
        campaign = self._scenario.wrong if stale else self._scenario.right
        for benefit in answer["benefits"]:
            discount = benefit["discount_minor"]
            self._granted += discount
            told = (arrival.occurred_at, arrival.payer_id, arrival.amount, arrival.scene)
            wrong = self._tally.wrong_of(Answered(*told, discount, benefit["label"], campaign.funding))
            if wrong:
                self._grants.append(Granted(self._seconds(arrival), number, wrong))
        guard = stopped_by(answer) if stale else None
        if guard is not None and (self._stop is None or self._went_on(guard)):
            self._stop = (guard, number, self._seconds(arrival))

    def _went_on(self, guard: str) -> bool:
        """Whether smaller wrong discounts were granted after a partial refusal, until this guard ended them all."""
        if self._stop is None or self._stop[0] not in _PARTIAL or guard in _PARTIAL or not self._grants:
            return False
        return self._grants[-1].number > self._stop[1]

    def _seconds(self, arrival: Arrival) -> float:
        return round((arrival.occurred_at - self._scenario.opens) / SECOND, 3)

    async def look_at_the_campaign(self) -> None:
        """How many stages it has open, if it ran; where it is stopped, whose stop that is: a guard's or a person's."""
        if self._site.refused:
            return
        path = f"/v1/campaigns/{self._scenario.wrong.id}"
        view = await self._site.mistaken.call("auditor", "GET", path)
        self._stages_opened = sum(stage <= view["stage_minor"] for stage in view["stages_minor"])
        if self._stop is not None and self._stop[0] == "stop":
            by = view["stopped_by"] or ""
            guard = by.removeprefix(_BREAKER) if by.startswith(_BREAKER) else "stop"
            self._stop = (guard if guard in LADDER else "stop", *self._stop[1:])

    def outcome(self, sent: int) -> Outcome:
        """What the run came to after `sent` payments."""
        by, number, seconds = self._stop if self._stop is not None else (None, None, None)
        if self._site.refused:
            by, number, seconds = "proof", 0, 0.0
        refused = tuple(self._site.refused)
        grants = tuple(self._grants)
        told = (by, number, seconds, refused, self._stop_answer, self._stages_opened)
        return Outcome(self._run, sent, grants, self._granted, *told)


async def _pay(wire: Wire, answers: Sequence[Mapping[str, Any]]) -> None:
    """Whoever is granted something pays at once: what a stage opens on is there as soon as it can be.

    Raises CallFailed where a capture is refused: a quote that was shown is good.
    """
    if not answers:
        return
    paid = [{"quote_id": one["quote_id"], "paid_at": one["decided_at"]} for one in answers]
    for captured in (await wire.call("till", "POST", "/v1/captures", {"captures": paid}))["quotes"]:
        if captured.get("state") != "captured":
            raise CallFailed(f"a quote of the replay was not captured: {str(captured)[:200]}")


def stopped_by(answer: Mapping[str, Any]) -> str | None:
    """The guard that an answer's explanation names; None where no guard refused anything."""
    refusals = [one["refusal"] for one in answer.get("explanation", ()) if one["refusal"] in STOPPED_BY]
    return STOPPED_BY[refusals[0]] if refusals else None


def request_of(scenario: Scenario, arrival: Arrival, *, explain: bool) -> dict[str, Any]:
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
        "merchant_category": arrival.merchant_category,
        "payer_segments": ["chosen"] if arrival.eligible else [],
        "explain": explain,
    }

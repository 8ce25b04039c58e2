"""Operators: each stops a campaign and resumes it with a second principal, again and again."""

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass

from tests.faults.calls import Line, Said

STOP = {"reason": "a drill"}


@dataclass(frozen=True, slots=True)
class Stopped:
    """From `since` to `until` a campaign was stopped for certain: the stop was acknowledged, no resume was sent."""

    campaign: str
    since: float
    until: float


class Operator:
    """Stops and resumes one campaign. `stops` are the times that count."""

    def __init__(self, campaign: str, seed: int, lines: Mapping[str, Line]) -> None:
        self.campaign, self.lines = campaign, lines
        self.chance = random.Random(f"{seed}/operator/{campaign}")
        self.stops: list[Stopped] = []
        self.wrong: list[str] = []
        self.resumes = 0

    async def run(self, over: asyncio.Event) -> None:
        """Act until it is over. A stop that nobody answers for long is wrong: it must always be possible."""
        try:
            await self._act(over)
        except TimeoutError as error:
            self.wrong.append(str(error))

    async def _act(self, over: asyncio.Event) -> None:
        while not over.is_set():
            await _pause(over, self.chance.uniform(2.0, 5.0))
            if over.is_set():
                return
            stopped = await self._stop()
            await _pause(over, self.chance.uniform(1.0, 3.0))
            sent = time.time()
            self.stops.append(Stopped(self.campaign, stopped.ended, sent))
            await self._resume()

    async def _stop(self) -> Said:
        said = await self.lines["oncall"].insist("stop", "POST", f"/v1/campaigns/{self.campaign}/stop", STOP)
        if not said.done or said.body["stopped"] != [f"campaign:{self.campaign}"]:
            self.wrong.append(f"a stop of {self.campaign} was answered {said.body}")
        return said

    async def _resume(self) -> None:
        """Asked for by one, confirmed by another. A try that was cut off may have done it already."""
        path = f"/v1/campaigns/{self.campaign}/resume"
        for who in ("first", "second"):
            said = await self.lines[who].insist("resume", "POST", path, {"reason": "all is well"})
            if said.done and said.body["state"] == "requested":
                continue
            if said.done or said.code == "state_forbids":
                break
            if said.code != "resume_needs_another":
                self.wrong.append(f"a resume of {self.campaign} by {who} was answered {said.body}")
                break
        self.resumes += 1


async def _pause(over: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(over.wait(), seconds)
    except TimeoutError:
        return

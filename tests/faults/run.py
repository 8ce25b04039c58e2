"""Runs the storm for long: `python -m tests.faults.run --kills 1000 --write`."""

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

from tests.faults.report import report, words
from tests.faults.rounds import CLIENTS, Round, run_round
from tests.faults.schedule import Kind, long_lanes
from tests.faults.site import opened_site

RESULT = Path(__file__).parent / "result.json"
SEED = 20_250_116
KILLS_A_ROUND = 50


async def storm(seed: int, kills: int, clients: int) -> tuple[list[Round], dict[Kind, str]]:
    """Rounds until so many are killed, on one site, and what was left out. Each round's seed is its own."""
    rounds: list[Round] = []
    async with opened_site() as site:
        missing = left_out(small_disk=site.disk.is_small)
        while (left := kills - sum(one.struck.kills for one in rounds)) > 0:
            own = seed + len(rounds)
            lanes = long_lanes(own, min(KILLS_A_ROUND, left), [*missing])
            rounds.append(await run_round(site, own, lanes, clients))
            sys.stderr.write(words(rounds[-1]))
            if not rounds[-1].recovered:
                break
    return rounds, missing


def left_out(*, small_disk: bool) -> dict[Kind, str]:
    """Faults that cannot be done here, and why."""
    return {} if small_disk else {Kind.FILL_DISK: "no small disk can be mounted here: it takes root"}


def main(arguments: list[str]) -> int:
    """Exit code 0 where nothing was violated."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS_A_ROUND, help="processes to kill by SIGKILL")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.name}")
    chosen = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupted)
    rounds, missing = asyncio.run(storm(chosen.seed, chosen.kills, chosen.clients))
    command = f"python -m tests.faults.run --kills {chosen.kills} --seed {chosen.seed} --clients {chosen.clients}"
    told = report(chosen.seed, command, rounds, {kind.value: why for kind, why in missing.items()})
    result = json.dumps(told, indent=1, ensure_ascii=False) + "\n"
    sys.stdout.write(result)
    if chosen.write:
        RESULT.write_text(result, encoding="utf-8")
    return 1 if any(one.violations for one in rounds) else 0


def _interrupted(*_: Any) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Runs the storm for long: `python -m tests.faults.run --kills 1000 --write`."""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.faults.report import report, words
from tests.faults.rounds import CLIENTS, Round, run_round
from tests.faults.schedule import Kind, long_lanes
from tests.faults.site import opened_site

RESULT = Path(__file__).parent / "result.json"
SEED = 20_250_116
KILLS_A_ROUND = 100


async def storm(seed: int, kills: int, clients: int, after: Callable[[list[Round]], None]) -> list[Round]:
    """Rounds until so many are killed, on one site, or one shows a violation. Each round's seed is its own.

    `after` is told of all rounds so far.
    """
    storming = asyncio.current_task()
    assert storming is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, storming.cancel)
    rounds: list[Round] = []
    async with opened_site() as site:
        missing = left_out(small_disk=site.disk.is_small)
        while (left := kills - sum(one.struck.kills for one in rounds)) > 0:
            own = seed + len(rounds)
            lanes = long_lanes(own, min(KILLS_A_ROUND, left), missing)
            rounds.append(await run_round(site, own, lanes, clients))
            sys.stderr.write(words(rounds[-1]))
            after(rounds)
            if rounds[-1].violations:
                break
    return rounds


def left_out(*, small_disk: bool) -> tuple[Kind, ...]:
    """Faults that cannot be done here: mounting a small disk takes root."""
    return () if small_disk else (Kind.FILL_DISK,)


def main(arguments: list[str]) -> int:
    """Exit code 0 where nothing was violated."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="processes to kill by SIGKILL")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.name}")
    chosen = parser.parse_args(arguments)
    command = f"python -m tests.faults.run --kills {chosen.kills} --seed {chosen.seed} --clients {chosen.clients}"

    def write(rounds: list[Round]) -> None:
        if chosen.write:  # After every round: whoever ends it early keeps what was done.
            RESULT.write_text(_told(report(chosen.seed, command, rounds)), encoding="utf-8")

    rounds = asyncio.run(storm(chosen.seed, chosen.kills, chosen.clients, write))
    sys.stdout.write(_told(report(chosen.seed, command, rounds)))
    return 1 if any(one.violations for one in rounds) else 0


def _told(result: dict[str, Any]) -> str:
    return json.dumps(result, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

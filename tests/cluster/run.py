"""The long profile: machines die, freeze and come back under load, again and again; then everything is counted.

`python -m tests.cluster.run --rounds 3 --write` writes the recorded result anew.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import structlog
from tests.cluster.house import loaded
from tests.cluster.load import Load
from tests.cluster.running import TTL_SECONDS, Running, running

from makegood.store.verify import verify

RESULT = Path(__file__).with_name("result.json")
LOADED_SECONDS = 2
ANSWERED_SECONDS = 0.5  # Whatever was answered before the event has arrived by then.

Event = Callable[[Running, str], Awaitable[None]]


async def dies(cluster: Running, primary: str) -> None:
    """The primary's machine dies: every process at once."""
    cluster.signal(primary, signal.SIGKILL)


async def freezes(cluster: Running, primary: str) -> None:
    """The primary's machine hears and says nothing for a while, and its connections stay open; it wakes up later."""
    cluster.signal(primary, signal.SIGSTOP)


async def crashes(cluster: Running, primary: str) -> None:
    """Only the primary's PostgreSQL dies. Its Patroni sees it."""
    os.kill(int((cluster.data(primary) / "postmaster.pid").read_text().split("\n", 1)[0]), signal.SIGKILL)


EVENTS: Mapping[str, Event] = {
    "the machine dies": dies, "the machine freezes": freezes, "PostgreSQL crashes": crashes,
}  # fmt: skip


async def trial(cluster: Running, load: Load, name: str) -> dict[str, Any]:
    """One event under load: what it took until clients were served again, and who was the primary then."""
    answered, undecided = len(load.answers), load.undecided
    load.start()
    await asyncio.sleep(LOADED_SECONDS)
    before = await asyncio.to_thread(cluster.primary)
    moment = time.monotonic()
    await EVENTS[name](cluster, before)
    await asyncio.sleep(ANSWERED_SECONDS)
    after = await load.next_grant(90) - moment
    await asyncio.sleep(LOADED_SECONDS)
    if name == "the machine freezes":
        cluster.signal(before, signal.SIGCONT)
        await asyncio.sleep(LOADED_SECONDS)
    await load.stop()
    await asyncio.to_thread(cluster.mend)
    members = await cluster.settled(120)
    return {
        "event": name, "serving_again_seconds": round(after, 1), "promoted": members[before]["role"] != "leader",
        "granted": len(load.answers) - answered, "full_price": load.undecided - undecided,
    }  # fmt: skip


async def profile(rounds: int, folder: str | None) -> dict[str, Any]:
    """All rounds on one cluster and one house, and what is left to find of what was acknowledged."""
    names = list(EVENTS)
    with running(folder) as cluster:
        await cluster.settled()
        async with loaded(cluster) as load:
            trials = []
            for number in range(rounds):
                trials.append(await trial(cluster, load, names[number % len(names)]))
                sys.stderr.write(json.dumps(trials[-1]) + "\n")
            lost = await load.lost()
            books = await verify(load.shop.platform.store.pool, load.shop.house.id)
    return {
        "command": f"python -m tests.cluster.run --rounds {rounds} --write",
        "ttl_seconds": TTL_SECONDS, "rounds": trials,
        "acknowledged": {"quotes": len(load.answers), "captures": len(load.captures)}, "lost": lost,
        "ledger": {"balanced": books.balanced, "entries": books.entries},
    }  # fmt: skip


def main() -> int:
    """0 if nothing was lost, the books balance and every promotion kept its time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=len(EVENTS))
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.name}")
    parser.add_argument("--folder", help="keep data and logs here")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    found = asyncio.run(profile(arguments.rounds, arguments.folder))
    text = json.dumps(found, indent=1) + "\n"
    sys.stdout.write(text)
    if arguments.write:
        RESULT.write_text(text, encoding="utf-8")
    slow = [one for one in found["rounds"] if one["serving_again_seconds"] > TTL_SECONDS + 5]
    return int(bool(found["lost"] or slow or not found["ledger"]["balanced"]))


if __name__ == "__main__":
    sys.exit(main())

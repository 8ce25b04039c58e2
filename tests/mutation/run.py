"""Puts edits on trial and says how they ended: `python -m tests.mutation.run --count 10000 --write`."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from tests.mutation.trial import Tally, trials

RESULT = Path(__file__).parent / "result.json"
SEED = 20_250_116


def run(seed: int, count: int, tell: Callable[[str], object]) -> Tally:
    """The tally of that many edits; `tell` is told how far it is."""
    tally = Tally()
    for number, one in enumerate(trials(seed, count), 1):
        tally.add(one)
        if number % 50 == 0:
            done = tally.total("made") - tally.kinds["unedited"]["made"]
            tell(f"\r{done} of {count} edits, {len(tally.failures)} failures ")
    tell("\n")
    return tally


def main(arguments: list[str]) -> int:
    """Exit code 0 where the oracle and the proof agree about every edit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500, help="edits to try")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.name}")
    parser.add_argument("--show", type=int, default=3, help="failures to show")
    chosen = parser.parse_args(arguments)
    tally = run(chosen.seed, chosen.count, lambda text: sys.stderr.write(text) and sys.stderr.flush())
    sys.stdout.write(tally.table())
    if tally.failures:
        sys.stdout.write(tally.failures_text(chosen.show))
    if chosen.write:
        result = {"seed": chosen.seed, "count": chosen.count, "failures": len(tally.failures), "kinds": tally.kinds}
        RESULT.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

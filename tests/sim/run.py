"""Simulates the detector and says how it did: `MAKEGOOD_TAXI=FILE python -m tests.sim.run --write`."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import log
from pathlib import Path
from typing import Any

from tests.sim.delays import SCENES, N, inside, outside
from tests.sim.real import layouts, rows_of, tried
from tests.sim.run_lengths import direct, importance

RESULT = Path(__file__).parent / "result.json"
COMMAND = "MAKEGOOD_TAXI=nyc_yellow_taxi_2018_2020.parquet python -m tests.sim.run --write"
SEED = 20_250_116

Rows = Sequence[Mapping[str, Any]]
Tell = Callable[[str], object]
Case = Callable[[], Mapping[str, Any]]

_SHARES = (1e-4, 0.01, 0.05)
_ELIGIBLE = (1.0, 0.25, 0.15, 0.05, 0.01)
_LEAKS = ((0.01, (0.02, 0.05, 0.1, 0.25, 0.5, 1.0)), (0.05, (0.1, 0.15, 0.25, 0.5, 1.0)), (0.2, (0.3, 0.4, 0.5, 1.0)))


def run(seed: int, part: float, tell: Tell) -> Mapping[str, Any]:
    """All tables. `part` of the runs of each are made."""
    return {
        "seed": seed,
        "part": part,
        "ln_n": round(log(N), 2),
        "run_lengths": _all(tell, "run lengths", run_lengths(seed, part)),
        "rare": _all(tell, "importance sampling", rare(seed, part)),
        "outside": _all(tell, "leaks outside", leaks_outside(seed, part)),
        "inside": _all(tell, "leaks inside", leaks_inside(seed, part)),
        "real": _all(tell, "real payments", real()),
    }


def run_lengths(seed: int, part: float) -> Sequence[Case]:
    """Thresholds up to a million, directly."""
    runs = max(int(100 * part), 40)
    return [partial(direct, share, 10.0**power, runs, seed) for share in _SHARES for power in (2, 3, 4, 5, 6)]


def rare(seed: int, part: float) -> Sequence[Case]:
    """Thresholds up to ten years at 100,000 payments a second; the first is one that is also done directly."""
    runs = max(int(4_000 * part), 400)
    sizes = (1e6, 1e8, float(N), 100.0 * N, 1_000.0 * N)
    return [partial(importance, share, size, int(500 / share), runs, seed) for share in _SHARES for size in sizes]


def leaks_outside(seed: int, part: float) -> Sequence[Case]:
    """Another label and other funders: in one scene and in all, with one campaign in the house and a hundred."""
    runs = max(int(500 * part), 50)
    places = (SCENES, SCENES[-1:])
    cases = [(rate, where, number) for number in (1, 100) for where in places for rate in _ELIGIBLE]
    return [partial(outside, rate, where, number, runs, seed) for rate, where, number in cases]


def leaks_inside(seed: int, part: float) -> Sequence[Case]:
    """Shares above the brief's in its own scene."""
    cases = [(share, leak, number) for number in (1, 10) for share, leaks in _LEAKS for leak in leaks]
    return [partial(inside, share, leak, number, _runs_of(share, leak, part), seed) for share, leak, number in cases]


def real() -> Sequence[Case]:
    """Every kind of grant in every file that is here."""
    read = [(layout, rows_of(layout)) for layout in layouts()]
    return [partial(tried, layout, rows, kind) for layout, rows in read for kind in layout.grants]


def _runs_of(share: float, leak: float, part: float) -> int:
    return max(int((500 if leak >= 5 * share else 100) * part), 20)


def _all(tell: Tell, what: str, cases: Sequence[Case]) -> Rows:
    rows = []
    for number, case in enumerate(cases, 1):
        rows.append(case())
        tell(f"\r{what}: {number} of {len(cases)} ")
    tell("\n")
    return rows


def main(arguments: list[str]) -> int:
    """Exit code 0 where every target is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--part", type=float, default=1.0, help="of the runs of each table")
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.name}")
    chosen = parser.parse_args(arguments)
    found = run(chosen.seed, chosen.part, lambda text: sys.stderr.write(text) and sys.stderr.flush())
    missed = misses(found)
    for name in ("run_lengths", "rare", "outside", "inside", "real"):
        sys.stdout.write(table(name, found[name]))
    sys.stdout.write("".join(f"missed: {one}\n" for one in missed) or "every target is met\n")
    if chosen.write:
        RESULT.write_text(json.dumps({"command": COMMAND, **found}, indent=1) + "\n", encoding="utf-8")
    return 1 if missed else 0


def table(name: str, rows: Rows) -> str:
    """Rows as text, a column for each key: for leaks inside, the bound ln N ÷ KL beside the payments it took."""
    cells = [[str(value) for value in row.values()] for row in rows]
    heads = list(rows[0])
    widths = [max(len(head), *(len(row[at]) for row in cells)) for at, head in enumerate(heads)]
    lines = ["  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)) for line in [heads, *cells]]
    return f"\n{name}\n" + "\n".join(lines) + "\n\n"


def misses(found: Mapping[str, Any]) -> Sequence[str]:
    """Every target that a row misses, in words."""
    said = [f"run length {row}" for row in found["run_lengths"] if row["mean_payments"] < row["threshold"]]
    said += [f"false stops {row}" for row in found["rare"] if row["false_stops"] - 3 * row["standard_error"] > 1]
    said += [f"leak outside {row}" for row in found["outside"] if row["wrong_grants_most"] > _most(row["eligible"])]
    said += [f"leak inside {row}" for row in found["inside"] if row["times_bound"] > 1.25]
    said += [f"false stops {row}" for row in found["real"] if row["false_stops"]]
    return said


def _most(eligible: float) -> int:
    return 20 if eligible <= 0.01 else 12


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

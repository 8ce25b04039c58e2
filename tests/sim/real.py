"""Real payments: expectations from the first quarter of a file by one rule, and stops on the rest of it.

The rule, the same for every file and kind of grant: a brief's scenes are those where more than one payment in 10,000
was granted something in the first quarter. Its share is the largest of any hour of the day, and of any day, with at
least a hundred payments, and a quarter on top; its mean discount likewise, of hours and days with ten grants or more.
A stop is false where the cell kept its expectation over the quarter of the file in which it was.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb

from makegood.guard.cells import OUTSIDE_SHARE, Observed, Watch, payments_a_year
from makegood.guard.detector import Detector

JOURNEY = Path(str(files("makegood") / "data" / "completejourney_2017.parquet"))
TAXI_SETTING = "MAKEGOOD_TAXI"
PEAK = 5  # Payments a second that the policy of these payments declares; far above what the files have.
ON_TOP = 1.25

_FUNDERS = frozenset({"funder"})
_HOUR, _DAY, _SCENE = range(3)


def _off(condition: str, amount: str) -> str:
    return f"CASE WHEN {condition} THEN {amount} ELSE 0 END"


# What a payment is granted, in minor units: discounts that the file records, and such as a campaign would give.
JOURNEY_GRANTS: Mapping[str, str] = {
    "loyalty price": "discount_auto_minor",
    "coupon": "discount_coupon_minor",
    "match of a coupon": "discount_match_minor",
    "coupon of the study": _off("redeemed_campaign_ids IS NOT NULL", "discount_coupon_minor"),
    "big basket": _off("amount_minor >= 6000", "CASE WHEN amount_minor >= 12000 THEN 1000 ELSE 400 END"),
    "fuel": _off("merchant_category = '5541' AND amount_minor >= 1000", "least(200, amount_minor * 5 // 100)"),
    "lunch": _off("amount_minor >= 1000 AND hour(occurred_at) BETWEEN 11 AND 13", "77"),
}
TAXI_GRANTS: Mapping[str, str] = {
    "ride without charge": _off("status = 'no_charge'", "amount_minor"),
    "disputed ride": _off("status = 'disputed'", "amount_minor"),
    "reversed ride": _off("payment_type = 'reversal'", "amount_minor"),
    "tip": "tip_minor",
    "long ride": _off("amount_minor >= 3000", "least(500, amount_minor // 10)"),
    "night ride": _off("hour(occurred_at) < 5", "least(300, amount_minor // 5)"),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """A file, the column that is taken as the scene, and what is granted in it."""

    name: str
    path: Path
    scene: str
    grants: Mapping[str, str]


def layouts() -> Sequence[Layout]:
    """Those whose files are here: the package's own, and the taxi rides if `MAKEGOOD_TAXI` names their file."""
    found = [Layout("completejourney_2017", JOURNEY, "merchant_category", JOURNEY_GRANTS)]
    taxi = os.environ.get(TAXI_SETTING)
    if taxi is not None:
        found += [Layout("nyc_yellow_taxi_2018_2020", Path(taxi), "instrument", TAXI_GRANTS)]
        found += [Layout("nyc_yellow_taxi_2018_2020", Path(taxi), "payee_id", TAXI_GRANTS)]
    return found


def rows_of(layout: Layout) -> Sequence[Sequence[Any]]:
    """Local hour, day, scene, and one column for each kind of grant, in order of time."""
    connection = duckdb.connect()
    connection.execute("SET timezone = 'America/New_York'")
    grants = ", ".join(f"({one})::BIGINT" for one in layout.grants.values())
    columns = f"hour(occurred_at), occurred_at::DATE, {layout.scene}, {grants}"
    found = connection.execute(
        f"SELECT {columns} FROM read_parquet(?) ORDER BY occurred_at, payment_id", [str(layout.path)]
    )
    return found.fetchall()


def tried(layout: Layout, rows: Sequence[Sequence[Any]], kind: str) -> Mapping[str, Any]:
    """One row of the table: what was expected, what there was, and every stop."""
    column = _SCENE + 1 + list(layout.grants).index(kind)
    quarter = len(rows) // 4
    watch = expected(kind, rows[:quarter], column)
    stops, false = _stops(watch, rows[quarter:], column)
    return {
        "file": layout.name,
        "scenes": layout.scene,
        "grants": kind,
        "share_expected": round(watch.share, 4),
        "mean_expected_minor": watch.mean,
        **_seen(rows[quarter:], column, watch),
        "stops": stops,
        "false_stops": false,
    }


def expected(kind: str, rows: Sequence[Sequence[Any]], column: int) -> Watch:
    """What a brief written after these payments would expect, by the rule."""
    scenes = _scenes(rows, column)
    sums: dict[Any, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in rows:
        if row[_SCENE] in scenes:
            for group in (None, ("hour", row[_HOUR]), ("day", row[_DAY])):
                total = sums[group]
                total[0] += 1
                total[1] += row[column] > 0
                total[2] += row[column]
    count, granted, amount = sums[None]
    share = max([granted / count, *(one[1] / one[0] for one in sums.values() if one[0] >= 100)])
    mean = max([amount / granted, *(one[2] / one[1] for one in sums.values() if one[1] >= 10)])
    agreed = int(mean * ON_TOP)
    most = max(agreed, *(row[column] for row in rows))
    return Watch(kind, scenes, "label", _FUNDERS, min(share * ON_TOP, 1.0), agreed, most)


def _scenes(rows: Sequence[Sequence[Any]], column: int) -> frozenset[str]:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        counts[row[_SCENE]][0] += 1
        counts[row[_SCENE]][1] += row[column] > 0
    return frozenset(scene for scene, (count, granted) in counts.items() if granted > OUTSIDE_SHARE * count)


def _stops(watch: Watch, rows: Sequence[Sequence[Any]], column: int) -> tuple[Mapping[str, int], int]:
    """Stops by cell, and how many of them are false."""
    detector = Detector((watch,), payments_a_year(PEAK))
    counts: dict[str, int] = defaultdict(int)
    false, third = 0, len(rows) // 3 + 1
    for start in range(0, len(rows), third):
        kept = _kept(watch, rows[start : start + third], column)
        for row in rows[start : start + third]:
            amount = row[column]
            grants = (Observed(watch.campaign, "label", _FUNDERS, amount),) if amount > 0 else ()
            for alarm in detector.observe(row[_SCENE], grants):
                inside = alarm.measure.value in ("share", "mean")
                name = alarm.measure.value if inside else f"{alarm.measure.value}:{alarm.scene}"
                counts[name] += 1
                false += kept(name)
    return dict(sorted(counts.items())), false


def _kept(watch: Watch, rows: Sequence[Sequence[Any]], column: int) -> Callable[[str], bool]:
    """Whether a cell kept its expectation over all of these payments."""

    def share_of(scenes: frozenset[str]) -> float:
        counted = [bool(row[column] > 0) for row in rows if row[_SCENE] in scenes]
        return sum(counted) / max(len(counted), 1)

    def kept(name: str) -> bool:
        measure, _, scene = name.partition(":")
        if measure == "mean":
            worth: list[int] = [row[column] for row in rows if row[_SCENE] in watch.scenes and row[column] > 0]
            return sum(worth) <= watch.mean * len(worth)
        if measure == "share":
            return share_of(watch.scenes) <= watch.share
        return share_of(frozenset({scene})) <= OUTSIDE_SHARE

    return kept


def _seen(rows: Sequence[Sequence[Any]], column: int, watch: Watch) -> Mapping[str, Any]:
    inside = [row[column] for row in rows if row[_SCENE] in watch.scenes]
    granted = [one for one in inside if one > 0]
    return {
        "payments": len(rows),
        "share_seen": round(len(granted) / max(len(inside), 1), 4),
        "mean_seen_minor": round(sum(granted) / max(len(granted), 1)),
    }

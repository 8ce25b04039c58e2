"""The tables of the report: every run of an incident, and all incidents beside each other."""

from collections.abc import Sequence
from dataclasses import dataclass

from makegood.replay.outcome import Outcome
from makegood.replay.replayed import Replayed
from makegood.replay.report.plot import ladder
from makegood.replay.report.words import Reader


@dataclass(frozen=True, slots=True)
class Table:
    """Columns with whether they are numbers, and rows of words."""

    heads: Sequence[tuple[str, bool]]
    rows: Sequence[Sequence[str]]


def runs(replayed: Replayed, reader: Reader) -> Table:
    """A row for each run."""
    keys = ("wrong_granted", "wrong_minor", "bound", "stopped_by", "payments_to_stop", "seconds_to_stop")
    heads = [(reader("guards"), False), *((reader(key), key not in ("stopped_by", "bound")) for key in keys)]
    return Table(heads, [_run(replayed, reader, outcome) for outcome in replayed.outcomes])


def _run(replayed: Replayed, reader: Reader, outcome: Outcome) -> list[str]:
    stopped = reader.guard(outcome.stopped_by) if outcome.stopped_by else reader("no_stop")
    return [
        reader.run(outcome),
        f"{len(outcome.grants):,}",
        reader.money(outcome.wrong_minor, replayed.scenario.currency),
        expected(replayed, reader, outcome),
        reader("before", guard=stopped) if outcome.refused else stopped,
        "–" if outcome.payments_to_stop is None else f"{outcome.payments_to_stop:,}",
        "–" if outcome.seconds_to_stop is None else f"{outcome.seconds_to_stop:.1f}",
    ]


def expected(replayed: Replayed, reader: Reader, outcome: Outcome) -> str:
    """What the scenario expects of a run, in short."""
    grants, minor = replayed.scenario.bound_of(outcome.run)
    words = [f"≤ {grants:,}"] if grants is not None else []
    words += [f"≤ {reader.money(minor, replayed.scenario.currency)}"] if minor is not None and grants != 0 else []
    return ", ".join(words) or f"≥ {replayed.scenario.happens:,}"


def overview(replays: Sequence[Replayed], reader: Reader) -> Table:
    """A row for each incident: money granted wrongly as guards are taken away."""
    first = ladder(replays[0].outcomes)
    heads = [(reader("incident"), False), *((reader.run(outcome), True) for outcome in first)]
    rows = []
    for one in replays:
        money = [reader.money(outcome.wrong_minor, one.scenario.currency) for outcome in ladder(one.outcomes)]
        rows.append([one.scenario.title[reader.language], *money])
    return Table(heads, rows)

"""The numbers behind the plots, from a result; no drawing here."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from makegood.clock import Instant
from makegood.demo.books import Line
from makegood.demo.run import Result


@dataclass(frozen=True, slots=True)
class Course:
    """A campaign over time: what payers keep after each payment, and what was open, minor units."""

    campaign: str
    kept: Sequence[tuple[Instant, int]]
    stages: Sequence[tuple[Instant, int]]
    opened: Sequence[Instant]
    budget: int


def courses(result: Result) -> list[Course]:
    """A course for each campaign, by id."""
    return [_course(result, line) for line in result.lines]


def _course(result: Result, line: Line) -> Course:
    total, kept = 0, [(result.payments[0].occurred_at, 0)]
    for record in result.journal.records:
        more = record.kept(line.campaign)
        if more:
            total += more
            kept.append((record.occurred_at, total))
    end = result.payments[-1].occurred_at
    kept.append((end, total))
    openings = [one for one in result.journal.openings if one.campaign == line.campaign]
    stages = [(result.payments[0].occurred_at, line.view["stages_minor"][0])]
    stages += [(one.at, one.stage_minor) for one in openings]
    stages.append((end, stages[-1][1]))
    return Course(line.campaign, kept, stages, [one.at for one in openings], line.view["budget_minor"])


def by_day(result: Result) -> list[tuple[str, dict[str, int]]]:
    """What payers keep of each campaign's discounts, by the local day of the payment."""
    days: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for record in result.journal.records:
        day = record.occurred_at.day(result.timezone).isoformat()
        for campaign in record.benefits:
            days[day][campaign] += record.kept(campaign)
    return [(day, dict(money)) for day, money in sorted(days.items())]


def latencies(result: Result) -> list[float]:
    """Milliseconds of every single quote, sorted."""
    return sorted(record.seconds * 1_000 for record in result.journal.records if record.seconds is not None)


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that `share` of the sorted values do not exceed (nearest rank); 0 where there is none."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

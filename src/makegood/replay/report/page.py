"""The page of the report: what it says, in which order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jinja2
from markupsafe import Markup

from makegood.replay.outcome import beyond_bounds, smallest_witness
from makegood.replay.replayed import Replayed
from makegood.replay.report.look import style
from makegood.replay.report.plot import plot
from makegood.replay.report.table import Table, overview, runs
from makegood.replay.report.words import FILES, Reader
from makegood.replay.scenario import Bound, Scenario

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("makegood.replay.report"),
    autoescape=True,
    trim_blocks=True,
    undefined=jinja2.StrictUndefined,
)


@dataclass(frozen=True, slots=True)
class Section:
    """One incident: what is known, what went wrong, what each guard can do, the plot and the rows."""

    id: str
    title: str
    facts: Sequence[str]
    guesses: Sequence[str]
    analogue: str | None
    mistake: str
    plot: Markup
    table: Table
    notes: Sequence[str]
    faults: Sequence[str]
    guards: Sequence[tuple[str, str, str]]


def page(replays: Sequence[Replayed], value: Mapping[str, Any], made_at: str, language: str) -> str:
    """The whole page in one language: one file that asks nobody for anything. `value` is what scripts read."""
    reader = Reader(language)
    other = next(one for one in FILES if one != language)
    one = replays[0].scenario.title[language]
    title = one if len(replays) == 1 else reader("title_all", count=len(replays))
    return (
        _TEMPLATES.get_template("page.html").render(
            t=reader,
            language=language,
            other_language=other,
            other_file=FILES[other],
            style=style(),
            title=title,
            fine=value["within"],
            answer=reader("answer_within" if value["within"] else "answer_beyond"),
            lede=reader("lede", runs=len(replays[0].outcomes)),
            freshness=_freshness(replays, value, made_at, reader),
            overview=overview(replays, reader) if len(replays) > 1 else None,
            sections=[_section(replayed, reader) for replayed in replays],
        )
        + "\n"
    )


def _freshness(replays: Sequence[Replayed], value: Mapping[str, Any], made_at: str, reader: Reader) -> str:
    return reader(
        "freshness",
        payments=f"{sum(out.payments for one in replays for out in one.outcomes):,}",
        seed=value["seed"],
        made_at=made_at,
        seconds=f"{value['seconds']:.0f}",
        balanced=reader("yes" if all(one.balanced for one in replays) else "no"),
    )


def _section(replayed: Replayed, reader: Reader) -> Section:
    scenario, language = replayed.scenario, reader.language
    faults = [
        reader("beyond", faults=f"{reader.run(outcome)}, {fault}")
        for outcome in replayed.outcomes
        for fault in beyond_bounds(scenario, outcome, as_published=False)
    ]
    return Section(
        id=scenario.id,
        title=scenario.title[language],
        facts=[fact[language] for fact in scenario.facts],
        guesses=[f"~ {guess[language]}" for guess in scenario.guesses],
        analogue=scenario.analogue[language] if scenario.analogue is not None else None,
        mistake=scenario.mistake[language],
        plot=Markup(plot(replayed, reader)),  # noqa: S704 - drawn by this package, its words escaped
        table=runs(replayed, reader),
        notes=_notes(replayed, reader),
        faults=faults,
        guards=[(reader.guard(bound.guard), _promise(scenario, bound, reader), bound.why[language])
                for bound in scenario.bounds],
    )  # fmt: skip


def _promise(scenario: Scenario, bound: Bound, reader: Reader) -> str:
    if bound.grants is not None:
        return reader("at_most_grants", count=bound.grants)
    if bound.minor is not None:
        return reader("at_most_money", money=reader.money(bound.minor, scenario.currency))
    return reader("nothing_promised")


def _notes(replayed: Replayed, reader: Reader) -> list[str]:
    scenario = replayed.scenario
    told = {
        "payments": f"{len(replayed.arrivals):,}",
        "eligible": f"{sum(arrival.eligible for arrival in replayed.arrivals):,}",
        "source": reader(scenario.traffic.source),
    }
    notes = [reader("plot_note")]
    scaled = scenario.scale is not None
    notes.append(reader("traffic", scale=f"{scenario.scale:,}", **told) if scaled else reader("traffic_plain", **told))
    by = next((bound.by for bound in scenario.bounds if bound.guard == "proof"), None)
    witness = smallest_witness(replayed.outcomes, by)
    if witness is not None:
        notes.append(reader("witness", words=witness["words"][reader.language]))
    answers = [outcome.stop_answer for outcome in replayed.outcomes if outcome.stop_answer is not None]
    if scenario.stop is not None and answers:
        stop = scenario.stop
        notes.append(reader("stop_asked", seconds=stop.after_seconds, by=stop.by, answer=answers[0]))
    return notes

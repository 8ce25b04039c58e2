"""The page: what it says, in which order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jinja2
from markupsafe import Markup

from makegood.demo.plan import CLIENTS, DEADLINE_MS
from makegood.demo.report import latency_plot, plots, table
from makegood.demo.report.figures import latencies
from makegood.demo.report.reader import Reader, reader_of
from makegood.demo.report.table import Table
from makegood.demo.report.words import FILES, LANGUAGES
from makegood.demo.run import Result
from makegood.money import format_rate
from makegood.replay.outcome import smallest_witness
from makegood.replay.report import words as replay_words
from makegood.replay.report.look import style
from makegood.replay.report.plot import plot

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("makegood.demo.report"),
    autoescape=True,
    trim_blocks=True,
    undefined=jinja2.StrictUndefined,
)


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the page: a claim, a plot, what must be said beside it, and the same as a table."""

    id: str
    title: str
    says: str
    plot: Markup | None
    tables: Sequence[Table]
    notes: Sequence[str] = ()


def page(result: Result, language: str) -> str:
    """The whole page in one language: one file that asks nobody for anything."""
    reader = reader_of(result, language)
    other = next(one for one in LANGUAGES if one != language)
    return (
        _TEMPLATES.get_template("page.html").render(
            t=reader,
            language=language,
            other_language=other,
            other_file=FILES[other],
            style=style(),
            title=reader("title", payments=reader.count(len(result.payments))),
            fine=result.fine,
            answer=_answer(result, reader),
            lede=_lede(result, reader),
            facts=_facts(result, reader),
            freshness=_freshness(result, reader),
            sections=_sections(result, reader),
            about=_about(reader),
        )
        + "\n"
    )


def _answer(result: Result, reader: Reader) -> str:
    if result.fine:
        return reader("answer_fine")
    return reader("answer_beyond" if result.books_agree else "answer_wrong")


def _lede(result: Result, reader: Reader) -> str:
    return reader(
        "lede" if result.books_agree else "lede_wrong",
        payments=reader.count(len(result.payments)),
        granted=reader.count(result.granted),
        discount=reader.money(result.discount_minor),
    )


def _facts(result: Result, reader: Reader) -> list[tuple[str, str]]:
    verified = result.verified
    free, guarded = result.replayed.named("unguarded"), result.replayed.named("all")
    yuan = reader.replay_currency
    return [
        (reader.money(result.discount_minor), reader("fact_granted", count=reader.count(result.granted))),
        (reader.money(result.kept_minor), reader("fact_kept")),
        (
            reader("balanced" if verified.balanced else "not_balanced"),
            reader("fact_ledger", entries=reader.count(verified.entries), accounts=verified.accounts),
        ),
        (
            reader.money(guarded.wrong_minor, yuan),
            reader("fact_replay", unguarded=reader.money(free.wrong_minor, yuan)),
        ),
    ]


def _freshness(result: Result, reader: Reader) -> str:
    first, last = (result.payments[n].occurred_at.local(result.timezone) for n in (0, -1))
    return reader(
        "freshness",
        first=first.strftime("%Y-%m-%d %H:%M"),
        last=last.strftime("%Y-%m-%d %H:%M"),
        zone=result.timezone,
        currency=result.currency,
        made_at=result.made_at.datetime().strftime("%Y-%m-%d %H:%M"),
        seconds=f"{result.seconds:.0f}",
    )


def _sections(result: Result, reader: Reader) -> list[Section]:
    def plain(name: str, *tables: Table, **values: Any) -> Section:
        return Section(name, reader(f"h_{name}"), reader(f"p_{name}", **values), None, tables)

    def drawn(name: str, svg: str, *tables: Table, notes: Sequence[str] = (), **values: Any) -> Section:
        picture = Markup(svg)  # noqa: S704 - drawn by this package, its words escaped
        return Section(name, reader(f"h_{name}"), reader(f"p_{name}", **values), picture, tables, notes)

    return [
        drawn("money", plots.money_over_time(result, reader), table.days(result, reader), notes=(reader("money_key"),)),
        drawn("budget", plots.budgets(result, reader), table.budgets(result, reader)),
        drawn("outcomes", plots.outcomes(result, reader), table.outcomes(result, reader)),
        drawn("scatter", plots.amounts(result, reader), table.discounts(result, reader)),
        plain("books", table.books(result, reader)),
        plain("ends", table.ends(result, reader), **_ends(result, reader)),
        _replay(result, reader, drawn),
        drawn(
            "latency", latency_plot.latency(result, reader), table.latency(result, reader), **_latency(result, reader)
        ),
        plain("mistakes", table.mistakes(result, reader)),
    ]


def _replay(result: Result, reader: Reader, drawn: Any) -> Section:
    replayed, told = result.replayed, replay_words.Reader(reader.language)
    section: Section = drawn(
        "replay",
        plot(replayed, told),
        table.replay(result, reader),
        table.half_minutes(result, reader),
        notes=(told("plot_note"), *_proof_says(result, reader), reader("synthetic")),
        eligible=format_rate(replayed.scenario.traffic.eligible),
        payments=reader.count(len(replayed.arrivals)),
        runs=len(replayed.outcomes),
    )
    return section


def _proof_says(result: Result, reader: Reader) -> list[str]:
    """What the proof said to the campaign before it could run: its smallest witness, in words."""
    by = next((bound.by for bound in result.replayed.scenario.bounds if bound.guard == "proof"), None)
    witness = smallest_witness(result.replayed.outcomes, by)
    return [reader("proof_says", words=witness["words"][reader.language])] if witness is not None else []


def _ends(result: Result, reader: Reader) -> dict[str, str]:
    journal = result.journal
    refunded = [record for record in journal.records if record.refunds]
    return {
        "same": reader.count(journal.retries - journal.retries_that_differ),
        "retries": reader.count(journal.retries),
        "refunds": reader.count(sum(record.refunds for record in refunded)),
        "refunded": reader.count(len(refunded)),
    }


def _latency(result: Result, reader: Reader) -> dict[str, Any]:
    return {"count": reader.count(len(latencies(result))), "clients": CLIENTS}


def _about(reader: Reader) -> list[str]:
    return [
        reader("about_data"),
        reader("about_proof"),
        reader("about_clock", deadline=f"{DEADLINE_MS:,}"),
        reader("about_order", clients=CLIENTS),
        reader("about_files"),
    ]

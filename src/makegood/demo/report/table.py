"""The table twins of the plots, and the tables that stand alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from makegood.demo.report.figures import by_day, latencies
from makegood.demo.report.reader import Reader
from makegood.demo.report.words import mistake_words, refusal_words
from makegood.demo.run import Result
from makegood.replay.report import words as replay_words
from makegood.replay.report.table import runs

_LATENCY_EDGES = (0, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000)  # Milliseconds.


@dataclass(frozen=True, slots=True)
class Head:
    """One column: its heading and its kind: "" words, "n" numbers, "code" codes."""

    text: str
    kind: str = ""

    @property
    def number(self) -> bool:
        """Whether it is read from the right."""
        return self.kind == "n"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of words; `shown` without being asked for."""

    heads: Sequence[Head]
    rows: Sequence[Sequence[str]]
    shown: bool = False


def _heads(*words: str) -> list[Head]:
    """The first column words, the others numbers."""
    return [Head(words[0]), *(Head(word, "n") for word in words[1:])]


def days(result: Result, reader: Reader) -> Table:
    """Kept discounts by local day and campaign."""
    campaigns = [line.campaign for line in result.lines]
    rows = [[day, *(reader.money(money.get(c, 0)) for c in campaigns)] for day, money in by_day(result)]
    return Table(_heads(f"{reader('day')} ({result.timezone})", *map(reader.campaign, campaigns)), rows)


def budgets(result: Result, reader: Reader) -> Table:
    """Where each budget stands."""
    heads = _heads(*(reader(key) for key in ("campaign", "budget", "stage", "kept", "reserved", "left")))
    rows = [
        [reader.campaign(line.campaign), *(reader.money(v) for v in (
            line.view["budget_minor"], line.view["stage_minor"], line.ledger_granted, line.ledger_reserved,
            line.view["left_minor"],
        ))]
        for line in result.lines
    ]  # fmt: skip
    return Table(heads, rows)


def outcomes(result: Result, reader: Reader) -> Table:
    """Payments by outcome, with the codes of the refusals."""
    counted = [(reader("granted"), "granted", result.granted)]
    counted += [(refusal_words(reader.language, r), r, n) for r, n in result.journal.refused().items()]
    heads = [Head(reader("outcome")), Head(reader("code"), "code"), Head(reader("count"), "n")]
    return Table(heads, [[words, code, reader.count(count)] for words, code, count in counted])


def discounts(result: Result, reader: Reader) -> Table:
    """The discounts of each campaign: how many, the smallest, the largest, together."""
    heads = _heads(reader("campaign"), reader("count"), "min", "max", "Σ")
    rows = []
    for line in result.lines:
        given = [r.benefits[line.campaign] for r in result.journal.records if line.campaign in r.benefits]
        amounts = (min(given, default=0), max(given, default=0), sum(given))
        rows.append([reader.campaign(line.campaign), reader.count(len(given)), *map(reader.money, amounts)])
    return Table(heads, rows)


def books(result: Result, reader: Reader) -> Table:
    """Both books, campaign by campaign."""
    heads = [*_heads(reader("campaign"), reader("by_client"), reader("by_ledger")), Head(reader("equal"))]
    rows = [
        [
            reader.campaign(line.campaign),
            reader.money(line.client_granted),
            reader.money(line.ledger_granted),
            reader("yes" if line.equal else "no"),
        ]
        for line in result.lines
    ]
    return Table(heads, rows, shown=True)


def ends(result: Result, reader: Reader) -> Table:
    """How the quotes that granted something ended."""
    records = result.journal.records
    by = {state: [r for r in records if r.state == state] for state in ("captured", "released", "expired")}
    counted = [
        ("captured", by["captured"]),
        ("partly", [r for r in records if r.partly]),
        ("refunded", [r for r in records if r.refunds]),
        ("released", by["released"]),
        ("expired", by["expired"]),
    ]
    heads = _heads(reader("outcome"), reader("count"), reader("granted"))
    rows = [[reader(k), reader.count(len(rs)), reader.money(sum(r.discount for r in rs))] for k, rs in counted]
    return Table(heads, rows, shown=True)


def replay(result: Result, reader: Reader) -> Table:
    """The rows of the replay, the most guards first."""
    made = runs(result.replayed, replay_words.Reader(reader.language))
    heads = [Head(text, "n" if number else "") for text, number in made.heads]
    return Table(heads, made.rows, shown=True)


def half_minutes(result: Result, reader: Reader) -> Table:
    """Money granted wrongly by the end of each half minute of the replay."""
    scenario, told = result.replayed.scenario, replay_words.Reader(reader.language)
    rows = []
    for end in range(30, scenario.seconds + 1, 30):
        moment = scenario.opens.plus(end).local(scenario.timezone).strftime("%H:%M:%S")
        so_far = [sum(g.minor for g in one.grants if g.seconds <= end) for one in result.replayed.outcomes]
        rows.append([moment, *(told.money(minor, scenario.currency) for minor in so_far)])
    return Table(_heads(scenario.timezone, *map(told.run, result.replayed.outcomes)), rows)


def latency(result: Result, reader: Reader) -> Table:
    """Answer times by range, left edge excluded."""
    ordered = latencies(result)
    rows = [
        [f"{low:,}–{high:,} ms", reader.count(sum(low < value <= high for value in ordered))]
        for low, high in pairwise(_LATENCY_EDGES)
    ]
    return Table(_heads("ms", reader("count")), [row for row in rows if row[1] != "0"])


def mistakes(result: Result, reader: Reader) -> Table:
    """What was wrong on purpose, and what came back."""
    heads = [Head(reader("request")), Head(reader("status"), "n"), Head(reader("code"), "code")]
    return Table(
        heads,
        [[mistake_words(reader.language, one.what), str(one.status), one.code] for one in result.journal.mistakes],
        shown=True,
    )

"""The table twins of the plots, and the tables that stand alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from makegood.demo.report.figures import by_day, latencies
from makegood.demo.report.reader import Reader
from makegood.demo.report.replay_plots import per_half_minute
from makegood.demo.report.words import mistake_words, refusal_words
from makegood.demo.run import Result

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
    """The rows of the replay, one for each run that took place."""
    keys = ("guards", "wrong_granted", "wrong_minor", "stopped_by", "payments_to_stop", "seconds_to_stop")
    heads = _heads(*(reader(key) for key in keys))
    rows = []
    for outcome in result.replayed.outcomes:
        guards = ", ".join(reader(f"guard_{guard}") for guard in outcome.run.guards) or reader("none")
        stopped = reader(f"guard_{outcome.stopped_by}") if outcome.stopped_by else reader("no_stop")
        first = "–" if outcome.payments_to_stop is None else reader.count(outcome.payments_to_stop)
        seconds = "–" if outcome.seconds_to_stop is None else f"{outcome.seconds_to_stop:.1f}"
        money = reader.money(outcome.wrong_minor, reader.replay_currency)
        rows.append([guards, reader.count(len(outcome.grants)), money, stopped, first, seconds])
    return Table(heads, rows, shown=True)


def half_minutes(result: Result, reader: Reader) -> Table:
    """Money granted by the end of each half minute of the replay."""
    outcomes_ = result.replayed.outcomes
    stage = reader.money(result.replayed.scenario.brief.stage_first_max, reader.replay_currency)
    names = [reader(o.run.name, stage=stage) for o in outcomes_]
    heads = _heads(result.replayed.scenario.timezone, *names)
    rows = [[at, *(reader.money(v, reader.replay_currency) for v in minor)] for at, minor in per_half_minute(result)]
    return Table(heads, rows)


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

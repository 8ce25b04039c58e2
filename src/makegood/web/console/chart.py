"""The live chart of a campaign, in words and shapes: a part of its page that refreshes by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from makegood.clock import Instant
from makegood.domain.target import parse_target
from makegood.services.chart_marks import Mark
from makegood.services.live_chart import Evidence, LiveChart, live_chart
from makegood.web.console.bars import Segment, share_bar
from makegood.web.console.chart_shapes import end_of, minutes_of, shapes_of
from makegood.web.console.language import mark
from makegood.web.console.pages import Page, Visit
from makegood.web.console.speech import Speech
from makegood.web.console.twins import plain
from makegood.web.console.words import event_words, target_words
from makegood.web.state import platform_of

CELL_WORDS: Mapping[str, str] = {
    "share": mark("How many payments get something"),
    "mean": mark("How much a payment gets"),
    "outside": mark("Grants outside the brief, everywhere"),
}
_WHOLE = 10_000  # Of a bar of the detector; its right end is an alarm.


@dataclass(frozen=True, slots=True)
class MarkRow:
    """One mark of the chart, in the words of its list."""

    number: int
    at: Instant
    words: str
    detail: str
    is_bad: bool


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One cell of the detector. Shares are in words; a bar's right end is an alarm."""

    words: str
    own: str
    merged: str
    bar: tuple[Segment, ...]
    is_loud: bool


async def chart_page(visit: Visit) -> Page:
    """The chart of the campaign in the path."""
    platform, campaign = platform_of(visit.request), visit.request.path_params["campaign"]
    chart = await live_chart(platform, visit.caller, campaign)
    return Page("chart.html", chart_values(chart, visit.speech), plain(chart), fragment="campaign_chart.html")


def chart_values(chart: LiveChart, speech: Speech) -> dict[str, Any]:
    """What the chart's template says and draws."""
    shapes, end = shapes_of(chart), end_of(chart)
    shown = chart.marks[-len(shapes.marks) :] if shapes.marks else ()
    return {
        "chart": chart,
        "shapes": shapes,
        "chart_words": chart_words(chart, speech, end),
        "chart_marks": [_mark_row(number, one, chart.currency, speech) for number, one in enumerate(shown, 1)],
        "chart_minutes": minutes_of(chart.points),
        "chart_evidence": [_evidence_row(one, speech) for one in chart.detector],
        "is_stopped_now": any(one.until is None for one in chart.stopped),
    }


def chart_words(chart: LiveChart, speech: Speech, end: Instant) -> str:
    """The chart in a sentence, for those who do not see it."""
    said = {
        "minutes": speech.number(chart.minutes),
        "granted": speech.money(chart.granted_minor, chart.currency),
        "busiest": speech.money(chart.busiest_minor, chart.currency),
    }
    if chart.limit_minor is None:
        sentence = speech.gettext(
            "In the last %(minutes)s minutes %(granted)s were granted; the busiest minute had %(busiest)s.", **said
        )
    else:
        sentence = speech.gettext(
            "In the last %(minutes)s minutes %(granted)s were granted; the busiest minute had %(busiest)s of at most "
            "%(most)s expected.",
            most=speech.money(chart.limit_minor, chart.currency),
            **said,
        )
    if chart.known_since > end.plus(-60 * chart.minutes):
        since = speech.time(chart.known_since, chart.timezone)
        sentence += " " + speech.gettext("What was before %(time)s is still being read.", time=since)
    return sentence


def _mark_row(number: int, one: Mark, currency: str, speech: Speech) -> MarkRow:
    bad = one.action in ("campaign.stop", "stop") or one.opened
    return MarkRow(number, one.at, _mark_words(one, speech), _mark_detail(one, currency, speech), bad)


def _mark_words(one: Mark, speech: Speech) -> str:
    if one.action == "stop":
        return speech.gettext("Stopped: %(target)s", target=target_words(speech, parse_target(one.subject)))
    if one.action == "resume":
        return speech.gettext("Resumed: %(target)s", target=target_words(speech, parse_target(one.subject)))
    return event_words(speech, {"action": one.action, "principal": one.principal})


def _mark_detail(one: Mark, currency: str, speech: Speech) -> str:
    if one.words:
        return speech.pick(one.words)
    if one.amount_minor is not None:
        return speech.gettext("up to %(amount)s in all", amount=speech.money(one.amount_minor, currency))
    return one.reason or ""


def _evidence_row(one: Evidence, speech: Speech) -> EvidenceRow:
    largest = max(one.own or 0.0, one.merged or 0.0)
    return EvidenceRow(
        words=_cell_words(one.cell, speech),
        own=_share_words(one.own, speech),
        merged=_share_words(one.merged, speech),
        bar=share_bar(min(int(largest * _WHOLE), _WHOLE), _WHOLE),
        is_loud=largest >= 1,
    )


def _cell_words(cell: str, speech: Speech) -> str:
    if cell in CELL_WORDS:
        return speech.gettext(CELL_WORDS[cell])
    return speech.gettext("Grants outside the brief, in scene %(id)s", id=cell.removeprefix("scene:"))


def _share_words(share: float | None, speech: Speech) -> str:
    return "–" if share is None else speech.percent(int(share * _WHOLE), _WHOLE)

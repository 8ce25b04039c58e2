"""The audit rows of a campaign as a timeline, newest first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from makegood.clock import Instant
from makegood.services.views import CampaignView
from makegood.web.console.speech import Speech
from makegood.web.console.words import event_words

REVISION_CHARS = 16  # Enough of a hash to tell revisions of one campaign apart.
_BAD = ("campaign.stop", "breaker.trip")
_GOOD = ("campaign.resume", "campaign.live", "revision.approved")


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the timeline. `tone` is bad, good or plain; the words say the same."""

    seq: int
    at: Instant
    principal: str
    words: str
    detail: str
    tone: str


def events_of(rows: Iterable[Mapping[str, Any]], view: CampaignView, speech: Speech) -> list[Event]:
    """Timeline events of audit rows."""
    return [_event(row, view, speech) for row in rows]


def _event(row: Mapping[str, Any], view: CampaignView, speech: Speech) -> Event:
    return Event(
        seq=int(row["seq"]),
        at=Instant.parse(row["at"]),
        principal=str(row["principal"]),
        words=event_words(speech, row),
        detail=_detail(row["detail"], view, speech),
        tone=_tone(str(row["action"]), row["detail"]),
    )


def _detail(detail: Mapping[str, Any], view: CampaignView, speech: Speech) -> str:
    """The part of an audit row that a person asks for: the reason, the stage, the revision."""
    if "what" in detail:
        words = detail["evidence"].get("words")
        return speech.pick(words) if isinstance(words, dict) else str(detail["what"])
    if "reason" in detail:
        return str(detail["reason"])
    if "is_proved" in detail:
        return ", ".join(detail["failed"]) or speech.gettext("everything is proved")
    if "open" in detail:
        return speech.gettext("up to %(amount)s in all", amount=speech.money(int(detail["open"]), view.currency))
    revisions = [detail["revision"]] if "revision" in detail else detail.get("revisions", [])
    return ", ".join(str(revision)[:REVISION_CHARS] + "…" for revision in revisions)


def _tone(action: str, detail: Mapping[str, Any]) -> str:
    if action == "proof.made":
        return "good" if detail["is_proved"] else "bad"
    return "bad" if action in _BAD else "good" if action in _GOOD else "plain"

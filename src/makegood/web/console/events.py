"""The audit rows of a campaign as a timeline, newest first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from makegood.clock import Instant
from makegood.web.console.speech import Speech
from makegood.web.console.words import event_words

_BAD = ("stop",)
_GOOD = ("resume", "approve")


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the timeline. `tone` is bad, good or plain; the words say the same."""

    seq: int
    at: Instant
    principal: str
    words: str
    detail: str
    tone: str


def events_of(rows: Iterable[Mapping[str, Any]], speech: Speech) -> list[Event]:
    """Timeline events of audit rows."""
    return [
        Event(
            int(row["seq"]), row["at"], str(row["principal"]), event_words(speech, row), _detail(row["detail"]),
            _tone(str(row["action"])),
        )
        for row in rows
    ]  # fmt: skip


def _detail(detail: Any) -> str:
    if isinstance(detail, Mapping):
        return str(detail.get("reason", ""))
    return str(detail or "")


def _tone(action: str) -> str:
    if any(word in action for word in _BAD):
        return "bad"
    return "good" if any(word in action for word in _GOOD) else "plain"

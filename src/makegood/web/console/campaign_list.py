"""The list of campaigns: what each may spend, what it has spent, and in which state it is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from makegood.clock import Instant
from makegood.domain.review import State
from makegood.limits import TEXT_CHARS_MAX
from makegood.services.campaigns import list_campaigns
from makegood.services.views import CampaignView
from makegood.web.console.bars import Segment, stepped_bar, steps
from makegood.web.console.pages import Page, Visit
from makegood.web.console.twins import campaign_twin
from makegood.web.console.words import STATE_WORDS
from makegood.web.state import platform_of

_ORDER = {state: index for index, state in enumerate(STATE_WORDS)}


@dataclass(frozen=True, slots=True)
class Row:
    """One campaign of the list."""

    view: CampaignView
    bar: tuple[Segment, ...]
    stages: int
    stages_open: int


@dataclass(slots=True)
class Totals:
    """Sums over all campaigns of one currency, minor units, whatever the filter shows."""

    currency: str
    granted_today_minor: int = 0
    reserved_minor: int = 0
    stage_left_minor: int = 0
    open_quotes: int = 0
    states: dict[State, int] = field(default_factory=dict)

    @property
    def running(self) -> int:
        """How many campaigns run."""
        return self.states.get(State.RUNNING, 0)

    @property
    def stopped(self) -> int:
        """How many a person has stopped."""
        return self.states.get(State.STOPPED, 0)


async def campaigns_page(visit: Visit) -> Page:
    """All campaigns of the house, filtered by `?q=` (text) and `?state=`."""
    platform = platform_of(visit.request)
    views = await list_campaigns(platform, visit.caller)
    text = visit.request.query_params.get("q", "")[:TEXT_CHARS_MAX].strip()
    state = visit.request.query_params.get("state", "")
    shown = sorted(_matching(views, text, state), key=lambda view: (_ORDER[view.state], view.id))
    read_at = platform.clock()
    values = {
        "rows": [_row(view) for view in shown],
        "totals": _totals(views),
        "all_count": len(views),
        "q": text,
        "state": state,
        "read_at": read_at,
        "timezone": _zone(views),
    }
    return Page("campaigns.html", values, _twin(shown, read_at), fragment="campaigns_live.html")


def _matching(views: Iterable[CampaignView], text: str, state: str) -> list[CampaignView]:
    wanted = text.casefold()
    return [view for view in views if state in ("", view.state) and any(wanted in word for word in _texts(view))]


def _texts(view: CampaignView) -> list[str]:
    texts = (view.id, view.label, *view.title.values(), *view.label_text.values())
    return [text.casefold() for text in texts]


def _row(view: CampaignView) -> Row:
    stages = steps(view.stages_minor, view.stage_minor, view.granted_minor, view.reserved_minor)
    return Row(view, stepped_bar(stages), len(stages), sum(step.is_open for step in stages))


def _totals(views: Iterable[CampaignView]) -> list[Totals]:
    found: dict[str, Totals] = {}
    for view in views:
        totals = found.setdefault(view.currency, Totals(view.currency))
        totals.granted_today_minor += view.granted_today_minor
        totals.reserved_minor += view.reserved_minor
        totals.open_quotes += view.open_quotes
        totals.states[view.state] = totals.states.get(view.state, 0) + 1
        if view.state is State.RUNNING:
            totals.stage_left_minor += view.stage_left_minor
    return [found[currency] for currency in sorted(found)]


def _zone(views: Sequence[CampaignView]) -> str:
    """The zone that the list speaks in: that of its campaigns where they agree."""
    zones = {view.timezone for view in views}
    return zones.pop() if len(zones) == 1 else "UTC"


def _twin(views: Iterable[CampaignView], read_at: Instant) -> dict[str, object]:
    return {"read_at": read_at.text(), "campaigns": [campaign_twin(view) for view in views]}

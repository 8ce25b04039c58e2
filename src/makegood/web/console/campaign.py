"""One campaign: what it says, its money, its people, what is missing, what happened."""

from makegood.domain.review import State
from makegood.domain.target import parse_target
from makegood.services.books import recent_events
from makegood.services.campaigns import get_campaign
from makegood.services.live_chart import live_chart
from makegood.services.views import CampaignView
from makegood.web.console.actions import actions_of, is_asked
from makegood.web.console.bars import scale_bar, share_bar, stepped_bar, steps
from makegood.web.console.chart import chart_values
from makegood.web.console.confirm import honoured
from makegood.web.console.events import events_of
from makegood.web.console.pages import Page, Visit
from makegood.web.console.proof import proofs_shown
from makegood.web.console.twins import campaign_twin, plain
from makegood.web.console.words import missing_words, target_words
from makegood.web.state import platform_of

EVENTS_SHOWN = 20


async def campaign_page(visit: Visit) -> Page:
    """The campaign of the path."""
    platform, campaign_id = platform_of(visit.request), visit.request.path_params["campaign"]
    view = await get_campaign(platform, visit.caller, campaign_id)
    events = await recent_events(platform, visit.caller, campaign_id, EVENTS_SHOWN)
    stages = steps(view.stages_minor, view.stage_minor, view.granted_minor, view.reserved_minor)
    values = {
        "view": view,
        "actions": actions_of(view, visit.caller, visit.speech, platform.clock()),
        "money_bar": scale_bar(view.budget_minor, view.granted_minor, view.reserved_minor, view.stage_left_minor),
        "stage_bar": stepped_bar(stages),
        "stages": stages,
        "day_bar": share_bar(view.granted_today_minor, view.per_day_minor or 0),
        "closed_minor": closed_minor(view),
        "missing": [missing_words(visit.speech, item) for item in view.missing],
        "is_asked": is_asked(view, platform.clock()),
        "is_stopped": view.state is State.STOPPED,
        "wider": [
            target_words(visit.speech, parse_target(one))
            for one in view.stopped_targets
            if not one.startswith("campaign:")
        ],
        "honoured": honoured(visit.speech, view.open_quotes),
        "proofs": await proofs_shown(platform, visit.caller, view, visit.speech),
        "events": events_of(events, view, visit.speech),
        "read_at": platform.clock(),
        "is_charted": view.state not in (State.DRAFT, State.IN_REVIEW, State.APPROVED),
        "chart": None,
    }
    if values["is_charted"] and not visit.wants_fragment and not visit.wants_twin:  # A script asks for it by itself.
        values |= chart_values(await live_chart(platform, visit.caller, campaign_id), visit.speech)
    twin = campaign_twin(view) | {"events": plain(events), "proofs": plain(values["proofs"])}
    return Page("campaign.html", values, twin, fragment="campaign_live.html")


def closed_minor(view: CampaignView) -> int:
    """Minor units of the budget that no open stage covers."""
    return view.budget_minor - view.granted_minor - view.reserved_minor - view.stage_left_minor

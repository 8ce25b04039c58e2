"""What a caller may do with a campaign now. What is not allowed is known too, with the reason."""

from dataclasses import dataclass

from makegood.clock import Instant
from makegood.domain.review import Scope, State
from makegood.services.access import Caller
from makegood.services.views import CampaignView
from makegood.web.console.language import mark
from makegood.web.console.speech import Speech

LIVE = (State.RUNNING, State.SCHEDULED)


@dataclass(frozen=True, slots=True)
class Action:
    """A verb, its button, and where it leads. `refused` says why it is not allowed; None where it is."""

    name: str
    button: str
    href: str
    refused: str | None = None


def actions_of(view: CampaignView, caller: Caller, speech: Speech, now: Instant) -> list[Action]:
    """The actions that a campaign in this state has, the stop first."""
    there = f"/console/campaigns/{view.id}"
    if view.state is State.STOPPED:
        word = mark("Confirm the resume…") if asked_by_another(view, caller, now) else mark("Resume this campaign…")
        refused = resume_refused(view, caller, speech, now)
        return [Action("resume", speech.gettext(word), f"{there}/resume", refused)]
    stop = Action("stop", speech.gettext("Stop this campaign…"), f"{there}/stop", stop_refused(view, caller, speech))
    if view.state in LIVE and view.stage_minor < view.budget_minor:
        button = speech.gettext("Open the next stage…")
        return [stop, Action("stage", button, f"{there}/stage", stage_refused(view, caller, speech))]
    return [stop]


def stop_refused(view: CampaignView, caller: Caller, speech: Speech) -> str | None:
    """Why this caller cannot stop this campaign; None where it can."""
    if view.state is State.STOPPED:
        return speech.gettext("It is stopped already.")
    if view.state not in LIVE:
        return speech.gettext("It grants nothing: there is nothing to stop.")
    return scope_refused(Scope.OPERATE, caller, speech)


def stage_refused(view: CampaignView, caller: Caller, speech: Speech) -> str | None:
    """Why this caller cannot open the next stage by hand; None where it can."""
    if view.state not in LIVE:
        return speech.gettext("It grants nothing: no stage can be opened.")
    if view.stage_minor >= view.budget_minor:
        return speech.gettext("Every stage is open.")
    return scope_refused(Scope.OPERATE, caller, speech)


def resume_refused(view: CampaignView, caller: Caller, speech: Speech, now: Instant) -> str | None:
    """Why this caller cannot ask for, or confirm, a resume; None where it can."""
    if view.state is not State.STOPPED:
        return speech.gettext("It is not stopped.")
    if view.needs_new_revision:
        return speech.gettext("A guard stopped it for good: only a new revision resumes it.")
    if not view.stopped_targets[0].startswith("campaign:"):
        return speech.gettext("A wider stop holds it: resume that one, on the page of the guards.")
    refused = scope_refused(Scope.RESUME, caller, speech)
    if refused is not None:
        return refused
    if view.author == caller.principal:
        return speech.gettext("You wrote this campaign: other principals must resume it.")
    if is_asked(view, now) and view.resume_requested_by == caller.principal:
        return speech.gettext("You asked for it: another principal must confirm.")
    return None


def is_asked(view: CampaignView, now: Instant) -> bool:
    """Whether a resume was asked for and can still be confirmed. `now` is the wall clock, in a test house too."""
    return view.resume_requested_by is not None and view.resume_confirm_by is not None and now < view.resume_confirm_by


def asked_by_another(view: CampaignView, caller: Caller, now: Instant) -> bool:
    """Whether this caller's yes would be the confirmation."""
    return is_asked(view, now) and view.resume_requested_by != caller.principal


def scope_refused(scope: Scope, caller: Caller, speech: Speech) -> str | None:
    """Why a key without a scope cannot do what needs it; None where it has it."""
    if scope in caller.scopes:
        return None
    return speech.gettext('Your key lacks the scope "%(scope)s".', scope=scope.value)

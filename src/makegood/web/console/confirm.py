"""Steps that change a running campaign: what will happen is said, a reason is asked, one button does it.

The same form is a page without a script and a dialog with one; it is sent as a plain POST and answered by a 303.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response

from makegood.errors import Problem, ProblemCode
from makegood.limits import RESUME_CONFIRM_SECONDS, TEXT_CHARS_MAX
from makegood.services.campaigns import get_campaign
from makegood.services.control import open_stage, resume_campaign, stop_campaign
from makegood.services.views import CampaignView
from makegood.web.console.actions import asked_by_another, resume_refused, stage_refused, stop_refused
from makegood.web.console.bars import steps
from makegood.web.console.pages import Page, Visit
from makegood.web.console.speech import Speech
from makegood.web.state import platform_of


@dataclass(frozen=True, slots=True)
class Confirm:
    """What a confirm step says. `reason_label` is None where no reason is asked; `refused` is why it is not allowed."""

    name: str
    title: str
    effects: Sequence[str]
    button: str
    keep: str
    reason_label: str | None
    refused: str | None
    is_danger: bool = False


Describe = Callable[[CampaignView, Visit], Confirm]


async def stop_page(visit: Visit) -> Page:
    """What stopping would do."""
    return await _ask(visit, describe_stop)


async def stop(visit: Visit) -> Page | Response:
    """Stopped, at once; or the form again where no reason was given."""
    return await _do(visit, describe_stop, stop_campaign)


async def resume_page(visit: Visit) -> Page:
    """What asking for a resume, or confirming one, would do."""
    return await _ask(visit, describe_resume)


async def resume(visit: Visit) -> Page | Response:
    """Asked for, or by another principal confirmed; or the form again where no reason was given."""
    return await _do(visit, describe_resume, resume_campaign)


async def stage_page(visit: Visit) -> Page:
    """What opening the next stage would do."""
    return await _ask(visit, describe_stage)


async def stage(visit: Visit) -> Response:
    """The next stage is open; a form that was sent twice opens one stage only."""
    platform, campaign = platform_of(visit.request), visit.request.path_params["campaign"]
    view = await get_campaign(platform, visit.caller, campaign)
    if visit.form.get("opened") != str(view.stage_minor):
        raise Problem(ProblemCode.STATE_FORBIDS, "the stage was opened already, after this form was shown")
    await open_stage(platform, visit.caller, campaign, opened_minor=view.stage_minor)
    return _back(campaign)


def describe_stop(view: CampaignView, visit: Visit) -> Confirm:
    """Stopping: full price for new payments, every quote that was shown is honoured."""
    speech = visit.speech
    effects = (
        speech.gettext("New payments get no discount from it, at once. They go on at full price."),
        honoured(speech, view.open_quotes),
        speech.gettext("What payers were granted stays theirs."),
        speech.gettext("To resume it takes two principals."),
    )
    return Confirm(
        "stop", speech.gettext('Stop "%(title)s"?', title=speech.pick(view.title)), effects,
        speech.gettext("Stop this campaign"), speech.gettext("Keep it running"),
        speech.gettext("Why is it stopped?"), stop_refused(view, visit.caller, speech), is_danger=True,
    )  # fmt: skip


def describe_resume(view: CampaignView, visit: Visit) -> Confirm:
    """Resuming: the first call asks, another principal's confirms."""
    speech = visit.speech
    title, now = speech.pick(view.title), platform_of(visit.request).clock()
    refused = resume_refused(view, visit.caller, speech, now)
    if asked_by_another(view, visit.caller, now):
        effects = (
            speech.gettext(
                "%(principal)s asked for it; your yes is the second one.", principal=view.resume_requested_by
            ),
            speech.gettext("New payments can get its discount again, at once, within the stages that are open."),
        )
        return Confirm(
            "resume", speech.gettext('Confirm the resume of "%(title)s"?', title=title), effects,
            speech.gettext("Confirm the resume"), speech.gettext("Leave it stopped"),
            speech.gettext("Why is it safe now?"), refused,
        )  # fmt: skip
    minutes = RESUME_CONFIRM_SECONDS // 60
    effects = (
        speech.gettext("Nothing resumes yet: your request is recorded."),
        speech.gettext(
            'Another principal with the scope "resume", not the author, must confirm within %(minutes)s minutes.',
            minutes=speech.number(minutes),
        ),
    )
    return Confirm(
        "resume", speech.gettext('Ask to resume "%(title)s"?', title=title), effects,
        speech.gettext("Ask to resume this campaign"), speech.gettext("Leave it stopped"),
        speech.gettext("Why is it safe now?"), refused,
    )  # fmt: skip


def describe_stage(view: CampaignView, visit: Visit) -> Confirm:
    """Opening a stage: more of the budget can be granted."""
    speech = visit.speech
    closed = [step for step in steps(view.stages_minor, view.stage_minor, 0, 0) if not step.is_open]
    opens_to = closed[0].high if closed else view.stage_minor
    effects = (
        speech.gettext(
            "The campaign may grant up to %(after)s in all, instead of %(before)s.",
            after=speech.money(opens_to, view.currency), before=speech.money(view.stage_minor, view.currency),
        ),
        speech.gettext("A stage that was opened stays open."),
    )  # fmt: skip
    return Confirm(
        "stage", speech.gettext('Open the next stage of "%(title)s"?', title=speech.pick(view.title)), effects,
        speech.gettext("Open the next stage"), speech.gettext("Leave it as it is"), None,
        stage_refused(view, visit.caller, speech),
    )  # fmt: skip


def honoured(speech: Speech, quotes: int) -> str:
    """What happens to quotes that payers have already seen."""
    if quotes == 0:
        return speech.gettext("No quote is open: nobody is waiting to pay with its discount.")
    return speech.ngettext(
        "%(count)s quote already shown is honoured.", "%(count)s quotes already shown are honoured.", quotes
    )


async def _ask(visit: Visit, describe: Describe) -> Page:
    view = await get_campaign(platform_of(visit.request), visit.caller, visit.request.path_params["campaign"])
    return _page(visit, view, describe(view, visit))


Act = Callable[..., Awaitable[object]]


async def _do(visit: Visit, describe: Describe, act: Act) -> Page | Response:
    campaign = visit.request.path_params["campaign"]
    reason = visit.form.get("reason", "").strip()
    wrong = wrong_reason(reason, visit.speech)
    if wrong is not None:
        view = await get_campaign(platform_of(visit.request), visit.caller, campaign)
        return _page(visit, view, describe(view, visit), reason=reason, wrong=wrong)
    await act(platform_of(visit.request), visit.caller, campaign, reason)
    return _back(campaign)


def wrong_reason(reason: str, speech: Speech) -> str | None:
    """What is wrong with a reason, in words; None where it is one."""
    if not reason:
        return speech.gettext("A reason is missing. Nothing was changed.")
    if len(reason) > TEXT_CHARS_MAX:
        most = speech.number(TEXT_CHARS_MAX)
        return speech.gettext("The reason is longer than %(most)s characters. Nothing was changed.", most=most)
    return None


def _back(campaign: str) -> Response:
    return RedirectResponse(f"/console/campaigns/{campaign}", 303)


def _page(visit: Visit, view: CampaignView, confirm: Confirm, *, reason: str = "", wrong: str | None = None) -> Page:
    back = f"/console/campaigns/{view.id}"
    values = {
        "confirm": confirm, "reason": reason, "wrong": wrong, "reason_chars_max": TEXT_CHARS_MAX, "typed": None,
        "opened": view.stage_minor, "back": back,
        "crumbs": [("/console/campaigns", visit.speech.gettext("Campaigns")), (back, view.id)],
    }  # fmt: skip
    twin = {
        "campaign": view.id, "step": confirm.name, "allowed": confirm.refused is None, "refused": confirm.refused,
        "effects": list(confirm.effects), "open_quotes": view.open_quotes,
    }  # fmt: skip
    return Page("confirm.html", values, twin, fragment="confirm_form.html", status=422 if wrong else 200)

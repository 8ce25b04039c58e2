"""Stopping a label, a funder, a scene or everything, and resuming it: what happens is said first, as for a campaign."""

from starlette.responses import RedirectResponse, Response

from makegood.domain.review import Scope
from makegood.domain.target import Target, TargetKind, parse_target
from makegood.errors import Problem, ProblemCode
from makegood.limits import RESUME_CONFIRM_SECONDS, TEXT_CHARS_MAX
from makegood.services import control
from makegood.services.guards_view import Stop, list_stops
from makegood.web.console.actions import scope_refused
from makegood.web.console.confirm import Confirm, wrong_reason
from makegood.web.console.guards import is_asked
from makegood.web.console.language import mark
from makegood.web.console.pages import Page, Visit
from makegood.web.console.speech import Speech
from makegood.web.console.words import target_words
from makegood.web.state import platform_of

HOME = "/console/guards"
TYPED = TargetKind.EVERYTHING.value  # What is typed before everything is stopped.


async def stop_target_page(visit: Visit) -> Page:
    """What stopping would do."""
    target = _target(visit)
    return _page(visit, target, _describe_stop(target, visit))


async def stop_target(visit: Visit) -> Page | Response:
    """Stopped, at once; or the form again where no reason was given, or the word was not typed."""
    target = _target(visit)
    reason = visit.form.get("reason", "").strip()
    wrong = wrong_reason(reason, visit.speech)
    if wrong is None and target.kind is TargetKind.EVERYTHING and visit.form.get("typed", "").strip().lower() != TYPED:
        wrong = visit.speech.gettext('The word "%(word)s" was not typed. Nothing was changed.', word=TYPED)
    if wrong is not None:
        return _page(visit, target, _describe_stop(target, visit), reason, wrong)
    await control.stop(platform_of(visit.request), visit.caller, target, reason)
    return RedirectResponse(HOME, 303)


async def resume_target_page(visit: Visit) -> Page:
    """What asking for a resume, or confirming one, would do."""
    target = _target(visit)
    return _page(visit, target, await _describe_resume(target, visit))


async def resume_target(visit: Visit) -> Page | Response:
    """Asked for, or by another principal confirmed; or the form again where no reason was given."""
    target = _target(visit)
    reason = visit.form.get("reason", "").strip()
    wrong = wrong_reason(reason, visit.speech)
    if wrong is not None:
        return _page(visit, target, await _describe_resume(target, visit), reason, wrong)
    await control.resume(platform_of(visit.request), visit.caller, target, reason)
    return RedirectResponse(HOME, 303)


def _target(visit: Visit) -> Target:
    """The target in the path. A campaign has pages of its own."""
    text = visit.request.path_params["target"]
    try:
        target = parse_target(text)
    except ValueError as error:
        raise Problem(ProblemCode.NOT_FOUND, str(error)) from None
    if target.kind is TargetKind.CAMPAIGN:
        raise Problem(ProblemCode.NOT_FOUND, "a campaign is stopped and resumed on its own page")
    return target


def _describe_stop(target: Target, visit: Visit) -> Confirm:
    speech = visit.speech
    effects = (
        _full_price(target, speech),
        speech.gettext("Every quote already shown is honoured."),
        speech.gettext("What payers were granted stays theirs."),
        speech.gettext("To resume it takes two principals."),
    )
    return Confirm(
        "stop", speech.gettext("Stop: %(target)s?", target=target_words(speech, target)), effects,
        speech.gettext("Stop it"), speech.gettext("Keep it running"), speech.gettext("Why is it stopped?"),
        scope_refused(Scope.OPERATE, visit.caller, speech), is_danger=True,
    )  # fmt: skip


def _full_price(target: Target, speech: Speech) -> str:
    match target.kind:
        case TargetKind.LABEL:
            return speech.gettext("New payments get no discount from any campaign with this label, at once.")
        case TargetKind.FUNDER:
            return speech.gettext("New payments get no discount from any campaign that this funder pays for, at once.")
        case TargetKind.SCENE:
            return speech.gettext("New payments in this scene get no discount, at once.")
    return speech.gettext("New payments get no discount from any campaign, at once. They go on at full price.")


async def _describe_resume(target: Target, visit: Visit) -> Confirm:
    speech, platform = visit.speech, platform_of(visit.request)
    stops = await list_stops(platform, visit.caller)
    stop = next((one for one in stops if one.target == str(target)), None)
    words = target_words(speech, target)
    if stop is not None and is_asked(stop, platform.clock()) and stop.resume_requested_by != visit.caller.principal:
        title, button = speech.gettext("Confirm the resume: %(target)s?", target=words), mark("Confirm the resume")
        effects: tuple[str, ...] = (
            speech.gettext(
                "%(principal)s asked for it; your yes is the second one.", principal=stop.resume_requested_by
            ),
            speech.gettext("New payments can get discounts again, at once, unless another stop holds them."),
        )
    else:
        title, button = speech.gettext("Ask to resume: %(target)s?", target=words), mark("Ask to resume")
        minutes = speech.number(RESUME_CONFIRM_SECONDS // 60)
        effects = (
            speech.gettext("Nothing resumes yet: your request is recorded."),
            speech.gettext(
                'Another principal with the scope "resume", who wrote none of these campaigns, must confirm within '
                "%(minutes)s minutes.", minutes=minutes,
            ),
        )  # fmt: skip
    return Confirm(
        "resume", title, effects, speech.gettext(button), speech.gettext("Leave it stopped"),
        speech.gettext("Why is it safe now?"), _resume_refused(stop, visit),
    )  # fmt: skip


def _resume_refused(stop: Stop | None, visit: Visit) -> str | None:
    speech = visit.speech
    if stop is None:
        return speech.gettext("It is not stopped.")
    is_mine = stop.resume_requested_by == visit.caller.principal
    if is_mine and is_asked(stop, platform_of(visit.request).clock()):
        return speech.gettext("You asked for it: another principal must confirm.")
    return scope_refused(Scope.RESUME, visit.caller, speech)


def _page(visit: Visit, target: Target, confirm: Confirm, reason: str = "", wrong: str | None = None) -> Page:
    is_typed = target.kind is TargetKind.EVERYTHING and confirm.name == "stop"
    values = {
        "confirm": confirm, "reason": reason, "wrong": wrong, "reason_chars_max": TEXT_CHARS_MAX, "opened": None,
        "typed": TYPED if is_typed else None, "back": HOME,
        "crumbs": [(HOME, visit.speech.gettext("Guards")), (None, str(target))],
    }  # fmt: skip
    twin = {
        "target": str(target), "step": confirm.name, "allowed": confirm.refused is None, "refused": confirm.refused,
        "effects": list(confirm.effects),
    }  # fmt: skip
    return Page("confirm.html", values, twin, fragment="confirm_form.html", status=422 if wrong else 200)

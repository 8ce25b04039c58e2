"""The words of closed lists: states, scopes, what is missing, what happened. Marked here, spoken by `Speech`."""

from collections.abc import Mapping
from typing import Any

from makegood.domain.review import Scope, State
from makegood.domain.target import Target, TargetKind
from makegood.errors import ProblemCode
from makegood.proof.verdict import Verdict
from makegood.services.stages import OPENER
from makegood.web.console.language import mark
from makegood.web.console.speech import Speech

STATE_WORDS: Mapping[State, str] = {
    State.STOPPED: mark("Stopped"),
    State.RUNNING: mark("Running"),
    State.SCHEDULED: mark("Scheduled"),
    State.APPROVED: mark("Approved"),
    State.IN_REVIEW: mark("In review"),
    State.DRAFT: mark("Draft"),
    State.ENDED: mark("Ended"),
}
"""In the order of the list: what needs a person first."""

SCOPE_WORDS: Mapping[Scope, str] = {
    Scope.READ: mark("See campaigns, money and events"),
    Scope.QUOTE: mark("Ask for quotes, capture, release and refund"),
    Scope.AUTHOR: mark("Write campaigns"),
    Scope.BRIEF: mark("Write briefs"),
    Scope.APPROVE: mark("Approve revisions and publish policies"),
    Scope.OPERATE: mark("Stop campaigns and open stages"),
    Scope.RESUME: mark("Resume stopped campaigns"),
}

EVENT_WORDS: Mapping[str, str] = {
    "document.published": mark("Documents published"),
    "revision.approved": mark("Revision approved"),
    "policy.in_force": mark("Policy put in force"),
    "campaign.live": mark("Revision put in the live set"),
    "campaign.open_stage": mark("Stage opened by hand"),
    "campaign.stop": mark("Campaign stopped"),
    "campaign.resume_request": mark("Resume asked for"),
    "campaign.resume": mark("Campaign resumed"),
    "breaker.trip": mark("A guard tripped"),
    "proof.made": mark("Proof made"),
}

GUARD_WORDS: Mapping[str, str] = {"collar": mark("collar"), "detector": mark("detector")}

VERDICT_WORDS: Mapping[Verdict, str] = {
    Verdict.PROVED: mark("Proved"),
    Verdict.REFUTED: mark("Refuted"),
    Verdict.UNKNOWN: mark("Not known"),
}

OBLIGATION_WORDS: Mapping[str, str] = {
    "inside_brief.discount_max": mark("No discount is larger than the brief allows"),
    "inside_brief.rate_max": mark("No discount is a larger share of the amount than the brief allows"),
    "inside_brief.spend_min": mark("No payment below the brief's smallest amount gets anything"),
    "inside_brief.scenes": mark("Only payments in the brief's scenes get anything"),
    "inside_brief.label": mark("Payers see the label of the brief"),
    "inside_brief.funding": mark("The funders of the brief pay, each their share"),
    "inside_brief.window": mark("Nothing is granted outside the brief's window"),
    "inside_brief.budget": mark("The budget is not above the brief's"),
    "inside_brief.per_payer": mark("No payer gets more than the brief allows"),
    "inside_brief": mark("It stays inside its brief"),
    "inside_policy": mark("Everything live keeps the policy"),
    "inside_policy.stages": mark("The stages are those that policy and brief allow"),
    "label_is_funded": mark("The owner of the label pays a share"),
    "can_ever_apply": mark("Some payment can get something"),
    "budget_bound": mark("The worst loss is within the policy's bounds"),
}

REMEDIES: Mapping[ProblemCode, str] = {
    ProblemCode.KEY_IS_MISSING: mark("Sign in and repeat the step."),
    ProblemCode.KEY_IS_WRONG: mark("Sign in again with a key that is valid."),
    ProblemCode.SCOPE_IS_MISSING: mark("Ask somebody whose key has the scope, or sign in with such a key."),
    ProblemCode.REQUEST_IS_FORGED: mark("Open the page again and repeat the step there."),
    ProblemCode.NOT_FOUND: mark("Check the address, or look for it in the list of campaigns."),
    ProblemCode.STATE_FORBIDS: mark("Look at the campaign again: somebody may have changed it meanwhile."),
    ProblemCode.PRINCIPAL_MAY_NOT: mark("Ask another principal to take this step."),
    ProblemCode.NOT_PROVED: mark("Look at the proof: it names a payment that would be granted something wrong."),
    ProblemCode.RESUME_NEEDS_ANOTHER: mark("Ask another principal to confirm the resume."),
    ProblemCode.STORE_IS_UNAVAILABLE: mark(
        "Wait a moment and repeat the step: it is taken once, however often you send it."
    ),
    ProblemCode.INTERNAL: mark("Repeat the step. If it fails again, report the reference below."),
}
REMEDY_ELSE = mark("Go back, change what is wrong, and repeat the step.")


def target_words(speech: Speech, target: Target) -> str:
    """What a target is."""
    match target.kind:
        case TargetKind.CAMPAIGN:
            return speech.gettext("campaign %(id)s", id=target.id)
        case TargetKind.LABEL:
            return speech.gettext("label %(id)s", id=target.id)
        case TargetKind.FUNDER:
            return speech.gettext("funder %(id)s", id=target.id)
        case TargetKind.SCENE:
            return speech.gettext("scene %(id)s", id=target.id)
    return speech.gettext("everything")


def missing_words(speech: Speech, missing: str) -> str:
    """What is still missing before a campaign may run, and who can bring it."""
    kind, _, value = missing.partition(":")
    match kind:
        case "policy":
            return speech.gettext("The policy of this house: nobody has published one.")
        case "brief":
            return speech.gettext("The brief: the budget owner has not published one.")
        case "brief_by_another_principal":
            return speech.gettext("A brief by another principal: the author of the campaign wrote this one.")
        case "proof" if value:
            return speech.gettext("A proof that says: %(obligation)s.", obligation=obligation_words(speech, value))
        case "proof":
            return speech.gettext("A proof: none was made yet, or no solver is installed here.")
        case "signature":
            return speech.gettext("The signature of %(funder)s, who owns the label.", funder=value)
        case "approval" if value.isdecimal():
            return speech.ngettext(
                "%(count)s more approval, by a principal who wrote neither the campaign nor its brief.",
                "%(count)s more approvals, by principals who wrote neither the campaign nor its brief.",
                int(value),
            )
    return missing


def obligation_words(speech: Speech, obligation: str) -> str:
    """What an obligation says; a rule of the policy by its id."""
    if obligation in OBLIGATION_WORDS:
        return speech.gettext(OBLIGATION_WORDS[obligation])
    rule = obligation.removeprefix("inside_policy.")
    return speech.gettext("The policy's rule %(rule)s holds", rule=rule)


def event_words(speech: Speech, event: Mapping[str, Any]) -> str:
    """What an event of the audit trail was; its permanent name where no words are known."""
    action = str(event["action"])
    if action == "campaign.open_stage" and event.get("principal") == OPENER:
        return speech.gettext("Stage opened on evidence")
    return speech.gettext(EVENT_WORDS[action]) if action in EVENT_WORDS else action


def remedy(speech: Speech, code: ProblemCode) -> str:
    """What to do about a problem."""
    return speech.gettext(REMEDIES.get(code, REMEDY_ELSE))

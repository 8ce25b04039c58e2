"""JSON Schemas of stops, trips and drills: more components of the OpenAPI document."""

from typing import Any

from makegood.limits import ID_CHARS_MAX
from makegood.services.guards_view import LISTED_MAX
from makegood.web.api.schemas import (
    BOOL,
    COUNT,
    MOMENT,
    REASON,
    REVISION,
    TEXT,
    WORDS,
    Schema,
    listed,
    nullable,
    record,
    ref,
)

TARGET: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": len("campaign:") + ID_CHARS_MAX,
    "description": "`campaign:ID`, `label:ID`, `funder:ID`, `scene:ID` or `everything`.",
}
GUARD: Schema = {"type": "string", "enum": ["collar", "detector"]}
_ANYTHING: Schema = {"type": "object", "additionalProperties": True}

STOP_REQUEST = record(
    "What is stopped, or resumed, and why, in words that the audit trail keeps.", {"target": TARGET, "reason": REASON}
)
STOP = record(
    "A stop in force.",
    {
        "target": TARGET,
        "stopped_by": TEXT | {"description": "A principal, or `makegood:GUARD` where a guard tripped."},
        "reason": TEXT,
        "since": MOMENT,
        "campaigns": listed(TEXT)
        | {"description": "The live campaigns it covers. A scene's names none: it holds for all, in that scene."},
        "resume_requested_by": nullable(TEXT),
        "resume_confirm_by": nullable(MOMENT) | {"description": "Until then another principal can confirm."},
        "tripped_by": nullable(GUARD),
        "needs_new_revision": BOOL | {"description": "It cannot be resumed: publish a new revision."},
    },
)
TRIP = record(
    "What a guard saw.",
    {
        "number": COUNT,
        "at": MOMENT,
        "guard": GUARD,
        "what": TEXT | {"description": "The check of the collar, or the measure of the detector."},
        "campaign": TEXT,
        "revision": REVISION,
        "opened": BOOL | {"description": "It opened the breaker; otherwise it was kept as evidence."},
        "evidence": _ANYTHING | {"description": "Numbers, the threshold, payments; `words` say it by language."},
    },
)
DRILL = record(
    "One drill.",
    {"number": COUNT, "at": MOMENT, "principal": TEXT, "passed": BOOL, "steps": listed(_ANYTHING)},
)
DRILLED = record(
    "What a drill found.",
    {
        "passed": BOOL,
        "warned": BOOL | {"description": "A step passed, and yet something is to do, such as setting up a pager."},
        "steps": listed(
            record(
                "One step.",
                {"step": TEXT, "passed": BOOL, "ms": COUNT, "says": WORDS, "warned": BOOL},
            )
        ),
    },
)
STOP_COMPONENTS: dict[str, Schema] = {
    "StopRequest": STOP_REQUEST,
    "Stop": STOP,
    "Stops": record("Every stop in force, newest first.", {"stops": listed(ref("Stop"))}),
    "Trip": TRIP,
    "Trips": record("The newest trips, newest first.", {"trips": listed(ref("Trip"), maxItems=LISTED_MAX)}),
    "Drill": DRILL,
    "Drilled": DRILLED,
    "Drills": record("The newest drills, newest first.", {"drills": listed(ref("Drill"), maxItems=LISTED_MAX)}),
}

STOP_EXAMPLE: dict[str, Any] = {
    "target": "label:government_subsidy",
    "stopped_by": "oncall",
    "reason": "the label appeared on transfers",
    "since": "2027-02-03T02:00:00Z",
    "campaigns": ["spring-qr-2027"],
    "resume_requested_by": None,
    "resume_confirm_by": None,
    "tripped_by": None,
    "needs_new_revision": False,
}
TRIP_EXAMPLE: dict[str, Any] = {
    "number": 7,
    "at": "2027-02-03T02:00:00Z",
    "guard": "collar",
    "what": "discount_is_above_max",
    "campaign": "spring-qr-2027",
    "revision": "rev_" + "5e" * 32,
    "opened": True,
    "evidence": {"seen": 6000, "allowed": 5000, "words": {"en": "the discount is 60.00 CNY; 50.00 CNY is the most"}},
}
DRILL_EXAMPLE: dict[str, Any] = {
    "number": 3,
    "at": "2027-02-03T02:00:00Z",
    "principal": "oncall",
    "passed": True,
    "steps": [{"step": "stop", "passed": True}],
}
DRILLED_EXAMPLE: dict[str, Any] = {
    "passed": True,
    "warned": False,
    "steps": [
        {
            "step": "stop.everything",
            "passed": True,
            "ms": 6,
            "says": {
                "en": "`everything` was stopped, and the next payment was refused the discount of `spring-qr-2027`"
            },
            "warned": False,
        }
    ],
}

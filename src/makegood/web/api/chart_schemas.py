"""JSON Schemas of a campaign's live chart: more components of the OpenAPI document."""

from typing import Any

from makegood.guard.stage_decision import Because
from makegood.services.chart_marks import ACTIONS
from makegood.services.lately import MINUTES_SHOWN, SLOTS_SHOWN
from makegood.services.live_chart import MARKS_MAX
from makegood.web.api.schemas import (
    BOOL,
    COUNT,
    CURRENCY,
    MINOR,
    MOMENT,
    REVISION,
    TEXT,
    WORDS,
    Schema,
    listed,
    nullable,
    one_of,
    record,
    ref,
)

_NUMBER: Schema = {"type": "number"}
_SHARE: Schema = {"type": "number", "minimum": 0, "description": "The part of the way to an alarm, of logarithms."}

POINT = record(
    "What was granted, and paid, in the minute before a moment.",
    {"until": MOMENT, "granted_minor": MINOR, "grants": COUNT, "paid_minor": MINOR},
)
INTERVAL = record("A time in which it was stopped.", {"since": MOMENT, "until": nullable(MOMENT)})
MARK = record(
    "Something that happened to it.",
    {
        "at": MOMENT,
        "action": {"type": "string", "enum": list(ACTIONS)},
        "subject": TEXT | {"description": "The campaign, or the wider target that was stopped or resumed."},
        "principal": TEXT,
        "opened": BOOL | {"description": "A trip that opened the breaker."},
        "amount_minor": nullable(MINOR) | {"description": "Up to where a stage opened."},
        "reason": nullable(TEXT),
        "words": WORDS,
    },
)
DECISION = record(
    "A look at the stage that is open: docs/concepts/stages.md.",
    {
        "open_next": BOOL,
        "because": one_of(Because, "Why the next stage opens or does not."),
        "opened_minor": MINOR,
        "next_minor": nullable(MINOR),
        "payers": COUNT,
        "payers_settled": COUNT,
        "payers_bad": COUNT,
        "payers_needed": COUNT,
        "one_in": COUNT,
        "spent_minor": MINOR,
        "pace_minor": MINOR,
        "trips": COUNT,
        "alarms": COUNT,
    },
    {"log_e": _NUMBER, "log_needed": _NUMBER, "loudness": nullable(_NUMBER)},
)
STAGE = record(
    "What of the budget is open, and the newest look at it by the process that answers.",
    {
        "opened_minor": MINOR,
        "left_minor": MINOR,
        "budget_minor": MINOR,
        "decision": nullable(ref("StageDecision")),
        "words": WORDS,
    },
)
EVIDENCE = record(
    "A cell of the detector. An alarm is at 1.",
    {
        "cell": TEXT,
        "own": nullable(_SHARE) | {"description": "Of the process that answers."},
        "merged": nullable(_SHARE) | {"description": "Of all processes together."},
    },
)
CHART = record(
    f"The last {MINUTES_SHOWN} minutes of a campaign, by the store's clock. A grant counts when it is answered.",
    {
        "campaign": TEXT,
        "revision": REVISION,
        "title": WORDS,
        "currency": CURRENCY,
        "timezone": TEXT,
        "as_of": MOMENT,
        "minutes": COUNT,
        "known_since": MOMENT | {"description": "What was before is still being read; ask again."},
        "limit_minor": nullable(MINOR) | {"description": "The most that the brief expects a minute."},
        "breaker_minor": nullable(MINOR) | {"description": "A minute of one process above it opens the breaker."},
        "granted_minor": MINOR,
        "grants": COUNT,
        "paid_minor": MINOR,
        "busiest_minor": MINOR | {"description": "The most of any minute."},
        "busiest_until": nullable(MOMENT),
        "points": listed(ref("ChartPoint"), maxItems=SLOTS_SHOWN),
        "stopped": listed(ref("ChartInterval")),
        "marks": listed(ref("ChartMark"), maxItems=MARKS_MAX),
        "stage": ref("ChartStage"),
        "is_watched": BOOL | {"description": "A detector watches it in the process that answers."},
        "detector": listed(ref("ChartEvidence")),
    },
)
CHART_COMPONENTS: dict[str, Schema] = {
    "Chart": CHART,
    "ChartPoint": POINT,
    "ChartInterval": INTERVAL,
    "ChartMark": MARK,
    "ChartStage": STAGE,
    "ChartEvidence": EVIDENCE,
    "StageDecision": DECISION,
}
CHART_EXAMPLE: dict[str, Any] = {
    "campaign": "spring-qr-2027",
    "revision": "rev_" + "5e" * 32,
    "title": {"en": "Spring QR discount"},
    "currency": "CNY",
    "timezone": "Asia/Shanghai",
    "as_of": "2027-02-03T02:00:00Z",
    "minutes": MINUTES_SHOWN,
    "known_since": "2027-02-03T01:30:00Z",
    "limit_minor": 2_000_000,
    "breaker_minor": 40_000_000,
    "granted_minor": 412_000,
    "grants": 206,
    "paid_minor": 398_000,
    "busiest_minor": 22_000,
    "busiest_until": "2027-02-03T01:41:20Z",
    "points": [{"until": "2027-02-03T02:00:00Z", "granted_minor": 20_000, "grants": 10, "paid_minor": 18_000}],
    "stopped": [],
    "marks": [
        {
            "at": "2027-02-03T01:40:00Z",
            "action": "campaign.open_stage",
            "subject": "spring-qr-2027",
            "principal": "oncall",
            "opened": False,
            "amount_minor": 1_000_000,
            "reason": None,
            "words": {},
        }
    ],
    "stage": {
        "opened_minor": 1_000_000,
        "left_minor": 588_000,
        "budget_minor": 100_000_000,
        "decision": None,
        "words": {},
    },
    "is_watched": True,
    "detector": [{"cell": "share", "own": 0.02, "merged": 0.04}],
}

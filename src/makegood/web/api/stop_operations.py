"""The operations on stops, trips and drills: a part of the table."""

from makegood.domain.review import Scope
from makegood.errors import ProblemCode as P
from makegood.web.api import drills, stops
from makegood.web.api.operation import Once, Operation
from makegood.web.api.schemas import ref
from makegood.web.api.stop_schemas import DRILL_EXAMPLE, DRILLED_EXAMPLE, STOP_EXAMPLE, TRIP_EXAMPLE

_READ = (Scope.READ,)
_ASKED = {"target": "label:government_subsidy", "reason": "the label appeared on transfers"}

STOP_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "POST",
        "/v1/stops",
        stops.create_stop,
        "Guards",
        "Stop a target",
        "From now on payments get nothing from the campaign, label, funder or scene, or from anything. Quotes that "
        "were shown are honoured. One principal is enough. Stopped again, the newest reason holds, and a resume that "
        "was asked for is off.",
        (Scope.OPERATE,),
        ref("Stopped"),
        {"stopped": ["label:government_subsidy", "campaign:spring-qr-2027"], "honoured_quotes": 312},
        ref("StopRequest"),
        _ASKED,
        problems=(P.NOT_FOUND, P.STATE_FORBIDS),
        once=Once.TAKEN,
    ),
    Operation(
        "GET",
        "/v1/stops",
        stops.list_stops,
        "Guards",
        "List stops",
        "Every stop in force, of campaigns and wider, and whether a resume was asked for.",
        _READ,
        ref("Stops"),
        {"stops": [STOP_EXAMPLE]},
    ),
    Operation(
        "POST",
        "/v1/resumes",
        stops.create_resume,
        "Guards",
        "Resume a target",
        "The first call records a request; the same call by another principal, who wrote no campaign that the stop "
        "covers, confirms it within 15 minutes. Each time what is live is proved again. What a guard stopped for good "
        "needs a new revision instead. A campaign that several stops cover grants again after the last of them.",
        (Scope.RESUME,),
        ref("Resumed"),
        {"target": "label:government_subsidy", "state": "requested", "confirm_by": "2027-02-03T02:15:00Z"},
        ref("StopRequest"),
        _ASKED | {"reason": "the template is right again"},
        problems=(
            P.NOT_FOUND,
            P.STATE_FORBIDS,
            P.RESUME_NEEDS_ANOTHER,
            P.PRINCIPAL_MAY_NOT,
            P.NOT_PROVED,
            P.REVISION_HAS_CHANGED,
            P.TOO_MANY_REQUESTS,
        ),
        once=Once.NEEDED,
    ),
    Operation(
        "GET",
        "/v1/trips",
        stops.list_trips,
        "Guards",
        "List trips",
        "What guards saw when they tripped, with the evidence: numbers, thresholds, payments.",
        _READ,
        ref("Trips"),
        {"trips": [TRIP_EXAMPLE]},
    ),
    Operation(
        "POST",
        "/v1/drills",
        drills.create_drill,
        "Guards",
        "Drill the guards",
        "Tries the stop path, the breaker, the lease and the page on the live system, and undoes all of it but the "
        "record. It takes a second, or as long as the pager does. `passed` is false where a step failed; then whoever "
        "is on call is paged, too.",
        (Scope.OPERATE,),
        ref("Drilled"),
        DRILLED_EXAMPLE,
        ref("Nothing"),
        {},
        body_optional=True,
        problems=(P.STATE_FORBIDS,),
        once=Once.TAKEN,
    ),
    Operation(
        "GET",
        "/v1/drills",
        stops.list_drills,
        "Guards",
        "List drills",
        "What drills of the stop path, the breaker, the lease and the page found.",
        _READ,
        ref("Drills"),
        {"drills": [DRILL_EXAMPLE]},
    ),
)

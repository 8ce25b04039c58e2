"""Logs on stderr and metrics with bounded labels."""

import logging
import sys

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

REGISTRY = CollectorRegistry()

QUOTES = Counter(
    "makegood_quotes", "Quotes answered, by outcome", ["outcome"], registry=REGISTRY
)  # outcome: granted, none, undecided
DISCOUNT_MINOR = Counter("makegood_discount_minor", "Discount granted, minor units", ["currency"], registry=REGISTRY)
QUOTE_SECONDS = Histogram(
    "makegood_quote_seconds",
    "Time from request to answer",
    registry=REGISTRY,
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0),
)
COLLAR_DROPS = Counter(
    "makegood_collar_drops", "Discounts that the collar dropped, by check", ["check"], registry=REGISTRY
)
TRIPS = Counter("makegood_trips", "Trips of guards that open a breaker, by guard", ["guard"], registry=REGISTRY)
STAGES_OPENED = Counter("makegood_stages_opened", "Stages that opened by themselves", registry=REGISTRY)
STAGES_JUDGED = Counter(
    "makegood_stages_judged", "Looks at stages that are not the last, by why the next one opens or not", ["because"],
    registry=REGISTRY,
)  # fmt: skip
OBSERVATIONS = Counter("makegood_detector_observations", "Payments that detectors observed", registry=REGISTRY)
ALARMS = Counter(
    "makegood_detector_alarms", "Alarms of detectors, by measure and by whose evidence", ["measure", "evidence"],
    registry=REGISTRY,
)  # fmt: skip
# evidence: own (of this process), merged (of all together)
MERGES = Counter(
    "makegood_detector_merges", "Times that what a process saw joined what all know, by result", ["result"],
    registry=REGISTRY,
)  # fmt: skip
# result: merged, failed (it is kept and told again)
STOPPED = Gauge(
    "makegood_stopped",
    "Stops in force, as this process knows them: campaigns that any stop covers, and scenes",
    ["what"],
    registry=REGISTRY,
    multiprocess_mode="livemax",
)  # what: campaign, scene
LEASE_SECONDS = Gauge(
    "makegood_lease_seconds",
    "Seconds left of the shortest lease of a house whose payments this process decides; 0 where it is over",
    registry=REGISTRY,
    multiprocess_mode="livemin",
)
UNDECIDED = Counter(
    "makegood_undecided", "Payments answered full price and undecided, by why", ["reason"], registry=REGISTRY
)  # reason: docs/reference/undecided.md
GUARD_ROUND_SECONDS = Histogram(
    "makegood_guard_round_seconds",
    "Time of one round of the guards over all houses of a process",
    registry=REGISTRY,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
)
GUARD_ROUNDS_FAILED = Counter(
    "makegood_guard_rounds_failed", "Rounds of the guards that failed, for one house or for all", registry=REGISTRY
)
LATE_HOLDS = Counter("makegood_late_holds", "Holds that committed after their deadline", registry=REGISTRY)

DRILLS = Counter("makegood_drills", "Drills by result", ["result"], registry=REGISTRY)  # passed, warned, failed
DRILL_PASSED = Gauge(
    "makegood_drill_passed_timestamp_seconds",
    "When the house whose last passed drill is oldest passed it, seconds since 1970; 0 where one never did",
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
PAGES = Counter("makegood_pages", "Pages by result", ["result"], registry=REGISTRY)
# result: sent, failed, dropped, not_configured


def exposed(folder: str | None) -> CollectorRegistry:
    """What `/metrics` shows: the counts of this process, or of all that count together in `folder`, the dead too."""
    if folder is None:
        return REGISTRY
    together = CollectorRegistry()
    MultiProcessCollector(together, folder)  # type: ignore[no-untyped-call]
    return together


def configure_logging(level: str) -> None:
    """Structured lines on stderr; data never goes there and logs never to stdout."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


log = structlog.get_logger("makegood")

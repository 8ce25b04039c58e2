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

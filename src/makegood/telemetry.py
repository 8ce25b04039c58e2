"""Logs on stderr and metrics with bounded labels."""

import logging
import sys

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
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
LATE_HOLDS = Counter("makegood_late_holds", "Holds that committed after their deadline", registry=REGISTRY)


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
